// Package worker is the role that does the work: it takes runs from the queue, claims them in PostgreSQL, runs their
// steps and records each as it ends. A worker may be killed at any moment: another one goes on at the first step that
// was not recorded as finished.
package worker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/lifecycle"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/gate"
)

// Config is what can be set about a worker.
type Config struct {
	Concurrency int           `default:"100" env:"ORQ_WORKER_CONCURRENCY" help:"How many runs this worker does at a time."`
	Beat        time.Duration `default:"3s" env:"ORQ_WORKER_BEAT" help:"How often it says that it is alive."`
	Version     string        `kong:"-"` // of the program, for people
	// Secrets opens the projects' secrets; without it steps that name some fail.
	Secrets *secret.Keyring `kong:"-"`
	// PublicURL is where people reach the installation, without a slash at its end; links in messages begin with it.
	PublicURL string        `kong:"-"`
	LetGo     time.Duration `default:"5s" env:"ORQ_WORKER_LET_GO" help:"How long an action may take to stop when its run ends; then the run is let go without it."`

	HostConcurrency int           `default:"0" env:"ORQ_HOST_CONCURRENCY" help:"How many calls all workers make to one host at a time, unless its own limits say otherwise; 0 for as many as there are."`
	HostFailures    int           `default:"20" env:"ORQ_HOST_FAILURES" help:"After so many calls in a row that fail, a host gets none for a while; 0 for never."`
	HostCooldown    time.Duration `default:"30s" env:"ORQ_HOST_COOLDOWN" help:"How long that while is; it doubles up to ten minutes as long as the host stays ill."`
}

const defaultLetGo = 5 * time.Second

// longestCooldown is as long as a host that fails is left alone at most.
const longestCooldown = 10 * time.Minute

// check refuses settings with which a worker would do nothing, or nothing else than beat.
func (c Config) check() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "out_of_range", format, args...)
	}
	switch {
	case c.Concurrency < 1:
		return wrong("ORQ_WORKER_CONCURRENCY is %d; it must be 1 at least", c.Concurrency)
	case c.Beat <= 0:
		return wrong("ORQ_WORKER_BEAT is %s; it must be longer than nothing, as in 3s", c.Beat)
	case c.LetGo < 0:
		return wrong("ORQ_WORKER_LET_GO is %s; it cannot be negative", c.LetGo)
	case c.HostConcurrency < 0 || c.HostConcurrency > host.MaxConcurrent:
		return wrong("ORQ_HOST_CONCURRENCY is %d; it must be from 0 to %d", c.HostConcurrency, host.MaxConcurrent)
	case c.HostFailures < 0:
		return wrong("ORQ_HOST_FAILURES is %d; it must be 0 or more", c.HostFailures)
	case c.HostFailures > 0 && (c.HostCooldown <= 0 || c.HostCooldown > longestCooldown):
		return wrong("ORQ_HOST_COOLDOWN is %s; it must be longer than nothing, up to %s", c.HostCooldown, longestCooldown)
	}
	return nil
}

// Worker is the role.
type Worker struct {
	cfg      Config
	name     string
	db       *postgres.DB
	queue    *queue.Client
	clock    clock.Clock
	log      *slog.Logger
	recorder *recorder
	library  *library
	vault    *vault
	outgoing *outgoing
	metrics  *metrics
	gate     *gate.Gate

	look chan struct{} // asks for a beat at once

	mu      sync.Mutex
	held    map[uuid.UUID]*hold
	leaving bool // gives back whatever it takes
}

// hold is a run that this worker has.
type hold struct {
	cancel   context.CancelCauseFunc
	deadline atomic.Pointer[time.Time] // of the run or of what it is at, by the database's clock
	nudged   chan struct{}             // something happened that a step of it may wait for
}

// Why the context of a run ends.
var (
	errLost     = errors.New("the run was taken away")
	errShutdown = errors.New("the worker stops")
	errTimeout  = errors.New("the run took longer than it may")
)

// cancelled is the end of a run's context because somebody said so.
type cancelled struct{ reason string }

func (c cancelled) Error() string { return c.reason }

