// Package gate stands between steps and the hosts they call. A host that is closed, full, or called too fast gets no call
// now: the step waits, without an attempt being counted. What one worker learns of a host all of them know. A host that is
// well and has no limits costs a look into a map; and when Redis is away, what is known here has to do.
package gate

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// Config is what can be set about all hosts.
type Config struct {
	Default host.Limits // of hosts that have none of their own
	Breaker host.Breaker
}

// Store is what the workers share about hosts.
type Store interface {
	EnterHost(ctx context.Context, h, visit string, l host.Limits, b host.Breaker) (*host.Refusal, error)
	LeaveHost(ctx context.Context, h, visit string) error
	RenewHosts(ctx context.Context, visits map[string]string) error
	FailHost(ctx context.Context, h, why string, b host.Breaker) (host.State, error)
	CloseHost(ctx context.Context, h string, d time.Duration, why string) (host.State, error)
	HostIsWell(ctx context.Context, h string) error
	Hosts(ctx context.Context) ([]host.State, error)
	HostChanges(ctx context.Context, changed func())
}

// Gate is one worker's. It is safe for concurrent use.
type Gate struct {
	cfg    Config
	store  Store
	limits func(ctx context.Context) (map[string]host.Limits, error)
	clock  clock.Clock
	log    *slog.Logger
	stale  chan struct{} // asks for a refresh at once

	mu       sync.Mutex
	limited  map[string]host.Limits
	troubled map[string]trouble
	visits   map[string]string // places that are held: visit → host
	away     bool              // Redis did not answer last time
}

// trouble is what is known of a host that is not well.
type trouble struct {
	failures int
	until    time.Time // closed until then, by this machine's clock
	why      string
}

// New makes a Gate; limits reads those that were set for single hosts.
func New(cfg Config, store Store, limits func(context.Context) (map[string]host.Limits, error), clk clock.Clock, log *slog.Logger) *Gate {
	return &Gate{
		cfg: cfg, store: store, limits: limits, clock: clk, log: log, stale: make(chan struct{}, 1),
		limited: map[string]host.Limits{}, troubled: map[string]trouble{}, visits: map[string]string{},
	}
}

// refreshEvery is how old the knowledge of hosts may be, and refreshTimeout how long asking for it may take.
const (
	refreshEvery   = time.Second
	refreshTimeout = 2 * time.Second
)

// Run keeps the knowledge fresh until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	go g.store.HostChanges(ctx, func() {
		select {
		case g.stale <- struct{}{}:
		default:
		}
	})
	for {
		select {
		case <-g.clock.After(refreshEvery):
		case <-g.stale:
		case <-ctx.Done():
			return nil
		}
		g.Refresh(ctx)
	}
}

// Refresh asks for limits and states once. What cannot be read stays as it was.
func (g *Gate) Refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	if limited, err := g.limits(ctx); err != nil {
		g.log.DebugContext(ctx, "limits of hosts not read", "error", err)
	} else {
		g.mu.Lock()
		g.limited = limited
		g.mu.Unlock()
	}
	states, err := g.store.Hosts(ctx)
	if visits := g.held(); err == nil && len(visits) > 0 {
		err = g.store.RenewHosts(ctx, visits)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = err != nil
	if err != nil {
		g.log.DebugContext(ctx, "states of hosts not read", "error", err)
		return
	}
	clear(g.troubled)
	for _, s := range states {
		g.noteLocked(s)
	}
}

func (g *Gate) noteLocked(s host.State) {
	g.troubled[s.Host] = trouble{failures: s.Failures, until: g.clock.Now().Add(s.ClosedFor), why: s.Why}
}

func (g *Gate) note(s host.State) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noteLocked(s)
}

func (g *Gate) held() map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	visits := make(map[string]string, len(g.visits))
	for visit, h := range g.visits {
		visits[visit] = h
	}
	return visits
}

// Visit is a call that was let through; Leave has to follow.
type Visit struct {
	gate  *Gate
	host  string
	place string // held in Redis; empty for none
}

