package gate

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// store counts what it is asked, and answers what the test says.
type store struct {
	asked   []string
	states  []host.State
	refusal *host.Refusal
	down    error
}

func (s *store) ask(what string) error {
	s.asked = append(s.asked, what)
	return s.down
}

func (s *store) EnterHost(context.Context, string, string, host.Limits, host.Breaker) (*host.Refusal, error) {
	return s.refusal, s.ask("enter")
}
func (s *store) LeaveHost(context.Context, string, string) error { return s.ask("leave") }
func (s *store) RenewHosts(_ context.Context, visits map[string]string) error {
	return s.ask("renew")
}

func (s *store) FailHost(_ context.Context, h, why string, _ host.Breaker) (host.State, error) {
	return host.State{Host: h, Failures: 1, Why: why}, s.ask("fail")
}

func (s *store) CloseHost(_ context.Context, h string, d time.Duration, why string) (host.State, error) {
	return host.State{Host: h, ClosedFor: d, Why: why}, s.ask("close")
}
func (s *store) HostIsWell(context.Context, string) error        { return s.ask("well") }
func (s *store) Hosts(context.Context) ([]host.State, error)     { return s.states, s.down }
func (s *store) HostChanges(ctx context.Context, changed func()) {}

type bench struct {
	*Gate
	t      *testing.T
	store  *store
	clock  *clock.Fake
	limits map[string]host.Limits
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, store: &store{}, clock: clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), limits: map[string]host.Limits{}}
	read := func(context.Context) (map[string]host.Limits, error) { return b.limits, nil }
	b.Gate = New(Config{Breaker: host.Breaker{Failures: 3, Cooldown: time.Minute, Limit: time.Hour}}, b.store, read, b.clock, slog.New(slog.DiscardHandler))
	b.Refresh(t.Context())
	return b
}

// call enters and leaves a host; false when it was refused.
func (b *bench) call(f *action.Failure) bool {
	b.t.Helper()
	v, refused := b.Enter(b.t.Context(), "h:443")
	if refused != nil {
		return false
	}
	v.Leave(b.t.Context(), f, false)
	return true
}

func (b *bench) want(asked ...string) {
	b.t.Helper()
	got := b.store.asked
	b.store.asked = nil
	if len(got) != len(asked) {
		b.t.Errorf("Redis was asked %q, want %q", got, asked)
		return
	}
	for i := range got {
		if got[i] != asked[i] {
			b.t.Errorf("Redis was asked %q, want %q", got, asked)
		}
	}
}

var failure = &action.Failure{Class: run.FailureConnection, Message: "refused"}

// What happens thousands of times a second must not cost a round trip.
func TestAHealthyHostCostsNothing(t *testing.T) {
	b := newBench(t)
	for range 100 {
		b.call(nil)
		b.call(&action.Failure{Class: "404"})
		b.call(&action.Failure{Class: run.FailureConfig})
	}
	b.want()
}

func TestFailuresAreCountedAndForgiven(t *testing.T) {
	b := newBench(t)
	b.call(failure)
	b.want("fail")
	b.call(&action.Failure{Class: "502"})
	b.want("fail")
	b.call(nil)
	b.want("well")
	b.call(nil)
	b.want()
	v, _ := b.Enter(t.Context(), "h:443")
	v.Leave(t.Context(), failure, true)
	b.want() // it was interrupted from here
}

// A closed host is refused from memory; when its time has come one call at a time is let through by Redis.
func TestAClosedHostIsRefusedWithoutAsking(t *testing.T) {
	b := newBench(t)
	b.store.states = []host.State{{Host: "h:443", Failures: 3, ClosedFor: time.Minute, Why: "ill"}}
	b.Refresh(t.Context())
	_, refused := b.Enter(t.Context(), "h:443")
	if refused == nil || refused.Kind != host.Closed || refused.Wait < time.Minute || refused.Wait > 65*time.Second || refused.Why != "ill" {
		t.Errorf("refused %+v", refused)
	}
	b.want()
	b.clock.Advance(time.Minute + time.Second)
	b.store.refusal = &host.Refusal{Kind: host.Probed, Wait: time.Second}
	if b.call(nil) {
		t.Error("a second call was let through while the first tries")
	}
	b.want("enter")
	b.store.refusal = nil
	b.call(nil)
	b.want("enter", "well")
	b.call(nil)
	b.want()
}

func TestABusyHostIsClosed(t *testing.T) {
	b := newBench(t)
	b.call(&action.Failure{Class: "503", RetryAfter: 7 * time.Second})
	b.want("close")
	if b.call(nil) {
		t.Error("it was called again at once")
	}
	b.clock.Advance(8 * time.Second)
	if !b.call(nil) {
		t.Error("it is still closed")
	}
}

func TestALimitedHostIsAskedFor(t *testing.T) {
	b := newBench(t)
	b.limits["h:443"] = host.Limits{MaxConcurrent: 1}
	b.Refresh(t.Context())
	v, _ := b.Enter(t.Context(), "h:443")
	b.want("enter")
	b.Refresh(t.Context())
	b.want("renew") // a long call keeps its place
	v.Leave(t.Context(), nil, false)
	b.want("leave")
	b.Refresh(t.Context())
	b.want()
}

// Without Redis what is known has to do, and calls go on.
func TestWithoutRedisCallsGoOn(t *testing.T) {
	b := newBench(t)
	b.limits["h:443"] = host.Limits{MaxConcurrent: 1}
	b.store.states = []host.State{{Host: "closed:443", Failures: 3, ClosedFor: time.Minute}}
	b.Refresh(t.Context())
	b.store.down = errors.New("away")
	if !b.call(nil) {
		t.Error("refused because Redis is away")
	}
	b.Refresh(t.Context())
	b.store.asked = nil
	for range 10 {
		b.call(failure)
	}
	b.want() // not even asked
	if _, refused := b.Enter(t.Context(), "closed:443"); refused == nil {
		t.Error("what is known was forgotten")
	}
}
