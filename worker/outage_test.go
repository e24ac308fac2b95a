package worker_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// line is the way to the database; it can be cut.
type line struct {
	mu     sync.Mutex
	conns  []net.Conn
	isCut  bool
	missed chan struct{} // a connection was tried while it was cut
}

// cuttable makes everything that is started from now on use a line that can be cut.
func (b *bench) cuttable() *line {
	b.t.Helper()
	l := &line{missed: make(chan struct{}, 1000)}
	cfg := b.db.Config().Copy()
	dial := cfg.ConnConfig.DialFunc
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.isCut {
			select {
			case l.missed <- struct{}{}:
			default:
			}
			return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("the line is cut")}
		}
		conn, err := dial(ctx, network, address)
		if err == nil {
			l.conns = append(l.conns, conn)
		}
		return conn, err
	}
	pool, err := pgxpool.NewWithConfig(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(pool.Close)
	b.db = &postgres.DB{Pool: pool}
	return l
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

// What a step did is not forgotten because the database was away when it ended, and it is not done twice.
func TestAnOutageOfTheDatabaseRepeatsNothing(t *testing.T) {
	b := newBench(t)
	whole := b.db
	l := b.cuttable()
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 2 {
			l.cut()
			go func() {
				for range 5 {
					<-l.missed
				}
				l.mend()
			}()
		}
		return answer(200, `{}`), nil
	}
	b.work()
	b.schedule(time.Minute)
	b.db = whole
	id := b.start(b.create(threeCalls()), nil)
	b.until(id, run.Succeeded)
	b.same([]string{"/a", "/b", "/c"}, b.target.called())
	b.same([]string{"a 1 succeeded", "b 1 succeeded", "c 1 succeeded"}, b.attempts(id))
}

// What cannot be done fails and says so; doing it again would not help.
func TestARunThatCannotBeReadFails(t *testing.T) {
	b := newBench(t)
	wf := b.create(threeCalls())
	if _, err := b.db.Exec(t.Context(), `update workflow_versions set definition = '"what?"'`); err != nil {
		t.Fatal(err)
	}
	b.work()
	row, err := b.service.Start(t.Context(), b.who, wf.ID, nil, "")
	if err == nil { // the service may notice as well
		b.until(row.ID, run.Failed)
	}
}

// An error message may quote what another program answered, with characters that PostgreSQL does not keep in a text.
func TestHostileErrorsAreKept(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		return &egress.Response{Status: 500, Header: http.Header{}, Body: []byte("no\x00\xff" + strings.Repeat("x", 100))}, nil
	}
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{call("a", "/a")}}), nil)
	b.until(id, run.Failed)
	b.same([]string{"a 1 failed 500"}, b.attempts(id))
}

// wrong is a clock that is ahead of the database's.
type wrong struct {
	clock.System
	ahead time.Duration
}

func (c wrong) Now() time.Time { return c.System.Now().Add(c.ahead) }

// A run's time counts by the database's clock, whatever the worker's shows; so do the waits that workers share.
func TestWorkersClocksNeedNotAgree(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		b := newBench(t)
		b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
			return answer(map[bool]int{true: 503, false: 200}[n == 1], `{}`), nil
		}
		step := retry(call("a", "/a"), workflow.Retry{Attempts: 2, Initial: workflow.Duration(time.Second), Backoff: "fixed"})
		id := b.start(b.create(workflow.Definition{Timeout: workflow.Duration(time.Minute), Steps: []workflow.Step{step}}), nil)
		b.schedule(time.Minute)
		first, err := worker.New(worker.Config{Concurrency: 1, Beat: time.Second}, b.db, b.queue, b.target, wrong{ahead: ahead}, b.log, nil)
		if err != nil {
			t.Fatal(err)
		}
		drain, _ := b.serve(first.Run)
		b.until(id, run.Waiting)
		drain()
		b.work()
		b.until(id, run.Succeeded)
	}
}

// A run that waits for longer than it may take ends when its time is up, not when the wait is.
func TestAWaitDoesNotOutliveItsRun(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) { return answer(503, `{}`), nil }
	b.work()
	b.schedule(time.Minute)
	hour := workflow.Duration(time.Hour)
	step := retry(call("a", "/a"), workflow.Retry{Attempts: 2, Initial: hour, Max: hour, Backoff: "fixed"})
	id := b.start(b.create(workflow.Definition{Timeout: workflow.Duration(time.Second), Steps: []workflow.Step{step}}), nil)
	row := b.until(id, run.Failed)
	if want := "the run took longer than 1s"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
}
