package worker

import (
	"context"
	"sync"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const (
	// awayAfter is how long Redis may be away before the worker takes its runs from the database.
	awayAfter = 5 * time.Second
	// pingEvery is how often it looks whether Redis is there.
	pingEvery = time.Second
	// detourEvery is the pause between two looks into the database that found nothing.
	detourEvery = 100 * time.Millisecond
	// goneTimeout bounds the last word of a worker.
	goneTimeout = 2 * time.Second
)

// detour takes runs from the database while Redis cannot be reached: those that the dispatcher released, under the same
// fence as a ticket's. It is slower than the queue, and never stops. It returns when stop ends and its runs have ended.
func (w *Worker) detour(ctx, stop context.Context) {
	var inHand sync.WaitGroup
	defer inHand.Wait()
	ctx = context.WithoutCancel(ctx) // the runs are ended by giveBack, as those of tickets are
	var awaySince time.Time
	for stop.Err() == nil {
		now := w.clock.Now()
		if err := w.ping(ctx); err == nil {
			awaySince = time.Time{}
		} else if awaySince.IsZero() {
			awaySince = now
		}
		if awaySince.IsZero() || now.Sub(awaySince) < awayAfter {
			_ = w.clock.Sleep(stop, pingEvery) // an end of stop is seen by the loop
			continue
		}
		w.takeReleased(ctx, stop, w.clock.Now().Add(pingEvery), &inHand)
	}
}

func (w *Worker) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingEvery/2)
	defer cancel()
	return w.queue.Ping(ctx)
}

// takeReleased takes released runs, as many as there are places for, until an instant.
func (w *Worker) takeReleased(ctx, stop context.Context, until time.Time, inHand *sync.WaitGroup) {
	for stop.Err() == nil && w.clock.Now().Before(until) {
		var claimed []postgres.Claimed
		if free := w.free(); free > 0 {
			var err error
			if claimed, err = (postgres.Live{Q: w.db}).ClaimReleased(ctx, w.name, free); err != nil {
				w.log.WarnContext(ctx, "runs not taken from the database", "error", err)
			}
		}
		for _, c := range claimed {
			inHand.Go(func() { w.take(ctx, c) })
		}
		if len(claimed) == 0 {
			_ = w.clock.Sleep(stop, detourEvery) // an end of stop is seen by the loop
		}
	}
}

// free is how many more runs this worker may do.
func (w *Worker) free() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cfg.Concurrency - len(w.held)
}
