package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/go-redis/redis_rate/v10"
)

// Limit is how often something may happen: Burst times at once, and Burst times in each Period after that.
type Limit struct {
	Burst  int
	Period time.Duration
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
	rate := redis_rate.Limit{Rate: limit.Burst, Burst: limit.Burst, Period: limit.Period}
	r, err := redis_rate.NewLimiter(c.redis).AllowN(ctx, key, rate, n)
	if err != nil {
		return nil, fmt.Errorf("ask the limiter: %w", err)
	}
	return r, nil
}
