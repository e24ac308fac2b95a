package worker_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

func breaker(failures int, cooldown time.Duration) func(*worker.Config) {
	return func(c *worker.Config) { c.HostFailures, c.HostCooldown = failures, cooldown }
}

func oneCall() workflow.Definition {
	return workflow.Definition{Steps: []workflow.Step{call("a", "/a")}}
}

// parked waits until a run waits for the target, and answers why.
func (b *bench) parked(id uuid.UUID) string {
	b.t.Helper()
	reason := deref(b.until(id, run.Waiting).Reason)
	if !strings.HasPrefix(reason, "waits for target:80: ") {
		b.t.Errorf("it waits because %q", reason)
	}
	if attempts := b.attempts(id); len(attempts) != 0 {
		b.t.Errorf("waiting cost attempts: %v", attempts)
	}
	return reason
}

// A host that fails again and again gets no calls for a while: steps wait without an attempt and without a worker. Then one
// call tries, and when it succeeds all others follow.
func TestAnIllHostIsLeftAlone(t *testing.T) {
	b := newBench(t)
	var ill atomic.Bool
	ill.Store(true)
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		if ill.Load() {
			return answer(500, `{}`), nil
		}
		return answer(200, `{}`), nil
	}
	b.work(breaker(3, 2*time.Second))
	wf := b.create(oneCall())
	for range 3 {
		b.until(b.start(wf, nil), run.Failed)
	}
	var ids []uuid.UUID
	for range 5 {
		ids = append(ids, b.start(wf, nil))
	}
	for _, id := range ids {
		if reason := b.parked(id); !strings.Contains(reason, "closed until") || !strings.Contains(reason, "circuit open after 3 failures in a row: HTTP 500") {
			t.Errorf("it waits because %q", reason)
		}
	}
	if n := len(b.target.called()); n != 3 {
		t.Errorf("%d calls of a host that is closed, want the first 3 only", n)
	}
	ill.Store(false)
	b.schedule(time.Minute)
	for _, id := range ids {
		b.until(id, run.Succeeded)
		b.same([]string{"a 1 succeeded"}, b.attempts(id))
	}
}

// A host that says how long it wants to be left alone is.
func TestRetryAfterClosesAHost(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 1 {
			return &egress.Response{Status: 429, Header: http.Header{"Retry-After": {"2"}}}, nil
		}
		return answer(200, `{}`), nil
	}
	b.work()
	wf := b.create(oneCall())
	b.until(b.start(wf, nil), run.Failed)
	id := b.start(wf, nil)
	if reason := b.parked(id); !strings.Contains(reason, "it answered 429 and asked to wait") {
		t.Errorf("it waits because %q", reason)
	}
	b.schedule(time.Minute)
	b.until(id, run.Succeeded)
	b.same([]string{"/a", "/a"}, b.target.called())
}

func (b *bench) limit(l host.Limits) {
	b.t.Helper()
	if err := (postgres.Hosts{Q: b.db}).Save(b.t.Context(), "target:80", l); err != nil {
		b.t.Fatal(err)
	}
}

// A limit counts for all workers together.
func TestNoMoreCallsAtATimeThanAHostTakes(t *testing.T) {
	b := newBench(t)
	b.limit(host.Limits{MaxConcurrent: 2})
	var mu sync.Mutex
	under, most := 0, 0
	full, proceed := make(chan struct{}), make(chan struct{})
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		mu.Lock()
		under++
		most = max(most, under)
		if under == 2 && most == 2 {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-proceed
		mu.Lock()
		under--
		mu.Unlock()
		return answer(200, `{}`), nil
	}
	b.work()
	b.work()
	wf := b.create(oneCall())
	var ids []uuid.UUID
	for range 6 {
		ids = append(ids, b.start(wf, nil))
	}
	<-full
	b.eventually("the others wait", func() bool {
		census, err := postgres.Live{Q: b.db}.Census(t.Context())
		return err == nil && census.Runs[run.Running] == 2
	})
	close(proceed)
	b.schedule(time.Minute)
	for _, id := range ids {
		b.until(id, run.Succeeded)
		b.same([]string{"a 1 succeeded"}, b.attempts(id))
	}
	if most != 2 {
		t.Errorf("%d calls at a time, want 2", most)
	}
}

