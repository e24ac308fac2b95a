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
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/lifecycle"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// Config is what can be set about a worker.
type Config struct {
	Concurrency int           `default:"100" env:"ORQ_WORKER_CONCURRENCY" help:"How many runs this worker does at a time."`
	Beat        time.Duration `default:"3s" env:"ORQ_WORKER_BEAT" help:"How often it says that it is alive."`
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
	metrics  *metrics

	mu   sync.Mutex
	held map[uuid.UUID]*hold
}

// hold is a run that this worker has.
type hold struct {
	attempt int
	cancel  context.CancelCauseFunc
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
func New(cfg Config, db *postgres.DB, q *queue.Client, client action.HTTPClient, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) (*Worker, error) {
	name, err := newName()
	if err != nil {
		return nil, err
	}
	w := &Worker{
		cfg: cfg, name: name, db: db, queue: q, clock: clk, log: log.With("worker", name),
		library: newLibrary(db, action.New(client)), metrics: newMetrics(reg), held: map[uuid.UUID]*hold{},
	}
	w.recorder = newRecorder(name, db, q, w.log)
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
	serve := func(ctx, stop context.Context) error {
		defer endBeats()
		return w.queue.Serve(context.WithoutCancel(ctx), stop, w.cfg.Concurrency, w.handle)
	}
	return lifecycle.Run(stop, ctx, lifecycleGrace, w.log,
		lifecycle.Service{Name: "queue", Run: serve},
		lifecycle.Service{Name: "heartbeat", Run: func(context.Context, context.Context) error { return w.beat(beating) }},
		lifecycle.Service{Name: "cancellations", Run: func(context.Context, context.Context) error {
			w.queue.Cancellations(beating, func(id uuid.UUID) { w.end(id, cancelled{"cancelled"}) })
			return nil
		}},
	)
}

// lifecycleGrace only bounds a drain whose end nobody else decides: main cancels ctx when its own grace is over.
const lifecycleGrace = time.Hour

// giveBack interrupts everything; each run returns to the queue.
func (w *Worker) giveBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.held {
		h.cancel(errShutdown)
	}
}

// end ends a run if this worker has it.
func (w *Worker) end(id uuid.UUID, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h, ok := w.held[id]; ok {
		h.cancel(cause)
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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.mu.Lock()
	w.held[claimed.ID] = &hold{attempt: claimed.Attempt, cancel: cancel}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.held, claimed.ID)
		w.mu.Unlock()
	}()
	w.execute(ctx, *claimed)
}

// execute drives a claimed run and deals with what drive could not.
func (w *Worker) execute(ctx context.Context, claimed postgres.Claimed) {
	w.metrics.started.Inc()
	end, err := w.drive(ctx, claimed)
	switch {
	case err == nil:
		w.metrics.ended.WithLabelValues(string(end)).Inc()
	case errors.Is(err, errLost):
		w.metrics.zombies.Inc()
		w.log.WarnContext(ctx, "the run was taken away; its result is dropped", "run_id", claimed.ID, "attempt", claimed.Attempt)
	default:
		// PostgreSQL could not be written. The beat stops with this return, and the reconciler gives the run to another worker.
		w.log.ErrorContext(ctx, "run not recorded", "run_id", claimed.ID, "attempt", claimed.Attempt, "error", err)
	}
}

// beat says that the runs are alive until ctx ends, and learns which are to end.
func (w *Worker) beat(ctx context.Context) error {
	for {
		select {
		case <-w.clock.After(w.cfg.Beat):
		case <-ctx.Done():
			return nil
		}
		w.beatOnce(ctx)
	}
}

func (w *Worker) beatOnce(ctx context.Context) {
	w.mu.Lock()
	mine := make(map[uuid.UUID]*hold, len(w.held))
	ids := make([]uuid.UUID, 0, len(w.held))
	for id, h := range w.held {
		mine[id] = h
		ids = append(ids, id)
	}
	w.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	alive, err := postgres.Live{Q: w.db}.Beat(ctx, w.name, ids)
	if err != nil {
		w.log.WarnContext(ctx, "beat failed", "runs", len(ids), "error", err)
		return
	}
	for id, h := range mine {
		reason, ok := alive[id]
		switch {
		case ok && reason != nil:
			h.cancel(cancelled{*reason})
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
