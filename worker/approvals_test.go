package worker_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

func ask(id string, c workflow.ApprovalConfig, after ...string) workflow.Step {
	return configured(id, workflow.ActionApproval, c, after...)
}

// asked waits for the question of a run.
func (b *bench) asked(id uuid.UUID) (row postgres.ApprovalRow) {
	b.t.Helper()
	b.eventually("a question", func() bool {
		list, err := postgres.Approvals{Q: b.db}.List(b.t.Context(), postgres.ApprovalFilter{
			Projects: b.who.Where(account.RunRead), RunID: &id, Pending: true, Limit: 10,
		})
		if err != nil {
			b.t.Fatal(err)
		}
		if len(list) == 1 {
			row = list[0]
		}
		return len(list) == 1
	})
	return row
}

func (b *bench) decide(id uuid.UUID, approved bool, note string) {
	b.t.Helper()
	if _, err := b.service.Decide(b.t.Context(), b.who, id, dispatch.Verdict{Approved: approved, Note: note}); err != nil {
		b.t.Fatal(err)
	}
}

// A run is held until somebody approves, whatever becomes of its worker; only the first answer counts.
func TestAnApproval(t *testing.T) {
	b := newBench(t)
	drain, _ := b.work()
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		ask("ask", workflow.ApprovalConfig{Message: "Pay {{ inputs.sum }} €?"}),
		note("say", "{{ steps.ask.decision }} by {{ steps.ask.by }}", "ask"),
	}}), map[string]any{"sum": 100})
	row := b.until(id, run.Held)
	if want := "step ask: waits for approval: Pay 100 €?"; deref(row.Reason) != want {
		t.Errorf("the reason is %q", deref(row.Reason))
	}
	drain()
	question := b.asked(id)
	b.decide(question.ID, true, "it is due")
	_, err := b.service.Decide(t.Context(), b.who, question.ID, dispatch.Verdict{})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "ana has approved it already") {
		t.Errorf("a second answer: %v", err)
	}
	b.work()
	b.until(id, run.Succeeded)
	b.same([]string{"ask 1 succeeded", "say 1 succeeded"}, b.attempts(id))
	b.same([]string{"waits for approval: Pay 100 €?", "approved by ana: it is due", "approved by ana"}, b.messages(id))
}

// A rejection is a failure, which may be told to let others go on.
func TestARejection(t *testing.T) {
	b := newBench(t)
	b.work()
	b.schedule(time.Minute)
	step := ask("ask", workflow.ApprovalConfig{Message: "Pay?"})
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{step}}), nil)
	b.decide(b.asked(id).ID, false, "too much")
	row := b.until(id, run.Failed)
	if want := "step ask failed: rejected by ana: too much"; deref(row.Reason) != want {
		t.Errorf("the reason is %q", deref(row.Reason))
	}
	b.same([]string{"ask 1 failed rejected"}, b.attempts(id))

	step.OnError = workflow.OnErrorContinue
	id = b.start(b.create(workflow.Definition{Steps: []workflow.Step{step, note("say", "{{ steps.ask.decision }}: {{ steps.ask.note }}", "ask")}}), nil)
	b.decide(b.asked(id).ID, false, "too much")
	b.until(id, run.Succeeded)
	if lines := b.messages(id); lines[len(lines)-1] != "rejected: too much" {
		t.Errorf("the log is %q", lines)
	}
}

func TestNobodyAnswers(t *testing.T) {
	for silence, status := range map[string]run.Status{"": run.Failed, workflow.OnTimeoutApprove: run.Succeeded} {
		b := newBench(t)
		b.work()
		b.schedule(time.Minute)
		wf := b.create(workflow.Definition{Steps: []workflow.Step{ask("ask", workflow.ApprovalConfig{
			Message: "Pay?", Timeout: workflow.Duration(time.Second), OnTimeout: silence,
		})}})
		id := b.start(wf, nil)
		question := b.asked(id)
		b.until(id, status)
		_, err := b.service.Decide(t.Context(), b.who, question.ID, dispatch.Verdict{Approved: true})
		if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "The time for an answer is up") {
			t.Errorf("a late answer: %v", err)
		}
	}
}

// While other steps wait for something else, a person can decide all the same.
func TestADecisionBesideAWait(t *testing.T) {
	b := newBench(t)
	b.work()
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		wait("rest", "1h"), ask("ask", workflow.ApprovalConfig{Message: "Pay?"}), call("pay", "/pay", "ask"),
	}}), nil)
	b.until(id, run.Waiting)
	b.decide(b.asked(id).ID, true, "")
	b.eventually("the payment", func() bool { return len(b.target.called()) == 1 })
	b.until(id, run.Waiting)
	// Nothing is asked any more once the run has ended.
	other := b.start(b.create(workflow.Definition{Name: "other", Steps: []workflow.Step{ask("ask", workflow.ApprovalConfig{Message: "Pay?"})}}), nil)
	question := b.asked(other)
	if _, err := b.service.Cancel(t.Context(), b.who, other); err != nil {
		t.Fatal(err)
	}
	b.until(other, run.Cancelled)
	_, err := b.service.Decide(t.Context(), b.who, question.ID, dispatch.Verdict{Approved: true})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "The run that asks has ended") {
		t.Errorf("an answer to a run that ended: %v", err)
	}
}

// Beside a step that takes long, what was approved goes on all the same.
func TestADecisionBesideALongStep(t *testing.T) {
	b := newBench(t)
	free := make(chan struct{})
	b.target.answer = func(ctx context.Context, n int, req egress.Request) (*egress.Response, error) {
		if strings.HasSuffix(req.URL, "/long") {
			select {
			case <-free:
			case <-ctx.Done():
			}
		}
		return ok(ctx, n, req)
	}
	b.work()
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		call("long", "/long"), ask("ask", workflow.ApprovalConfig{Message: "Pay?"}), call("pay", "/pay", "ask"),
	}}), nil)
	b.decide(b.asked(id).ID, true, "")
	b.eventually("the payment", func() bool { return slices.Contains(b.target.called(), "/pay") })
	close(free)
	b.until(id, run.Succeeded)
}

// A message may hold the link before the question is asked; whoever has it may answer.
func TestAnApprovalByItsLink(t *testing.T) {
	b := newBench(t)
	b.work()
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		note("tell", "{{ approvals.ask }}"),
		ask("ask", workflow.ApprovalConfig{Message: "Pay?"}, "tell"),
	}}), nil)
	b.until(id, run.Held)
	b.asked(id)
	lines, err := postgres.Runs{Q: b.db}.Logs(t.Context(), id, "tell", 0, 10)
	if err != nil || len(lines) != 1 {
		t.Fatalf("%v, %v", lines, err)
	}
	token, ok := strings.CutPrefix(lines[0].Message, "https://orq.example.com/approve/")
	if !ok {
		t.Fatalf("the link is %q", lines[0].Message)
	}
	if _, err := b.service.DecideAs(t.Context(), token, "Eva", dispatch.Verdict{Approved: true}); err != nil {
		t.Fatal(err)
	}
	b.until(id, run.Succeeded)
}
