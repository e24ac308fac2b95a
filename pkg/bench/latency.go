package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Latencies are how long runs took at a steady rate, until the announcement of their recorded end.
type Latencies struct {
	FromCall  Spread  // since the call that started the run: its commit is part of it
	FromQueue Spread  // since its ticket was about to go into the queue, the run being committed
	Offered   float64 // runs per second that were really started
}

// Latency starts n runs at a steady rate per second, whether or not the earlier ones have ended.
func (r *Rig) Latency(ctx context.Context, rate, n int) (Latencies, error) {
	wf, err := r.Create(ctx, "latency", LogStep())
	if err != nil {
		return Latencies{}, err
	}
	watching, end := context.WithCancel(ctx)
	defer end()
	ends, err := r.watch(watching)
	if err != nil {
		return Latencies{}, err
	}
	stop, err := r.Start(ctx)
	if err != nil {
		return Latencies{}, err
	}
	queue := &observed{Queue: r.Queue, clock: r.cfg.Clock, enqueued: map[uuid.UUID]time.Time{}}
	service := dispatch.New(r.DB, queue, r.cfg.Clock, r.cfg.Log)
	var mu sync.Mutex
	started := make(map[uuid.UUID]time.Time, n)
	began := r.cfg.Clock.Now()
	err = r.pace(ctx, rate, n, func() error {
		at := r.cfg.Clock.Now()
		fresh, err := service.Start(ctx, r.Who, wf.ID, nil, "")
		if err == nil {
			mu.Lock()
			started[fresh.ID] = at
			mu.Unlock()
		}
		return err
	})
	took := Latencies{Offered: float64(n) / r.cfg.Clock.Now().Sub(began).Seconds()}
	if err := r.finish(ctx, stop, n, err); err != nil {
		return Latencies{}, err
	}
	if err := ends.catchUp(ctx); err != nil {
		return Latencies{}, err
	}
	fromCall, fromQueue := make([]time.Duration, 0, n), make([]time.Duration, 0, n)
	for id, at := range started {
		ended, ok := ends.of(id)
		if !ok {
			return Latencies{}, fmt.Errorf("the end of run %s was not announced", id)
		}
		fromCall = append(fromCall, ended.Sub(at))
		if at, ok := queue.enqueued[id]; ok { // the others went through the dispatcher
			fromQueue = append(fromQueue, ended.Sub(at))
		}
	}
	took.FromCall, took.FromQueue = SpreadOf(fromCall), SpreadOf(fromQueue)
	return took, nil
}

// observed is a queue that remembers when tickets went into it.
type observed struct {
	dispatch.Queue
	clock clock.Clock

	mu       sync.Mutex
	enqueued map[uuid.UUID]time.Time
}

// Enqueue implements dispatch.Queue.
func (o *observed) Enqueue(ctx context.Context, tickets []run.Ticket, changes []run.Change) []run.Ticket {
	now := o.clock.Now()
	o.mu.Lock()
	for _, t := range tickets {
		o.enqueued[t.ID] = now
	}
	o.mu.Unlock()
	return o.Queue.Enqueue(ctx, tickets, changes)
}

// pace calls do n times, rate times per second, without waiting for the earlier calls.
func (r *Rig) pace(ctx context.Context, rate, n int, do func() error) error {
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	began := r.cfg.Clock.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if r.cfg.Clock.Sleep(ctx, due.Sub(r.cfg.Clock.Now())) != nil || failed.Load() != nil {
			break
		}
		wg.Go(func() {
			if err := do(); err != nil {
				failed.Store(&err)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err() //nolint:wrapcheck // whoever ended it knows
}

// watch is when the latest change of each run was heard of.
type watch struct {
	rig    *Rig
	mu     sync.Mutex
	latest map[uuid.UUID]time.Time
	heard  chan struct{} // has something after each announcement
}

// watch listens until ctx ends; it answers once it hears.
func (r *Rig) watch(ctx context.Context) (*watch, error) {
	w := &watch{rig: r, latest: map[uuid.UUID]time.Time{}, heard: make(chan struct{}, 1)}
	go r.Queue.Changes(ctx, func(changes []run.Change) {
		now := r.cfg.Clock.Now()
		w.mu.Lock()
		for _, c := range changes {
			w.latest[c.RunID] = now
		}
		w.mu.Unlock()
		select {
		case w.heard <- struct{}{}:
		default:
		}
	})
	return w, w.catchUp(ctx)
}

func (w *watch) of(id uuid.UUID) (at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok = w.latest[id]
	return at, ok
}

// catchUp returns once everything has been heard that was announced so far: it announces something itself, and comes after
// the rest.
func (w *watch) catchUp(ctx context.Context) error {
	probe := uuid.New()
	for {
		w.rig.Queue.Announce(ctx, []run.Change{{RunID: probe}})
		again := w.rig.cfg.Clock.After(100 * time.Millisecond)
		for waiting := true; waiting; {
			if _, ok := w.of(probe); ok {
				return nil
			}
			select {
			case <-w.heard:
			case <-again: // it was lost: nobody listened yet
				waiting = false
			case <-ctx.Done():
				return fmt.Errorf("listen to what becomes of runs: %w", ctx.Err())
			}
		}
	}
}
