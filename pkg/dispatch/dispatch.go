// Package dispatch is what more than one role does to runs and workflows: start, cancel, run again, save. Each is one
// transaction that spans stores, followed by a word to the queue that may be lost without harm.
package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/batch"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

// Queue is what dispatch wants from the queue. Nothing of it may fail: what did not arrive is found by the scheduler.
type Queue interface {
	// Room is how many runs of each queue may go to the workers at once; the others wait for their turn.
	Room(ctx context.Context) map[string]int
	// Enqueue hands tickets to the workers and answers those that the queue did not take; it tells those who watch what changed.
	Enqueue(ctx context.Context, tickets []run.Ticket, changes []run.Change) (refused []run.Ticket)
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
	// Secrets seals the projects' secrets; without it none can be stored. It is set before use.
	Secrets *secret.Keyring
	// Quota is what projects may use of which administrators decided nothing. It is set before use.
	Quota quota.Quota

	db      *postgres.DB
	queue   Queue
	clock   clock.Clock
	log     *slog.Logger
	heads   *batch.Batcher[uuid.UUID, *postgres.Head] // nil for a workflow that is not there
	known   sync.Map                                  // of postgres.Head, by workflow: probably as they are now
	inserts *batch.Batcher[postgres.NewRun, insertion]
	fresh   *batch.Batcher[committed, struct{}]
	limits  limits

	addresses  *batch.Batcher[string, *postgres.Addressed] // nil for an address that is nobody's
	deliveries *batch.Batcher[Delivery, Delivered]
	refusals   *batch.Batcher[postgres.DeliveryRow, struct{}]
	signals    *batch.Batcher[postgres.Signal, struct{}]
}

const insertBatch = 500

// New makes a Service.
func New(db *postgres.DB, queue Queue, clk clock.Clock, log *slog.Logger) *Service {
	s := &Service{db: db, queue: queue, clock: clk, log: log}
	s.heads = batch.New(insertBatch, func(ctx context.Context, ids []uuid.UUID) ([]*postgres.Head, error) {
		found, err := postgres.Workflows{Q: db}.Heads(ctx, ids)
		heads := make([]*postgres.Head, len(ids))
		for i, id := range ids {
			if head, ok := found[id]; ok {
				heads[i] = &head
			}
		}
		return heads, err
	})
	s.inserts = batch.New(insertBatch, s.insert)
	s.fresh = batch.New(insertBatch, func(ctx context.Context, runs []committed) ([]struct{}, error) {
		var tickets []run.Ticket
		changes := make([]run.Change, len(runs))
		for i, r := range runs {
			changes[i] = changeOf(r.run)
			if r.made.Released {
				tickets = append(tickets, r.made.Ticket)
			}
		}
		s.handOut(ctx, tickets, changes)
		return make([]struct{}, len(runs)), nil
	})
	s.addresses = batch.New(insertBatch, s.findAddresses)
	s.deliveries = batch.New(insertBatch, s.writeDeliveries).Bound(mostDeliveries)
	s.refusals = batch.New(insertBatch, func(ctx context.Context, list []postgres.DeliveryRow) ([]struct{}, error) {
		return make([]struct{}, len(list)), postgres.Deliveries{Q: db}.Insert(ctx, list)
	}).Bound(mostRefusals)
	s.signals = batch.New(insertBatch, s.noteSignals).Bound(mostDeliveries)
	return s
}

// committed is a run that was just made.
type committed struct {
	run  postgres.NewRun
	made postgres.Inserted
}

// Insert makes runs, and releases at once those for which there is room: their tickets are the answer, which Release hands
// out once the transaction is committed.
func (s *Service) Insert(ctx context.Context, q postgres.Querier, runs []postgres.NewRun) ([]run.Ticket, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	made, err := postgres.Runs{Q: q}.Insert(ctx, runs, s.queue.Room(ctx))
	var released []run.Ticket
	for _, i := range made {
		if i.Released {
			released = append(released, i.Ticket)
		}
	}
	return released, err
}

// Release hands out the tickets of runs that were just committed, and announces the runs.
func (s *Service) Release(ctx context.Context, runs []postgres.NewRun, tickets []run.Ticket) {
	changes := make([]run.Change, len(runs))
	for i, r := range runs {
		changes[i] = changeOf(r)
	}
	s.handOut(ctx, tickets, changes)
}

// handOut enqueues tickets of committed runs, and announces the runs. Tickets that the queue refuses are marked, so that the
// dispatcher hands them out later; when that fails too, it finds them by their age.
func (s *Service) handOut(ctx context.Context, tickets []run.Ticket, changes []run.Change) {
	if len(changes) == 0 {
		return
	}
	refused := s.queue.Enqueue(ctx, tickets, changes)
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

func changeOf(r postgres.NewRun) run.Change {
	return run.Change{RunID: r.ID, WorkflowID: r.WorkflowID, ProjectID: r.ProjectID}
}

// NewRunID makes the id of a run: a UUIDv7, so that runs sort by time.
func NewRunID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("make a run id: %w", err)
	}
	return id, nil
}
