package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
)

const baselineQueue = "bench"

// rawAsynq is what asynq does alone: one server, tasks that do nothing, nothing kept.
func rawAsynq(ctx context.Context, r *rig) (row, error) {
	rate, err := r.asynqRate(ctx, r.size, func(context.Context, *asynq.Task) error { return nil })
	return row{Values: map[string]float64{"per_second": rate, "tasks": float64(r.size)}, Note: "one asynq server, 50 slots, no-op tasks"}, err
}

// naive is the way that suggests itself: a row per run, and one statement, in a commit of its own, for each change.
func naive(ctx context.Context, r *rig) (row, error) {
	_, err := r.db.Exec(ctx, `
		create table if not exists naive_runs (id uuid primary key, workflow_id uuid not null, status text not null,
		    created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz, output jsonb);
		create index if not exists naive_runs_status on naive_runs (status);
		create index if not exists naive_runs_workflow on naive_runs (workflow_id, id);
		truncate naive_runs`)
	if err != nil {
		return row{}, fmt.Errorf("make the table: %w", err)
	}
	n := r.size / 4
	workflow := uuid.New()
	client, closeClient, err := r.asynqClient()
	if err != nil {
		return row{}, err
	}
	defer closeClient()
	began := time.Now()
	var wg sync.WaitGroup
	var failed atomic.Value
	done := make(chan struct{}, n)
	stop, err := r.asynqServer(64, func(ctx context.Context, t *asynq.Task) error {
		id := string(t.Payload())
		for _, sql := range []string{
			`update naive_runs set status = 'running', started_at = now() where id = $1 and status = 'queued'`,
			`update naive_runs set status = 'succeeded', finished_at = now(), output = '{"message":"done"}' where id = $1`,
		} {
			if _, err := r.db.Exec(ctx, sql, id); err != nil {
				failed.Store(err)
			}
		}
		done <- struct{}{}
		return nil
	})
	if err != nil {
		return row{}, err
	}
	defer stop()
	for range 16 {
		wg.Go(func() {
			for range n / 16 {
				id := uuid.Must(uuid.NewV7()).String()
				_, err := r.db.Exec(ctx, `insert into naive_runs (id, workflow_id, status) values ($1, $2, 'queued')`, id, workflow)
				if err == nil {
					_, err = client.EnqueueContext(ctx, asynq.NewTask("bench", []byte(id)), asynq.Queue(baselineQueue))
				}
				if err != nil {
					failed.Store(err)
				}
			}
		})
	}
	for range n / 16 * 16 {
		select {
		case <-done:
		case <-ctx.Done():
			return row{}, ctx.Err()
		}
	}
	wg.Wait()
	took := time.Since(began)
	if err, ok := failed.Load().(error); ok {
		return row{}, err
	}
	return row{
		Values: map[string]float64{"per_second": round(float64(n/16*16) / took.Seconds()), "runs": float64(n / 16 * 16)},
		Note:   "insert, mark running, mark finished: a commit each; no steps, no logs",
	}, nil
}

func (r *rig) asynqRate(ctx context.Context, n int, handle asynq.HandlerFunc) (float64, error) {
	client, closeClient, err := r.asynqClient()
	if err != nil {
		return 0, err
	}
	defer closeClient()
	for range n {
		if _, err := client.EnqueueContext(ctx, asynq.NewTask("bench", make([]byte, 38)), asynq.Queue(baselineQueue)); err != nil {
			return 0, fmt.Errorf("enqueue: %w", err)
		}
	}
	done := make(chan struct{}, n)
	began := time.Now()
	stop, err := r.asynqServer(50, func(ctx context.Context, t *asynq.Task) error {
		defer func() { done <- struct{}{} }()
		return handle(ctx, t)
	})
	if err != nil {
		return 0, err
	}
	defer stop()
	for range n {
		select {
		case <-done:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return round(float64(n) / time.Since(began).Seconds()), nil
}

func (r *rig) asynqClient() (*asynq.Client, func(), error) {
	opt, err := asynq.ParseRedisURI(r.redis)
	if err != nil {
		return nil, nil, fmt.Errorf("read the Redis URL: %w", err)
	}
	client := asynq.NewClient(opt)
	return client, func() { _ = client.Close() }, nil
}

func (r *rig) asynqServer(slots int, handle asynq.HandlerFunc) (stop func(), err error) {
	opt, err := asynq.ParseRedisURI(r.redis)
	if err != nil {
		return nil, fmt.Errorf("read the Redis URL: %w", err)
	}
	server := asynq.NewServer(opt, asynq.Config{
		Concurrency: slots, Queues: map[string]int{baselineQueue: 1}, TaskCheckInterval: time.Millisecond, LogLevel: asynq.ErrorLevel,
	})
	if err := server.Start(handle); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	return server.Shutdown, nil
}
