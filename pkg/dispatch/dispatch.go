// Package dispatch is what more than one role does to runs and workflows: start, cancel, run again, save. Each is one
// transaction that spans stores, followed by a word to the queue that may be lost without harm.
package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/batch"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Queue is what dispatch wants from the queue. Nothing of it may fail: what did not arrive is found by the scheduler.
type Queue interface {
	// Enqueue hands tickets to the workers and answers those that the queue did not take.
	Enqueue(ctx context.Context, tickets []run.Ticket) (refused []run.Ticket)
	// Forget removes tickets that are worth nothing any more.
	Forget(ctx context.Context, tickets []run.Ticket)
	// Cancel tells the workers that have the runs to end them.
	Cancel(ctx context.Context, ids []uuid.UUID)
	// Announce tells those who watch.
	Announce(ctx context.Context, changes []run.Change)
}

// Service does it.
type Service struct {
	// MinInterval is how often a schedule that is saved may fire at most: once in that time. It is set before use.
	MinInterval time.Duration

	db      *postgres.DB
	queue   Queue
	clock   clock.Clock
	log     *slog.Logger
	inserts *batch.Batcher[postgres.NewRun, struct{}]
	fresh   *batch.Batcher[postgres.NewRun, struct{}]
}

const insertBatch = 500

// New makes a Service.
func New(db *postgres.DB, queue Queue, clk clock.Clock, log *slog.Logger) *Service {
	s := &Service{db: db, queue: queue, clock: clk, log: log}
	s.inserts = batch.New(insertBatch, func(ctx context.Context, runs []postgres.NewRun) ([]struct{}, error) {
		return make([]struct{}, len(runs)), postgres.Runs{Q: db}.Insert(ctx, runs)
	})
	s.fresh = batch.New(insertBatch, func(ctx context.Context, runs []postgres.NewRun) ([]struct{}, error) {
		s.Release(ctx, runs)
		return make([]struct{}, len(runs)), nil
	})
	return s
}

// Release hands out runs that were just committed, and announces them.
func (s *Service) Release(ctx context.Context, runs []postgres.NewRun) {
	s.handOut(ctx, ticketsOf(runs))
	s.queue.Announce(ctx, changesOf(runs))
}

// handOut enqueues tickets of committed runs. Those that the queue refuses are marked, so that the dispatcher hands them
// out later; when that fails too, it finds them by their age.
func (s *Service) handOut(ctx context.Context, tickets []run.Ticket) {
	if len(tickets) == 0 {
		return
	}
	refused := s.queue.Enqueue(ctx, tickets)
	if len(refused) == 0 {
		return
	}
	ids := make([]uuid.UUID, len(refused))
	for i, t := range refused {
		ids[i] = t.ID
	}
	s.log.WarnContext(ctx, "the queue is away; the runs wait in the database", "runs", len(ids))
	if err := (postgres.Live{Q: s.db}).NotEnqueued(context.WithoutCancel(ctx), ids); err != nil {
		s.log.WarnContext(ctx, "runs not marked", "error", err)
	}
}

// ticketsOf makes the first tickets of runs that were just inserted; blocked ones have none yet.
func ticketsOf(runs []postgres.NewRun) []run.Ticket {
	tickets := make([]run.Ticket, 0, len(runs))
	for _, r := range runs {
		if !r.Blocked {
			tickets = append(tickets, run.Ticket{ID: r.ID, Queue: run.DefaultQueue})
		}
	}
	return tickets
}

// changesOf makes the announcements for runs that were just inserted.
func changesOf(runs []postgres.NewRun) []run.Change {
	changes := make([]run.Change, len(runs))
	for i, r := range runs {
		changes[i] = run.Change{RunID: r.ID, WorkflowID: r.WorkflowID, ProjectID: r.ProjectID}
	}
	return changes
}

// NewRunID makes the id of a run: a UUIDv7, so that runs sort by time.
func NewRunID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("make a run id: %w", err)
	}
	return id, nil
}
