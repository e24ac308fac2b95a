package worker_test

import (
	"context"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// withFallback is fetch, which plan stands in for, and use, which runs after fetch.
func withFallback(plan workflow.Step) workflow.Definition {
	fetch := call("fetch", "/fetch")
	fetch.OnError, fetch.Fallback = workflow.OnErrorFallback, "plan"
	return workflow.Definition{Steps: []workflow.Step{fetch, plan, note("use", "used", "fetch")}}
}

// failing lets the calls of these paths fail.
func failing(paths ...string) func(context.Context, int, egress.Request) (*egress.Response, error) {
	return func(ctx context.Context, n int, req egress.Request) (*egress.Response, error) {
		for _, path := range paths {
			if strings.HasSuffix(req.URL, path) {
				return answer(500, `{"why":"out of paper"}`), nil
			}
		}
		return ok(ctx, n, req)
	}
}

func TestAFallbackIsSkippedWhenItIsNotNeeded(t *testing.T) {
	b := newBench(t)
	b.work()
	id := b.start(b.create(withFallback(note("plan", "plan B"))), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"fetch 1 succeeded", "plan 0 skipped", "use 1 succeeded"}, b.attempts(id))
	b.same([]string{"skipped: nothing that it stands in for failed", "used"}, b.messages(id))
}

// A fallback sees why it is needed, and what would have run after the failed step runs after it.
func TestAFallbackStandsIn(t *testing.T) {
	b := newBench(t)
	b.target.answer = failing("/fetch")
	b.work()
	plan := note("plan", "plan B, as {{ steps.fetch.error.class }} {{ steps.fetch.body.why }}: {{ steps.fetch.error.message }}")
	id := b.start(b.create(withFallback(plan)), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"fetch 1 failed 500", "plan 1 succeeded", "use 1 succeeded"}, b.attempts(id))
	lines := b.messages(id)
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "plan B, as 500 out of paper: ") || lines[2] != "used" {
		t.Errorf("the log is %q", lines)
	}
}

func TestAFallbackFails(t *testing.T) {
	b := newBench(t)
	b.target.answer = failing("/fetch", "/plan")
	b.work()
	id := b.start(b.create(withFallback(call("plan", "/plan"))), nil)
	row := b.until(id, run.Failed)
	b.same([]string{"fetch 1 failed 500", "plan 1 failed 500", "use 0 skipped"}, b.attempts(id))
	if reason := deref(row.Reason); !strings.HasPrefix(reason, "step fetch failed: ") {
		t.Errorf("the reason is %q", reason)
	}
	// Once it does not fail any more, a rerun needs no fallback.
	b.target.answer = ok
	again, err := b.service.Rerun(t.Context(), b.who, id, rerunFailed)
	if err != nil {
		t.Fatal(err)
	}
	b.until(again.ID, run.Succeeded)
	b.same([]string{"fetch 1 succeeded", "plan 0 skipped", "use 1 succeeded"}, b.attempts(again.ID))
}

// A fallback may have a fallback itself; what follows the first step waits for the last.
func TestAFallbackOfAFallbackStandsIn(t *testing.T) {
	b := newBench(t)
	b.target.answer = failing("/fetch", "/plan")
	b.work()
	def := withFallback(call("plan", "/plan"))
	def.Steps[1].OnError, def.Steps[1].Fallback = workflow.OnErrorFallback, "last"
	def.Steps = append(def.Steps, note("last", "plan C"))
	id := b.start(b.create(def), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"fetch 1 failed 500", "last 1 succeeded", "plan 1 failed 500", "use 1 succeeded"}, b.attempts(id))
}
