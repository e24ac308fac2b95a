package queue

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/redistest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const patience = 20 * time.Second

func open(t *testing.T) *Client {
	t.Helper()
	c, err := Open(Config{URL: redistest.URL(t), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func tickets(n int) []run.Ticket {
	list := make([]run.Ticket, n)
	for i := range list {
		list[i] = run.Ticket{ID: uuid.New(), Queue: run.DefaultQueue}
	}
	return list
}

func depth(t *testing.T, c *Client) Depth {
	t.Helper()
	depths, err := c.Depths()
	if err != nil {
		t.Fatal(err)
	}
	return depths[run.DefaultQueue]
}

// serve hands tickets to handle until the returned function is called, which waits for the handlers.
func serve(t *testing.T, c *Client, handle Handler) (stop func()) {
	t.Helper()
	stopping, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Serve(context.Background(), stopping, 8, handle) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			end()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func TestURLs(t *testing.T) {
	for _, url := range []string{
		"redis://127.0.0.1:6379/0", "rediss://:secret@redis.example:6380/2", "redis://user:p%40ss@[::1]:6379",
		"redis-sentinel://:secret@one:26379,two:26379,three:26379/1?master=orders", "redis-cluster://one:6379,two:6379",
		"rediss-cluster://user:secret@one:6379,two:6379",
	} {
		c, err := Open(Config{URL: url, Log: slog.Default()})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		_ = c.Close()
	}
	for _, url := range []string{"", "localhost:6379", "http://localhost", "redis://:secret@host:port/0"} {
		_, err := Open(Config{URL: url, Log: slog.Default()})
		if err == nil {
			t.Errorf("%q is accepted", url)
		} else if got := err.Error(); strings.Contains(got, "secret") {
			t.Errorf("%q: the error shows the password: %s", url, got)
		}
	}
}

// Each ticket arrives once, however often it was enqueued before it was taken.
func TestATicketArrivesOnce(t *testing.T) {
	c := open(t)
	list := tickets(50)
	for range 3 {
		if refused := c.Enqueue(t.Context(), list, nil); len(refused) > 0 {
			t.Fatalf("%d refused", len(refused))
		}
	}
	if d := depth(t, c); d.Pending != len(list) {
		t.Errorf("%d are pending, want %d", d.Pending, len(list))
	}
	var mu sync.Mutex
	seen := map[uuid.UUID]int{}
	all := make(chan struct{})
	stop := serve(t, c, func(_ context.Context, ticket run.Ticket) {
		mu.Lock()
		defer mu.Unlock()
		if seen[ticket.ID]++; len(seen) == len(list) && seen[ticket.ID] == 1 {
			close(all)
		}
	})
	await(t, all)
	stop()
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
	if d := depth(t, c); d.Pending+d.Active+d.Scheduled != 0 {
		t.Errorf("the queue still shows %+v", d)
	}
}

func await(t *testing.T, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatal("it did not happen")
	}
}

// A server that found the queue empty hears of the next ticket.
func TestAnIdleServerIsWoken(t *testing.T) {
	c := open(t)
	arrived := make(chan struct{}, 10)
	serve(t, c, func(context.Context, run.Ticket) { arrived <- struct{}{} })
	for range 5 {
		c.Enqueue(t.Context(), tickets(1), nil)
		await(t, arrived)
	}
}

// What waits for its time is shown as scheduled; when the time has come it is handed out, without a second copy.
func TestAWaitIsShownAndPromoted(t *testing.T) {
	c := open(t)
	ticket := run.Ticket{ID: uuid.New(), Attempt: 1, Queue: run.DefaultQueue}
	if err := c.Schedule(t.Context(), ticket, time.Hour); err != nil {
		t.Fatal(err)
	}
	if d := depth(t, c); d.Scheduled != 1 || d.Pending != 0 {
		t.Fatalf("the queue shows %+v", d)
	}
	if refused := c.Promote(t.Context(), []run.Ticket{ticket}); len(refused) > 0 {
		t.Fatalf("refused: %v", refused)
	}
	if d := depth(t, c); d.Scheduled != 0 || d.Pending != 1 {
		t.Errorf("the queue shows %+v", d)
	}
	c.Forget(t.Context(), []run.Ticket{ticket})
	if d := depth(t, c); d.Pending != 0 {
		t.Errorf("the queue shows %+v after the ticket was forgotten", d)
	}
}

// A ticket that was used up without a claim, because the database was away for a moment, is handed out again, also while
// the dashboard still shows it as done.
func TestATicketThatWasUsedForNothingComesAgain(t *testing.T) {
	for _, retention := range []time.Duration{0, time.Hour} {
		c := open(t)
		c.retention = retention
		list := tickets(1)
		arrived := make(chan struct{}, 10)
		stop := serve(t, c, func(context.Context, run.Ticket) { arrived <- struct{}{} })
		c.Enqueue(t.Context(), list, nil)
		await(t, arrived)
		stop()
		serve(t, c, func(context.Context, run.Ticket) { arrived <- struct{}{} })
		if refused := c.Promote(t.Context(), list); len(refused) > 0 {
			t.Fatalf("refused: %v", refused)
		}
		await(t, arrived)
	}
}

// A ticket whose worker died before it claimed the run is handed out again at once: asynq would wait for two minutes.
func TestATicketThatDiedWithItsWorkerComesAgain(t *testing.T) {
	c := open(t)
	list := tickets(1)
	arrived, proceed := make(chan struct{}, 10), make(chan struct{})
	serve(t, c, func(context.Context, run.Ticket) { arrived <- struct{}{}; <-proceed })
	defer close(proceed)
	c.Enqueue(t.Context(), list, nil)
	await(t, arrived)
	if refused := c.Promote(t.Context(), list); len(refused) > 0 {
		t.Fatalf("refused: %v", refused)
	}
	await(t, arrived)
}

// The tickets of a worker that died do not stand as active for ever.
func TestActiveTicketsOfTheDeadAreForgotten(t *testing.T) {
	c := open(t)
	list := tickets(1)
	c.Enqueue(t.Context(), list, nil)
	taken, proceed := make(chan struct{}), make(chan struct{})
	stop := serve(t, c, func(context.Context, run.Ticket) { close(taken); <-proceed })
	await(t, taken)
	if d := depth(t, c); d.Active != 1 {
		t.Errorf("the queue shows %+v", d)
	}
	if err := c.ForgetActive(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if d := depth(t, c); d.Active != 0 {
		t.Errorf("the queue shows %+v", d)
	}
	close(proceed)
	stop()
}

func TestALostRedisIsNoticed(t *testing.T) {
	c := open(t)
	for i, want := range []bool{true, false, false} {
		if lost, err := c.Keep(t.Context()); err != nil || lost != want {
			t.Errorf("look %d: lost %v, %v", i, lost, err)
		}
	}
	if err := c.redis.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if lost, err := c.Keep(t.Context()); err != nil || !lost {
		t.Errorf("after a flush: lost %v, %v", lost, err)
	}
	if known, err := c.inspector.Queues(); err != nil || len(known) != len(run.Queues) {
		t.Errorf("registered again: %v, %v", known, err)
	}
}

// With Redis away nothing hangs, and what was not taken is said.
func TestRedisAway(t *testing.T) {
	c, err := Open(Config{URL: "redis://127.0.0.1:1/0", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	list := tickets(40)
	if refused := c.Enqueue(t.Context(), list, nil); len(refused) != len(list) {
		t.Errorf("%d refused, want %d", len(refused), len(list))
	}
	if _, err := c.Keep(t.Context()); err == nil {
		t.Error("Keep does not say that Redis is away")
	}
	// Each of these would take seconds if it were asked for by itself.
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Forget(t.Context(), list)
		ids := make([]uuid.UUID, len(list))
		for i, ticket := range list {
			ids[i] = ticket.ID
		}
		c.Cancel(t.Context(), ids)
	}()
	await(t, done)
}

func TestSignalsArrive(t *testing.T) {
	c := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	var listeners sync.WaitGroup
	t.Cleanup(listeners.Wait)
	t.Cleanup(cancel)
	id := uuid.New()
	cancelled, changed := make(chan struct{}, 1), make(chan struct{}, 1)
	listeners.Go(func() {
		c.Cancellations(ctx, func(got uuid.UUID) {
			if got == id {
				tell(cancelled)
			}
		})
	})
	listeners.Go(func() {
		c.Changes(ctx, func(list []run.Change) {
			if len(list) == 1 && list[0].RunID == id {
				tell(changed)
			}
		})
	})
	// Redis forgets what nobody listens to yet: speak until it is heard.
	deadline := time.After(patience)
	for heardCancel, heardChange := false, false; !heardCancel || !heardChange; {
		c.Cancel(t.Context(), []uuid.UUID{id})
		c.Announce(t.Context(), []run.Change{{RunID: id}})
		select {
		case <-cancelled:
			heardCancel = true
		case <-changed:
			heardChange = true
		case <-deadline:
			t.Fatal("the signals did not arrive")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// tell fills a channel of one; what is full has been told.
func tell(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func TestLimits(t *testing.T) {
	c := open(t)
	limit := Limit{Burst: 3, Period: time.Hour}
	spend := func(key string) time.Duration {
		t.Helper()
		wait, err := c.Spend(t.Context(), key, limit)
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	for i := range limit.Burst {
		if wait := spend("guess"); wait != 0 {
			t.Fatalf("event %d waits %v", i+1, wait)
		}
	}
	if spend("guess") == 0 {
		t.Error("there is no limit")
	}
	if spend("other") != 0 {
		t.Error("another key waits as well")
	}
	if err := c.Refund(t.Context(), "guess", limit); err != nil {
		t.Fatal(err)
	}
	if spend("guess") != 0 {
		t.Error("an event that was taken back counts")
	}
	if err := c.Forgive(t.Context(), "guess"); err != nil {
		t.Fatal(err)
	}
	if spend("guess") != 0 {
		t.Error("forgiven events count")
	}
}

// A Redis that takes connections and never answers holds nobody up for longer than they can wait.
func TestRedisThatNeverAnswers(t *testing.T) {
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hole.Close() })
	// The client itself has all the time there is.
	c, err := Open(Config{URL: "redis://" + hole.Addr().String() + "/0?read_timeout=-1&dial_timeout=10h", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := c.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ping = %v, want the end of its context", err)
		}
	}()
	await(t, done)
}
