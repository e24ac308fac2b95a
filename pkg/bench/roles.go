package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/lifecycle"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// Connections of the roles to the database, as in an installation.
const (
	schedulerConns = 8
	workerConns    = 6
)

// grace is for what a role has in hand when a measurement is over.
const grace = 30 * time.Second

// Start runs a scheduler and a worker until the returned function is called.
func (r *Rig) Start(ctx context.Context) (stop func() error, err error) { return r.start(ctx, true) }

// StartScheduler is Start without a worker.
func (r *Rig) StartScheduler(ctx context.Context) (stop func() error, err error) {
	return r.start(ctx, false)
}

func (r *Rig) start(ctx context.Context, withWorker bool) (stop func() error, err error) {
	planning, err := r.pool(ctx, "bench-scheduler", schedulerConns)
	if err != nil {
		return nil, err
	}
	closers := []func(){planning.Close}
	release := func() {
		for _, c := range closers {
			c()
		}
	}
	cfg := scheduler.Config{
		Batch: 500, LostAfter: 15 * time.Second, EnqueueGrace: 5 * time.Second, MaxCrashes: 3,
		Overtime: 15 * time.Second, CancelAfter: 10 * time.Second,
	}
	services := []lifecycle.Service{{Name: "scheduler", Run: scheduler.New(cfg, planning, r.Queue, r.cfg.Clock, r.cfg.Log, nil).Run}}
	if withWorker {
		working, err := r.pool(ctx, "bench-worker", workerConns)
		if err != nil {
			release()
			return nil, err
		}
		closers = append(closers, working.Close)
		w, closeClient, err := r.worker(working)
		if err != nil {
			release()
			return nil, err
		}
		closers = append(closers, closeClient)
		services = append(services, lifecycle.Service{Name: "worker", Run: w.Run})
	}
	stopping, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- lifecycle.Run(stopping, ctx, grace, r.cfg.Log, services...) }()
	return func() error {
		end()
		err := <-ended
		release()
		return err
	}, nil
}

// worker makes a worker that may call this machine, since that is where targets for measuring are.
func (r *Rig) worker(db *postgres.DB) (w *worker.Worker, closeClient func(), err error) {
	client, err := egress.New(egress.Config{Allow: []string{"127.0.0.0/8"}})
	if err != nil {
		return nil, nil, fmt.Errorf("make a client: %w", err)
	}
	w, err = worker.New(worker.Config{Concurrency: r.cfg.Concurrency, Beat: 3 * time.Second}, db, r.Queue, client, r.cfg.Clock, r.cfg.Log, nil)
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return w, client.Close, nil
}

// Await waits until n runs were made and all have ended. It gives up when a slow machine would have been done for long.
func (r *Rig) Await(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute+time.Duration(n)*50*time.Millisecond)
	defer cancel()
	for {
		ended, err := postgres.Measure{Q: r.DB}.Ended(ctx, n)
		if err != nil || ended {
			return err
		}
		if err := r.cfg.Clock.Sleep(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("wait for %d runs to end: %w", n, err)
		}
	}
}

// finish stops the roles once n runs have ended. A measurement with a run that did not succeed is worth nothing.
func (r *Rig) finish(ctx context.Context, stop func() error, n int, err error) error {
	if err == nil {
		err = r.Await(ctx, n)
	}
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	return r.Failures(ctx)
}

// Failures is an error when there is a run that did not succeed.
func (r *Rig) Failures(ctx context.Context) error {
	n, err := postgres.Measure{Q: r.DB}.NotSucceeded(ctx)
	if err == nil && n > 0 {
		err = fmt.Errorf("%d runs did not succeed", n)
	}
	return err
}
