package queue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Handler does what a ticket asks for and returns when it is done with it. ctx has the values of the task's context and
// none of its ends: asynq cancels it when Redis is away, which is no reason to stop working.
type Handler func(ctx context.Context, t run.Ticket)

// serversPerQueue is the number of asynq servers in a process for a queue: each fetches with one goroutine, one round trip
// per task (four gave half as much again as one).
var serversPerQueue = map[string]int{run.CriticalQueue: 1, run.DefaultQueue: 4, run.BulkQueue: 1}

// Serve hands the tickets of all queues to handle, at most concurrency at a time. When stop ends it takes no more and
// waits for the handlers; it returns when they have. ctx ends everything.
func (c *Client) Serve(ctx, stop context.Context, concurrency int, handle Handler) error {
	stopping := make(chan struct{})
	waker := newWaker(stopping)
	var listening sync.WaitGroup
	listenCtx, endListening := context.WithCancel(ctx)
	defer listening.Wait()
	defer endListening()
	listening.Go(func() { c.listen(listenCtx, wakeChannel, waker.wake) })

	places := newSlots(concurrency)
	var servers []*asynq.Server
	var inHand sync.WaitGroup
	mux := asynq.HandlerFunc(func(taskCtx context.Context, task *asynq.Task) error {
		inHand.Add(1)
		defer inHand.Done()
		queue, _ := asynq.GetQueueName(taskCtx)
		defer places.give(queue)
		ticket, err := run.ParseTicket(string(task.Payload()), queue)
		if err != nil {
			c.log.WarnContext(taskCtx, "a task in the queue is none of ours", "error", err)
			return nil
		}
		handle(context.WithoutCancel(taskCtx), ticket)
		return nil
	})
	for _, queue := range run.Queues {
		for range min(serversPerQueue[queue], concurrency) {
			// Each could fill all places of the queue: how many there are is decided by places.
			server := c.newServer(queue, places, waker)
			if err := server.Start(mux); err != nil {
				return fmt.Errorf("start the queue's server: %w", err)
			}
			servers = append(servers, server)
		}
	}
	select {
	case <-stop.Done():
	case <-ctx.Done():
	}
	close(stopping)
	var halting sync.WaitGroup
	for _, server := range servers {
		halting.Go(server.Stop)
	}
	halting.Wait()
	inHand.Wait() // the handlers know by themselves when to give up
	for _, server := range servers {
		halting.Go(server.Shutdown)
	}
	halting.Wait()
	return nil
}

func (c *Client) newServer(queue string, places *slots, waker *waker) *asynq.Server {
	client := &wakingClient{UniversalClient: c.redis, waker: waker, slots: places, queue: queue}
	return asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency: places.most(queue),
		Queues:      map[string]int{queue: 1},
		// With the wake-ups this is only the pause between two looks at an empty queue.
		TaskCheckInterval: time.Millisecond,
		ShutdownTimeout:   5 * time.Second,
		Logger:            &asynqLogger{log: c.log},
		LogLevel:          asynq.WarnLevel,
		// A task that comes back was lost on the way, it did not fail.
		IsFailure:      func(error) bool { return false },
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Second },
	})
}

// asynqLogger writes asynq's lines as ours, each message at most once a second: with Redis away every server would
// repeat itself.
type asynqLogger struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[string]time.Time
}

func (l *asynqLogger) write(level slog.Level, args []any) {
	message := fmt.Sprint(args...)
	key := message[:min(len(message), 24)]
	now := time.Now() //nolint:forbidigo // spacing of log lines, nothing that a test decides
	l.mu.Lock()
	if l.last == nil || len(l.last) > 1000 {
		l.last = map[string]time.Time{}
	}
	quiet := now.Sub(l.last[key]) < time.Second
	if !quiet {
		l.last[key] = now
	}
	l.mu.Unlock()
	if !quiet {
		l.log.Log(context.Background(), level, "asynq: "+message)
	}
}

// Debug, Info, Warn, Error and Fatal implement asynq.Logger.
func (l *asynqLogger) Debug(args ...any) { l.write(slog.LevelDebug, args) }

// Info implements asynq.Logger.
func (l *asynqLogger) Info(args ...any) { l.write(slog.LevelInfo, args) }

// Warn implements asynq.Logger.
func (l *asynqLogger) Warn(args ...any) { l.write(slog.LevelWarn, args) }

// Error implements asynq.Logger. What asynq calls an error is at most a late task here.
func (l *asynqLogger) Error(args ...any) { l.write(slog.LevelWarn, args) }

// Fatal implements asynq.Logger. It does not end the process: the roles decide that.
func (l *asynqLogger) Fatal(args ...any) { l.write(slog.LevelError, args) }
