package bench

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestHowDurationsLie(t *testing.T) {
	if got := SpreadOf(nil); got != (Spread{}) {
		t.Errorf("none lie at %v", got)
	}
	var list []time.Duration
	for i := 200; i > 0; i-- { // the longest first
		list = append(list, time.Duration(i))
	}
	if got, want := SpreadOf(list), (Spread{P50: 101, P99: 199, Max: 200}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParallelCallsEachOnceUntilOneFails(t *testing.T) {
	var called [50]atomic.Int32
	err := Parallel(7, len(called), func(i int) error {
		called[i].Add(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range called {
		if n := called[i].Load(); n != 1 {
			t.Errorf("%d was called %d times", i, n)
		}
	}
	broken := errors.New("broken")
	err = Parallel(1, 10, func(i int) error {
		if i > 3 {
			t.Errorf("%d was called after the error", i)
		}
		if i == 3 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
