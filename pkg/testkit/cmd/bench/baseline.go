package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
)

const (
	baselineQueue = "bench"
	// redisDatabase is not asynq's first, so that a Redis that was given can go on serving somebody there.
	redisDatabase = 15
	enqueuers     = 16
)

// rawAsynq is what asynq does alone: one server, tasks that do nothing, nothing kept.
func rawAsynq(ctx context.Context, r *rig) (values, error) {
	client, closeClient, err := r.asynqClient()
	if err != nil {
		return nil, err
	}
	defer closeClient()
	enqueue := func(int) error { return enqueue(ctx, client, make([]byte, 38)) }
	if err := bench.Parallel(enqueuers, r.size, enqueue); err != nil {
		return nil, err
	}
	return r.asynqRate(ctx, r.size, 50, func(context.Context, string) error { return nil }, nil)
}

// rawAsynqWhole is the same from the enqueueing on.
func rawAsynqWhole(ctx context.Context, r *rig) (values, error) {
	client, closeClient, err := r.asynqClient()
	if err != nil {
		return nil, err
	}
	defer closeClient()
	return r.asynqRate(ctx, r.size, 50, func(context.Context, string) error { return nil }, func() error {
		return enqueue(ctx, client, make([]byte, 38))
	})
}

// statements are what the naive way does about a run, each committed by itself; $1 is the run, and $2 its workflow.
type statements struct {
	insert string
	work   []string // $1 only
}

const naiveTables = `
	drop table if exists naive_runs, naive_steps, naive_logs;
	create table naive_runs (id uuid primary key, workflow_id uuid not null, status text not null,
	    created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz);
	create index naive_runs_status on naive_runs (status);
	create index naive_runs_workflow on naive_runs (workflow_id, id);
	create table naive_steps (run_id uuid, step text, attempt integer, status text, started_at timestamptz, finished_at timestamptz,
	    output jsonb, primary key (run_id, step, attempt));
	create table naive_logs (run_id uuid, seq integer, at timestamptz, step text, attempt integer, level text, message text,
	    primary key (run_id, seq))`

const (
	naiveInsert  = `insert into naive_runs (id, workflow_id, status) values ($1, $2, 'queued')`
	naiveRunning = `update naive_runs set status = 'running', started_at = now() where id = $1 and status = 'queued'`
	naiveStep    = `insert into naive_steps values ($1, 'note', 1, 'succeeded', now(), now(), '{"message":"done"}')`
	naiveLog     = `insert into naive_logs values ($1, 1, now(), 'note', 1, 'info', 'done')`
	naiveEnd     = `update naive_runs set status = 'succeeded', finished_at = now() where id = $1`
)

// naive is the way that suggests itself: rows like ours, and one statement, in a commit of its own, for each change.
func naive(ctx context.Context, r *rig) (values, error) {
	return r.naiveRate(ctx, statements{naiveInsert, []string{naiveRunning, naiveStep, naiveLog, naiveEnd}})
}

// naiveBare leaves out what a run did.
func naiveBare(ctx context.Context, r *rig) (values, error) {
	return r.naiveRate(ctx, statements{naiveInsert, []string{naiveRunning, naiveEnd}})
}

func (r *rig) naiveRate(ctx context.Context, s statements) (values, error) {
	if _, err := r.DB.Exec(ctx, naiveTables); err != nil {
		return nil, fmt.Errorf("make the tables: %w", err)
	}
	client, closeClient, err := r.asynqClient()
	if err != nil {
		return nil, err
	}
	defer closeClient()
	workflow := uuid.New()
	v, err := r.asynqRate(ctx, r.size/4, 64, func(ctx context.Context, id string) error {
		for _, sql := range s.work {
			if _, err := r.DB.Exec(ctx, sql, id); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		return nil
	}, func() error {
		id := uuid.Must(uuid.NewV7()).String()
		if _, err := r.DB.Exec(ctx, s.insert, id, workflow); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		return enqueue(ctx, client, []byte(id))
	})
	if err != nil {
		return nil, err
	}
	v["runs"] = v["tasks"]
	delete(v, "tasks")
	return v, nil
}

// asynqRate starts a server and measures until it has done n tasks. begin, when not nil, is called meanwhile as often.
func (r *rig) asynqRate(ctx context.Context, n, slots int, handle func(context.Context, string) error, begin func() error) (values, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	done := make(chan struct{}, n)
	began := time.Now()
	stop, err := r.asynqServer(slots, func(ctx context.Context, t *asynq.Task) error {
		if err := handle(ctx, string(t.Payload())); err != nil {
			fail(err)
		}
		done <- struct{}{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer stop()
	var beginning sync.WaitGroup
	defer beginning.Wait()
	if begin != nil {
		beginning.Go(func() {
			if err := bench.Parallel(enqueuers, n, func(int) error { return begin() }); err != nil {
				fail(err)
			}
		})
	}
	for range n {
		select {
		case <-done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	took := time.Since(began)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return values{"per_second": float64(n) / took.Seconds(), "tasks": float64(n)}, nil
}

func enqueue(ctx context.Context, client *asynq.Client, payload []byte) error {
	if _, err := client.EnqueueContext(ctx, asynq.NewTask("bench", payload), asynq.Queue(baselineQueue)); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return nil
}

func (r *rig) asynqClient() (*asynq.Client, func(), error) {
	opt, err := r.asynqRedis()
	if err != nil {
		return nil, nil, err
	}
	client := asynq.NewClient(opt)
	return client, func() { _ = client.Close() }, nil
}

func (r *rig) asynqServer(slots int, handle asynq.HandlerFunc) (stop func(), err error) {
	opt, err := r.asynqRedis()
	if err != nil {
		return nil, err
	}
	server := asynq.NewServer(opt, asynq.Config{
		Concurrency: slots, Queues: map[string]int{baselineQueue: 1}, TaskCheckInterval: time.Millisecond, LogLevel: asynq.ErrorLevel,
	})
	if err := server.Start(handle); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	return server.Shutdown, nil
}

func (r *rig) asynqRedis() (asynq.RedisClientOpt, error) {
	parsed, err := asynq.ParseRedisURI(r.RedisURL)
	if err != nil {
		return asynq.RedisClientOpt{}, fmt.Errorf("read the Redis URL: %w", err)
	}
	opt, ok := parsed.(asynq.RedisClientOpt)
	if !ok {
		return opt, fmt.Errorf("raw asynq is measured on a single Redis, and this is a %T", parsed)
	}
	opt.DB = redisDatabase
	return opt, nil
}
