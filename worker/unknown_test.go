package worker_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// send is a step that calls with a method.
func send(id, method, onUnknown string, after ...string) workflow.Step {
	config, _ := json.Marshal(workflow.HTTPConfig{Method: method, URL: "http://target/" + id + "?key=secret"})
	return workflow.Step{ID: id, Action: workflow.ActionHTTP, Config: config, OnUnknown: onUnknown, DependsOn: after}
}

// dies makes a run whose worker died in the middle of a step's first attempt.
func (b *bench) dies(def workflow.Definition, step string, sent bool) uuid.UUID {
	b.t.Helper()
	id := b.start(b.create(def), nil)
	live := postgres.Live{Q: b.db}
	claimed, err := live.Claim(b.t.Context(), "the dead", []run.Ticket{{ID: id}})
	if err != nil || len(claimed) != 1 {
		b.t.Fatalf("claimed %v, %v", claimed, err)
	}
	row := postgres.StepRow{Step: step, Attempt: 1, Status: run.Running, StartedAt: &claimed[0].ClaimedAt}
	if sent {
		row.SentAt = row.StartedAt
	}
	_, err = live.Write(b.t.Context(), "the dead", []postgres.Record{{RunID: id, Attempt: 1, Outcome: postgres.Continue, Steps: []postgres.StepRow{row}}})
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bench) resolve(id uuid.UUID, r dispatch.Resolution) {
	b.t.Helper()
	if _, err := b.service.Resolve(b.t.Context(), b.who, id, r); err != nil {
		b.t.Fatal(err)
	}
}

// What may be done twice is; what may not waits for a person, unless the step says otherwise; and what never left is made
// again in any case.
func TestWhatBecomesOfAnUnknownOutcome(t *testing.T) {
	for _, c := range []struct {
		name, method, onUnknown string
		sent                    bool
		status                  run.Status
		attempts                []string
	}{
		{"a GET", "GET", "", true, run.Succeeded, []string{"pay 1 failed worker_lost", "pay 2 succeeded"}},
		{"a PUT", "PUT", "", true, run.Succeeded, []string{"pay 1 failed worker_lost", "pay 2 succeeded"}},
		{"a DELETE", "DELETE", "", true, run.Succeeded, []string{"pay 1 failed worker_lost", "pay 2 succeeded"}},
		{"a POST", "POST", "", true, run.Held, []string{"pay 1 held unknown"}},
		{"a PATCH", "PATCH", "", true, run.Held, []string{"pay 1 held unknown"}},
		{"a POST that was not sent", "POST", "", false, run.Succeeded, []string{"pay 1 failed worker_lost", "pay 2 succeeded"}},
		{"a POST that may be repeated", "POST", "retry", true, run.Succeeded, []string{"pay 1 failed worker_lost", "pay 2 succeeded"}},
		{"a POST that fails then", "POST", "fail", true, run.Failed, []string{"pay 1 failed unknown"}},
		{"a GET that is held", "GET", "hold", true, run.Held, []string{"pay 1 held unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			step := send("pay", c.method, c.onUnknown)
			step.Retry = &workflow.Retry{Attempts: 5, On: []string{"any"}}
			id := b.dies(workflow.Definition{Steps: []workflow.Step{step}}, "pay", c.sent)
			b.work()
			b.schedule(100 * time.Millisecond)
			b.until(id, c.status)
			b.same(c.attempts, b.attempts(id))
			b.target.mu.Lock()
			defer b.target.mu.Unlock()
			for _, req := range b.target.calls {
				if got, want := req.Header.Get("Idempotency-Key"), id.String()+".pay"; got != want {
					t.Errorf("it was made again under the key %q, want %q", got, want)
				}
			}
		})
	}
}

// A held run waits for a person, whatever happens around it, and goes on as that person says.
func TestAHeldRunGoesOnAsAPersonSays(t *testing.T) {
	b := newBench(t)
	id := b.dies(workflow.Definition{Steps: []workflow.Step{
		send("pay", "POST", ""), note("receipt", "paid: {{ steps.pay.id }}", "pay"), call("beside", "/beside"),
	}}, "pay", true)
	b.work()
	b.schedule(100 * time.Millisecond)
	row := b.until(id, run.Held)
	if want := "step pay: the worker was lost while POST http://target/pay was under way; did it happen?"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
	b.same([]string{"/beside"}, b.target.called()) // what does not depend on it has gone on
	b.flushRedis()
	b.until(b.start(b.create(workflow.Definition{Name: "another", Steps: []workflow.Step{note("n", "x")}}), nil), run.Succeeded)
	census, err := postgres.Live{Q: b.db}.Census(t.Context())
	if err != nil || census.Runs[run.Held] != 1 || census.OldestDue != 0 {
		t.Errorf("the census is %+v, %v", census, err)
	}
	b.resolve(id, dispatch.Resolution{Step: "pay", Decision: dispatch.ItSucceeded, Output: json.RawMessage(`{"id":17}`)})
	b.until(id, run.Succeeded)
	b.same([]string{"beside 1 succeeded", "pay 1 succeeded", "receipt 1 succeeded"}, b.attempts(id))
	lines := b.messages(id)
	if len(lines) != 4 || lines[2] != "decided by ana: it happened" || lines[3] != "paid: 17" {
		t.Errorf("the log is %q", lines)
	}
}

