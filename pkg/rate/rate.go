// Package rate says how often something may happen, and counts it in memory where nothing better is at hand.
package rate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limit is how often something may happen: Burst times at once, and Burst times in each Period after that. The zero Limit
// is none.
type Limit struct {
	Burst  int
	Period time.Duration
}

// The bounds of a limit that can be written down.
const (
	maxBurst  = 1_000_000
	minPeriod = time.Second
	maxPeriod = 24 * time.Hour
)

// Off tells whether there is no limit.
func (l Limit) Off() bool { return l.Burst <= 0 }

// String writes a limit as Parse reads it.
func (l Limit) String() string {
	if l.Off() {
		return "off"
	}
	period := l.Period.String()
	if rest, ok := strings.CutSuffix(period, "m0s"); ok {
		period = rest + "m"
	}
	if rest, ok := strings.CutSuffix(period, "h0m"); ok {
		period = rest + "h"
	}
	return strconv.Itoa(l.Burst) + "/" + period
}

// Parse reads a limit: a number and a time, as in 600/1m, or off.
func Parse(text string) (Limit, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "off" {
		return Limit{}, nil
	}
	number, span, found := strings.Cut(text, "/")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if !found || err != nil || n < 1 || n > maxBurst {
		return Limit{}, fmt.Errorf("the limit %q is not a number from 1 to %d and a time, as in 600/1m, and not off", text, maxBurst)
	}
	period, err := time.ParseDuration(strings.TrimSpace(span))
	if err != nil || period < minPeriod || period > maxPeriod {
		return Limit{}, fmt.Errorf("the time of the limit %q is not from 1s to 24h, as in 600/1m", text)
	}
	return Limit{Burst: n, Period: period}, nil
}

// UnmarshalText implements encoding.TextUnmarshaler, for settings.
func (l *Limit) UnmarshalText(text []byte) (err error) {
	*l, err = Parse(string(text))
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Taken is what came of counting events against a limit.
type Taken struct {
	N     int           // how many may happen
	Left  int           // how many more might, at once
	Wait  time.Duration // until one may; zero unless N is
	Reset time.Duration // until all of the limit is there again
}

// Bucket counts one kind of event in memory, by the generic cell rate algorithm: it remembers a single instant, at which
// all of the limit is there again. The zero Bucket has not counted anything.
type Bucket struct{ full time.Time }

// Take counts up to most events at now, as many as the limit has room for.
func (b *Bucket) Take(now time.Time, limit Limit, most int) Taken {
	if limit.Off() {
		return Taken{N: most, Left: most}
	}
	each := max(limit.Period/time.Duration(limit.Burst), 1)
	if b.full.Before(now) {
		b.full = now
	}
	room := int((limit.Period - b.full.Sub(now)) / each)
	n := max(min(most, room), 0)
	b.full = b.full.Add(time.Duration(n) * each)
	taken := Taken{N: n, Left: max(room-n, 0), Reset: b.full.Sub(now)}
	if n == 0 {
		taken.Wait = max(taken.Reset-limit.Period+each, 1)
	}
	return taken
}

// Idle tells whether all of the limit is there again, so that nothing is lost by forgetting the bucket.
func (b *Bucket) Idle(now time.Time) bool { return !b.full.After(now) }
