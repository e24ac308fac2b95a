package queue

import "testing"

// As many are woken as there are new tickets, those who have waited longest first; who has left is not counted.
func TestAsManyAreWokenAsThereAreTickets(t *testing.T) {
	w := newWaker(nil)
	woken := func(ch chan struct{}) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	}
	first, gone, second, third := w.next("default"), w.next("default"), w.next("default"), w.next("default")
	other := w.next("bulk")
	w.leave("default", gone)

	w.wake("default 2")
	if !woken(first) || !woken(second) || woken(third) || woken(gone) || woken(other) {
		t.Error("not the two who waited longest")
	}
	w.wake("default 7")
	if !woken(third) || woken(other) {
		t.Error("not all who were left")
	}
	w.wake("default 1") // nobody waits
	w.wake("critical 1")
	w.leave("default", third) // was woken already

	a, b := w.next("bulk"), w.next("bulk")
	w.wake("bulk") // as an older version says it
	if !woken(other) || !woken(a) || !woken(b) {
		t.Error("not all, although nobody said how many")
	}
}
