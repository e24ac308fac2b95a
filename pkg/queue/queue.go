// Package queue is the only package that talks to Redis: asynq's queues, the wake-ups that spare its polling, the
// signals between processes, and what the dashboard shows. Nothing in Redis is needed twice: whatever it loses, the
// dispatcher writes again from PostgreSQL.
package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

const (
	taskType = "run"
	// enqueueTimeout bounds one enqueueing: asynq alone needs six seconds to notice that Redis is away.
	enqueueTimeout = 500 * time.Millisecond
	enqueuers      = 16
	// taskLife is longer than any run: the deadline of a run is decided elsewhere, and asynq's must never come first.
	taskLife = 31 * 24 * time.Hour
	// transportRetries is how often asynq hands a task out again that it could not acknowledge; the fence in PostgreSQL
	// makes that harmless. Zero would make it archive the task of a crashed worker.
	transportRetries = 3
)

// go-redis would write to standard error, in a form of its own, what it also answers as an error.
func init() { redis.SetLogger(quiet{}) }

type quiet struct{}

// Printf implements go-redis's interface.
func (quiet) Printf(ctx context.Context, format string, args ...any) {
	slog.DebugContext(ctx, fmt.Sprintf(format, args...))
}

// Config says where Redis is.
type Config struct {
	URL       string
	Retention time.Duration // how long finished tasks stay visible in the dashboard
	Log       *slog.Logger
}

// Client is a connection to Redis that all parts of a process share.
type Client struct {
	redis     redis.UniversalClient
	asynq     *asynq.Client
	inspector *asynq.Inspector
	retention time.Duration
	log       *slog.Logger
	rooms     rooms
}

// Open reads the URL and makes a Client. It does not wait for Redis: everything works without, only slower.
func Open(cfg Config) (*Client, error) {
	rdb, err := connect(cfg.URL, nil)
	if err != nil {
		return nil, err
	}
	return newClient(rdb, cfg), nil
}

func newClient(rdb redis.UniversalClient, cfg Config) *Client {
	return &Client{
		redis: rdb, asynq: asynq.NewClientFromRedisClient(rdb), inspector: asynq.NewInspectorFromRedisClient(rdb),
		retention: cfg.Retention, log: cfg.Log,
	}
}

// connect understands redis://, rediss://, unix://, redis-sentinel://host,host/db?master=name and
// redis-cluster://host,host. Commands obey the deadlines of their contexts, which go-redis has to be told: else one that is
// never answered takes twelve seconds, whatever its caller can wait. database, when not nil, is the number to use instead of
// the URL's.
func connect(raw string, database *int) (redis.UniversalClient, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return nil, errors.New("the Redis URL needs a scheme, as in redis://127.0.0.1:6379/0")
	}
	switch scheme {
	case "redis", "rediss", "unix":
		opt, err := redis.ParseURL(raw)
		if err != nil {
			return nil, fmt.Errorf("read the Redis URL: %w", hideURL(err))
		}
		opt.ContextTimeoutEnabled, opt.DB = true, *cmp.Or(database, &opt.DB)
		return redis.NewClient(opt), nil
	case "redis-sentinel", "rediss-sentinel":
		u, hosts, err := splitHosts(strings.TrimSuffix(scheme, "-sentinel"), rest)
		if err != nil {
			return nil, err
		}
		q := u.Query()
		q["addr"] = hosts[1:]
		if master := q.Get("master"); master != "" {
			q.Del("master")
			q.Set("master_name", master)
		}
		u.RawQuery = q.Encode()
		opt, err := redis.ParseFailoverURL(u.String())
		if err != nil {
			return nil, fmt.Errorf("read the Redis sentinel URL: %w", hideURL(err))
		}
		opt.ContextTimeoutEnabled, opt.DB = true, *cmp.Or(database, &opt.DB)
		return redis.NewFailoverClient(opt), nil
	case "redis-cluster", "rediss-cluster":
		if database != nil {
			return nil, errors.New("a Redis cluster has a single database; name a Redis that has several")
		}
		u, hosts, err := splitHosts(strings.TrimSuffix(scheme, "-cluster"), rest)
		if err != nil {
			return nil, err
		}
		q := u.Query()
		q["addr"] = hosts[1:]
		u.RawQuery = q.Encode()
		opt, err := redis.ParseClusterURL(u.String())
		if err != nil {
			return nil, fmt.Errorf("read the Redis cluster URL: %w", hideURL(err))
		}
		opt.ContextTimeoutEnabled = true
		return redis.NewClusterClient(opt), nil
	}
	return nil, fmt.Errorf("the Redis URL has the scheme %q; use redis, rediss, redis-sentinel or redis-cluster", scheme)
}

