package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// The spine: what a step fetched stands in the log of the next.
func TestAStepSeesWhatTheOneBeforeItFetched(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, _ int, req egress.Request) (*egress.Response, error) {
		return answer(200, `{"usd": 1.0842, "id": 9007199254740993}`), nil
	}
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		call("fetch", `/rates?base={{ inputs.base ?? "EUR" }}`),
		note("note", "1 {{ inputs.base }} = {{ steps.fetch.body.usd }} USD ({{ steps.fetch.body.id }}), {{ steps.fetch.status }}", "fetch"),
	}}), map[string]any{"base": "CHF"})
	b.until(id, run.Succeeded)
	b.same([]string{"/rates?base=CHF"}, b.target.called())
	b.same([]string{"1 CHF = 1.0842 USD (9007199254740993), 200"}, b.messages(id))
	b.same([]string{"fetch 1 succeeded", "note 1 succeeded"}, b.attempts(id))
}

// Every attempt carries the same key, so that a target that honours it does a thing once.
func TestAFailedStepIsTriedAgainUnderTheSameKey(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n < 3 {
			return answer(503, `{"error":"busy"}`), nil
		}
		return answer(200, `{}`), nil
	}
	b.work()
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		retry(call("fetch", "/x"), workflow.Retry{Attempts: 3, Backoff: "fixed", Initial: workflow.Duration(20 * time.Millisecond)}),
	}}), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"fetch 1 failed 503", "fetch 2 failed 503", "fetch 3 succeeded"}, b.attempts(id))
	for i, req := range b.target.calls {
		if got, want := req.Header.Get("Idempotency-Key"), id.String()+".fetch"; got != want {
			t.Errorf("attempt %d has the key %q, want %q", i+1, got, want)
		}
	}
}

// A wait that is worth it frees the worker: the run waits in the database and comes back by its time.
func TestALongerWaitFreesTheWorker(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 1 {
			return answer(503, `{}`), nil
		}
		return answer(200, `{}`), nil
	}
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		note("before", "once"),
		retry(call("fetch", "/x", "before"), workflow.Retry{Attempts: 2, Backoff: "fixed", Initial: workflow.Duration(1500 * time.Millisecond)}),
	}}), nil)
	b.until(id, run.Waiting)
	depths, err := b.queue.Depths()
	if err != nil {
		t.Fatal(err)
	}
	// The dashboard shows it as scheduled as soon as the worker has let go.
	for deadline := time.Now().Add(patience); depths[run.DefaultQueue].Scheduled != 1 && time.Now().Before(deadline); {
		if depths, err = b.queue.Depths(); err != nil {
			t.Fatal(err)
		}
	}
	if depths[run.DefaultQueue].Scheduled != 1 || depths[run.DefaultQueue].Pending != 0 {
		t.Errorf("the queue shows %+v, want one scheduled", depths[run.DefaultQueue])
	}
	b.schedule(time.Minute)
	b.until(id, run.Succeeded)
	b.same([]string{"before 1 succeeded", "fetch 1 failed 503", "fetch 2 succeeded"}, b.attempts(id))
}

func TestWhatIsNotTriedAgain(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		return answer(404, `no such thing`), nil
	}
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		retry(call("fetch", "/x"), workflow.Retry{Attempts: 5}), note("after", "never", "fetch"), note("beside", "still"),
	}}), nil)
	row := b.until(id, run.Failed)
	if want := "step fetch failed: HTTP 404 Not Found: no such thing"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
	b.same([]string{"after 0 skipped", "beside 1 succeeded", "fetch 1 failed 404"}, b.attempts(id))
}

func TestAFailureMayBeToldToLetTheRestGoOn(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		return nil, errors.New("broken pipe")
	}
	b.work()
	step := call("fetch", "/x")
	step.OnError = workflow.OnErrorContinue
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{step, note("after", "body: {{ steps.fetch.body }}", "fetch")}}), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"after 1 succeeded", "fetch 1 failed connection"}, b.attempts(id))
}

// A condition decides about its step; where branches meet, one that ran is enough.
func TestConditions(t *testing.T) {
	b := newBench(t)
	b.work()
	when := func(step workflow.Step, condition string) workflow.Step {
		step.If = condition
		return step
	}
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		call("fetch", "/x"),
		when(note("good", "good", "fetch"), "steps.fetch.status == 200"),
		when(note("bad", "bad", "fetch"), "{{ steps.fetch.status != 200 }}"),
		note("after_bad", "after bad", "bad"),
		note("join", "joined", "good", "bad"),
	}}), nil)
	b.until(id, run.Succeeded)
	b.same([]string{
		"after_bad 0 skipped", "bad 0 skipped", "fetch 1 succeeded", "good 1 succeeded", "join 1 succeeded",
	}, b.attempts(id))
}

// Steps that wait for nothing run at the same time: each of these waits for the other's call.
func TestReadyStepsRunTogether(t *testing.T) {
	b := newBench(t)
	both := make(chan struct{})
	b.target.answer = func(ctx context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 2 {
			close(both)
		}
		select {
		case <-both:
			return answer(200, `{}`), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{call("left", "/l"), call("right", "/r")}}), nil)
	b.until(id, run.Succeeded)
}

func hang(ctx context.Context, _ int, _ egress.Request) (*egress.Response, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAStepHasSoMuchTime(t *testing.T) {
	b := newBench(t)
	b.target.answer = hang
	b.work()
	step := call("slow", "/x")
	step.Timeout = workflow.Duration(50 * time.Millisecond)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{step}}), nil)
	b.until(id, run.Failed)
	b.same([]string{"slow 1 failed timeout"}, b.attempts(id))
}

func TestARunHasSoMuchTime(t *testing.T) {
	b := newBench(t)
	b.target.answer = hang
	b.work()
	id := b.start(b.create(workflow.Definition{
		Timeout: workflow.Duration(100 * time.Millisecond), Steps: []workflow.Step{call("slow", "/x"), note("after", "never", "slow")},
	}), nil)
	row := b.until(id, run.Failed)
	if want := "the run took longer than 100ms"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
	b.same([]string{"after 0 cancelled", "slow 1 failed timeout"}, b.attempts(id))
}

func TestAPanicFailsItsStepAlone(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 1 {
			panic("no such luck")
		}
		return answer(200, `{}`), nil
	}
	b.work()
	wf := b.create(workflow.Definition{Steps: []workflow.Step{call("call", "/x")}})
	first := b.start(wf, nil)
	b.until(first, run.Failed)
	b.same([]string{"call 1 failed panic"}, b.attempts(first))
	b.until(b.start(wf, nil), run.Succeeded)
}

// What PostgreSQL cannot hold must not cost a run.
func TestHostileOutputIsKept(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		return answer(200, `{"nul":"a\u0000b","lone":"\ud800","big":"`+strings.Repeat("x", 300<<10)+`"}`), nil
	}
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		call("fetch", "/x"), note("note", "{{ steps.fetch.truncated }}", "fetch"),
	}}), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"true"}, b.messages(id))
}
