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

// Spend counts n events of a key against its limit (GCRA), across all processes; 0 only looks. It answers how long to
// wait when the limit is reached, zero when it is not, and an error when Redis is away.
func (c *Client) Spend(ctx context.Context, key string, limit Limit, n int) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	rate := redis_rate.Limit{Rate: limit.Burst, Burst: limit.Burst, Period: limit.Period}
	r, err := redis_rate.NewLimiter(c.redis).AllowN(ctx, key, rate, n)
	if err != nil {
		return 0, fmt.Errorf("ask the limiter: %w", err)
	}
	if r.Remaining > 0 || n > 0 && r.Allowed > 0 {
		return 0, nil
	}
	return max(limit.Period/time.Duration(limit.Burst), time.Second), nil
}
