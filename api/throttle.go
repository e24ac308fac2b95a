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

// throttle slows down those who guess passwords: few tries per account, and not many per address. A try is counted before
// the password is compared, so that a thousand at once are no way around it, and taken back when it was right: who knows
// the password is not slowed down by using it.
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

func accountKey(email string) string { return "login:account:" + strings.ToLower(email) }

func addressKey(address string) string { return "login:address:" + address }

// enter counts a try and refuses it when there were too many; the answer says when to come back.
func (t *throttle) enter(ctx context.Context, email, address string) error {
	wait := max(t.spend(ctx, addressKey(address), perAddress), t.spend(ctx, accountKey(email), perAccount))
	if wait == 0 {
		return nil
	}
	t.log.WarnContext(ctx, "logins are throttled", "address", address)
	return tooMany(ctx, wait)
}

// tooMany says when to come back.
func tooMany(ctx context.Context, wait time.Duration) error {
	if c := echoOf(ctx); c != nil {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	return fault.New(fault.RateLimited, "too_many_attempts", "Too many attempts; try again in %s", wait.Round(time.Second))
}

// succeeded takes back what a good try was counted for: all of the account's, and one of the address's, from where others
// may be guessing.
func (t *throttle) succeeded(ctx context.Context, email, address string) {
	if err := t.queue.Refund(ctx, addressKey(address), perAddress); err != nil {
		t.log.DebugContext(ctx, "a good login stays counted", "error", err)
	}
	if err := t.queue.Forgive(ctx, accountKey(email)); err != nil {
		t.log.DebugContext(ctx, "a good login stays counted", "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.local, accountKey(email))
	if n := len(t.local[addressKey(address)]); n > 0 {
		t.local[addressKey(address)] = t.local[addressKey(address)][:n-1]
	}
}

// spend counts a try of a key. It answers how long to wait; zero when there is no need to.
func (t *throttle) spend(ctx context.Context, key string, limit queue.Limit) time.Duration {
	wait, err := t.queue.Spend(ctx, key, limit)
	if err != nil {
		return t.spendLocally(key, limit)
	}
	return wait
}

// spendLocally keeps guessing slow on this replica while Redis is away.
func (t *throttle) spendLocally(key string, limit queue.Limit) time.Duration {
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
	t.local[key] = append(recent, now)
	return 0
}
