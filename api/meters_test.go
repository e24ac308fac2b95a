package api

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
)

// redisOnPaper counts as Redis does, and how often it was asked.
type redisOnPaper struct {
	clock  clock.Clock
	bucket rate.Bucket
	asked  int
	away   bool
}

func (r *redisOnPaper) Take(_ context.Context, _ string, limit rate.Limit, most int) (rate.Taken, error) {
	r.asked++
	if r.away {
		return rate.Taken{}, errors.New("away")
	}
	return r.bucket.Take(r.clock.Now(), limit, most), nil
}

func metersAt(start time.Time) (*meters, *redisOnPaper, *clock.Fake) {
	clk := clock.NewFake(start)
	redis := &redisOnPaper{clock: clk}
	return newMeters(redis, clk, slog.New(slog.DiscardHandler)), redis, clk
}

func TestWhoIsBusyAsksRedisSeldom(t *testing.T) {
	k, redis, clk := metersAt(time.Unix(1e9, 0))
	limit := rate.Limit{Burst: 6000, Period: time.Minute}
	let := 0
	for range 10_000 { // within a second
		clk.Advance(100 * time.Microsecond)
		let += k.spend(t.Context(), "key", limit).N
	}
	if let < 6000 || let > 6100 {
		t.Errorf("%d were let through, want the 6000 and what came back in a second", let)
	}
	if redis.asked > 200 {
		t.Errorf("Redis was asked %d times for 10,000 requests", redis.asked)
	}
}

func TestPermitsAreNotKept(t *testing.T) {
	k, redis, clk := metersAt(time.Unix(1e9, 0))
	limit := rate.Limit{Burst: 1000, Period: time.Hour}
	for range 4 { // batches of 1, 2 and 4: three are left over
		k.spend(t.Context(), "key", limit)
	}
	clk.Advance(holdFor)
	before := redis.asked
	k.spend(t.Context(), "key", limit)
	if redis.asked != before+1 {
		t.Error("old permits were used")
	}
}

func TestRedisIsLeftAloneWhileItIsAway(t *testing.T) {
	k, redis, clk := metersAt(time.Unix(1e9, 0))
	redis.away = true
	limit := rate.Limit{Burst: 1000, Period: time.Hour}
	for i := range 100 {
		k.spend(t.Context(), strconv.Itoa(i), limit)
	}
	if redis.asked != 1 {
		t.Errorf("it was asked %d times", redis.asked)
	}
	redis.away = false
	clk.Advance(awayFor)
	k.spend(t.Context(), "key", limit)
	if redis.asked != 2 {
		t.Error("it was not tried again")
	}
}

// Many addresses are no way to an API without limits, and none to its memory.
func TestManyCallersFillNoMemory(t *testing.T) {
	k, redis, clk := metersAt(time.Unix(1e9, 0))
	redis.away = true
	limit := rate.Limit{Burst: 10, Period: time.Minute}
	let := 0
	for i := range mostMeters + 1000 {
		let += k.spend(t.Context(), strconv.Itoa(i), limit).N
	}
	if len(k.known) > mostMeters {
		t.Errorf("%d are remembered", len(k.known))
	}
	if let != mostMeters+10 {
		t.Errorf("%d were let through, want one of each that is remembered and 10 of all others", let)
	}
	clk.Advance(2 * time.Minute)
	if k.spend(t.Context(), "new", limit).N != 1 || len(k.known) != 1 {
		t.Errorf("whoever is gone is not forgotten: %d are remembered", len(k.known))
	}
}