// splitHosts parses a URL that names several hosts with commas, which net/url does not.
func splitHosts(scheme, rest string) (*url.URL, []string, error) {
	authority, tail, _ := strings.Cut(rest, "/")
	credentials, list := "", authority
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		credentials, list = authority[:at+1], authority[at+1:]
	}
	hosts := strings.Split(list, ",")
	u, err := url.Parse(scheme + "://" + credentials + hosts[0] + "/" + tail)
	if err != nil {
		return nil, nil, fmt.Errorf("read the Redis URL: %w", hideURL(err))
	}
	return u, hosts, nil
}

// hideURL keeps the password that a URL may hold out of the error.
func hideURL(err error) error {
	var bad *url.Error
	if errors.As(err, &bad) {
		return bad.Err
	}
	return err
}

// Ping tells whether Redis answers.
func (c *Client) Ping(ctx context.Context) error {
	if err := c.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("reach Redis: %w", err)
	}
	return nil
}

// Close ends the connection.
func (c *Client) Close() error {
	if err := c.redis.Close(); err != nil {
		return fmt.Errorf("close Redis: %w", err)
	}
	return nil
}

// Enqueue hands out tickets now, wakes the workers and announces changes. It answers the tickets that Redis did not take; they
// stay in PostgreSQL and are handed out later. A ticket that is in the queue already counts as taken.
func (c *Client) Enqueue(ctx context.Context, tickets []run.Ticket, changes []run.Change) (refused []run.Ticket) {
	return c.handOut(ctx, tickets, changes, func(ctx context.Context, t run.Ticket) error { return known(c.enqueue(ctx, t)) })
}

// handOut places tickets, several at a time, and answers those that could not be placed.
func (c *Client) handOut(ctx context.Context, tickets []run.Ticket, changes []run.Change, place func(context.Context, run.Ticket) error) (refused []run.Ticket) {
	ctx = context.WithoutCancel(ctx) // the runs are committed: a client that hangs up must not keep them from the queue
	var mu sync.Mutex
	next := make(chan run.Ticket)
	var wg sync.WaitGroup
	for range min(enqueuers, len(tickets)) {
		wg.Go(func() {
			down := false
			for t := range next {
				// Once Redis is away, the others of a large batch need not each wait for the time-out.
				if !down {
					down = place(ctx, t) != nil
				}
				if down {
					mu.Lock()
					refused = append(refused, t)
					mu.Unlock()
				}
			}
		})
	}
	for _, t := range tickets {
		next <- t
	}
	close(next)
	wg.Wait()
	c.rooms.use(tickets)
	if len(refused) < len(tickets) || len(tickets) == 0 {
		c.tell(ctx, tickets, changes)
	}
	return refused
}

// enqueue places a ticket. asynq.ErrTaskIDConflict says that it stands in the queue already.
func (c *Client) enqueue(ctx context.Context, t run.Ticket, opts ...asynq.Option) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	id := t.String()
	opts = append(opts, asynq.TaskID(id), asynq.Queue(t.Queue), asynq.MaxRetry(transportRetries), asynq.Timeout(taskLife))
	if c.retention >= time.Second {
		opts = append(opts, asynq.Retention(c.retention))
	}
	if _, err := c.asynq.EnqueueContext(ctx, asynq.NewTask(taskType, []byte(id)), opts...); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return nil
}

