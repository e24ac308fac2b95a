package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// double is a workflow that calls /n and leaves twice its n.
func (b *bench) double() {
	b.create(workflow.Definition{
		Name: "double", Steps: []workflow.Step{call("call", "/{{ inputs.n }}")},
		Outputs: map[string]json.RawMessage{"twice": json.RawMessage(`"{{ inputs.n * 2 }}"`)},
	})
}

func runs(id string, c workflow.RunConfig, after ...string) workflow.Step {
	return configured(id, workflow.ActionRun, c, after...)
}

// output is what a step of a run left.
func (b *bench) output(id uuid.UUID, step string) map[string]any {
	b.t.Helper()
	rows, err := postgres.Runs{Q: b.db}.Steps(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	var out map[string]any
	for _, row := range rows {
		if row.Step == step && len(row.Output) > 0 {
			if err := json.Unmarshal(row.Output, &out); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	return out
}

func TestARunGoesOnWithWhatAnotherLeft(t *testing.T) {
	b := newBench(t)
	b.work()
	b.schedule(time.Minute)
	b.double()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		runs("child", workflow.RunConfig{Workflow: "double", Inputs: json.RawMessage(`{"n":"{{ inputs.n }}"}`)}),
		note("say", "{{ steps.child.status }}: {{ steps.child.outputs.twice }}", "child"),
	}}), map[string]any{"n": 21})
	b.until(id, run.Succeeded)
	lines := b.messages(id)
	if len(lines) != 2 || lines[0] != `waits for a run of "double"` || lines[1] != "succeeded: 42" {
		t.Errorf("the log is %q", lines)
	}
	child := b.get(uuid.MustParse(fmt.Sprint(b.output(id, "child")["run_id"])))
	if child.ParentID == nil || *child.ParentID != id || child.Trigger != run.Called || string(child.Output) != `{"twice": 42}` {
		t.Errorf("the child is %+v", child)
	}
}

// A list of many is gone through by few at a time, in its order, with one run for each item.
func TestAStepGoesThroughAList(t *testing.T) {
	b := newBench(t)
	var now, most atomic.Int64
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		return answer(200, `{}`), nil
	}
	b.work()
	b.schedule(time.Minute)
	b.double()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		runs("all", workflow.RunConfig{
			Workflow: "double", ForEach: "{{ 0..59 }}", Concurrency: 7, Inputs: json.RawMessage(`{"n":"{{ each.item + each.index }}"}`),
		}),
		note("sum", "{{ sum(map(steps.all.items, .outputs.twice)) }}", "all"),
	}}), nil)
	b.until(id, run.Succeeded)
	out := b.output(id, "all")
	if out["count"] != 60.0 || out["succeeded"] != 60.0 || out["failed"] != 0.0 {
		t.Errorf("it left %v", out)
	}
	lines := b.messages(id)
	if lines[len(lines)-1] != fmt.Sprint(2*2*59*60/2) {
		t.Errorf("the log is %q", lines)
	}
	if n := len(b.target.called()); n != 60 || most.Load() > 7 {
		t.Errorf("%d calls, %d at a time", n, most.Load())
	}
}

func TestSomeRunsOfAListMayFail(t *testing.T) {
	for _, c := range []struct {
		tolerate int
		status   run.Status
	}{{1, run.Failed}, {2, run.Succeeded}} {
		b := newBench(t)
		b.target.answer = failing("/3", "/5")
		b.work()
		b.schedule(time.Minute)
		b.double()
		id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{runs("all", workflow.RunConfig{
			Workflow: "double", ForEach: "{{ 0..9 }}", Concurrency: 1, Tolerate: c.tolerate, Inputs: json.RawMessage(`{"n":"{{ each.item }}"}`),
		})}}), nil)
		row := b.until(id, c.status)
		out := b.output(id, "all")
		if c.status == run.Succeeded {
			if out["succeeded"] != 8.0 || out["failed"] != 2.0 {
				t.Errorf("it left %v", out)
			}
			continue
		}
		// The fifth item failed, so that none after it began.
		if out["started"] != 6.0 || !strings.HasPrefix(deref(row.Reason), `step all failed: 2 of 6 runs of "double" failed; item 3: step call failed: HTTP 500`) {
			t.Errorf("%v: it left %v", deref(row.Reason), out)
		}
	}
}

// Whatever becomes of the workers, each item has one run.
func TestAListSurvivesItsWorkers(t *testing.T) {
	b := newBench(t)
	b.schedule(200 * time.Millisecond)
	b.double()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{runs("all", workflow.RunConfig{
		Workflow: "double", ForEach: "{{ 1..40 }}", Concurrency: 5, Inputs: json.RawMessage(`{"n":"{{ each.item }}"}`),
	})}}), nil)
	for _, n := range []int{5, 15, 25} {
		_, abandon := b.work()
		b.eventually(fmt.Sprintf("%d calls", n), func() bool { return len(b.target.called()) >= n })
		abandon()
	}
	b.work()
	b.until(id, run.Succeeded)
	if out := b.output(id, "all"); out["succeeded"] != 40.0 {
		t.Errorf("it left %v", out)
	}
	var children, distinct int
	err := b.db.QueryRow(t.Context(), `select count(*), count(distinct inputs ->> 'n') from runs where parent_id = $1`, id).Scan(&children, &distinct)
	if err != nil || children != 40 || distinct != 40 {
		t.Errorf("%d runs for %d items, %v", children, distinct, err)
	}
}

