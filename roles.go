package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/lifecycle"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// Connections of each role to the database.
const (
	apiConns       = 12
	schedulerConns = 8
	workerConns    = 6
)

// urls is where the two databases are.
type urls struct {
	DatabaseURL telemetry.Secret `env:"ORQ_DATABASE_URL" help:"PostgreSQL, as in postgres://user:password@host:5432/name."`
	RedisURL    telemetry.Secret `env:"ORQ_REDIS_URL" help:"Redis: redis://, rediss://, redis-sentinel:// or redis-cluster://."`

	roles map[string]telemetry.Secret // the database for each of its roles, where one program is all of them
}

// database is where a role of the database connects.
func (u urls) database(role string) string {
	if as, ok := u.roles[role]; ok {
		return as.Reveal()
	}
	return u.DatabaseURL.Reveal()
}

// Validate implements kong's hook: everything that is missing is said at once.
func (u urls) Validate() error {
	var missing []error
	if u.DatabaseURL == "" {
		missing = append(missing, errors.New("ORQ_DATABASE_URL is not set"))
	}
	if u.RedisURL == "" {
		missing = append(missing, errors.New("ORQ_REDIS_URL is not set"))
	}
	return errors.Join(missing...)
}

// common is what the roles share.
type common struct {
	HealthListen   string        `env:"ORQ_HEALTH_LISTEN" help:"Address of /healthz, /readyz and /metrics, as in 127.0.0.1:9464; empty for none."`
	Grace          time.Duration `default:"30s" env:"ORQ_GRACE" help:"How long to finish what was begun when asked to stop."`
	QueueRetention time.Duration `default:"0" env:"ORQ_QUEUE_RETENTION" help:"How long finished tasks stay visible in the queue's dashboard."`
}

// outbound is what runs may reach.
type outbound struct {
	EgressAllow []string `env:"ORQ_EGRESS_ALLOW" help:"Private addresses, networks and hosts that workflows may call, as in 10.0.0.0/8,intranet.example."`
}

// quotas are what projects may use, unless administrators decide otherwise for one.
type quotas struct {
	QuotaWorkflows      int `default:"0" env:"ORQ_QUOTA_WORKFLOWS" help:"Workflows that a project may have; 0 for any number. Administrators may decide otherwise for a project, also about the other quotas."`
	QuotaRunsPerMinute  int `default:"0" env:"ORQ_QUOTA_RUNS_PER_MINUTE" help:"Runs that a project may start within a minute; 0 for any number."`
	QuotaConcurrentRuns int `default:"0" env:"ORQ_QUOTA_CONCURRENT_RUNS" help:"Runs of a project that may be at work at once, the others wait; 0 for any number."`
	QuotaStorage        int `default:"0" env:"ORQ_QUOTA_STORAGE" help:"Megabytes that the runs, webhook deliveries and ledger of a project may take up, until no more are started; 0 for any number."`
}

// Validate implements kong's hook.
func (q quotas) Validate() error {
	var errs []error
	for name, n := range map[string]int{
		"ORQ_QUOTA_WORKFLOWS": q.QuotaWorkflows, "ORQ_QUOTA_RUNS_PER_MINUTE": q.QuotaRunsPerMinute, "ORQ_QUOTA_CONCURRENT_RUNS": q.QuotaConcurrentRuns,
		"ORQ_QUOTA_STORAGE": q.QuotaStorage,
	} {
		if n < 0 || n > quota.Most {
			errs = append(errs, fmt.Errorf("%s must be from 0, for any number, to %d", name, quota.Most))
		}
	}
	return errors.Join(errs...)
}

func (q quotas) quota() quota.Quota {
	return quota.Quota{Workflows: q.QuotaWorkflows, RunsPerMinute: q.QuotaRunsPerMinute, ConcurrentRuns: q.QuotaConcurrentRuns, Storage: q.QuotaStorage * quota.Megabyte}
}

