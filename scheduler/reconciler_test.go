package scheduler

import (
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// After an outage of the database the workers get their time again: the silence was not theirs.
func TestAnOutageIsNoDeathOfAllWorkers(t *testing.T) {
	clk := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	r := &reconciler{clock: clk, lostAfter: 15 * time.Second}
	looks := func(n int) (told bool) {
		for range n {
			told = r.canTell()
			clk.Advance(reconcileEvery)
		}
		return told
	}
	if !looks(1) {
		t.Error("it waits although it has just started: after a restart of everything that would only cost time")
	}
	if !looks(100) {
		t.Error("it waits although the database was there all the time")
	}
	clk.Advance(time.Minute)
	if looks(15) {
		t.Error("it calls workers dead that could not beat")
	}
	if !looks(1) {
		t.Error("it waits for longer than a worker may be silent")
	}
}