// New makes a Worker; client is the only way its actions reach addresses that users typed. reg may be nil.
func New(cfg Config, db *postgres.DB, q *queue.Client, client action.Network, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) (*Worker, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.LetGo == 0 {
		cfg.LetGo = defaultLetGo
	}
	name, err := newName()
	if err != nil {
		return nil, err
	}
	w := &Worker{
		cfg: cfg, name: name, db: db, queue: q, clock: clk, log: log.With("worker", name),
		library: newLibrary(db, action.New(ruled{client}, children{db: db, service: dispatch.New(db, q, clk, log)}, approvals{db})), vault: newVault(db, cfg.Secrets),
		outgoing: newOutgoing(db, clk),
		metrics:  newMetrics(reg), held: map[uuid.UUID]*hold{},
		look: make(chan struct{}, 1),
	}
	w.recorder = newRecorder(name, db, q, w.log)
	w.gate = gate.New(gate.Config{
		Default: host.Limits{MaxConcurrent: cfg.HostConcurrency},
		Breaker: host.Breaker{Failures: cfg.HostFailures, Cooldown: cfg.HostCooldown, Limit: longestCooldown},
	}, q, postgres.Hosts{Q: db}.Limits, clk, w.log)
	return w, nil
}

// newName makes a name that no other worker has, and that says where it is.
func newName() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("name the worker: %w", err)
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), hex.EncodeToString(b[:])), nil
}

// Run takes runs until stop ends and then finishes those it has; when ctx ends it gives them back.
func (w *Worker) Run(ctx, stop context.Context) error {
	defer context.AfterFunc(ctx, w.giveBack)()
	// The beats go on as long as there is a run to beat for: through the drain, and until the last is given back.
	beating, endBeats := context.WithCancel(context.WithoutCancel(ctx))
	// Both ways to a run: by a ticket from the queue and, while Redis is away, straight from the database.
	serve := func(ctx, stop context.Context) error {
		defer endBeats()
		var detour sync.WaitGroup
		defer detour.Wait()
		detour.Go(func() { w.detour(ctx, stop) })
		return w.queue.Serve(context.WithoutCancel(ctx), stop, w.cfg.Concurrency, w.handle)
	}
	w.gate.Refresh(ctx)
	return lifecycle.Run(stop, ctx, lifecycleGrace, w.log,
		lifecycle.Service{Name: "queue", Run: serve},
		lifecycle.Service{Name: "presence", Run: func(_, stop context.Context) error { return w.beThere(beating, stop) }},
		lifecycle.Service{Name: "heartbeat", Run: func(context.Context, context.Context) error { return w.beat(beating) }},
		lifecycle.Service{Name: "hosts", Run: func(context.Context, context.Context) error { return w.gate.Run(beating) }},
		lifecycle.Service{Name: "tests", Run: func(_, stop context.Context) error { return w.tests(ctx, stop) }},
		lifecycle.Service{Name: "alerts", Run: func(_, stop context.Context) error { return w.alerts(ctx, stop) }},
		lifecycle.Service{Name: "cancellations", Run: func(context.Context, context.Context) error {
			w.queue.Cancellations(beating, w.lookAfter)
			return nil
		}},
	)
}

// lifecycleGrace only bounds a drain whose end nobody else decides: main cancels ctx when its own grace is over.
const lifecycleGrace = time.Hour

// giveBack interrupts everything; each run returns to the queue, and so does one whose claim is under way.
func (w *Worker) giveBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaving = true
	for _, h := range w.held {
		h.cancel(errShutdown)
	}
}

// lookAfter beats at once when this worker has the run: the beat's answer says whether it is to end, and why.
func (w *Worker) lookAfter(id uuid.UUID) {
	w.mu.Lock()
	_, mine := w.held[id]
	w.mu.Unlock()
	if !mine {
		return
	}
	select {
	case w.look <- struct{}{}:
	default: // it is about to look
	}
}

// keep notes that this worker has a run. One that it has already was taken away and came back: the older hold is a
// zombie's.
func (w *Worker) keep(id uuid.UUID, h *hold) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if older, ok := w.held[id]; ok {
		older.cancel(errLost)
	}
	w.held[id] = h
	if w.leaving {
		h.cancel(errShutdown)
	}
}

// forget undoes keep, unless the run has come back since.
func (w *Worker) forget(id uuid.UUID, h *hold) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held[id] == h {
		delete(w.held, id)
	}
}

// handle does what a ticket asks for. Whatever happens is recorded in PostgreSQL; a ticket whose run could not be claimed
// is worth nothing, and one whose claim failed is handed out again.
func (w *Worker) handle(ctx context.Context, ticket run.Ticket) {
	claimed, err := w.recorder.claim(ctx, ticket)
	if err != nil {
		w.log.WarnContext(ctx, "run not claimed", "run_id", ticket.ID, "error", err)
		return
	}
	if claimed == nil {
		return
	}
	w.take(ctx, *claimed)
}

