package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// rig is one installation, with the roles in this process.
type rig struct {
	log     *slog.Logger
	size    int
	about   string
	dbURL   string
	redis   string
	db      *postgres.DB
	queue   *queue.Client
	who     account.Principal
	results map[string]row
	closers []func()
}

const concurrency = 512

func newRig(ctx context.Context, log *slog.Logger, size int) (*rig, error) {
	r := &rig{log: log, size: size, dbURL: os.Getenv("ORQ_BENCH_DATABASE_URL"), redis: os.Getenv("ORQ_BENCH_REDIS_URL"), results: map[string]row{}, about: "given databases"}
	if r.dbURL == "" || r.redis == "" {
		if err := r.startLocal(ctx); err != nil {
			return nil, err
		}
	}
	if err := postgres.Migrate(ctx, r.dbURL); err != nil {
		return nil, err
	}
	var err error
	if r.db, err = postgres.Open(ctx, r.dbURL, postgres.Options{Application: "bench", Conns: 12, Keyed: true}); err != nil {
		return nil, err
	}
	r.closers = append(r.closers, r.db.Close)
	if r.queue, err = queue.Open(queue.Config{URL: r.redis, Log: log}); err != nil {
		return nil, err
	}
	r.closers = append(r.closers, func() { _ = r.queue.Close() })
	return r, nil
}

func (r *rig) startLocal(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "orq-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // as root, the database runs as another user
		return fmt.Errorf("open the folder: %w", err)
	}
	stack, err := local.Start(ctx, local.Config{DataDir: dir + "/data", Log: r.log, Clock: clock.System{}, Progress: os.Stderr})
	if err != nil {
		return err
	}
	r.dbURL, r.redis, r.about = stack.DatabaseURL, stack.RedisURL, fmt.Sprint(stack.Notes)
	r.closers = append(r.closers, func() {
		_ = stack.Stop(context.WithoutCancel(ctx))
		_ = os.RemoveAll(dir)
	})
	return nil
}

func (r *rig) close() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
}

// reset empties the tables and makes a user to work for.
func (r *rig) reset(ctx context.Context) error {
	_, err := r.db.Exec(ctx, `truncate users, projects, workflows, workflow_versions, triggers, occurrences, runs, run_live, step_runs, run_logs cascade`)
	if err != nil {
		return fmt.Errorf("empty the tables: %w", err)
	}
	u := account.User{ID: uuid.New(), Email: "bench@example.com", Username: "bench"}
	err = r.db.InTx(ctx, func(q postgres.Querier) (err error) {
		u, err = postgres.Users{Q: q}.Register(ctx, u, "none")
		return err
	})
	if err != nil {
		return err
	}
	session := uuid.New()
	if err := (postgres.Sessions{Q: r.db}).Begin(ctx, session, u.ID, []byte(session.String()), time.Hour, "", ""); err != nil {
		return err
	}
	r.who, err = postgres.Users{Q: r.db}.Principal(ctx, u.ID, session)
	return err
}

func (r *rig) service() *dispatch.Service { return dispatch.New(r.db, r.queue, clock.System{}, r.log) }

// create saves a workflow.
func (r *rig) create(ctx context.Context, name string, triggers []workflow.Trigger, steps ...workflow.Step) (postgres.WorkflowRow, error) {
	home, _ := r.who.Home()
	return r.service().Create(ctx, r.who, home, workflow.Definition{Name: name, Triggers: triggers, Steps: steps}, true)
}

func logStep() workflow.Step {
	return workflow.Step{ID: "note", Action: workflow.ActionLog, Config: json.RawMessage(`{"message":"done"}`)}
}

// start runs the roles until the returned function is called.
func (r *rig) start(ctx context.Context, withScheduler bool) (stop func() error, err error) {
	db, err := postgres.Open(ctx, r.dbURL, postgres.Options{Application: "bench-worker", Conns: 6, Keyed: true})
	if err != nil {
		return nil, err
	}
	client, err := egress.New(egress.Config{Allow: []string{"127.0.0.0/8"}})
	if err != nil {
		return nil, err
	}
	w, err := worker.New(worker.Config{Concurrency: concurrency, Beat: 3 * time.Second}, db, r.queue, client, clock.System{}, r.log, nil)
	if err != nil {
		return nil, err
	}
	stopping, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	wg.Go(func() { errs <- w.Run(ctx, stopping) })
	if withScheduler {
		cfg := scheduler.Config{
			Batch: 500, LostAfter: 15 * time.Second, EnqueueGrace: 5 * time.Second, MaxCrashes: 3,
			Overtime: 15 * time.Second, CancelAfter: 10 * time.Second,
		}
		s := scheduler.New(cfg, db, r.queue, clock.System{}, r.log, nil)
		wg.Go(func() { errs <- s.Run(ctx, stopping) })
	}
	return func() error {
		end()
		wg.Wait()
		db.Close()
		client.Close()
		close(errs)
		for err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// finished counts the runs that have ended.
func (r *rig) finished(ctx context.Context) (n int, err error) {
	err = r.db.QueryRow(ctx, `select (select count(*) from runs) - (select count(*) from run_live)`).Scan(&n)
	return n, err
}

// await waits until n runs have ended.
func (r *rig) await(ctx context.Context, n int) error {
	for {
		have, err := r.finished(ctx)
		if err != nil {
			return fmt.Errorf("count runs: %w", err)
		}
		if have >= n {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d runs ended: %w", have, n, ctx.Err())
		}
	}
}

// failures counts runs that did not succeed; a measurement with any is worth nothing.
func (r *rig) failures(ctx context.Context) error {
	var n int
	if err := r.db.QueryRow(ctx, `select count(*) from runs where status <> 'succeeded'`).Scan(&n); err != nil {
		return fmt.Errorf("count failures: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("%d runs did not succeed", n)
	}
	return nil
}

// target is an HTTP server that answers a little JSON.
func target(ctx context.Context) (url string, stop func(), err error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":true}`))
	})}
	go func() { _ = srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = srv.Close() }, nil
}
