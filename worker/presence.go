package worker

import (
	"context"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// beThere says with every beat that this worker is there and how much it can do, and takes that back when ctx ends. The
// dispatcher makes the queues as long as all workers together need them.
func (w *Worker) beThere(ctx, stop context.Context) error {
	queues := postgres.Queues{Q: w.db}
	for {
		leaving := stop.Err() != nil
		row := postgres.WorkerRow{Name: w.name, Version: w.cfg.Version, Slots: w.cfg.Concurrency, Leaving: leaving}
		if err := queues.WorkerBeat(ctx, row); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "presence not told", "error", err)
		}
		leave := stop.Done()
		if leaving {
			leave = nil
		}
		select {
		case <-w.clock.After(w.cfg.Beat):
		case <-leave: // at once: nothing more is to be meant for this worker
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goneTimeout)
			defer cancel()
			if err := queues.WorkerGone(ctx, w.name); err != nil {
				w.log.WarnContext(ctx, "leave not told; the scheduler will notice", "error", err)
			}
			return nil
		}
	}
}
