package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Latency starts n runs at a steady rate per second, whether or not the earlier ones have ended. It measures from the call
// that starts a run, which commits it, to the announcement of its recorded end. offered is the rate that came about.
func (r *Rig) Latency(ctx context.Context, rate, n int) (took Spread, offered float64, err error) {
	wf, err := r.Create(ctx, "latency", LogStep())
	if err != nil {
		return Spread{}, 0, err
	}
	watching, end := context.WithCancel(ctx)
	defer end()
	ends, err := r.watch(watching)
	if err != nil {
		return Spread{}, 0, err
	}
	stop, err := r.Start(ctx)
	if err != nil {
		return Spread{}, 0, err
	}
	var mu sync.Mutex
	started := make(map[uuid.UUID]time.Time, n)
	began := r.cfg.Clock.Now()
	err = r.pace(ctx, rate, n, func() error {
		at := r.cfg.Clock.Now()
		fresh, err := r.Service.Start(ctx, r.Who, wf.ID, nil, "")
		if err == nil {
			mu.Lock()
			started[fresh.ID] = at
			mu.Unlock()
		}
		return err
	})
	offered = float64(n) / r.cfg.Clock.Now().Sub(began).Seconds()
	if err := r.finish(ctx, stop, n, err); err != nil {
		return Spread{}, 0, err
	}
	if err := ends.catchUp(ctx); err != nil {
		return Spread{}, 0, err
	}
	list := make([]time.Duration, 0, n)
	for id, at := range started {
		ended, ok := ends.of(id)
		if !ok {
			return Spread{}, 0, fmt.Errorf("the end of run %s was not announced", id)
		}
		list = append(list, ended.Sub(at))
	}
	return SpreadOf(list), offered, nil
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
