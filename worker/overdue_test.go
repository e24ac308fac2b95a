package worker_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// deaf makes the first call hang whatever its context says, until the test lets it go. It tells when that call has come.
func (b *bench) deaf() (hanging <-chan struct{}, free func()) {
	came, end := make(chan struct{}), make(chan struct{})
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 1 {
			close(came)
			<-end
		}
		return answer(200, `{}`), nil
	}
	return came, sync.OnceFunc(func() { close(end) })
}

func letGo(d time.Duration) func(*worker.Config) { return func(c *worker.Config) { c.LetGo = d } }

func alone(c *worker.Config) { c.Concurrency = 1 }

// slow makes the scheduler end what is over its time, or should have been cancelled, by so much.
func impatient(d time.Duration) func(*scheduler.Config) {
	return func(c *scheduler.Config) { c.Overtime, c.CancelAfter = d, d }
}

// A step that does not obey its time is ended by the scheduler: the run is taken from the worker that beats, the attempt
// counts as a time-out, and the worker's only place is free for the next attempt although the action still hangs.
func TestAStuckStepIsEndedFromOutside(t *testing.T) {
	b := newBench(t)
	b.registry = prometheus.NewRegistry()
	_, free := b.deaf()
	defer free()
	b.work(alone, letGo(20*time.Millisecond))
	b.schedule(time.Minute, impatient(200*time.Millisecond))
	step := retry(call("a", "/a"), workflow.Retry{Attempts: 2, Initial: workflow.Duration(10 * time.Millisecond)})
	step.Timeout = workflow.Duration(50 * time.Millisecond)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{step}}), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"a 1 failed timeout", "a 2 succeeded"}, b.attempts(id))
	if n := b.counted("orq_actions_lingering"); n != 1 {
		t.Errorf("%v actions linger, want 1", n)
	}
	b.eventually("the zombie is counted", func() bool { return b.counted("orq_runs_dropped_total") == 1 })
	free()
	b.eventually("the action ends", func() bool { return b.counted("orq_actions_lingering") == 0 })
}

// The same without a retry, and for a POST: time that was up is no unknown outcome, for the step's own time-out says so.
func TestAStuckStepWithoutRetryFails(t *testing.T) {
	b := newBench(t)
	_, free := b.deaf()
	defer free()
	b.work(letGo(20 * time.Millisecond))
	b.schedule(time.Minute, impatient(200*time.Millisecond))
	step := send("pay", "POST", "")
	step.Timeout = workflow.Duration(50 * time.Millisecond)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{step}}), nil)
	b.until(id, run.Failed)
	b.same([]string{"pay 1 failed timeout"}, b.attempts(id))
}

// A run whose worker does not end it in time fails as if the worker had.
func TestAStuckRunIsEndedFromOutside(t *testing.T) {
	b := newBench(t)
	_, free := b.deaf()
	defer free()
	b.work(letGo(time.Minute))
	b.schedule(time.Minute, impatient(200*time.Millisecond))
	id := b.start(b.create(workflow.Definition{
		Timeout: workflow.Duration(100 * time.Millisecond), Steps: []workflow.Step{call("slow", "/x"), note("after", "never", "slow")},
	}), nil)
	row := b.until(id, run.Failed)
	if want := "the run took longer than 100ms"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
	b.same([]string{"slow 1 failed"}, b.attempts(id))
}

// A worker lets go of an action that does not stop; the run ends all the same.
func TestACancellationDoesNotWaitForTheAction(t *testing.T) {
	b := newBench(t)
	b.registry = prometheus.NewRegistry()
	hanging, free := b.deaf()
	defer free()
	b.work(alone, letGo(20*time.Millisecond))
	id := b.start(b.create(threeCalls()), nil)
	<-hanging
	if _, err := b.service.Cancel(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	b.until(id, run.Cancelled)
	b.same([]string{"a 1 cancelled", "b 0 cancelled", "c 0 cancelled"}, b.attempts(id))
	b.until(b.start(b.create(workflow.Definition{Name: "next", Steps: []workflow.Step{note("n", "x")}}), nil), run.Succeeded)
	if n := b.counted("orq_actions_lingering"); n != 1 {
		t.Errorf("%v actions linger, want 1", n)
	}
}

// A cancellation that the worker does not carry out is carried out without it, and what it says afterwards is dropped.
func TestACancellationDoesNotWaitForTheWorker(t *testing.T) {
	b := newBench(t)
	b.registry = prometheus.NewRegistry()
	hanging, free := b.deaf()
	defer free()
	b.work(letGo(time.Minute))
	b.schedule(time.Minute, impatient(200*time.Millisecond))
	id := b.start(b.create(threeCalls()), nil)
	<-hanging
	if _, err := b.service.Cancel(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	row := b.until(id, run.Cancelled)
	if want := "cancelled by ana"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
	free()
	b.eventually("the worker's word is dropped", func() bool { return b.counted("orq_runs_dropped_total") == 1 })
	b.same([]string{"a 1 cancelled"}, b.attempts(id))
	b.same([]string{"/a"}, b.target.called())
}

// As when a machine sleeps: the worker cannot beat, its run is given to another, and then it is back with its result.
func TestAWorkerThatSleptFindsItsRunGone(t *testing.T) {
	b := newBench(t)
	whole := b.db
	l := b.cuttable()
	hanging, free := b.deaf()
	defer free()
	b.registry = prometheus.NewRegistry()
	b.work(alone) // with its place taken, it takes no tickets from the other
	b.db = whole
	id := b.start(b.create(threeCalls()), nil)
	<-hanging
	l.cut()
	sleeper := b.registry
	b.registry = nil
	b.work()
	b.schedule(100 * time.Millisecond)
	b.until(id, run.Succeeded)
	free()
	l.mend()
	b.registry = sleeper
	b.eventually("its word is dropped", func() bool { return b.counted("orq_runs_dropped_total") == 1 })
	b.same([]string{"a 1 failed worker_lost", "a 2 succeeded", "b 1 succeeded", "c 1 succeeded"}, b.attempts(id))
	b.same([]string{"/a", "/a", "/b", "/c"}, b.target.called())
}
