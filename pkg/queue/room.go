package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

const (
	// roomLife is how long the room that a dispatcher granted holds when there is no dispatcher any more.
	roomLife = 5 * time.Second
	// unknownRoom is the room of a queue of which no dispatcher has spoken.
	unknownRoom = 200
	// roomFresh is how long a look at the room is believed.
	roomFresh = 20 * time.Millisecond
	// roomTimeout bounds a look, and awayFor is for how long a Redis that did not answer is not asked again.
	roomTimeout = 100 * time.Millisecond
	awayFor     = time.Second
)

// rooms is what this process believes about how many more tickets each queue may have now. The queues are kept short:
// that is what makes turns, priorities and pauses work. It is a hint, good for a few milliseconds.
type rooms struct {
	mu    sync.Mutex
	room  map[string]int
	until time.Time
}

// use notes that tickets were handed out.
func (r *rooms) use(tickets []run.Ticket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tickets {
		if r.room[t.Queue] > 0 {
			r.room[t.Queue]--
		}
	}
}

// Room is how many runs of each queue may be handed out at once, without waiting for their project's turn: none while
// others wait, while the queue is paused or limited, and while Redis is away.
func (c *Client) Room(ctx context.Context) map[string]int {
	c.rooms.mu.Lock()
	defer c.rooms.mu.Unlock()
	if now := time.Now(); now.After(c.rooms.until) { //nolint:forbidigo // how long a hint is believed; nothing is decided by it alone
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), roomTimeout)
		defer cancel()
		room, err := c.look(ctx)
		c.rooms.room, c.rooms.until = room, now.Add(roomFresh)
		if err != nil {
			c.rooms.until = now.Add(awayFor)
		}
	}
	return maps.Clone(c.rooms.room)
}

// look reads how many tickets each queue may have and how many it has.
func (c *Client) look(ctx context.Context) (map[string]int, error) {
	pipe := c.redis.Pipeline()
	pending, granted := make([]*redis.IntCmd, len(run.Queues)), make([]*redis.StringCmd, len(run.Queues))
	for i, queue := range run.Queues {
		pending[i], granted[i] = pipe.LLen(ctx, pendingKey(queue)), pipe.Get(ctx, roomKey(queue))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("look for room: %w", err)
	}
	room := make(map[string]int, len(run.Queues))
	for i, queue := range run.Queues {
		most, err := strconv.Atoi(granted[i].Val())
		if err != nil {
			most = unknownRoom
		}
		room[queue] = max(most-int(pending[i].Val()), 0)
	}
	return room, nil
}

// Grant says how many tickets each queue may have before runs have to wait for their turn.
func (c *Client) Grant(ctx context.Context, room map[string]int) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	pipe := c.redis.Pipeline()
	for queue, n := range room {
		pipe.Set(ctx, roomKey(queue), n, roomLife)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("grant room: %w", err)
	}
	return nil
}

// Pending is how many tickets of each queue no worker has taken.
func (c *Client) Pending(ctx context.Context) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	pipe := c.redis.Pipeline()
	counts := make([]*redis.IntCmd, len(run.Queues))
	for i, queue := range run.Queues {
		counts[i] = pipe.LLen(ctx, pendingKey(queue))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("count tickets: %w", err)
	}
	pending := make(map[string]int, len(run.Queues))
	for i, queue := range run.Queues {
		pending[queue] = int(counts[i].Val())
	}
	return pending, nil
}

// SetPaused tells Redis which queues are paused: their tickets stay where they are. asynq's own calls would complain about
// a queue that is so already.
func (c *Client) SetPaused(ctx context.Context, paused map[string]bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	pipe := c.redis.Pipeline()
	for queue, yes := range paused {
		if yes {
			pipe.SetNX(ctx, pausedKey(queue), 1, 0)
		} else {
			pipe.Del(ctx, pausedKey(queue))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("pause queues: %w", err)
	}
	return nil
}
