package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Announce tells whoever watches that runs changed.
func (c *Client) Announce(ctx context.Context, changes []run.Change) { c.tell(ctx, nil, changes) }

// tell wakes the workers for the queues that have new tickets, and tells whoever watches that runs changed, in one round trip.
// What gets lost costs a second, not a run.
func (c *Client) tell(ctx context.Context, tickets []run.Ticket, changes []run.Change) {
	pipe := c.redis.Pipeline()
	more := map[string]int{}
	for _, t := range tickets {
		more[t.Queue]++
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	for queue, n := range more {
		pipe.Publish(ctx, wakeChannel, queue+" "+strconv.Itoa(n))
	}
	if len(changes) > 0 {
		message, err := json.Marshal(changes)
		if err != nil {
			c.log.WarnContext(ctx, "changes not announced", "error", err)
		} else {
			pipe.Publish(ctx, changeChannel, message)
		}
	}
	if pipe.Len() == 0 {
		return
	}
	if _, err := pipe.Exec(ctx); err != nil {
		c.log.DebugContext(ctx, "news not told", "error", err)
	}
}

// Changes delivers what is announced until ctx ends. deliver must not block.
func (c *Client) Changes(ctx context.Context, deliver func([]run.Change)) {
	c.listen(ctx, changeChannel, func(message string) {
		var changes []run.Change
		if err := json.Unmarshal([]byte(message), &changes); err != nil {
			c.log.WarnContext(ctx, "an announcement cannot be read", "error", err)
			return
		}
		deliver(changes)
	})
}

// Cancel tells the workers that have the runs to end them. A worker's heartbeat is the safety net.
func (c *Client) Cancel(ctx context.Context, ids []uuid.UUID) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	pipe := c.redis.Pipeline()
	for _, id := range ids {
		pipe.Publish(ctx, cancelChannel, id.String())
	}
	if _, err := pipe.Exec(ctx); err != nil {
		c.log.DebugContext(ctx, "cancellations not sent", "error", err)
	}
}

// Cancellations delivers the runs that are to end until ctx ends. deliver must not block.
func (c *Client) Cancellations(ctx context.Context, deliver func(uuid.UUID)) {
	c.listen(ctx, cancelChannel, func(message string) {
		if id, err := uuid.Parse(message); err == nil {
			deliver(id)
		}
	})
}

// AnnouncePeople tells every replica of the API that somebody may do other things than before, or nothing any more. What gets
// lost takes effect a few seconds later.
func (c *Client) AnnouncePeople(ctx context.Context, id uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	if err := c.redis.Publish(ctx, peopleChannel, id.String()).Err(); err != nil {
		c.log.DebugContext(ctx, "change of a person not announced", "error", err)
	}
}

// People delivers whom something was announced of until ctx ends. deliver must not block.
func (c *Client) People(ctx context.Context, deliver func(uuid.UUID)) {
	c.listen(ctx, peopleChannel, func(message string) {
		if id, err := uuid.Parse(message); err == nil {
			deliver(id)
		}
	})
}

// listen delivers the messages of a channel until ctx ends; go-redis subscribes again by itself.
func (c *Client) listen(ctx context.Context, channel string, deliver func(string)) {
	sub := c.redis.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	messages := sub.Channel()
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				return
			}
			deliver(m.Payload)
		case <-ctx.Done():
			return
		}
	}
}

// Keep makes sure that Redis knows the queues, and tells whether it lost its data since the last call of any process:
// asynq's clients would not register the queues again, and the dashboard would show nothing.
func (c *Client) Keep(ctx context.Context) (lost bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	names := make([]any, len(run.Queues))
	for i, q := range run.Queues {
		names[i] = q
	}
	if err := c.redis.SAdd(ctx, allQueuesKey, names...).Err(); err != nil {
		return false, fmt.Errorf("register the queues: %w", err)
	}
	fresh, err := c.redis.SetNX(ctx, epochKey, uuid.NewString(), 0).Result()
	if err != nil {
		return false, fmt.Errorf("ask Redis for its epoch: %w", err)
	}
	return fresh, nil
}

// Depth is how full a queue is.
type Depth struct {
	Pending   int
	Active    int
	Scheduled int
	Oldest    time.Duration // the wait of the oldest pending task
	Paused    bool
}

// Depths answers how full each queue is, by its name.
func (c *Client) Depths() (map[string]Depth, error) {
	known, err := c.inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("list the queues: %w", err)
	}
	depths := make(map[string]Depth, len(run.Queues))
	for _, q := range run.Queues {
		var depth Depth
		if slices.Contains(known, q) { // otherwise nothing was ever put into it
			info, err := c.inspector.GetQueueInfo(q)
			if err != nil {
				return nil, fmt.Errorf("inspect the queue %s: %w", q, err)
			}
			depth.Pending, depth.Active, depth.Scheduled = info.Pending, info.Active, info.Scheduled
			depth.Oldest, depth.Paused = info.Latency, info.Paused
		}
		depths[q] = depth
	}
	return depths, nil
}
