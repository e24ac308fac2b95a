package worker

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

const (
	testsAtOnce  = 4 // of one worker, besides its runs
	testLook     = time.Second
	testLines    = 200
	testStopping = "the worker was stopped during the test; whether the call was made is not known"
)

// tests does the steps that people try while they write them, until stop ends. They are few, and somebody waits for each,
// so they have places of their own and queue for no run.
func (w *Worker) tests(ctx, stop context.Context) error {
	var open sync.WaitGroup
	defer open.Wait()
	places := make(chan struct{}, testsAtOnce)
	for {
		if free := cap(places) - len(places); free > 0 {
			claimed, err := postgres.StepTests{Q: w.db}.Claim(stop, w.name, free)
			if err != nil && stop.Err() == nil {
				w.log.WarnContext(ctx, "step tests not claimed", "error", err)
			}
			for _, t := range claimed {
				places <- struct{}{}
				open.Go(func() {
					defer func() { <-places }()
					w.test(ctx, t)
				})
			}
		}
		select {
		case <-w.clock.After(testLook):
		case <-stop.Done():
			return nil
		}
	}
}

// test makes the one attempt of a test, and records how it went.
func (w *Worker) test(ctx context.Context, t postgres.ClaimedTest) {
	lines := &journal{}
	result := w.tryStep(ctx, t, lines)
	result.Logs = testLog(lines.take())
	err := w.insist(ctx, func(ctx context.Context) error {
		return postgres.StepTests{Q: w.db}.Finish(ctx, t.ID, w.name, result)
	})
	if err != nil {
		w.log.WarnContext(ctx, "step test not recorded", "test", t.ID, "error", err)
	}
}

func (w *Worker) tryStep(ctx context.Context, t postgres.ClaimedTest, lines *journal) postgres.TestResult {
	var step workflow.Step
	if err := json.Unmarshal(t.Step, &step); err != nil {
		return testFailure(run.FailureConfig, "the step cannot be read: "+err.Error())
	}
	ready := w.library.prepare(step)
	if ready.broken != nil {
		return testFailure(run.FailureConfig, ready.broken.Error())
	}
	given, err := w.vault.reveal(ctx, t.ProjectID, ready.names)
	var no refused
	if errors.As(err, &no) {
		return testFailure(run.FailureConfig, err.Error())
	}
	if err != nil {
		w.log.WarnContext(ctx, "values of a step test not read", "test", t.ID, "error", err)
		return testFailure(run.FailureConfig, "the secrets and variables that the step names could not be read; try again")
	}
	secrets := secret.NewRedactor(given.values...)
	lines.hide(secrets)
	env, err := testEnv(t, step)
	if err != nil {
		return testFailure(run.FailureConfig, err.Error())
	}
	env = given.env(env)
	if ready.condition != nil {
		holds, err := ready.condition.Eval(ctx, env)
		if err != nil {
			return testFailure(run.FailureConfig, "condition: "+secrets.Hide(err.Error()))
		}
		if !holds {
			why := "its condition is false: " + step.If
			return postgres.TestResult{Status: string(run.Skipped), Error: &why}
		}
	}
	result, away := w.once(ctx, ready, action.Call{
		RunID: t.ID, ProjectID: t.ProjectID, Step: step.ID, Attempt: 1, Env: env, Now: w.clock.Now(), Trial: true, Secrets: secrets, Log: lines.writer(w.clock.Now, step.ID, 1),
	}, time.Duration(t.Seconds)*time.Second)
	if away != nil {
		return testFailure("host", away.why)
	}
	return testOutcome(ctx, result)
}

func testOutcome(ctx context.Context, r action.Result) postgres.TestResult {
	out := postgres.TestResult{Status: string(run.Succeeded), Output: encodeOutput(r.Output)}
	if r.Pause != nil {
		out.Output = encodeOutput(r.Pause.Left) // in a run it would pause here
	}
	if r.Failure == nil {
		return out
	}
	class, message := r.Failure.Class, clip(r.Failure.Message)
	if ctx.Err() != nil && !r.Failure.Unsent {
		class, message = run.FailureWorkerLost, testStopping
	}
	out.Status, out.Class, out.Error = string(run.Failed), &class, &message
	return out
}

func testFailure(class, message string) postgres.TestResult {
	message = clip(message)
	return postgres.TestResult{Status: string(run.Failed), Class: &class, Error: &message}
}

// testEnv is what the step's templates see: the samples, and a run that says of itself that it is a test.
func testEnv(t postgres.ClaimedTest, step workflow.Step) (expr.Env, error) {
	inputs, err := sampleOf(t.Inputs)
	if err != nil {
		return nil, err
	}
	steps, err := sampleOf(t.Outputs)
	if err != nil {
		return nil, err
	}
	if _, ok := steps[step.ID]; !ok {
		steps[step.ID] = map[string]any{}
	}
	id := uuid.UUID{}
	if t.WorkflowID != nil {
		id = *t.WorkflowID
	}
	return expr.Env{
		"inputs": inputs, "steps": steps,
		"run":     map[string]any{"id": t.ID.String(), "attempt": 1, "created_at": stamp(&t.StartedAt), "fire_at": nil},
		"trigger": map[string]any{"type": "test", "fire_at": nil}, "approvals": map[string]any{},
		"workflow": map[string]any{"id": id.String(), "name": "test", "version": 0},
	}, nil
}

func sampleOf(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 {
		return map[string]any{}, nil
	}
	v, err := expr.DecodeJSON(raw)
	if err != nil {
		return nil, err //nolint:wrapcheck // the message says what is wrong with the sample
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a sample is no object")
	}
	return object, nil
}

// testLog writes lines as the API shows them.
func testLog(rows []postgres.LogRow) json.RawMessage {
	type line struct {
		At      string `json:"at"`
		Level   string `json:"level"`
		Message string `json:"message"`
	}
	lines := make([]line, 0, min(len(rows), testLines))
	for _, r := range rows[:min(len(rows), testLines)] {
		lines = append(lines, line{At: r.At.UTC().Format("2006-01-02T15:04:05.000Z"), Level: r.Level, Message: r.Message})
	}
	raw, err := json.Marshal(lines)
	if err != nil {
		return json.RawMessage(`[]`)
	}
	return storable(raw)
}
