package api

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
)

const (
	// mostMeters bounds the memory: as many callers are remembered at a time.
	mostMeters = 20_000
	// holdFor is how long permits may be kept that Redis gave and nobody used. They are counted as used.
	holdFor = time.Second
	// mostHeld is how many permits are taken at a time for somebody who makes many requests, and heldPart which part of
	// the limit they are at most.
	mostHeld = 100
	heldPart = 20
	// awayFor is how long Redis is left alone once it did not answer.
	awayFor = 2 * time.Second
)

// meters count events by key against limits. Redis counts for all processes; who makes many requests gets permits from it in
// batches, so that a request seldom waits for it. While Redis is away each process counts for itself: a limit is then one
// per process, and never none.
type meters struct {
	redis taker
	clock clock.Clock
	log   *slog.Logger

	mu    sync.Mutex
	known map[string]*meter
	swept time.Time
	away  time.Time // until when Redis is left alone
	rest  bucket    // counts all together who find no room in known, while Redis is away
}

// taker is queue.Client.
type taker interface {
	Take(ctx context.Context, key string, limit rate.Limit, most int) (rate.Taken, error)
}

// meter counts for one key.
type meter struct {
	mu      sync.Mutex
	held    int        // permits that were taken and not used
	batch   int        // how many were taken the last time
	taken   time.Time  // when
	last    rate.Taken // what Redis said then
	refused time.Time  // until when there is no need to ask
	own     *bucket    // counts while Redis is away
	used    time.Time
}

// bucket is a rate.Bucket for several goroutines.
type bucket struct {
	mu sync.Mutex
	rate.Bucket
}

func newMeters(redis taker, clk clock.Clock, log *slog.Logger) *meters {
	return &meters{redis: redis, clock: clk, log: log, known: map[string]*meter{}}
}

// spend counts an event of a key. Of what it answers N is 0 when there were too many, else 1.
func (k *meters) spend(ctx context.Context, key string, limit rate.Limit) rate.Taken {
	now := k.clock.Now()
	m := k.meter(key, limit, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used.Before(now) {
		m.used = now
	}
	if m.held > 0 && now.Sub(m.taken) < holdFor {
		m.held--
		return rate.Taken{N: 1, Left: m.last.Left + m.held, Reset: m.last.Reset}
	}
	if now.Before(m.refused) {
		return rate.Taken{Wait: m.refused.Sub(now), Reset: max(m.last.Reset-now.Sub(m.taken), m.refused.Sub(now))}
	}
	if k.there(now) {
		got, err := k.redis.Take(context.WithoutCancel(ctx), key, limit, m.next(now, limit))
		if err == nil {
			return m.note(got, now)
		}
		k.lose(ctx, now, err)
	}
	m.own.mu.Lock()
	defer m.own.mu.Unlock()
	return m.own.Take(now, limit, 1)
}

// next is how many permits to take: one at first, then twice as many as before as long as they are used at once.
func (m *meter) next(now time.Time, limit rate.Limit) int {
	if now.Sub(m.taken) >= holdFor {
		return 1
	}
	return max(min(m.batch*2, limit.Burst/heldPart, mostHeld), 1)
}

func (m *meter) note(got rate.Taken, now time.Time) rate.Taken {
	m.last, m.batch, m.taken, m.held = got, got.N, now, max(got.N-1, 0)
	if got.N == 0 {
		m.refused = now.Add(got.Wait)
		return got
	}
	return rate.Taken{N: 1, Left: got.Left + m.held, Reset: got.Reset}
}

// meter finds the meter of a key. Once there are as many as may be, somebody new is counted without being remembered.
func (k *meters) meter(key string, limit rate.Limit, now time.Time) *meter {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m, ok := k.known[key]; ok {
		return m
	}
	if len(k.known) >= mostMeters && now.Sub(k.swept) >= holdFor {
		k.swept = now
		for key, m := range k.known {
			if m.idle(now, limit.Period) {
				delete(k.known, key)
			}
		}
	}
	if len(k.known) >= mostMeters {
		return &meter{own: &k.rest}
	}
	m := &meter{own: &bucket{}}
	k.known[key] = m
	return m
}

// idle tells whether nothing is lost by forgetting the meter. One that is at work is not.
func (m *meter) idle(now time.Time, period time.Duration) bool {
	if !m.mu.TryLock() {
		return false
	}
	defer m.mu.Unlock()
	return now.Sub(m.used) > period && m.own.Idle(now)
}

func (k *meters) there(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !now.Before(k.away)
}

// lose leaves Redis alone for a while, so that requests do not wait for it one after the other.
func (k *meters) lose(ctx context.Context, now time.Time, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.away) > awayFor { // it was there meanwhile
		k.log.WarnContext(ctx, "requests are counted by this process alone: Redis is away", "error", err)
	}
	k.away = now.Add(awayFor)
}
