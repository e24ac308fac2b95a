package run

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Backoff says how the delay between attempts grows.
type Backoff string

// The ways a delay grows: doubling, by the same amount, not at all.
const (
	Exponential Backoff = "exponential"
	Linear      Backoff = "linear"
	Fixed       Backoff = "fixed"
)

// Retry says whether a failed attempt is followed by another, and when.
type Retry struct {
	Attempts int           // all tries, the first included; 0 and 1 mean no retry
	Backoff  Backoff       // Exponential when empty
	Initial  time.Duration // before the second attempt; one second when zero
	Max      time.Duration // no delay is longer, Retry-After included; one minute when zero
	On       []string      // any, timeout, connection, deferred, 429, 5xx; empty means DefaultRetryOn
}

// DefaultRetryOn is what passes by itself: time-outs, connections, overload and the server's own faults.
var DefaultRetryOn = []string{"timeout", "connection", "deferred", "429", "5xx"}

// Failure classes of an attempt that are no HTTP status.
const (
	FailureTimeout    = "timeout"     // the step's time was up
	FailureConnection = "connection"  // the other side could not be reached, or broke off
	FailureConfig     = "config"      // the step cannot work as it is written
	FailureWorkerLost = "worker_lost" // the worker died; always tried again, and not counted
	FailureUnknown    = "unknown"     // the worker died after the request may have been sent; never tried again by itself
	FailurePanic      = "panic"       // a fault of ours
	// FailureDeferred is a refusal for now of a server that is no HTTP server.
	FailureDeferred = "deferred"
	// FailureRejected is a refusal for good of a server that is no HTTP server; tried again only when asked for.
	FailureRejected = "rejected"
	// FailureBody is an answer of a good status that does not say what was expected; tried again only when asked for.
	FailureBody = "unexpected_body"
)

// Covers tells whether a failure of that class ("timeout", "503") is one that is tried again.
func (r Retry) Covers(class string) bool {
	on := r.On
	if len(on) == 0 {
		on = DefaultRetryOn
	}
	if slices.Contains(on, class) {
		return true
	}
	if class == FailureConfig || class == FailurePanic || class == FailureUnknown {
		return false
	}
	if slices.Contains(on, "any") {
		return true
	}
	if status, err := strconv.Atoi(class); err == nil && status >= 100 && status <= 599 {
		return slices.Contains(on, class[:1]+"xx")
	}
	return false
}

// Delay is the wait before the attempt that follows failures failed ones. after is what the other side asked for
// (Retry-After), zero when it did not. jitter in [0, 1) spreads those that failed together over the last half of the
// delay (equal jitter; Brooker, "Exponential Backoff And Jitter", 2015).
func (r Retry) Delay(failures int, after time.Duration, jitter float64) time.Duration {
	initial, limit := r.Initial, r.Max
	if initial <= 0 {
		initial = time.Second
	}
	if limit <= 0 {
		limit = time.Minute
	}
	failures = max(failures, 1)
	factor := 1.0
	switch r.Backoff {
	case Fixed:
	case Linear:
		factor = float64(failures)
	default:
		factor = math.Pow(2, float64(failures-1))
	}
	delay := limit
	if d := float64(initial) * factor; d < float64(limit) {
		delay = time.Duration(d)
	}
	delay = delay/2 + time.Duration(float64(delay/2)*jitter)
	return min(max(delay, after), limit)
}
