package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

const (
	// feedEvery is how often backfills are looked at while one of them has runs to begin or to see end.
	feedEvery = 250 * time.Millisecond
	// restEvery is how long a new backfill stays unnoticed.
	restEvery = time.Second
)

// backfiller feeds the runs of backfills to the workers, no more at once than each backfill may have under way. It does
// one backfill per transaction, with a lock on its row: whatever dies, a fire has no run or one.
type backfiller struct {
	db      *postgres.DB
	service *dispatch.Service
	log     *slog.Logger
}

// step looks once at each backfill for which there is something to do. One that cannot go on does not stop the others.
func (b *backfiller) step(ctx context.Context) (time.Duration, error) {
	var ill []error
	wait := restEvery
	for after := (uuid.UUID{}); ; wait = feedEvery {
		seen, err := b.one(ctx, after)
		if (seen == uuid.UUID{}) {
			return wait, errors.Join(append(ill, err)...)
		}
		if err != nil {
			ill = append(ill, fmt.Errorf("backfill %s: %w", seen, err))
		}
		after = seen
	}
}

// one looks at the first backfill after one, and answers which that was; zero when there is none.
func (b *backfiller) one(ctx context.Context, after uuid.UUID) (seen uuid.UUID, err error) {
	var fresh []postgres.NewRun
	var tickets []run.Ticket
	err = b.db.InTx(ctx, func(q postgres.Querier) error {
		feed, ok, err := postgres.Backfills{Q: q}.LockBusy(ctx, after)
		if err != nil || !ok {
			return err
		}
		seen = feed.ID
		if fresh, err = b.feed(ctx, q, feed); err != nil {
			return err
		}
		tickets, err = b.service.Insert(ctx, q, fresh)
		return err
	})
	if err == nil {
		b.service.Release(ctx, fresh, tickets)
	}
	return seen, err
}

// feed sees which runs of a backfill have ended, begins as many as there is room for, and notes when nothing is left.
func (b *backfiller) feed(ctx context.Context, q postgres.Querier, feed postgres.Feed) ([]postgres.NewRun, error) {
	backfills := postgres.Backfills{Q: q}
	live, err := backfills.Settle(ctx, feed.ID)
	if err != nil {
		return nil, err
	}
	if feed.State != postgres.BackfillRunning {
		if live == 0 {
			return nil, backfills.Rest(ctx, feed.ID)
		}
		return nil, nil
	}
	room := feed.Concurrency - live
	if room <= 0 {
		return nil, nil
	}
	allowed, err := b.service.Allowances(ctx, q, []uuid.UUID{feed.ProjectID})
	if err != nil {
		return nil, err
	}
	if room = allowed[feed.ProjectID].Left(room); room == 0 { // the next look finds more
		return nil, nil
	}
	fires, err := backfills.Waiting(ctx, feed.ID, room)
	if err != nil {
		return nil, err
	}
	if len(fires) == 0 && live == 0 {
		b.log.InfoContext(ctx, "backfill done", "backfill", feed.ID, "workflow_id", feed.WorkflowID)
		return nil, backfills.SetState(ctx, feed.ID, postgres.BackfillDone, "")
	}
	return begin(ctx, q, feed, fires)
}

// begin plans the runs of fires of a backfill, and writes them into the ledger. The runs themselves are still to be made,
// in the same transaction.
func begin(ctx context.Context, q postgres.Querier, feed postgres.Feed, fires []time.Time) ([]postgres.NewRun, error) {
	if len(fires) == 0 {
		return nil, nil
	}
	locked, err := postgres.Triggers{Q: q}.LockSome(ctx, []uuid.UUID{feed.TriggerID})
	if err != nil {
		return nil, err
	}
	next := func(time.Time) time.Time { return time.Time{} }
	if compiled, err := schedule.Compile(locked[0].Spec.Spec(locked[0].AnchorAt)); err == nil {
		next = compiled.Next
	}
	by := "somebody who has left"
	if feed.By != nil {
		by = *feed.By
	}
	runs := make([]postgres.NewRun, len(fires))
	rows := make([]postgres.Backfilled, len(fires))
	for i, fire := range fires {
		id, err := dispatch.NewRunID()
		if err != nil {
			return nil, err
		}
		runs[i] = postgres.NewRun{
			ID: id, ProjectID: feed.ProjectID, WorkflowID: feed.WorkflowID, Version: feed.Version, Trigger: run.Backfill,
			TriggerID: &feed.TriggerID, FireAt: &fire, Inputs: feed.Inputs, CreatedBy: feed.CreatedBy,
		}
		rows[i] = postgres.Backfilled{FireAt: fire, RunID: id}
	}
	if err := (postgres.Backfills{Q: q}).Start(ctx, feed.ID, runs); err != nil {
		return nil, err
	}
	return runs, postgres.Occurrences{Q: q}.Backfill(ctx, feed.TriggerID, feed.WorkflowID, by, rows, next)
}
