package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
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
	overtime   time.Duration
	patience   time.Duration
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
	if err := r.orphans(ctx); err != nil {
		return 0, err
	}
	if err := r.overdue(ctx); err != nil {
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

// orphans ends runs that a step waited for, once its run has ended without them.
func (r *reconciler) orphans(ctx context.Context) error {
	ids, err := postgres.Children{Q: r.db}.Orphans(ctx, reconcileBatch)
	if err != nil || len(ids) == 0 {
		return err
	}
	return r.service.CancelRuns(ctx, ids, "the run that waited for it has ended")
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

// rescue gives the runs of dead workers to others. A run that has killed several is not tried again. What happened stands
// in the run's own log: there is no worker left to write it.
func (r *reconciler) rescue(ctx context.Context) (int, error) {
	if !r.canTell() {
		return 0, nil
	}
	var lost []postgres.Lost
	err := r.db.InTx(ctx, func(q postgres.Querier) (err error) {
		live, runs := postgres.Live{Q: q}, postgres.Runs{Q: q}
		if lost, err = live.TakeLost(ctx, r.lostAfter, reconcileBatch); err != nil || len(lost) == 0 {
			return err
		}
		var dead []uuid.UUID
		for _, l := range lost {
			if l.Crashes >= r.maxCrashes {
				dead = append(dead, l.ID)
			}
		}
		story, err := r.story(ctx, runs, lost)
		if err != nil {
			return err
		}
		if err := runs.Say(ctx, story); err != nil || len(dead) == 0 {
			return err
		}
		_, err = live.End(ctx, dead, run.Failed, r.poisoned())
		return err
	})
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	r.metrics.lost.Add(float64(len(lost)))
	var stale []run.Ticket
	var changes []run.Change
	for _, l := range lost {
		changes = append(changes, run.Change{RunID: l.ID, WorkflowID: l.WorkflowID, ProjectID: l.ProjectID})
		r.log.WarnContext(ctx, "the worker of a run is gone", "run_id", l.ID, "worker", l.Worker, "crashes", l.Crashes)
		stale = append(stale, run.Ticket{ID: l.ID, Attempt: l.Attempt - 1, Queue: l.Queue}) // the ticket it was claimed with
	}
	r.queue.Announce(ctx, changes)
	if err := postgres.Notify(ctx, r.db, postgres.DueChannel); err != nil {
		return 0, err
	}
	if err := r.queue.ForgetActive(ctx, stale); err != nil {
		r.log.DebugContext(ctx, "Redis is away", "error", err) // the runs go on all the same
	}
	return len(lost), nil
}

// poisoned says why a run failed that was tried often enough.
func (r *reconciler) poisoned() string {
	return fmt.Sprintf("worker_lost: %d workers in a row were lost while they had this run; its log says which", r.maxCrashes)
}

// story tells each run which worker it lost, and what was under way.
func (r *reconciler) story(ctx context.Context, runs postgres.Runs, lost []postgres.Lost) ([]postgres.LogRow, error) {
	ids := make([]uuid.UUID, len(lost))
	for i, l := range lost {
		ids[i] = l.ID
	}
	open, err := runs.Underway(ctx, ids)
	if err != nil {
		return nil, err
	}
	underway := map[uuid.UUID][]string{}
	for _, step := range open {
		underway[step.RunID] = append(underway[step.RunID], fmt.Sprintf("%s (attempt %d)", step.Step, step.Attempt))
	}
	lines := make([]postgres.LogRow, len(lost))
	for i, l := range lost {
		what := "no call was under way"
		if steps := underway[l.ID]; len(steps) > 0 {
			what = "under way: " + strings.Join(steps, ", ")
		}
		level, next := "warn", "another worker takes the run"
		if l.Crashes >= r.maxCrashes {
			level, next = "error", "the run is not tried again"
		}
		lines[i] = postgres.LogRow{RunID: l.ID, Level: level, Message: fmt.Sprintf(
			"worker %s was lost, the %s that this run lost; its last sign of life was at %s; %s; %s",
			l.Worker, ordinal(l.Crashes), l.BeatAt.UTC().Format(time.RFC3339), what, next)}
	}
	return lines, nil
}

// ordinal writes 1st, 2nd, 3rd, 4th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