// public is where people reach this installation.
type public struct {
	PublicURL string `env:"ORQ_PUBLIC_URL" help:"Where others reach this installation, as in https://orq.example.com; it stands before the addresses of webhooks and of what messages link to. Without it the API takes where the request came to."`
}

// Validate implements kong's hook.
func (p public) Validate() error {
	if u, err := url.Parse(p.PublicURL); p.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("ORQ_PUBLIC_URL must be an address such as https://orq.example.com")
	}
	return nil
}

// keys are the installation's keys, for what opens secrets.
type keys struct {
	SecretKey   telemetry.Secret `env:"ORQ_SECRET_KEY" help:"The installation's key: opens secrets."`
	PreviousKey telemetry.Secret `name:"secret-key-previous" env:"ORQ_SECRET_KEY_PREVIOUS" help:"The key before it, until orq secrets rotate has run."`
}

// Validate implements kong's hook.
func (k keys) Validate() error {
	_, err := k.ring()
	return err
}

func (k keys) ring() (*secret.Keyring, error) {
	return secret.NewKeyring(k.SecretKey.Reveal(), k.PreviousKey.Reveal())
}

type apiCmd struct {
	urls     `embed:""`
	common   `embed:""`
	outbound `embed:""`
	public   `embed:""`
	quotas   `embed:""`
	api.Config
}

type schedulerCmd struct {
	urls     `embed:""`
	common   `embed:""`
	outbound `embed:""`
	quotas   `embed:""`
	scheduler.Config
}

type workerCmd struct {
	urls     `embed:""`
	common   `embed:""`
	outbound `embed:""`
	keys     `embed:""`
	public   `embed:""`
	worker.Config
}

// Validate implements kong's hook, so that the key is missed together with the URLs.
func (c apiCmd) Validate() error {
	c.Config.PublicURL = c.public.PublicURL
	return errors.Join(c.urls.Validate(), c.public.Validate(), c.quotas.Validate(), c.Check())
}

// Validate implements kong's hook in the same way.
func (c workerCmd) Validate() error {
	return errors.Join(c.urls.Validate(), c.keys.Validate(), c.public.Validate())
}

// Validate implements kong's hook in the same way.
func (c schedulerCmd) Validate() error {
	return errors.Join(c.urls.Validate(), c.quotas.Validate(), c.Check())
}

// process is the parts of one process that its roles share.
type process struct {
	app      *app
	common   common
	urls     urls
	clock    clock.Clock
	queue    *queue.Client
	health   *telemetry.Health
	registry *prometheus.Registry
	services []lifecycle.Service
	closers  []func()
}

func newProcess(a *app, u urls, c common) (*process, error) {
	if !schedule.TZDataOK() {
		a.log.Warn("this machine's time zone data is old: America/Asuncion has another offset since 2025; update the tzdata package")
	}
	q, err := queue.Open(queue.Config{URL: u.RedisURL.Reveal(), Retention: c.QueueRetention, Log: a.log})
	if err != nil {
		return nil, err
	}
	p := &process{
		app: a, common: c, urls: u, clock: clock.System{}, queue: q, health: &telemetry.Health{}, registry: telemetry.NewRegistry(),
	}
	p.closers = append(p.closers, func() { _ = q.Close() })
	return p, nil
}

// open makes a role's pool and waits for the database.
func (p *process) open(role string, o postgres.Options) (*postgres.DB, error) {
	db, err := postgres.Open(p.app.now, p.urls.database(role), o)
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, db.Close)
	pause := func(ctx context.Context) error { return p.clock.Sleep(ctx, time.Second) }
	err = db.Wait(p.app.stop, pause, func(reason string) { p.app.log.Info("waiting for the database", "reason", reason) })
	if err != nil {
		return nil, err
	}
	p.health.Add(o.Application+"_database", db.Ready)
	p.registry.MustRegister(postgres.NewPoolCollector(o.Application, db))
	return db, nil
}

