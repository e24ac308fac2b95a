package batch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What arrives while a write is under way goes into the next one, and every caller gets its own answer.
func TestGathersWhatArrivesMeanwhile(t *testing.T) {
	first, proceed := make(chan struct{}), make(chan struct{})
	var sizes []int
	b := New(100, func(_ context.Context, items []int) ([]int, error) {
		sizes = append(sizes, len(items))
		if len(sizes) == 1 {
			close(first)
			<-proceed
		}
		out := make([]int, len(items))
		for i, n := range items {
			out[i] = n * 2
		}
		return out, nil
	})
	var wg sync.WaitGroup
	do := func(n int) {
		wg.Go(func() {
			if got, err := b.Do(t.Context(), n); err != nil || got != n*2 {
				t.Errorf("Do(%d) = %d, %v", n, got, err)
			}
		})
	}
	do(0)
	<-first
	for n := 1; n <= 50; n++ {
		do(n)
	}
	waitPending(b, 50)
	close(proceed)
	wg.Wait()
	if !slices.Equal(sizes, []int{1, 50}) {
		t.Errorf("writes of %v items, want 1 and 50", sizes)
	}
}

func TestOneBadItemDoesNotSpoilTheOthers(t *testing.T) {
	bad := errors.New("bad")
	first, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b := New(100, func(_ context.Context, items []int) ([]int, error) {
		once.Do(func() { close(first); <-proceed })
		if slices.Contains(items, 3) {
			return nil, bad
		}
		return items, nil
	})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = b.Do(t.Context(), 0) })
	<-first
	errs := make([]error, 6)
	for n := 1; n <= 5; n++ {
		wg.Go(func() { _, errs[n] = b.Do(t.Context(), n) })
	}
	waitPending(b, 5)
	close(proceed)
	wg.Wait()
	for n := 1; n <= 5; n++ {
		if got := errs[n]; (n == 3) != errors.Is(got, bad) {
			t.Errorf("item %d: %v", n, got)
		}
	}
}

// Who was told of a failure, and perhaps asks again, must not find both done when the database is back.
func TestWhatNobodyWaitsForIsNotWritten(t *testing.T) {
	first, proceed := make(chan struct{}), make(chan struct{})
	var written []int
	b := New(100, func(_ context.Context, items []int) ([]int, error) {
		if len(written) == 0 {
			close(first)
			<-proceed
		}
		written = append(written, items...)
		return items, nil
	})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = b.Do(t.Context(), 1) })
	<-first
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := b.Do(ctx, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller who left was told %v", err)
	}
	wg.Go(func() { _, _ = b.Do(t.Context(), 3) })
	waitPending(b, 2)
	close(proceed)
	wg.Wait()
	if !slices.Equal(written, []int{1, 3}) {
		t.Errorf("written %v, want 1 and 3", written)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	b := New(10, func(context.Context, []int) ([]int, error) { panic("no") })
	if _, err := b.Do(t.Context(), 1); err == nil {
		t.Error("no error")
	}
}

func waitPending[I, O any](b *Batcher[I, O], n int) {
	for {
		b.mu.Lock()
		have := len(b.pending)
		b.mu.Unlock()
		if have >= n {
			return
		}
	}
}
