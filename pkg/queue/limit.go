package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/go-redis/redis_rate/v10"

	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
)

// Limit is how often something may happen.
type Limit = rate.Limit

// takeTimeout bounds one question to the limiter: a request waits for it.
const takeTimeout = 250 * time.Millisecond

// Take counts up to most events of a key against its limit, as many as there is room for, across all processes (GCRA). Its
// error says that Redis is away.
func (c *Client) Take(ctx context.Context, key string, limit Limit, most int) (rate.Taken, error) {
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	r, err := redis_rate.NewLimiter(c.redis).AllowAtMost(ctx, key, redisLimit(limit), most)
	if err != nil {
		return rate.Taken{}, fmt.Errorf("ask the limiter: %w", err)
	}
	taken := rate.Taken{N: r.Allowed, Left: r.Remaining, Reset: r.ResetAfter}
	if taken.N == 0 {
		taken.Wait = max(r.RetryAfter, 1)
	}
	return taken, nil
}

func redisLimit(l Limit) redis_rate.Limit {
	return redis_rate.Limit{Rate: l.Burst, Burst: l.Burst, Period: l.Period}
}

// Spend counts an event of a key against its limit (GCRA), across all processes. It answers how long to wait when the
// limit is reached, zero when it is not, and an error when Redis is away.
func (c *Client) Spend(ctx context.Context, key string, limit Limit) (wait time.Duration, err error) {
	r, err := c.count(ctx, key, limit, 1)
	if err != nil || r.Allowed > 0 {
		return 0, err
	}
	return max(r.RetryAfter, time.Second), nil
}

// Refund takes back an event that was counted by Spend.
func (c *Client) Refund(ctx context.Context, key string, limit Limit) error {
	_, err := c.count(ctx, key, limit, -1)
	return err
}

// Forgive takes back everything that was counted of a key.
func (c *Client) Forgive(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	if err := redis_rate.NewLimiter(c.redis).Reset(ctx, key); err != nil {
		return fmt.Errorf("reset the limiter: %w", err)
	}
	return nil
}

func (c *Client) count(ctx context.Context, key string, limit Limit, n int) (*redis_rate.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	r, err := redis_rate.NewLimiter(c.redis).AllowN(ctx, key, redisLimit(limit), n)
	if err != nil {
		return nil, fmt.Errorf("ask the limiter: %w", err)
	}
	return r, nil
}