func (p *process) addAPI(cfg api.Config, out outbound, at public, q quotas) error {
	cfg.PublicURL, cfg.EgressAllow, cfg.Quota = at.PublicURL, out.EgressAllow, q.quota()
	db, err := p.open(postgres.RoleAPI, postgres.Options{Application: "api", Conns: apiConns})
	if err != nil {
		return err
	}
	role, err := api.New(cfg, api.Deps{
		DB: db, Queue: p.queue, Clock: p.clock, Log: p.app.log, Health: p.health, Registry: p.registry, Version: version,
	})
	if err != nil {
		return err
	}
	p.services = append(p.services, lifecycle.Service{Name: "api", Run: role.Run})
	return nil
}

func (p *process) addScheduler(cfg scheduler.Config, out outbound, q quotas) error {
	cfg.Quota = q.quota()
	db, err := p.open(postgres.RoleScheduler, postgres.Options{Application: "scheduler", Conns: schedulerConns, Keyed: true})
	if err != nil {
		return err
	}
	client, err := p.client(out)
	if err != nil {
		return err
	}
	cfg.Outbound = client
	role := scheduler.New(cfg, db, p.queue, p.clock, p.app.log, p.registry)
	p.services = append(p.services, lifecycle.Service{Name: "scheduler", Run: role.Run})
	return nil
}

// client is the guarded client.
func (p *process) client(out outbound) (*egress.Client, error) {
	client, err := egress.New(egress.Config{Allow: out.EgressAllow})
	if err != nil {
		return nil, fmt.Errorf("read ORQ_EGRESS_ALLOW: %w", err)
	}
	p.closers = append(p.closers, client.Close)
	return client, nil
}

func (p *process) addWorker(cfg worker.Config, out outbound, k keys, at public) (err error) {
	if cfg.Secrets, err = k.ring(); err != nil {
		return err
	}
	db, err := p.open(postgres.RoleWorker, postgres.Options{Application: "worker", Conns: workerConns, Keyed: true})
	if err != nil {
		return err
	}
	client, err := p.client(out)
	if err != nil {
		return err
	}
	cfg.Version, cfg.PublicURL = version, strings.TrimRight(at.PublicURL, "/")
	role, err := worker.New(cfg, db, p.queue, client, p.clock, p.app.log, p.registry)
	if err != nil {
		return err
	}
	p.services = append(p.services, lifecycle.Service{Name: "worker", Run: role.Run})
	return nil
}

// run serves until the process is told to stop.
func (p *process) run() error {
	if p.common.HealthListen != "" {
		handler := telemetry.Handler(p.registry, p.health)
		p.services = append(p.services, lifecycle.Service{Name: "health", Run: func(ctx, stop context.Context) error {
			return telemetry.Serve(ctx, stop, p.common.HealthListen, handler)
		}})
	}
	return lifecycle.Run(p.app.stop, p.app.now, p.common.Grace, p.app.log, p.services...)
}

func (p *process) close() {
	for i := len(p.closers) - 1; i >= 0; i-- {
		p.closers[i]()
	}
}

// Run serves the API.
func (c *apiCmd) Run(a *app) error {
	return serve(a, c.urls, c.common, func(p *process) error { return p.addAPI(c.Config, c.outbound, c.public, c.quotas) })
}

// Run schedules.
func (c *schedulerCmd) Run(a *app) error {
	return serve(a, c.urls, c.common, func(p *process) error { return p.addScheduler(c.Config, c.outbound, c.quotas) })
}

// Run works.
func (c *workerCmd) Run(a *app) error {
	return serve(a, c.urls, c.common, func(p *process) error { return p.addWorker(c.Config, c.outbound, c.keys, c.public) })
}

func serve(a *app, u urls, c common, add func(*process) error) error {
	p, err := newProcess(a, u, c)
	if err != nil {
		return err
	}
	defer p.close()
	if err := add(p); err != nil {
		return err
	}
	return p.run()
}

// free tells whether nobody listens on an address yet.
func free(ctx context.Context, address string) bool {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return !errors.Is(err, syscall.EADDRINUSE)
	}
	_ = l.Close()
	return true
}
