package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// rig is one installation of real processes.
type rig struct {
	program            string
	seconds, workflows int
	stack              *local.Stack
	dir                string
	db                 *postgres.DB
	queue              *queue.Client
	service            *dispatch.Service
	who                account.Principal
	sink               *sink
	processes          []*exec.Cmd
}

func newRig(ctx context.Context, log *slog.Logger, program string) (*rig, error) {
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("find the program (make build): %w", err)
	}
	dir, err := os.MkdirTemp("", "orq-chaos-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	r := &rig{program: program, dir: dir}
	if err := r.open(ctx, log); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *rig) open(ctx context.Context, log *slog.Logger) error {
	if err := os.Chmod(r.dir, 0o711); err != nil { //nolint:gosec // as root, the database runs as another user
		return fmt.Errorf("open the folder: %w", err)
	}
	var err error
	if r.stack, err = local.Start(ctx, local.Config{DataDir: r.dir + "/data", Log: log, Clock: clock.System{}}); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, r.stack.DatabaseURL); err != nil {
		return err
	}
	if r.db, err = postgres.Open(ctx, r.stack.DatabaseURL, postgres.Options{Application: "chaos", Conns: 8}); err != nil {
		return err
	}
	if r.queue, err = queue.Open(queue.Config{URL: r.stack.RedisURL, Log: log}); err != nil {
		return err
	}
	if r.sink, err = newSink(ctx); err != nil {
		return err
	}
	r.service = dispatch.New(r.db, r.queue, clock.System{}, log)
	u := account.User{ID: uuid.New(), Email: "chaos@example.com", Username: "chaos"}
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

func (r *rig) close() {
	for _, p := range r.processes {
		_ = p.Process.Signal(syscall.SIGKILL)
		_ = p.Wait()
	}
	if r.sink != nil {
		_ = r.sink.srv.Close()
	}
	if r.db != nil {
		r.db.Close()
	}
	if r.queue != nil {
		_ = r.queue.Close()
	}
	if r.stack != nil {
		_ = r.stack.Stop(context.Background())
	}
	_ = os.RemoveAll(r.dir)
}

// start starts a role as a process of its own.
func (r *rig) start(ctx context.Context, role string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, r.program, role)
	cmd.Env = append(os.Environ(),
		"ORQ_DATABASE_URL="+r.stack.DatabaseURL, "ORQ_REDIS_URL="+r.stack.RedisURL, "ORQ_EGRESS_ALLOW=127.0.0.1",
		"ORQ_WORKER_CONCURRENCY=100", "ORQ_LOG_LEVEL=error", "ORQ_SECRET_KEY=a key that is only good for breaking")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	r.processes = append(r.processes, cmd)
	return cmd, nil
}

func (r *rig) startAll(ctx context.Context, roles ...string) error {
	for _, role := range roles {
		if _, err := r.start(ctx, role); err != nil {
			return err
		}
	}
	return nil
}

// kill ends a process as a crash does.
func (r *rig) kill(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}

func call(id, url string, after ...string) (workflow.Step, error) {
	config, err := json.Marshal(workflow.HTTPConfig{URL: url})
	if err != nil {
		return workflow.Step{}, fmt.Errorf("encode: %w", err)
	}
	return workflow.Step{ID: id, Action: workflow.ActionHTTP, Config: config, DependsOn: after, Timeout: workflow.Duration(2 * time.Minute)}, nil
}

func (r *rig) create(ctx context.Context, name string, triggers []workflow.Trigger, steps ...workflow.Step) (postgres.WorkflowRow, error) {
	home, _ := r.who.Home()
	return r.service.Create(ctx, r.who, home, workflow.Definition{Name: name, Triggers: triggers, Steps: steps}, true)
}

func (r *rig) startRuns(ctx context.Context, wf postgres.WorkflowRow, n int) error {
	for range n {
		if _, err := r.service.Start(ctx, r.who, wf.ID, nil, ""); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until nothing is live, and counts what did not end by then.
func (r *rig) settle(ctx context.Context, patience time.Duration) (stuck int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if err := r.db.QueryRow(context.WithoutCancel(ctx), `select count(*) from run_live`).Scan(&stuck); err != nil {
			return 0, fmt.Errorf("count live runs: %w", err)
		}
		if stuck == 0 {
			return 0, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return stuck, nil
			}
			return stuck, ctx.Err()
		}
	}
}

// flush makes Redis forget everything.
func (r *rig) flush(ctx context.Context) error {
	opt, err := redis.ParseURL(r.stack.RedisURL)
	if err != nil {
		return fmt.Errorf("read the Redis URL: %w", err)
	}
	client := redis.NewClient(opt)
	defer client.Close()
	if err := client.FlushAll(ctx).Err(); err != nil {
		return fmt.Errorf("flush Redis: %w", err)
	}
	return nil
}

// count fills in how the runs ended.
func (r *rig) count(ctx context.Context, v *verdict) error {
	err := r.db.QueryRow(ctx, `
		select count(*), count(*) filter (where status = 'failed' or status = 'cancelled') from runs`).Scan(&v.Ran, &v.Failed)
	if err != nil {
		return fmt.Errorf("count runs: %w", err)
	}
	return nil
}
