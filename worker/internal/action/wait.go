package action

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// wait lets a run rest.
type wait struct{}

// Leaves implements Action.
func (wait) Leaves() bool { return false }

// Prepare implements Action.
func (wait) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.WaitConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	duration, err := expr.ParseTemplate(c.Duration)
	if err != nil {
		return nil, fmt.Errorf("parse duration: %w", err)
	}
	until, err := expr.ParseTemplate(c.Until)
	if err != nil {
		return nil, fmt.Errorf("parse until: %w", err)
	}
	return waitRunner{lasting: c.Duration != "", duration: duration, until: until}, nil
}

type waitRunner struct {
	lasting         bool
	duration, until *expr.Template
}

// waited is what a wait leaves, while it waits and after.
type waited struct {
	Until string `json:"until"`
}

// Run implements Runner.
func (w waitRunner) Run(ctx context.Context, call Call) Result {
	until, err := w.end(ctx, call)
	if err != nil {
		return failed(run.FailureConfig, "%s", err)
	}
	left := waited{until.UTC().Format(time.RFC3339Nano)}
	if !until.After(call.Now) {
		return Result{Output: map[string]any{"until": left.Until}}
	}
	return Result{Pause: &Pause{Until: until, Why: "waits until " + until.UTC().Format("2006-01-02 15:04:05 UTC"), Left: left}}
}

// end is until when it waits; the second time that is known already.
func (w waitRunner) end(ctx context.Context, call Call) (time.Time, error) {
	var left waited
	if len(call.Paused) > 0 {
		if err := json.Unmarshal(call.Paused, &left); err != nil {
			return time.Time{}, fmt.Errorf("read until when it waits: %w", err)
		}
		return parseInstant(left.Until)
	}
	if w.lasting {
		text, err := evalText(ctx, w.duration, call.Env)
		if err != nil {
			return time.Time{}, fmt.Errorf("duration: %w", err)
		}
		d, err := workflow.ParseDuration(text)
		if err != nil {
			return time.Time{}, err //nolint:wrapcheck // it says it all
		}
		return call.Now.Add(time.Duration(d)), nil
	}
	text, err := evalText(ctx, w.until, call.Env)
	if err != nil {
		return time.Time{}, fmt.Errorf("until: %w", err)
	}
	return parseInstant(text)
}

func parseInstant(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no instant: want one as in 2026-12-24T18:00:00+01:00", text)
	}
	return at, nil
}
