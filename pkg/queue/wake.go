package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// wakeWait is how long an idle server waits for a wake-up before it looks again by itself.
const wakeWait = time.Second

// wake tells the workers that a queue has something. Lost wake-ups cost a second, not a run.
func (c *Client) wake(ctx context.Context, queue string) {
	if err := c.redis.Publish(ctx, wakeChannel, queue).Err(); err != nil {
		c.log.DebugContext(ctx, "wake-up not sent", "error", err)
	}
}

// wakeAll wakes the workers for every queue that tickets are for.
func (c *Client) wakeAll(ctx context.Context, tickets []run.Ticket) {
	for _, queue := range run.Queues {
		if slices.ContainsFunc(tickets, func(t run.Ticket) bool { return t.Queue == queue }) {
			c.wake(ctx, queue)
		}
	}
}

// waker hands wake-ups to whoever waits for them.
type waker struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
	stop    <-chan struct{}
}

func newWaker(stop <-chan struct{}) *waker {
	return &waker{waiting: map[string]chan struct{}{}, stop: stop}
}

// next is closed at the next wake-up of the queue. Ask before looking into the queue, so that none is missed.
func (w *waker) next(queue string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, ok := w.waiting[queue]
	if !ok {
		ch = make(chan struct{})
		w.waiting[queue] = ch
	}
	return ch
}

func (w *waker) wake(queue string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ch, ok := w.waiting[queue]; ok {
		close(ch)
		delete(w.waiting, queue)
	}
}

// wakingClient makes asynq's polling wait: for a place among the worker's slots before it asks, and, when the queue is
// empty, for a wake-up, at most wakeWait, before it asks once more. asynq alone sleeps 0.5 to 1.5 s whenever a queue runs
// empty, under load as well. Whoever gets a task has the place until the task is done.
type wakingClient struct {
	redis.UniversalClient
	waker *waker
	slots *slots
	queue string
}

// EvalSha implements redis.Scripter; only asynq's dequeue script is treated in a special way.
func (c *wakingClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if !c.dequeues(keys) {
		return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	return c.dequeue(ctx, func() *redis.Cmd { return c.UniversalClient.EvalSha(ctx, sha, keys, args...) })
}

// Eval implements redis.Scripter: it is how a Redis that does not know the script learns it.
func (c *wakingClient) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	if !c.dequeues(keys) {
		return c.UniversalClient.Eval(ctx, script, keys, args...)
	}
	return c.dequeue(ctx, func() *redis.Cmd { return c.UniversalClient.Eval(ctx, script, keys, args...) })
}

func (c *wakingClient) dequeue(ctx context.Context, fetch func() *redis.Cmd) *redis.Cmd {
	woken := c.waker.next(c.queue)
	cmd := c.inPlace(ctx, fetch)
	if !errors.Is(cmd.Err(), redis.Nil) {
		return cmd
	}
	timer := time.NewTimer(wakeWait)
	defer timer.Stop()
	select {
	case <-woken:
	case <-timer.C:
	case <-c.waker.stop:
		return cmd
	case <-ctx.Done():
		return cmd
	}
	return c.inPlace(ctx, fetch)
}

// inPlace fetches with a place in hand. Without one, because the worker stops, the queue counts as empty.
func (c *wakingClient) inPlace(ctx context.Context, fetch func() *redis.Cmd) *redis.Cmd {
	if !c.slots.take(c.queue, c.waker.stop, ctx.Done()) {
		cmd := redis.NewCmd(ctx)
		cmd.SetErr(redis.Nil)
		return cmd
	}
	cmd := fetch()
	if cmd.Err() != nil {
		c.slots.give(c.queue)
	}
	return cmd
}

// dequeues recognizes the dequeue script by its keys: pending, paused, active, lease.
func (c *wakingClient) dequeues(keys []string) bool {
	return len(keys) == 4 && keys[0] == pendingKey(c.queue) && keys[1] == pausedKey(c.queue)
}
