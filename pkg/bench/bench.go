// Package bench measures what an installation does on given servers: whole runs per second, how long a run takes from its
// start to its recorded end, and how late schedules begin. It works in a database that it makes and drops, and in one
// of Redis that was empty; the roles run in this process.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
)

// Config says on what to measure.
type Config struct {
	DatabaseURL   string // a server on which a database can be made; "" to start one
	RedisURL      string // "" to start one
	RedisDatabase int    // the number of an empty database of Redis
	Dir           string // where servers that are started keep their data; "" is the folder for temporary files
	PostgresBin   string // a folder with initdb and postgres to use instead of searching
	Concurrency   int    // runs that the worker does at a time
	Progress      io.Writer
	Log           *slog.Logger
	Clock         clock.Clock
}

// Rig is an installation for measuring, without roles at first; one measurement at a time.
type Rig struct {
	DatabaseURL string // of the database that was made
	RedisURL    string
	DB          *postgres.DB
	Queue       *queue.Client
	Service     *dispatch.Service // starts runs, as the API does
	Who         account.Principal // who starts runs; Reset makes it
	About       string            // what it measures on, for people

	cfg     Config
	closers []func(context.Context) error // run in reverse
}

// conns is for those who start runs; the roles have pools of their own.
const conns = 12

// Open makes an installation. What it made is gone after Close, also when Open fails.
func Open(ctx context.Context, cfg Config) (*Rig, error) {
	r := &Rig{cfg: cfg, RedisURL: cfg.RedisURL}
	if err := r.open(ctx); err != nil {
		return nil, errors.Join(err, r.Close(context.WithoutCancel(ctx)))
	}
	return r, nil
}

func (r *Rig) open(ctx context.Context) error {
	server, err := r.servers(ctx)
	if err != nil {
		return err
	}
	// Redis first: it may refuse, and then no database has been made.
	redis, err := queue.TakeScratch(ctx, queue.Config{URL: r.RedisURL, Log: r.cfg.Log}, r.cfg.RedisDatabase)
	if err != nil {
		return err
	}
	r.Queue = redis.Client
	r.closers = append(r.closers, redis.Release)
	if _, err := r.Queue.Keep(ctx); err != nil { // else the scheduler takes this Redis for one that lost its data
		return err
	}
	scratch, err := postgres.MakeScratch(ctx, server, "orq_bench_")
	if err != nil {
		return err
	}
	r.DatabaseURL = scratch.URL
	r.closers = append(r.closers, scratch.Drop)
	if err := postgres.Migrate(ctx, r.DatabaseURL); err != nil {
		return err
	}
	if r.DB, err = r.pool(ctx, "bench", conns); err != nil {
		return err
	}
	r.closers = append(r.closers, func(context.Context) error { r.DB.Close(); return nil })
	r.Service = dispatch.New(r.DB, r.Queue, r.cfg.Clock, r.cfg.Log)
	version, err := postgres.Measure{Q: r.DB}.ServerVersion(ctx)
	if err != nil {
		return err
	}
	r.About = strings.TrimSpace("PostgreSQL " + version + ". " + r.About)
	return r.Reset(ctx)
}

// servers starts what was not given, and answers the URL of PostgreSQL.
func (r *Rig) servers(ctx context.Context) (databaseURL string, err error) {
	if r.cfg.DatabaseURL != "" && r.RedisURL != "" {
		return r.cfg.DatabaseURL, nil
	}
	dir, err := os.MkdirTemp(r.cfg.Dir, "orq-bench-")
	if err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	r.closers = append(r.closers, func(context.Context) error { return os.RemoveAll(dir) })
	stack, err := local.Start(ctx, local.Config{
		DataDir: dir, PostgresBin: r.cfg.PostgresBin, NoPostgres: r.cfg.DatabaseURL != "", NoRedis: r.RedisURL != "",
		Progress: r.cfg.Progress, Log: r.cfg.Log, Clock: r.cfg.Clock,
	})
	if err != nil {
		return "", err
	}
	r.closers = append(r.closers, stack.Stop)
	r.About = "Started for this: " + strings.Join(stack.Notes, "; ")
	if stack.RedisURL != "" {
		r.RedisURL = stack.RedisURL
	}
	if r.cfg.DatabaseURL != "" {
		return r.cfg.DatabaseURL, nil
	}
	return stack.DatabaseURL, nil
}

func (r *Rig) pool(ctx context.Context, application string, conns int) (*postgres.DB, error) {
	return postgres.Open(ctx, r.DatabaseURL, postgres.Options{Application: application, Conns: conns, Keyed: true})
}

// Close removes what was made, and ends what was started.
func (r *Rig) Close(ctx context.Context) error {
	var errs []error
	for i := len(r.closers) - 1; i >= 0; i-- {
		errs = append(errs, r.closers[i](ctx))
	}
	r.closers = nil
	return errors.Join(errs...)
}

// Reset empties the tables and makes a user to work for.
func (r *Rig) Reset(ctx context.Context) error {
	if err := (postgres.Measure{Q: r.DB}).Empty(ctx); err != nil {
		return err
	}
	user, session := account.User{ID: uuid.New(), Email: "bench@example.com", Username: "bench"}, uuid.New()
	return r.DB.InTx(ctx, func(q postgres.Querier) error {
		users := postgres.Users{Q: q}
		if _, err := users.Register(ctx, user, "none"); err != nil {
			return err
		}
		err := postgres.Sessions{Q: q}.Begin(ctx, session, user.ID, []byte(session.String()), time.Hour, "", "")
		if err != nil {
			return err
		}
		r.Who, err = users.Principal(ctx, user.ID, session)
		return err
	})
}
