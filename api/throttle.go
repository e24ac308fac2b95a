package api

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
)

// throttle slows down those who guess passwords. It counts failures only: somebody who logs in is never kept out by
// others, and a guesser has few tries per account and not many per address.
type throttle struct {
	queue *queue.Client
	clock clock.Clock
	log   *slog.Logger

	mu    sync.Mutex
	local map[string][]time.Time // failures while Redis is away
}

var (
	perAccount = queue.Limit{Burst: 10, Period: 5 * time.Minute}
	perAddress = queue.Limit{Burst: 50, Period: 5 * time.Minute}
)

func newThrottle(q *queue.Client, clk clock.Clock, log *slog.Logger) *throttle {
	return &throttle{queue: q, clock: clk, log: log, local: map[string][]time.Time{}}
}

// check refuses a login when there were too many failures; the answer says when to come back.
func (t *throttle) check(ctx context.Context, email, address string) error {
	return t.spend(ctx, email, address, 0)
}

// failed counts a failure.
func (t *throttle) failed(ctx context.Context, email, address string) {
	if err := t.spend(ctx, email, address, 1); err != nil {
		t.log.WarnContext(ctx, "logins are throttled", "address", address)
	}
}

func (t *throttle) spend(ctx context.Context, email, address string, n int) error {
	for key, limit := range map[string]queue.Limit{
		"login:account:" + strings.ToLower(email): perAccount,
		"login:address:" + address:                perAddress,
	} {
		if wait := t.spendOne(ctx, key, limit, n); wait > 0 {
			if c := echoOf(ctx); c != nil {
				c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			}
			return fault.New(fault.RateLimited, "too_many_attempts", "Too many failed logins; try again in %s", wait.Round(time.Second))
		}
	}
	return nil
}

// spendOne answers how long to wait; zero when there is no need to.
func (t *throttle) spendOne(ctx context.Context, key string, limit queue.Limit, n int) time.Duration {
	wait, err := t.queue.Spend(ctx, key, limit, n)
	if err != nil {
		return t.spendLocally(key, limit, n)
	}
	return wait
}

// spendLocally keeps guessing slow on this replica while Redis is away.
func (t *throttle) spendLocally(key string, limit queue.Limit, n int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if len(t.local) > 10_000 {
		clear(t.local)
	}
	recent := t.local[key][:0]
	for _, at := range t.local[key] {
		if now.Sub(at) < limit.Period {
			recent = append(recent, at)
		}
	}
	if len(recent) >= limit.Burst {
		t.local[key] = recent
		return max(limit.Period-now.Sub(recent[0]), time.Second)
	}
	for range n {
		recent = append(recent, now)
	}
	t.local[key] = recent
	return 0
}
