package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/host"
)

const target = "api.example.com:443"

// enter asks for a place, and answers why there is none.
func enter(t *testing.T, c *Client, visit string, l host.Limits, b host.Breaker) (kind string, wait time.Duration) {
	t.Helper()
	r, err := c.EnterHost(t.Context(), target, visit, l, b)
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		return "", 0
	}
	return r.Kind, r.Wait
}

// until asks again until a place is to be had.
func until(t *testing.T, c *Client, visit string, l host.Limits, b host.Breaker) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		kind, _ := enter(t, c, visit, l, b)
		if kind == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no place: %s", kind)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func fail(t *testing.T, c *Client, b host.Breaker) host.State {
	t.Helper()
	s, err := c.FailHost(t.Context(), target, "connection  refused\n", b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The whole life of a breaker: closed by failures in a row, one call tries, closed for twice as long, up to the limit, and
// open for all once a call succeeded.
func TestABreaker(t *testing.T) {
	c := open(t)
	b := host.Breaker{Failures: 3, Cooldown: 100 * time.Millisecond, Limit: 300 * time.Millisecond}
	none := host.Limits{}
	fail(t, c, b)
	fail(t, c, b)
	must(t, c.HostIsWell(t.Context(), target)) // not in a row
	if states, err := c.Hosts(t.Context()); err != nil || len(states) != 0 {
		t.Errorf("a host that is well is known: %v, %v", states, err)
	}
	fail(t, c, b)
	fail(t, c, b)
	if kind, _ := enter(t, c, "a", none, b); kind != "" {
		t.Errorf("refused after two failures: %s", kind)
	}
	for i, want := range []time.Duration{100, 200, 300, 300} {
		s := fail(t, c, b)
		if got := s.ClosedFor; got <= (want-50)*time.Millisecond || got > want*time.Millisecond {
			t.Errorf("closed for %s the %d. time, want %dms", got, i+1, want)
		}
		if want := fmt.Sprintf("circuit open after %d failures in a row: connection refused", i+3); s.Why != want {
			t.Errorf("because %q, want %q", s.Why, want)
		}
		if kind, wait := enter(t, c, "b", none, b); kind != host.Closed || wait <= 0 || wait > s.ClosedFor {
			t.Errorf("entered a closed host: %q, %s", kind, wait)
		}
		must(t, c.HostIsWell(t.Context(), target)) // an answer to a call from before
		until(t, c, "probe", none, b)
		if kind, _ := enter(t, c, "c", none, b); kind != host.Probed {
			t.Errorf("a second call tries at the same time: %q", kind)
		}
	}
	must(t, c.HostIsWell(t.Context(), target))
	for range 3 {
		if kind, _ := enter(t, c, "d", none, b); kind != "" {
			t.Errorf("refused after a success: %s", kind)
		}
	}
}

func TestPlacesAtAHost(t *testing.T) {
	c := open(t)
	two := host.Limits{MaxConcurrent: 2}
	for _, visit := range []string{"a", "b"} {
		if kind, _ := enter(t, c, visit, two, host.Breaker{}); kind != "" {
			t.Errorf("%s refused: %s", visit, kind)
		}
	}
	var last time.Duration
	for range 5 {
		kind, wait := enter(t, c, "x", two, host.Breaker{})
		if kind != host.Full || wait <= last {
			t.Errorf("%q, wait %s after %s: those who wait come back one after the other", kind, wait, last)
		}
		last = wait
	}
	must(t, c.RenewHosts(t.Context(), map[string]string{"a": target, "gone": target}))
	must(t, c.LeaveHost(t.Context(), target, "b"))
	if kind, _ := enter(t, c, "c", two, host.Breaker{}); kind != "" {
		t.Errorf("refused although one has left: %s", kind)
	}
	if kind, _ := enter(t, c, "d", two, host.Breaker{}); kind != host.Full {
		t.Errorf("a third was let in: %q", kind)
	}
}

// A bucket: a burst at once, then so many per second.
func TestThePaceOfAHost(t *testing.T) {
	c := open(t)
	l := host.Limits{PerSecond: 10, Burst: 3}
	for i := range 3 {
		if kind, _ := enter(t, c, "a", l, host.Breaker{}); kind != "" {
			t.Errorf("call %d refused: %s", i+1, kind)
		}
	}
	kind, wait := enter(t, c, "a", l, host.Breaker{})
	if kind != host.Paced || wait <= 0 || wait > 300*time.Millisecond {
		t.Errorf("%q, %s", kind, wait)
	}
	begin := time.Now()
	for range 3 {
		until(t, c, "a", l, host.Breaker{})
	}
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("three calls within %s, at ten per second", took)
	}
}

func TestAHostThatAsksToBeLeftAlone(t *testing.T) {
	c := open(t)
	s, err := c.CloseHost(t.Context(), target, 365*24*time.Hour, "it answered 429 and asked to wait")
	if err != nil || s.ClosedFor > hostMaxClose {
		t.Errorf("closed for %s, %v", s.ClosedFor, err)
	}
	if kind, _ := enter(t, c, "a", host.Limits{}, host.Breaker{}); kind != host.Closed {
		t.Errorf("entered: %q", kind)
	}
	told := make(chan struct{}, 10)
	go c.HostChanges(t.Context(), func() { told <- struct{}{} })
	for deadline := time.After(patience); ; {
		must(t, c.OpenHost(t.Context(), target)) // again and again, since the listener may not listen yet
		select {
		case <-told:
		case <-deadline:
			t.Fatal("nobody was told")
		case <-time.After(10 * time.Millisecond):
			continue
		}
		break
	}
	if kind, _ := enter(t, c, "a", host.Limits{}, host.Breaker{}); kind != "" {
		t.Errorf("it stays closed: %s", kind)
	}
}