// take does a run that was claimed, in the sight of the beats.
func (w *Worker) take(ctx context.Context, claimed postgres.Claimed) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h := &hold{cancel: cancel, nudged: make(chan struct{}, 1)}
	w.keep(claimed.ID, h)
	defer w.forget(claimed.ID, h)
	w.execute(ctx, h, claimed)
}

// execute drives a claimed run and deals with what drive could not.
func (w *Worker) execute(ctx context.Context, h *hold, claimed postgres.Claimed) {
	w.metrics.started.Inc()
	end, err := w.drive(ctx, h, claimed)
	switch {
	case err == nil:
		w.metrics.ended.WithLabelValues(string(end)).Inc()
	case errors.Is(err, errLost):
		w.metrics.zombies.Inc()
		w.log.WarnContext(ctx, "the run was taken away; its result is dropped", "run_id", claimed.ID, "attempt", claimed.Attempt)
	default:
		w.log.ErrorContext(ctx, "run not recorded", "run_id", claimed.ID, "attempt", claimed.Attempt, "error", err)
		if !postgres.Away(err) {
			w.giveUp(ctx, claimed, err)
		}
		// If that failed too, the beat stops with this return, and the reconciler gives the run to another worker.
	}
}

// giveUp fails a run that the worker cannot go on with although the database is there: doing its steps once more would
// end the same way. It is put back first, so that its open steps are closed as those of any run that nobody has.
func (w *Worker) giveUp(ctx context.Context, claimed postgres.Claimed, cause error) {
	err := w.recorder.write(ctx, entry{change: changeOf(claimed), Record: postgres.Record{
		RunID: claimed.ID, Attempt: claimed.Attempt, Outcome: postgres.Release, Delay: time.Minute,
	}})
	if err == nil {
		reason := clip("the worker could not go on: " + cause.Error())
		_, err = postgres.Live{Q: w.db}.End(context.WithoutCancel(ctx), []uuid.UUID{claimed.ID}, run.Failed, reason)
	}
	if err != nil {
		w.log.ErrorContext(ctx, "run not given up", "run_id", claimed.ID, "error", err)
	}
}

// awayPause is the time between two attempts to reach a database that is away, and awayTimeout that of one attempt.
const (
	awayPause   = 250 * time.Millisecond
	awayTimeout = 30 * time.Second
)

// insist does something with the database, again and again while that is away: what the steps did must not be forgotten.
// Nobody can take the run away meanwhile without the database, and whoever did is found by the fence. It ends when the
// worker has to.
func (w *Worker) insist(ctx context.Context, try func(ctx context.Context) error) error {
	own := context.WithoutCancel(ctx)
	for {
		bounded, cancel := context.WithTimeout(own, awayTimeout)
		err := try(bounded)
		cancel()
		if !postgres.Away(err) || errors.Is(context.Cause(ctx), errShutdown) {
			return err
		}
		if err := w.clock.Sleep(own, awayPause); err != nil {
			return fmt.Errorf("wait for the database: %w", err)
		}
	}
}

// beat says that the runs are alive until ctx ends, and learns which are to end.
func (w *Worker) beat(ctx context.Context) error {
	for {
		select {
		case <-w.clock.After(w.cfg.Beat):
		case <-w.look:
		case <-ctx.Done():
			return nil
		}
		w.beatOnce(ctx)
	}
}

func (w *Worker) beatOnce(ctx context.Context) {
	w.mu.Lock()
	mine := make(map[uuid.UUID]*hold, len(w.held))
	alive := make([]postgres.Alive, 0, len(w.held))
	for id, h := range w.held {
		mine[id] = h
		alive = append(alive, postgres.Alive{ID: id, Deadline: h.deadline.Load()})
	}
	w.mu.Unlock()
	if len(alive) == 0 {
		return
	}
	held, err := postgres.Live{Q: w.db}.Beat(ctx, w.name, alive)
	if err != nil {
		w.log.WarnContext(ctx, "beat failed", "runs", len(alive), "error", err)
		return
	}
	for id, h := range mine {
		pulse, ok := held[id]
		if pulse.Nudged {
			select {
			case h.nudged <- struct{}{}:
			default: // it is about to look
			}
		}
		switch {
		case ok && pulse.Cancel != nil:
			h.cancel(cancelled{*pulse.Cancel})
		case !ok && w.holds(id, h):
			// Either taken away, or finished between the two looks; the fence tells them apart.
			h.cancel(errLost)
		}
	}
}

func (w *Worker) holds(id uuid.UUID, h *hold) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held[id] == h
}
