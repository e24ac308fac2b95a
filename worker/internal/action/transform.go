package action

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// transform makes a value of others.
type transform struct{}

// Leaves implements Action.
func (transform) Leaves() bool { return false }

// Prepare implements Action.
func (transform) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.TransformConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	value, err := expr.DecodeJSON(c.Value)
	if err != nil {
		return nil, fmt.Errorf("read value: %w", err)
	}
	if _, err := expr.ParseValue(value); err != nil {
		return nil, fmt.Errorf("parse value: %w", err)
	}
	return transformRunner{value}, nil
}

type transformRunner struct{ value any }

// Run implements Runner.
func (r transformRunner) Run(ctx context.Context, call Call) Result {
	value, err := expr.EvalValue(ctx, r.value, call.Env)
	if err != nil {
		return failed(run.FailureConfig, "value: %s", err)
	}
	return Result{Output: value}
}
