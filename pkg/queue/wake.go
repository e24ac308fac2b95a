package queue

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// wakeWait is how long an idle server waits for a wake-up before it looks again by itself.
const wakeWait = time.Second

// waker hands wake-ups to those who wait for them: to as many as there are new tickets, since each who is woken for nothing
// has asked Redis for nothing.
type waker struct {
	mu      sync.Mutex
	waiting map[string][]chan struct{} // by queue, who has waited longest first
	stop    <-chan struct{}
}

func newWaker(stop <-chan struct{}) *waker {
	return &waker{waiting: map[string][]chan struct{}{}, stop: stop}
}

// next is closed when there is something for whoever asked. Ask before looking into the queue, so that none is missed.
func (w *waker) next(queue string) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := make(chan struct{})
	w.waiting[queue] = append(w.waiting[queue], ch)
	return ch
}

// leave says that nobody waits for ch any more.
func (w *waker) leave(queue string, ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.waiting[queue], ch); i >= 0 {
		w.waiting[queue] = slices.Delete(w.waiting[queue], i, i+1)
	}
}

// wake reads a message of Client.tell: a queue, and how many more it has.
func (w *waker) wake(message string) {
	queue, count, _ := strings.Cut(message, " ")
	n, err := strconv.Atoi(count)
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.waiting[queue]
	if err != nil { // another version's
		n = len(waiting)
	}
	n = min(max(n, 0), len(waiting))
	for _, ch := range waiting[:n] {
		close(ch)
	}
	w.waiting[queue] = slices.Delete(waiting, 0, n)
}

// wakingClient makes asynq's polling wait: for a place among the worker's slots before it asks, and, as long as the queue is
// empty, for wake-ups, at most wakeWait, before it asks again. asynq alone sleeps 0.5 to 1.5 s whenever a queue runs
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

// dequeue fetches until there is something, or the worker stops.
func (c *wakingClient) dequeue(ctx context.Context, fetch func() *redis.Cmd) *redis.Cmd {
	timer := time.NewTimer(wakeWait)
	defer timer.Stop()
	for {
		woken := c.waker.next(c.queue)
		cmd := c.inPlace(ctx, fetch)
		if !errors.Is(cmd.Err(), redis.Nil) {
			c.waker.leave(c.queue, woken)
			return cmd
		}
		timer.Reset(wakeWait)
		select {
		case <-woken:
			continue
		case <-timer.C:
			c.waker.leave(c.queue, woken)
			continue
		case <-c.waker.stop:
		case <-ctx.Done():
		}
		c.waker.leave(c.queue, woken)
		return cmd
	}
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
