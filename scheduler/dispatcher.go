package scheduler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
)

const (
	// dispatchEvery is how long a run can stay unnoticed when its notification is lost.
	dispatchEvery = time.Second
	dispatchBatch = 1000
)

// dispatcher hands runs to the queue that are due and not in it: retries whose time has come, runs whose first
// enqueueing failed, and runs that the queue lost.
type dispatcher struct {
	db    *postgres.DB
	queue *queue.Client
	grace time.Duration
	wake  chan struct{}
}

func (d *dispatcher) step(ctx context.Context) (time.Duration, error) {
	live := postgres.Live{Q: d.db}
	if _, err := live.Unblock(ctx); err != nil {
		return 0, err
	}
	due, err := live.TakeDue(ctx, d.patience(), dispatchBatch)
	if err != nil {
		return 0, err
	}
	if len(due) > 0 {
		if refused := d.queue.Promote(ctx, due); len(refused) > 0 {
			ids := make([]uuid.UUID, len(refused))
			for i, t := range refused {
				ids[i] = t.ID
			}
			return dispatchEvery, live.NotEnqueued(ctx, ids)
		}
	}
	if len(due) == dispatchBatch {
		return 0, nil
	}
	wait, ok, err := live.NextDue(ctx, dispatchEvery)
	if err != nil {
		return 0, err
	}
	if !ok {
		return dispatchEvery, nil
	}
	return max(wait, shortestPause), nil
}

// patience is how long the queue may take for a run before it is enqueued again: it follows the queue's own delay, so
// that a long queue is not searched again and again for runs that are simply waiting.
func (d *dispatcher) patience() time.Duration {
	depths, err := d.queue.Depths()
	if err != nil {
		return d.grace
	}
	patience := d.grace
	for _, depth := range depths {
		patience = max(patience, 2*depth.Oldest)
	}
	return patience
}
