package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// wakeWait is how long an idle server waits for a wake-up before it looks again by itself.
const wakeWait = time.Second

// wake tells the workers that a queue has something. Lost wake-ups cost a second, not a run.
func (c *Client) wake(ctx context.Context, queue string) {
	if err := c.redis.Publish(ctx, wakeChannel, queue).Err(); err != nil {
		c.log.DebugContext(ctx, "wake-up not sent", "error", err)
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

// wakingClient makes asynq's polling wait for a wake-up: when the queue is empty it waits, at most wakeWait, and asks
// once more. asynq alone sleeps 0.5 to 1.5 s whenever a queue runs empty, under load as well.
type wakingClient struct {
	redis.UniversalClient
	waker  *waker
	queues map[string]string // the key of the pending list → the queue
}

// EvalSha implements redis.Scripter; only asynq's dequeue script is treated in a special way.
func (c *wakingClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	queue, dequeues := c.dequeued(keys)
	if !dequeues {
		return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	woken := c.waker.next(queue)
	cmd := c.UniversalClient.EvalSha(ctx, sha, keys, args...)
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
	return c.UniversalClient.EvalSha(ctx, sha, keys, args...)
}

// dequeued recognizes the dequeue script by its keys: pending, paused, active, lease.
func (c *wakingClient) dequeued(keys []string) (queue string, ok bool) {
	if len(keys) != 4 {
		return "", false
	}
	queue, ok = c.queues[keys[0]]
	return queue, ok && keys[1] == pausedKey(queue)
}
