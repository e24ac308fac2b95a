package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// metricsAddress is where `orq all` shows its metrics unless it is told otherwise, if nobody else is there.
const metricsAddress = "127.0.0.1:9464"

const stopLocalTimeout = 30 * time.Second

// allCmd is every role in one process.
type allCmd struct {
	DatabaseURL telemetry.Secret `env:"ORQ_DATABASE_URL" help:"PostgreSQL; when it is not set, one is started."`
	RedisURL    telemetry.Secret `env:"ORQ_REDIS_URL" help:"Redis; when it is not set, one is started."`
	DataDir     string           `env:"ORQ_DATA_DIR" help:"Where data and keys are kept." type:"path"`
	PostgresBin string           `env:"ORQ_POSTGRES_BIN" help:"Folder with initdb and postgres to use instead of searching." type:"path"`

	common    `embed:""`
	outbound  `embed:""`
	public    `embed:""`
	quotas    `embed:""`
	API       api.Config       `embed:""`
	Scheduler scheduler.Config `embed:""`
	Worker    worker.Config    `embed:""`
}

// Validate implements kong's hook; the API's settings are checked once the key is made.
func (c allCmd) Validate() error {
	return errors.Join(c.public.Validate(), c.quotas.Validate(), c.Scheduler.Check())
}

// Run starts what is missing, then everything else.
func (c *allCmd) Run(a *app) error {
	u := urls{DatabaseURL: c.DatabaseURL, RedisURL: c.RedisURL}
	if !free(a.now, c.API.Listen) {
		return fmt.Errorf("another program listens on %s already\nTry: ORQ_LISTEN=127.0.0.1:8081 orq all", c.API.Listen)
	}
	stack, err := local.Start(a.stop, local.Config{
		DataDir: c.DataDir, PostgresBin: c.PostgresBin, NoPostgres: u.DatabaseURL != "", NoRedis: u.RedisURL != "",
		Progress: a.stdout, Log: a.log, Clock: clock.System{},
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopLocalTimeout)
		defer cancel()
		if err := stack.Stop(ctx); err != nil {
			a.log.Error("stop the local databases", "error", err)
		}
	}()
	if u.DatabaseURL == "" {
		u.DatabaseURL = telemetry.Secret(stack.DatabaseURL)
	}
	if u.RedisURL == "" {
		u.RedisURL = telemetry.Secret(stack.RedisURL)
	}
	if c.API.SecretKey == "" {
		key, created, err := local.Keys(stack.DataDir)
		if err != nil {
			return err
		}
		if created {
			a.log.Info("made the secret key of this installation", "folder", stack.DataDir)
		}
		c.API.SecretKey = telemetry.Secret(key)
	}
	for _, note := range stack.Notes {
		fmt.Fprintln(a.stdout, note)
	}
	if err := postgres.Migrate(a.stop, u.DatabaseURL.Reveal()); err != nil {
		return err
	}
	if stack.DatabaseURL != "" {
		if u.roles, err = logins(a.stop, stack.DatabaseURL); err != nil {
			return err
		}
	}
	return c.serve(a, u, stack)
}

// logins makes a login for each role in a database that is our own, with a password that only this process knows: what runs
// from here on is not the database's administrator.
func logins(ctx context.Context, databaseURL string) (map[string]telemetry.Secret, error) {
	passwords, roles := map[string]string{}, map[string]telemetry.Secret{}
	for _, role := range []string{postgres.RoleAPI, postgres.RoleScheduler, postgres.RoleWorker} {
		passwords[role] = rand.Text()
		as, err := postgres.As(databaseURL, role, passwords[role])
		if err != nil {
			return nil, err
		}
		roles[role] = telemetry.Secret(as)
	}
	return roles, postgres.SetLogins(ctx, databaseURL, passwords)
}

func (c *allCmd) serve(a *app, u urls, stack *local.Stack) error {
	if _, set := os.LookupEnv("ORQ_HEALTH_LISTEN"); !set && c.HealthListen == "" && free(a.now, metricsAddress) {
		c.HealthListen = metricsAddress
	}
	// A database that dies under us ends the process: it cannot do anything without, and says why.
	stop, end := context.WithCancelCause(a.stop)
	defer end(nil)
	go func() {
		select {
		case err := <-stack.Done():
			end(err)
		case <-stop.Done():
		}
	}()
	b := *a
	b.stop = stop
	p, err := newProcess(&b, u, c.common)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.addAPI(c.API, c.outbound, c.public, c.quotas); err != nil {
		return err
	}
	if err := p.addScheduler(c.Scheduler, c.outbound, c.quotas); err != nil {
		return err
	}
	reached := c.public
	if reached.PublicURL == "" {
		reached.PublicURL = c.here()
	}
	if err := p.addWorker(c.Worker, c.outbound, keys{SecretKey: c.API.SecretKey, PreviousKey: c.API.PreviousKey}, reached); err != nil {
		return err
	}
	c.greet(a, stack.DataDir)
	err = p.run()
	if cause := context.Cause(stop); err == nil && a.stop.Err() == nil && cause != nil {
		return fmt.Errorf("a local database ended: %w", cause)
	}
	return err
}

// greet tells where to go.
func (c *allCmd) greet(a *app, dataDir string) {
	fmt.Fprintf(a.stdout, "\nOrquestador is at %s\nData and keys are in %s. Stop with Ctrl-C.\n\n", c.here(), dataDir)
}

// here is the installation's address on this machine.
func (c *allCmd) here() string {
	host, port, err := net.SplitHostPort(c.API.Listen)
	if err != nil || host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
