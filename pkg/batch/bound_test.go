package batch

import (
	"context"
	"errors"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// More than may wait are turned away at once, and take nothing of those that wait.
func TestBound(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	b := New(10, func(_ context.Context, items []int) ([]int, error) {
		begun <- struct{}{}
		<-goOn
		return items, nil
	}).Bound(2)
	done := make(chan error, 3)
	do := func(i int) { _, err := b.Do(t.Context(), i); done <- err }
	go do(0)
	<-begun // it is being written, and does not wait any more
	go do(1)
	go do(2)
	for {
		b.mu.Lock()
		n := len(b.pending)
		b.mu.Unlock()
		if n == 2 {
			break
		}
	}
	if _, err := b.Do(t.Context(), 3); !errors.Is(err, ErrFull) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("one too many: %v", err)
	}
	goOn <- struct{}{}
	<-begun
	goOn <- struct{}{}
	for range 3 {
		if err := <-done; err != nil {
			t.Errorf("one of those that may wait: %v", err)
		}
	}
}