func TestAHeldStepIsMadeAgain(t *testing.T) {
	b := newBench(t)
	id := b.dies(workflow.Definition{Steps: []workflow.Step{send("pay", "POST", "")}}, "pay", true)
	b.work()
	b.schedule(100 * time.Millisecond)
	b.until(id, run.Held)
	b.resolve(id, dispatch.Resolution{Step: "pay", Decision: dispatch.MakeAgain})
	b.until(id, run.Succeeded)
	b.same([]string{"pay 1 failed worker_lost", "pay 2 succeeded"}, b.attempts(id))
}

func TestAHeldStepFails(t *testing.T) {
	b := newBench(t)
	id := b.dies(workflow.Definition{Steps: []workflow.Step{send("pay", "POST", "")}}, "pay", true)
	b.work()
	b.schedule(100 * time.Millisecond)
	b.until(id, run.Held)
	b.resolve(id, dispatch.Resolution{Step: "pay", Decision: dispatch.ItFailed, Note: "the bank says no"})
	row := b.until(id, run.Failed)
	if want := "step pay failed: decided by ana: it did not happen, and is not made again (the bank says no)"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
}

// People may take longer than the run: their time is not its own.
func TestTheTimeOfADecisionIsNotTheRuns(t *testing.T) {
	b := newBench(t)
	def := workflow.Definition{Timeout: workflow.Duration(time.Minute), Steps: []workflow.Step{send("pay", "POST", ""), note("n", "x", "pay")}}
	id := b.dies(def, "pay", true)
	b.work()
	b.schedule(100 * time.Millisecond)
	b.until(id, run.Held)
	_, err := b.db.Exec(t.Context(), `update run_live set started_at = started_at - interval '1 day', held_at = held_at - interval '1 day' where id = $1`, id)
	if err != nil {
		t.Fatal(err)
	}
	b.resolve(id, dispatch.Resolution{Step: "pay", Decision: dispatch.ItSucceeded})
	b.until(id, run.Succeeded)
}

// A worker that has to go in the middle of a POST does not know either; one whose request had not left does.
func TestAShutdownInTheMiddleOfACall(t *testing.T) {
	for _, c := range []struct {
		sent     bool
		status   run.Status
		attempts []string
	}{
		{true, run.Held, []string{"pay 1 held unknown"}},
		{false, run.Queued, []string{"pay 1 failed worker_lost"}},
	} {
		b := newBench(t)
		hanging := make(chan struct{})
		b.target.answer = func(ctx context.Context, _ int, _ egress.Request) (*egress.Response, error) {
			close(hanging)
			<-ctx.Done()
			return nil, &egress.Error{Kind: egress.KindCancelled, Message: "cancelled", Sent: c.sent}
		}
		_, abandon := b.work()
		id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{send("pay", "POST", "")}}), nil)
		<-hanging
		abandon()
		row := b.get(id)
		if row.Status != c.status {
			t.Errorf("sent %v: the run is %s (%s)", c.sent, row.Status, deref(row.Reason))
		}
		if c.sent && !strings.Contains(deref(row.Reason), "the worker was stopped while POST http://target/pay was under way") {
			t.Errorf("reason %q", deref(row.Reason))
		}
		b.same(c.attempts, b.attempts(id))
	}
}

// What the other side refuses, or what cannot be reached, is an ordinary failure: it is known that it did not happen.
func TestARefusedConnectionIsNoUnknownOutcome(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 1 {
			return nil, &egress.Error{Kind: egress.KindConnect, Message: "target refuses the connection"}
		}
		return answer(200, `{}`), nil
	}
	b.work()
	b.schedule(time.Minute)
	step := retry(send("pay", "POST", ""), workflow.Retry{Attempts: 2, Initial: workflow.Duration(10 * time.Millisecond)})
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{step}}), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"pay 1 failed connection", "pay 2 succeeded"}, b.attempts(id))
}