// known takes it for success that a ticket stands in the queue already: go-redis may have tried twice.
func known(err error) error {
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// Schedule shows a ticket as scheduled. It is for people who look at the dashboard, and a second way to the worker: the
// dispatcher hands the ticket out when it is due, to the millisecond. asynq's own clock works in whole seconds and fires
// up to one early, so it is set to come after.
func (c *Client) Schedule(ctx context.Context, t run.Ticket, in time.Duration) error {
	return known(c.enqueue(context.WithoutCancel(ctx), t, asynq.ProcessIn(in.Truncate(time.Second)+2*time.Second)))
}

// Promote hands out tickets that no worker has used although some stand in the queue already: as scheduled, as kept for
// the dashboard after a claim that failed, or as active with a worker that died before it claimed. It answers those that
// Redis did not take.
func (c *Client) Promote(ctx context.Context, tickets []run.Ticket) (refused []run.Ticket) {
	return c.handOut(ctx, tickets, nil, c.promote)
}

func (c *Client) promote(ctx context.Context, t run.Ticket) error {
	if t.Attempt > 0 && c.inspector.RunTask(t.Queue, t.String()) == nil {
		return nil // it was scheduled, as most that were taken before
	}
	err := c.enqueue(ctx, t)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	task, err := c.inspector.GetTaskInfo(t.Queue, t.String())
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound):
		return known(c.enqueue(ctx, t)) // it ended this moment
	case err != nil:
		return fmt.Errorf("look for a ticket: %w", err)
	case task.State == asynq.TaskStatePending:
		return nil
	case task.State == asynq.TaskStateActive:
		if err := c.ForgetActive(ctx, []run.Ticket{t}); err != nil {
			return err
		}
		return known(c.enqueue(ctx, t))
	}
	if err := c.inspector.RunTask(t.Queue, t.String()); err != nil {
		return fmt.Errorf("run a ticket: %w", err)
	}
	return nil
}

// Forget removes tickets that are worth nothing any more, so that the dashboard does not show them as waiting. With Redis
// away it leaves them: the inspector takes seconds for each to notice that, and nobody minds a worthless ticket.
func (c *Client) Forget(ctx context.Context, tickets []run.Ticket) {
	failed := true // until Redis has answered
	for _, t := range tickets {
		if failed && !c.answers(ctx) {
			return
		}
		err := c.inspector.DeleteTask(t.Queue, t.String())
		if failed = err != nil && !errors.Is(err, asynq.ErrTaskNotFound); failed {
			c.log.DebugContext(ctx, "ticket not removed", "ticket", t.String(), "error", err)
		}
	}
}

// answers tells at once whether Redis does.
func (c *Client) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	return c.Ping(ctx) == nil
}

// ForgetActive removes the tickets of a worker that died. asynq would count them as active for up to two minutes, and
// for ever when their lease is lost; there is no public call for it.
func (c *Client) ForgetActive(ctx context.Context, tickets []run.Ticket) error {
	for _, t := range tickets {
		id := t.String()
		pipe := c.redis.TxPipeline()
		pipe.LRem(ctx, activeKey(t.Queue), 0, id)
		pipe.ZRem(ctx, leaseKey(t.Queue), id)
		pipe.Del(ctx, taskKey(t.Queue, id))
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("forget active tickets: %w", err)
		}
	}
	return nil
}

// Check tells whether Redis answers and keeps what it is given: one that evicts keys would lose tasks half-way.
func (c *Client) Check(ctx context.Context) error {
	if err := c.Ping(ctx); err != nil {
		return err
	}
	settings, err := c.redis.ConfigGet(ctx, "maxmemory-policy").Result()
	if err != nil {
		return nil //nolint:nilerr // a Redis that hides its settings, or the one in this process
	}
	if policy := settings["maxmemory-policy"]; policy != "" && policy != "noeviction" {
		return fmt.Errorf("its maxmemory-policy is %s; it must be noeviction", policy)
	}
	return nil
}
