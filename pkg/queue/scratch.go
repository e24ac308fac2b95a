package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// scratchKey marks a database of Redis that is in use for a while, and will be emptied.
const scratchKey = "orq:scratch"

// Scratch is a client of another database of the Redis that a URL names, for measuring. Whoever took it empties it.
type Scratch struct{ *Client }

// TakeScratch takes the database with a number. It must be empty: one that somebody uses, or another one who measures, is
// refused.
func TakeScratch(ctx context.Context, cfg Config, number int) (*Scratch, error) {
	rdb, err := connect(cfg.URL, &number)
	if err != nil {
		return nil, err
	}
	c := newClient(rdb, cfg)
	if err := c.take(ctx, number); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &Scratch{Client: c}, nil
}

func (c *Client) take(ctx context.Context, number int) error {
	keys, err := c.redis.DBSize(ctx).Result()
	if err != nil {
		return fmt.Errorf("look into Redis: %w", err)
	}
	fresh := keys == 0
	if fresh {
		if fresh, err = c.redis.SetNX(ctx, scratchKey, 1, 0).Result(); err != nil {
			return fmt.Errorf("take a database of Redis: %w", err)
		}
	}
	if !fresh {
		return fault.New(fault.Conflict, "not_empty", "database %d of Redis is not empty, and it would be emptied; name another one", number)
	}
	return nil
}

// Release empties the database and ends the connection.
func (s *Scratch) Release(ctx context.Context) error {
	err := s.redis.FlushDB(ctx).Err()
	if err != nil {
		err = fmt.Errorf("empty the database of Redis: %w", err)
	}
	return errors.Join(err, s.Close())
}
