package action

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// logMessage writes a line into the run's log.
type logMessage struct{}

// Leaves implements Action.
func (logMessage) Leaves() bool { return false }

// Prepare implements Action.
func (logMessage) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.LogConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	message, err := expr.ParseTemplate(c.Message)
	if err != nil {
		return nil, fmt.Errorf("parse message: %w", err)
	}
	if c.Level == "" {
		c.Level = "info"
	}
	return logRunner{message: message, level: c.Level}, nil
}

type logRunner struct {
	message *expr.Template
	level   string
}

// Run implements Runner.
func (r logRunner) Run(ctx context.Context, call Call) Result {
	text, err := evalText(ctx, r.message, call.Env)
	if err != nil {
		return failed(run.FailureConfig, "message: %s", err)
	}
	call.Log(r.level, text)
	return Result{Output: map[string]any{"message": text}}
}

// evalText evaluates a template to text; a value that is no text is written as JSON.
func evalText(ctx context.Context, t *expr.Template, env expr.Env) (string, error) {
	v, err := t.Eval(ctx, env)
	if err != nil {
		return "", fmt.Errorf("evaluate: %w", err)
	}
	text, err := expr.Text(ctx, v)
	if err != nil {
		return "", fmt.Errorf("write as text: %w", err)
	}
	return text, nil
}
