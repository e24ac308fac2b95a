package worker_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// try asks for a test of a step.
func (b *bench) try(step workflow.Step, inputs, outputs string) uuid.UUID {
	b.t.Helper()
	raw, err := json.Marshal(step)
	if err != nil {
		b.t.Fatal(err)
	}
	fresh := postgres.NewStepTest{
		ID: uuid.New(), ProjectID: b.who.Projects[0].ProjectID, CreatedBy: b.who.User.ID, Step: raw,
		Inputs: json.RawMessage(inputs), Outputs: json.RawMessage(outputs), Limit: time.Second,
	}
	if inputs == "" {
		fresh.Inputs = nil
	}
	if outputs == "" {
		fresh.Outputs = nil
	}
	err = b.db.InTx(b.t.Context(), func(q postgres.Querier) error { return postgres.StepTests{Q: q}.Insert(b.t.Context(), fresh) })
	if err != nil {
		b.t.Fatal(err)
	}
	return fresh.ID
}

// tried waits until a test has ended.
func (b *bench) tried(id uuid.UUID) postgres.StepTestRow {
	b.t.Helper()
	var row postgres.StepTestRow
	b.eventually("the test ends", func() bool {
		var err error
		if row, err = (postgres.StepTests{Q: b.db}).Get(b.t.Context(), []uuid.UUID{b.who.Projects[0].ProjectID}, id); err != nil {
			b.t.Fatal(err)
		}
		return row.Status != "queued" && row.Status != "running"
	})
	return row
}

// A step is tried once, with samples, and is no run.
func TestAStepIsTried(t *testing.T) {
	b := newBench(t)
	b.work()
	step := call("a", "/{{ inputs.path }}/{{ steps.before.body.id }}")
	step.Retry = &workflow.Retry{Attempts: 5}
	got := b.tried(b.try(step, `{"path": "x"}`, `{"before": {"body": {"id": 9007199254740993}}}`))
	if got.Status != "succeeded" || !strings.Contains(string(got.Output), `"ok": true`) || !strings.Contains(string(got.Logs), "GET http://target/x/9007199254740993: 200") {
		t.Errorf("it %s with %s and the log %s", got.Status, got.Output, got.Logs)
	}

	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) { return answer(503, `{}`), nil }
	got = b.tried(b.try(step, `{"path": "y"}`, ``))
	if got.Status != "failed" || deref(got.Class) != "503" || !strings.Contains(deref(got.Error), "HTTP 503") {
		t.Errorf("it %s: %s (%s)", got.Status, deref(got.Error), deref(got.Class))
	}
	if called := b.target.called(); len(called) != 2 {
		t.Errorf("it called %v: a test is not tried again", called)
	}

	step.If = "inputs.path == 'z'"
	if got = b.tried(b.try(step, `{"path": "y"}`, ``)); got.Status != "skipped" || !strings.Contains(deref(got.Error), "its condition is false") {
		t.Errorf("it %s: %s", got.Status, deref(got.Error))
	}
	if got = b.tried(b.try(note("b", "{{ inputs.a }} {{ trigger.type }}"), `{"a": 1}`, ``)); !strings.Contains(string(got.Logs), "1 test") {
		t.Errorf("it logged %s", got.Logs)
	}
	var runs int
	if err := b.db.QueryRow(t.Context(), `select count(*) from runs`).Scan(&runs); err != nil || runs != 0 {
		t.Errorf("%d runs came of it (%v)", runs, err)
	}
}

// An attempt ends when its time is up, and when its worker goes; then nobody tries it once more.
func TestATriedStepThatDoesNotAnswer(t *testing.T) {
	b := newBench(t)
	began := make(chan struct{}, 2)
	b.target.answer = func(ctx context.Context, _ int, _ egress.Request) (*egress.Response, error) {
		began <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	drain, abandon := b.work(func(c *worker.Config) { c.LetGo = time.Second })
	if got := b.tried(b.try(call("a", "/"), ``, ``)); got.Status != "failed" || deref(got.Class) != "timeout" {
		t.Errorf("it %s (%s): %s", got.Status, deref(got.Class), deref(got.Error))
	}
	<-began
	id := b.try(call("b", "/"), ``, ``)
	<-began
	abandon()
	drain()
	if got := b.tried(id); got.Status != "failed" || !strings.Contains(deref(got.Error), "the worker was stopped") && deref(got.Class) != "timeout" {
		t.Errorf("it %s (%s): %s", got.Status, deref(got.Class), deref(got.Error))
	}
	b.work()
	if got := b.tried(b.try(note("c", "after"), ``, ``)); got.Status != "succeeded" {
		t.Errorf("the next %s", got.Status)
	}
	if called := b.target.called(); len(called) != 2 {
		t.Errorf("called %v", called)
	}
}