// When a run is cancelled, so are the runs that it waits for.
func TestChildrenEndWithTheirParent(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(ctx context.Context, _ int, _ egress.Request) (*egress.Response, error) {
		<-ctx.Done()
		return nil, &egress.Error{Kind: egress.KindCancelled, Message: "cancelled"}
	}
	b.work()
	b.schedule(time.Minute)
	b.double()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{runs("all", workflow.RunConfig{Workflow: "double", ForEach: "{{ 1..3 }}"})}}), nil)
	b.until(id, run.Waiting)
	b.eventually("the calls", func() bool { return len(b.target.called()) == 3 })
	if _, err := b.service.Cancel(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	b.eventually("all children are cancelled", func() bool {
		var n int
		err := b.db.QueryRow(t.Context(), `select count(*) from runs where parent_id = $1 and status = 'cancelled' and reason = 'the run that waited for it has ended'`, id).Scan(&n)
		return err == nil && n == 3
	})
}

// A workflow that runs itself comes to an end.
func TestRunsWithinRunsGoOnlySoDeep(t *testing.T) {
	b := newBench(t)
	b.work()
	b.schedule(time.Minute)
	wf := b.create(workflow.Definition{Name: "self", Steps: []workflow.Step{runs("again", workflow.RunConfig{Workflow: "self"})}})
	row := b.until(b.start(wf, nil), run.Failed)
	if !strings.HasSuffix(deref(row.Reason), "Runs that start runs go no deeper than 10") {
		t.Errorf("the reason is %q", deref(row.Reason))
	}
}

// What is run has to be there, and to get what it wants.
func TestInputsOfAnotherWorkflow(t *testing.T) {
	b := newBench(t)
	b.work()
	home, _ := b.who.Home()
	step := runs("child", workflow.RunConfig{Workflow: "strict", Inputs: json.RawMessage(`{"n":"{{ inputs.n }}"}`)})
	_, err := b.service.Create(t.Context(), b.who, home, workflow.Definition{Name: "x", Steps: []workflow.Step{step}}, true)
	if err == nil || !strings.Contains(err.Error(), `there is no workflow "strict" in this project`) {
		t.Errorf("saved without it: %v", err)
	}
	strict := b.create(workflow.Definition{
		Name: "strict", Inputs: json.RawMessage(`{"properties":{"n":{"type":"integer"},"m":{"default":5}}}`),
		Steps: []workflow.Step{note("say", "{{ inputs.n }} {{ inputs.m }}")},
	})
	wf := b.create(workflow.Definition{Steps: []workflow.Step{step}})
	b.until(b.start(wf, map[string]any{"n": 1}), run.Succeeded)
	row := b.until(b.start(wf, map[string]any{"n": "one"}), run.Failed)
	if want := "step child failed: the inputs of item 0 do not suit the workflow: /n got string, want integer"; deref(row.Reason) != want {
		t.Errorf("the reason is %q", deref(row.Reason))
	}
	if _, err := b.service.Start(t.Context(), b.who, strict.ID, map[string]any{"n": 1.5}, ""); err == nil {
		t.Error("started by hand with inputs that it does not want")
	}
	id := b.start(strict, map[string]any{"n": 2})
	b.until(id, run.Succeeded)
	b.same([]string{"2 5"}, b.messages(id))
}

// Defaults are for every run, and whatever started it, what does not suit ends it with the reason.
func TestInputsAreCompletedForEveryRun(t *testing.T) {
	b := newBench(t)
	b.work()
	b.schedule(time.Minute)
	wf := b.create(workflow.Definition{
		Inputs:   json.RawMessage(`{"properties":{"n":{"type":"integer","default":10}}}`),
		Triggers: []workflow.Trigger{{ID: "tick", Type: "schedule", Cron: "* * * * * *"}},
		Steps:    []workflow.Step{note("say", "{{ inputs.n }}")},
	})
	var id uuid.UUID
	b.eventually("a run of its schedule", func() bool {
		err := b.db.QueryRow(t.Context(), `select id from runs where workflow_id = $1 and status = 'succeeded' limit 1`, wf.ID).Scan(&id)
		return err == nil
	})
	b.same([]string{"10"}, b.messages(id))
	if _, err := b.db.Exec(t.Context(), `update triggers set spec = jsonb_set(spec, '{inputs}', '{"n":"ten"}') where workflow_id = $1`, wf.ID); err != nil {
		t.Fatal(err)
	}
	b.eventually("a run that is refused", func() bool {
		var n int
		err := b.db.QueryRow(t.Context(), `select count(*) from runs where workflow_id = $1 and status = 'failed' and reason like 'the inputs do not suit the workflow%'`, wf.ID).Scan(&n)
		return err == nil && n > 0
	})
}