// A limit on calls per second: the first go at once, the others wait for their turn.
func TestNoMoreCallsPerSecondThanAHostTakes(t *testing.T) {
	b := newBench(t)
	b.limit(host.Limits{PerSecond: 1, Burst: 2})
	b.work()
	wf := b.create(oneCall())
	var ids []uuid.UUID
	for range 3 {
		ids = append(ids, b.start(wf, nil))
	}
	b.eventually("two have run, one waits", func() bool {
		census, err := postgres.Live{Q: b.db}.Census(t.Context())
		return err == nil && census.Runs[run.Waiting] == 1 && census.Runs[run.Running]+census.Runs[run.Queued] == 0
	})
	if n := len(b.target.called()); n != 2 {
		t.Errorf("%d calls at once, want 2", n)
	}
	b.schedule(time.Minute)
	for _, id := range ids {
		b.until(id, run.Succeeded)
	}
}

// Only the host that is called counts, whatever a template made of the URL.
func TestHostsAreToldApartByTheFinalURL(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, _ int, req egress.Request) (*egress.Response, error) {
		if strings.Contains(strings.ToLower(req.URL), "ill.example") {
			return answer(500, `{}`), nil
		}
		return answer(200, `{}`), nil
	}
	b.work(breaker(1, time.Minute))
	config, _ := json.Marshal(workflow.HTTPConfig{URL: "https://{{ inputs.host }}/x"})
	wf := b.create(workflow.Definition{Steps: []workflow.Step{{ID: "a", Action: workflow.ActionHTTP, Config: config}}})
	to := func(h string) uuid.UUID { return b.start(wf, map[string]any{"host": h}) }
	b.until(to("ill.example"), run.Failed)
	if reason := deref(b.until(to("ILL.Example:443"), run.Waiting).Reason); !strings.HasPrefix(reason, "waits for ill.example:443: closed until") {
		t.Errorf("it waits because %q", reason)
	}
	b.until(to("well.example"), run.Succeeded)
	b.until(to("ill.example:8443"), run.Failed) // another port is another server
}

// Each page of an answer is a call of its own: it gives its place back, and waits for the next like everybody.
func TestPagesWaitForTheirTurn(t *testing.T) {
	b := newBench(t)
	b.limit(host.Limits{MaxConcurrent: 1})
	var open, most atomic.Int32
	b.target.answer = func(_ context.Context, n int, req egress.Request) (*egress.Response, error) {
		if now := open.Add(1); now > most.Load() {
			most.Store(now)
		}
		defer open.Add(-1)
		return answer(200, `{"items": [1, 2], "next": `+map[bool]string{true: `"/?page=2"`, false: `null`}[!strings.Contains(req.URL, "page")]+`}`), nil
	}
	b.work()
	b.schedule(time.Minute)
	wf := b.create(workflow.Definition{Steps: []workflow.Step{
		callWith("a", workflow.HTTPConfig{URL: "http://target/", Paginate: &workflow.HTTPPages{Next: "body.next", Collect: "body.items"}}),
		note("n", "{{ len(steps.a.body) }} of {{ steps.a.pages }}", "a"),
	}})
	var ids []uuid.UUID
	for range 4 {
		ids = append(ids, b.start(wf, nil))
	}
	for _, id := range ids {
		b.until(id, run.Succeeded)
		b.same([]string{"4 of 2"}, b.messages(id))
	}
	if most.Load() != 1 || len(b.target.called()) != 8 {
		t.Errorf("%d calls, at most %d at a time", len(b.target.called()), most.Load())
	}
}