// Enter lets a call to a host through, or says why it has to wait.
func (g *Gate) Enter(ctx context.Context, h string) (*Visit, *host.Refusal) {
	g.mu.Lock()
	limits, ok := g.limited[h]
	if !ok {
		limits = g.cfg.Default
	}
	t := g.troubled[h]
	away := g.away
	g.mu.Unlock()
	if wait := t.until.Sub(g.clock.Now()); wait > 0 {
		// Those who wait do not all come back in the same instant.
		spread := time.Duration(rand.Int64N(int64(min(wait, 5*time.Second)) + 1)) //nolint:gosec // spreads load, hides nothing
		return nil, &host.Refusal{Kind: host.Closed, Wait: wait + spread, Why: t.why}
	}
	halfOpen := g.cfg.Breaker.Failures > 0 && t.failures >= g.cfg.Breaker.Failures
	v := &Visit{gate: g, host: h}
	if limits.None() && !halfOpen || away {
		return v, nil
	}
	place := uuid.NewString()
	refusal, err := g.store.EnterHost(ctx, h, place, limits, g.cfg.Breaker)
	switch {
	case err != nil:
		g.log.DebugContext(ctx, "host not asked for; the call goes on", "host", h, "error", err)
	case refusal != nil:
		return nil, refusal
	case limits.MaxConcurrent > 0:
		v.place = place
		g.mu.Lock()
		g.visits[place] = h
		g.mu.Unlock()
	}
	return v, nil
}

// Leave ends a visit. f is how the call failed, nil when it did not; a call that was interrupted from here says nothing
// about the host.
func (v *Visit) Leave(ctx context.Context, f *action.Failure, interrupted bool) {
	g := v.gate
	if v.place != "" {
		g.mu.Lock()
		delete(g.visits, v.place)
		g.mu.Unlock()
		g.try(ctx, "place not given back", g.store.LeaveHost(ctx, v.host, v.place))
	}
	if !interrupted {
		g.learn(ctx, v.host, f)
	}
}

// learn tells the others what a call says about its host.
func (g *Gate) learn(ctx context.Context, h string, f *action.Failure) {
	g.mu.Lock()
	_, troubled := g.troubled[h]
	away := g.away
	g.mu.Unlock()
	if away {
		return
	}
	switch judge(f) {
	case busy:
		s, err := g.store.CloseHost(ctx, h, f.RetryAfter, "it answered "+f.Class+" and asked to wait")
		if g.try(ctx, "host not closed", err) {
			g.note(s)
		}
	case bad:
		if g.cfg.Breaker.Failures == 0 {
			return
		}
		s, err := g.store.FailHost(ctx, h, f.Message, g.cfg.Breaker)
		if g.try(ctx, "failure not counted", err) {
			g.note(s)
		}
	case good:
		if troubled && g.try(ctx, "host not forgiven", g.store.HostIsWell(ctx, h)) {
			g.mu.Lock()
			if t := g.troubled[h]; !t.until.After(g.clock.Now()) {
				delete(g.troubled, h)
			}
			g.mu.Unlock()
		}
	}
}

func (g *Gate) try(ctx context.Context, what string, err error) bool {
	if err != nil {
		g.log.DebugContext(ctx, what, "error", err)
	}
	return err == nil
}

// verdict is what a call says about its host.
type verdict int

const (
	nothing verdict = iota
	good            // it answered
	bad             // it did not, or was out of order
	busy            // it said how long it wants to be left alone
)

func judge(f *action.Failure) verdict {
	if f == nil {
		return good
	}
	switch f.Class {
	case run.FailureConnection, run.FailureTimeout:
		return bad
	case run.FailureBody, run.FailureDeferred, run.FailureRejected:
		return good // whatever it said, it answered
	case run.FailureConfig, run.FailurePanic:
		return nothing
	}
	status, err := strconv.Atoi(f.Class)
	switch {
	case err != nil:
		return nothing
	case (status == 429 || status == 503) && f.RetryAfter > 0:
		return busy
	case status == 429:
		return nothing
	case status >= 500:
		return bad
	}
	return good
}

// Explain says why a step waits, for people; until is when it tries again.
func Explain(h string, r host.Refusal, until time.Time) string {
	switch r.Kind {
	case host.Closed:
		return fmt.Sprintf("waits for %s: closed until %s (%s)", h, until.UTC().Format(time.TimeOnly)+" UTC", r.Why)
	case host.Probed:
		return fmt.Sprintf("waits for %s: one call is trying whether it is well again (%s)", h, r.Why)
	case host.Full:
		return fmt.Sprintf("waits for %s: as many calls as may be at a time are under way", h)
	}
	return fmt.Sprintf("waits for %s: as many calls as may be per second were made", h)
}
