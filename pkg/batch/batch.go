// Package batch turns many small writes into few large ones without making anybody wait for company: what arrives while
// a write is under way goes into the next one (group commit).
package batch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// writeTimeout bounds one write, so that a database that hangs does not hold its callers for ever.
const writeTimeout = 30 * time.Second

// Batcher gathers items and writes them together. There is one write at a time; it has no fixed delay, which would only
// add latency, and no second writer, which would only make smaller batches.
type Batcher[I, O any] struct {
	write func(ctx context.Context, items []I) ([]O, error)
	limit int

	bound int // how many may wait; 0: any number

	mu      sync.Mutex
	pending []entry[I, O]
	busy    bool
}

type entry[I, O any] struct {
	item I
	done chan result[O]
	gone <-chan struct{} // closed when the caller waits no more
}

func (e entry[I, O]) abandoned() bool {
	select {
	case <-e.gone:
		return true
	default:
		return false
	}
}

type result[O any] struct {
	out O
	err error
}

// New makes a Batcher whose writes have at most limit items. write answers one result per item, in their order. When it
// fails for several items it is called again for each alone, so that one bad item does not spoil the others.
func New[I, O any](limit int, write func(ctx context.Context, items []I) ([]O, error)) *Batcher[I, O] {
	return &Batcher[I, O]{write: write, limit: limit}
}

// ErrFull says that as many items wait as may.
var ErrFull = fault.New(fault.Unavailable, "busy", "More arrives than can be stored at the moment; try again in a few seconds")

// Bound lets at most that many items wait; Do answers ErrFull to those beyond. It is called before use.
func (b *Batcher[I, O]) Bound(waiting int) *Batcher[I, O] {
	b.bound = waiting
	return b
}

// Do writes the item with whatever else is waiting and answers its result. When ctx ends first the item is not written any
// more, unless its write is under way: a caller who was told of a failure must not find it done after a long outage.
func (b *Batcher[I, O]) Do(ctx context.Context, item I) (O, error) {
	e := entry[I, O]{item: item, done: make(chan result[O], 1), gone: ctx.Done()}
	b.mu.Lock()
	if b.bound > 0 && len(b.pending) >= b.bound {
		b.mu.Unlock()
		var none O
		return none, ErrFull
	}
	b.pending = append(b.pending, e)
	if !b.busy {
		b.busy = true
		go b.drain(context.WithoutCancel(ctx))
	}
	b.mu.Unlock()
	select {
	case r := <-e.done:
		return r.out, r.err
	case <-ctx.Done():
		var none O
		return none, fmt.Errorf("wait for the batch: %w", ctx.Err())
	}
}

// drain writes batches until nothing is waiting.
func (b *Batcher[I, O]) drain(ctx context.Context) {
	for {
		b.mu.Lock()
		n := min(len(b.pending), b.limit)
		if n == 0 {
			b.pending, b.busy = nil, false
			b.mu.Unlock()
			return
		}
		entries := b.pending[:n:n]
		b.pending = b.pending[n:]
		b.mu.Unlock()
		b.writeAll(ctx, entries)
	}
}

func (b *Batcher[I, O]) writeAll(ctx context.Context, entries []entry[I, O]) {
	entries = slices.DeleteFunc(entries, entry[I, O].abandoned)
	if len(entries) == 0 {
		return
	}
	items := make([]I, len(entries))
	for i, e := range entries {
		items[i] = e.item
	}
	outs, err := b.writeOnce(ctx, items)
	if err != nil && len(entries) > 1 {
		for i := range entries {
			b.writeAll(ctx, entries[i:i+1])
		}
		return
	}
	for i, e := range entries {
		r := result[O]{err: err}
		if err == nil {
			r.out = outs[i]
		}
		e.done <- r
	}
}

func (b *Batcher[I, O]) writeOnce(ctx context.Context, items []I) (outs []O, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("write a batch: panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	outs, err = b.write(ctx, items)
	if err == nil && len(outs) != len(items) {
		return nil, fmt.Errorf("write a batch: %d results for %d items", len(outs), len(items))
	}
	return outs, err
}
