package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// With Redis gone the workers take their runs from the database, and nothing is lost or doubled.
func TestWithoutRedisRunsGoOn(t *testing.T) {
	b := newBench(t)
	b.work()
	b.schedule(15 * time.Second)
	wf := b.create(workflow.Definition{Steps: []workflow.Step{call("call", "/x")}})
	b.until(b.start(wf, nil), run.Succeeded)
	if err := b.server.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	const runs = 30
	var last postgres.RunRow
	for range runs {
		last.ID = b.start(wf, nil)
	}
	b.until(last.ID, run.Succeeded)
	b.settled()
	if called := len(b.target.called()); called != runs+1 {
		t.Errorf("%d calls for %d runs", called, runs+1)
	}
}

// settled waits until no run is under way.
func (b *bench) settled() {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		var live int
		if err := b.db.QueryRow(b.t.Context(), `select count(*) from run_live`).Scan(&live); err != nil {
			b.t.Fatal(err)
		}
		if live == 0 {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%d runs have not ended", live)
		}
	}
}

// A paused queue keeps its runs, whatever the others do, until it is resumed.
func TestAPausedQueueKeepsItsRuns(t *testing.T) {
	b := newBench(t)
	queues := postgres.Queues{Q: b.db}
	if err := queues.Pause(t.Context(), run.BulkQueue, "ana"); err != nil {
		t.Fatal(err)
	}
	b.work()
	b.schedule(15 * time.Second)
	b.granted(run.BulkQueue, 0)
	bulk := b.create(workflow.Definition{Name: "bulk", Queue: run.BulkQueue, Steps: []workflow.Step{note("n", "m")}})
	paused := b.start(bulk, nil)
	b.until(b.start(b.create(workflow.Definition{Name: "other", Steps: []workflow.Step{note("n", "m")}}), nil), run.Succeeded)
	if row := b.get(paused); row.Status != run.Queued {
		t.Errorf("the run in the paused queue is %s", row.Status)
	}
	if err := queues.Resume(t.Context(), run.BulkQueue); err != nil {
		t.Fatal(err)
	}
	b.until(paused, run.Succeeded)
}

// granted waits until the dispatcher grants a queue that much room.
func (b *bench) granted(queue string, room int) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); b.queue.Room(b.t.Context())[queue] != room; {
		if time.Now().After(deadline) {
			b.t.Fatalf("the queue %s was never granted %d", queue, room)
		}
	}
}

// Of a workflow with a limit no more runs are under way than that, however many wait.
func TestAWorkflowsLimitHolds(t *testing.T) {
	b := newBench(t)
	under := make(chan struct{}, 2)
	b.target.answer = func(_ context.Context, _ int, _ egress.Request) (*egress.Response, error) {
		select {
		case under <- struct{}{}:
			defer func() { <-under }()
		default:
			t.Error("a third run is under way")
		}
		return answer(200, `{}`), nil
	}
	b.work()
	b.schedule(15 * time.Second)
	wf := b.create(workflow.Definition{MaxConcurrent: 2, Steps: []workflow.Step{call("call", "/x")}})
	for range 20 {
		b.start(wf, nil)
	}
	b.settled()
	if called := len(b.target.called()); called != 20 {
		t.Errorf("%d calls for 20 runs", called)
	}
}
