package api

import (
	"context"
	"errors"
	"regexp"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/batch"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/webhook"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// hooks are the addresses of triggers.
type hooks struct {
	server   *server
	stopping context.Context //nolint:containedctx // tells those who wait for runs that the server stops
	intake   intake
	refusals refusals
	// deciding has a place for each request whose body is being taken apart: that needs many times its size.
	deciding chan struct{}

	mu    sync.Mutex
	known map[string]hook
}

// hook is a webhook trigger, ready to decide about requests.
type hook struct {
	postgres.Addressed
	filter *expr.Condition
	secret string
	unfit  error // why it cannot decide
	fresh  bool  // it was looked up for this request
	until  time.Time
}

// hookLife is how long it is remembered what a trigger is like. What matters of it is looked at again when a delivery is
// stored; only a secret that was changed is good for that much longer.
const hookLife = 5 * time.Second

func newHooks(stopping context.Context, s *server) *hooks {
	return &hooks{
		server: s, stopping: stopping, known: map[string]hook{}, refusals: refusals{seen: map[uuid.UUID]int{}},
		deciding: make(chan struct{}, 4*runtime.GOMAXPROCS(0)),
	}
}

var errNoHook = fault.New(fault.NotFound, "no_such_address", "There is nothing at this address: it was never given out, or was replaced by another")

// find finds the trigger behind an address; fresh: as it is now.
func (h *hooks) find(ctx context.Context, token string, fresh bool) (*hook, error) {
	now := h.server.clock.Now()
	h.mu.Lock()
	known, ok := h.known[token]
	h.mu.Unlock()
	if ok && !fresh && now.Before(known.until) {
		return &known, nil
	}
	a, err := h.behind(ctx, token, workflow.TriggerWebhook)
	if err != nil {
		return nil, err
	}
	k := hook{Addressed: a, until: now.Add(hookLife)}
	if k.unfit = h.prepare(ctx, &k); k.unfit != nil && !errors.As(k.unfit, new(*fault.Error)) {
		return nil, k.unfit // the database is away
	}
	h.mu.Lock()
	if len(h.known) > 10_000 {
		clear(h.known)
	}
	h.known[token] = k
	h.mu.Unlock()
	k.fresh = true
	return &k, nil
}

// tokenShape is what every address looks like; anything else is none, and nobody is asked about it.
var tokenShape = regexp.MustCompile(`^[a-z2-7]{32}$`)

// behind looks up an address of triggers of a type.
func (h *hooks) behind(ctx context.Context, token, kind string) (postgres.Addressed, error) {
	if !tokenShape.MatchString(token) {
		return postgres.Addressed{}, errNoHook
	}
	a, err := h.server.dispatch.Behind(ctx, token)
	switch {
	case err != nil:
		return postgres.Addressed{}, err
	case a == nil || a.Spec.Type != kind:
		return postgres.Addressed{}, errNoHook
	case a.RemovedAt != nil:
		return postgres.Addressed{}, fault.New(fault.Gone, "trigger_removed", "The trigger of this address was removed")
	}
	return *a, nil
}

// prepare reads what the trigger decides by.
func (h *hooks) prepare(ctx context.Context, k *hook) (err error) {
	if k.Spec.Filter != "" {
		if k.filter, err = expr.ParseCondition(k.Spec.Filter); err != nil {
			return fault.New(fault.Unavailable, "filter_unusable", "The trigger's filter cannot be read any more")
		}
	}
	if k.Spec.Signature == nil {
		return nil
	}
	k.secret, err = h.server.dispatch.SecretOf(ctx, k.ProjectID, k.Spec.Signature.Secret)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Unavailable, "secret_missing", "The secret of the trigger's signature is missing")
	}
	return err
}

// open refuses requests that the trigger takes at another time: who sends them may try again.
func (k *hook) open() error {
	switch {
	case k.unfit != nil:
		return k.unfit
	case k.PausedReason != nil && !k.Enabled:
		return fault.New(fault.Unavailable, "trigger_paused", "The trigger stopped by itself after failed runs")
	case !k.Enabled:
		return fault.New(fault.Unavailable, "trigger_disabled", "The trigger is switched off")
	}
	return nil
}

// wants asks the filter. One that cannot decide about a request does not want it.
func (k *hook) wants(ctx context.Context, seen webhook.Seen) (wanted bool, why string) {
	if k.filter == nil {
		return true, ""
	}
	env, err := seen.Env(k.Spec)
	if err == nil {
		wanted, err = k.filter.Eval(ctx, env)
	}
	if err != nil {
		return false, "the filter could not decide: " + err.Error()
	}
	return wanted, "the filter is false"
}

// intake bounds what is held of requests that are being read and stored. One trigger gets half of the room at most: who sends
// slowly, or much, does not shut out everybody else.
type intake struct {
	mu   sync.Mutex
	all  load
	each map[uuid.UUID]*load // by trigger
}

// load is what is held of requests.
type load struct {
	bytes    int64
	requests int
}

const (
	intakeBytes    = 64 << 20
	intakeRequests = 10_000
)

// enter takes up a request of a size, -1 when it is not known. leave may be called more than once.
func (i *intake) enter(trigger uuid.UUID, size int64) (leave func(), err error) {
	if size < 0 || size > webhook.MaxBody {
		size = webhook.MaxBody
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.each == nil {
		i.each = map[uuid.UUID]*load{}
	}
	own := i.each[trigger]
	if own == nil {
		own = &load{}
	}
	if i.all.bytes+size > intakeBytes || i.all.requests >= intakeRequests ||
		own.bytes+size > intakeBytes/2 || own.requests >= intakeRequests/2 {
		return nil, batch.ErrFull
	}
	i.each[trigger] = own
	i.all.add(size, 1)
	own.add(size, 1)
	return sync.OnceFunc(func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.all.add(-size, -1)
		if own.add(-size, -1); own.requests == 0 {
			delete(i.each, trigger)
		}
	}), nil
}

func (l *load) add(bytes int64, requests int) {
	l.bytes += bytes
	l.requests += requests
}

// refusals counts how many refused requests of each trigger were listed in this minute.
type refusals struct {
	mu     sync.Mutex
	minute time.Time
	seen   map[uuid.UUID]int
}

func (r *refusals) allow(trigger uuid.UUID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := now.Truncate(time.Minute); !minute.Equal(r.minute) {
		r.minute = minute
		clear(r.seen)
	}
	r.seen[trigger]++
	return r.seen[trigger] <= refusalsAMinute
}
