package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

const (
	reconcileEvery = time.Second
	reconcileBatch = 500
)

// reconciler finds what was lost on the way: runs of workers that died, a Redis that lost its data, cancellations that
// nobody carried out.
type reconciler struct {
	db         *postgres.DB
	queue      *queue.Client
	service    *dispatch.Service
	log        *slog.Logger
	lostAfter  time.Duration
	maxCrashes int
	metrics    *metrics
	clock      clock.Clock
	seen       time.Time // when the database answered last
	backAt     time.Time // when it answered again after it had been away
}

func (r *reconciler) step(ctx context.Context) (time.Duration, error) {
	if err := r.refill(ctx); err != nil {
		return 0, err
	}
	if err := r.cancel(ctx); err != nil {
		return 0, err
	}
	n, err := r.rescue(ctx)
	if err != nil {
		return 0, err
	}
	if n == reconcileBatch {
		return 0, nil
	}
	return reconcileEvery, nil
}

// refill writes everything into Redis again when Redis lost its data. A Redis that is away is left to come back.
func (r *reconciler) refill(ctx context.Context) error {
	lost, err := r.queue.Keep(ctx)
	if err != nil {
		r.log.DebugContext(ctx, "Redis is away", "error", err)
		return nil
	}
	if !lost {
		return nil
	}
	n, err := postgres.Live{Q: r.db}.ForgetEnqueued(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		r.log.WarnContext(ctx, "Redis lost its data; the queue is filled again", "runs", n)
	}
	return postgres.Notify(ctx, r.db, postgres.DueChannel)
}

// cancel ends runs that are to be cancelled and that no worker has.
func (r *reconciler) cancel(ctx context.Context) error {
	ids, err := postgres.Live{Q: r.db}.ListCancelled(ctx, reconcileBatch)
	if err != nil || len(ids) == 0 {
		return err
	}
	return r.service.CancelRuns(ctx, ids, "cancelled")
}

// canTell tells whether the silence of a worker means something. While the database was away nobody could beat, so that
// all of them get their time again from its return.
func (r *reconciler) canTell() bool {
	now := r.clock.Now()
	if !r.seen.IsZero() && now.Sub(r.seen) > max(r.lostAfter/2, 3*reconcileEvery) {
		r.backAt = now
	}
	r.seen = now
	return now.Sub(r.backAt) >= r.lostAfter
}

// rescue gives the runs of dead workers to others. A run that has killed several is not tried again.
func (r *reconciler) rescue(ctx context.Context) (int, error) {
	if !r.canTell() {
		return 0, nil
	}
	live := postgres.Live{Q: r.db}
	lost, err := live.TakeLost(ctx, r.lostAfter, reconcileBatch)
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	var stale []run.Ticket
	var dead []uuid.UUID
	for _, l := range lost {
		r.log.WarnContext(ctx, "the worker of a run is gone", "run_id", l.ID, "worker", l.Worker, "crashes", l.Crashes)
		stale = append(stale, run.Ticket{ID: l.ID, Attempt: l.Attempt - 1, Queue: l.Queue}) // the ticket it was claimed with
		if l.Crashes >= r.maxCrashes {
			dead = append(dead, l.ID)
		}
	}
	r.metrics.lost.Add(float64(len(lost)))
	if len(dead) > 0 {
		reason := fmt.Sprintf("worker_lost: %d workers were lost while they had this run", r.maxCrashes)
		if _, err := live.End(ctx, dead, run.Failed, reason); err != nil {
			return 0, err
		}
	}
	if err := postgres.Notify(ctx, r.db, postgres.DueChannel); err != nil {
		return 0, err
	}
	if err := r.queue.ForgetActive(ctx, stale); err != nil {
		r.log.DebugContext(ctx, "Redis is away", "error", err) // the runs go on all the same
	}
	return len(lost), nil
}
