// Package scheduler is the role that makes things happen in time: its ticker turns due schedules into runs, its
// dispatcher hands runs to the queue, its reconciler finds what was lost on the way, its backfiller feeds the runs of
// backfills, and its janitor tidies up. Any number of schedulers may run; they have no leader, since every decision is
// taken under a row lock.
package scheduler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/lifecycle"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// Config is what can be set about a scheduler.
type Config struct {
	Batch        int           `default:"500" env:"ORQ_SCHEDULER_BATCH" help:"How many due triggers one transaction takes."`
	LostAfter    time.Duration `default:"15s" env:"ORQ_LOST_AFTER" help:"A worker that has not beaten for this long is gone."`
	EnqueueGrace time.Duration `default:"5s" env:"ORQ_ENQUEUE_GRACE" help:"A run that the queue has had for this long is enqueued again."`
	MaxCrashes   int           `default:"3" env:"ORQ_MAX_CRASHES" help:"A run that has lost this many workers without getting any further fails."`
	Overtime     time.Duration `default:"15s" env:"ORQ_OVERTIME" help:"A run or step that is over its time for this long is ended although its worker says that it is at work."`
	CancelAfter  time.Duration `default:"10s" env:"ORQ_CANCEL_AFTER" help:"A cancellation that a worker has not carried out for this long is carried out without it."`
	// LedgerRetention is for the ledger of fires, for when triggers were off, and for backfills that have ended.
	LedgerRetention time.Duration `default:"2160h" env:"ORQ_LEDGER_RETENTION" help:"How long the ledger of fires and ended backfills are kept: 90 days unless set."`
	Keep            Keep          `embed:""`
	AuditRetention  time.Duration `default:"9600h" env:"ORQ_AUDIT_RETENTION" help:"How long entries of the audit log are kept, 720h or more: 400 days unless set; 0 keeps them for ever."`

	HeartbeatURL   telemetry.Secret `env:"ORQ_HEARTBEAT_URL" help:"Address that is called again and again while all is well, as those of services that miss heartbeats; empty for none."`
	HeartbeatEvery time.Duration    `default:"60s" env:"ORQ_HEARTBEAT_EVERY" help:"How often."`
	// Quota is what projects may use of which administrators decided nothing.
	Quota quota.Quota `kong:"-"`
	// Outbound makes those calls.
	Outbound Caller `kong:"-"`
}

const defaultLedgerRetention = 90 * 24 * time.Hour

// minAuditRetention is what the database keeps of the audit log, whatever it is told.
const minAuditRetention = 30 * 24 * time.Hour

// Check reports what is wrong with the configuration.
func (c Config) Check() error {
	var errs []error
	if c.Batch < 1 {
		errs = append(errs, errors.New("ORQ_SCHEDULER_BATCH must be 1 or more"))
	}
	if c.LostAfter < time.Second {
		errs = append(errs, errors.New("ORQ_LOST_AFTER must be 1s or more, and longer than the workers' ORQ_WORKER_BEAT"))
	}
	if c.EnqueueGrace < time.Second {
		errs = append(errs, errors.New("ORQ_ENQUEUE_GRACE must be 1s or more"))
	}
	if c.MaxCrashes < 1 {
		errs = append(errs, errors.New("ORQ_MAX_CRASHES must be 1 or more"))
	}
	if c.Overtime < time.Second {
		errs = append(errs, errors.New("ORQ_OVERTIME must be 1s or more, and longer than the workers' ORQ_WORKER_LET_GO"))
	}
	if c.CancelAfter < time.Second {
		errs = append(errs, errors.New("ORQ_CANCEL_AFTER must be 1s or more, and longer than the workers' ORQ_WORKER_LET_GO"))
	}
	if c.LedgerRetention < time.Hour {
		errs = append(errs, errors.New("ORQ_LEDGER_RETENTION must be 1h or more"))
	}
	if c.AuditRetention != 0 && c.AuditRetention < minAuditRetention {
		errs = append(errs, errors.New("ORQ_AUDIT_RETENTION must be 720h (30 days) or more, or 0 to keep all"))
	}
	if err := c.CheckHeartbeat(); err != nil {
		errs = append(errs, err)
	}
	for name, d := range map[string]time.Duration{
		"ORQ_RUN_RETENTION": c.Keep.Runs, "ORQ_KEEP_SUCCEEDED": c.Keep.Succeeded, "ORQ_KEEP_FAILED": c.Keep.Failed,
		"ORQ_STATS_RETENTION": c.Keep.Stats,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s must be a length of time, or 0", name))
		}
	}
	return errors.Join(errs...)
}

// CheckHeartbeat reports what is wrong with the settings of the installation's own heartbeat.
func (c Config) CheckHeartbeat() error {
	if c.HeartbeatURL == "" {
		return nil
	}
	if u, err := url.Parse(c.HeartbeatURL.Reveal()); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("ORQ_HEARTBEAT_URL must be an address such as https://hc.example.com/ping/…")
	}
	if c.HeartbeatEvery < time.Second {
		return errors.New("ORQ_HEARTBEAT_EVERY must be 1s or more")
	}
	return nil
}

// Scheduler is the role.
type Scheduler struct {
	ticker     *ticker
	follower   *follower
	alerter    *alerter
	herald     *herald
	dispatcher *dispatcher
	reconciler *reconciler
	backfiller *backfiller
	guard      *guard
	zones      *zones
	historian  *historian
	janitor    *janitor
	weigher    *weigher
	db         *postgres.DB
	clock      clock.Clock
	log        *slog.Logger
}

// New makes a Scheduler; reg may be nil.
func New(cfg Config, db *postgres.DB, q *queue.Client, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) *Scheduler {
	service := dispatch.New(db, q, clk, log)
	service.Quota = cfg.Quota
	m := newMetrics(reg, db, q, log)
	return &Scheduler{
		ticker:   &ticker{db: db, service: service, log: log, batch: cfg.Batch, metrics: m, wake: make(chan struct{}, 1), help: make(chan struct{}, 1)},
		follower: &follower{db: db, service: service, log: log, wake: make(chan struct{}, 1)},
		alerter:  &alerter{db: db, log: log, storage: cfg.Quota.Storage, wake: make(chan struct{}, 1)},
		herald:   &herald{db: db, clock: clk, log: log, client: cfg.Outbound, url: cfg.HeartbeatURL.Reveal(), every: cfg.HeartbeatEvery},
		dispatcher: &dispatcher{
			concurrent: cfg.Quota.ConcurrentRuns,
			db:         db, queue: q, log: log, clock: clk, grace: cfg.EnqueueGrace, lostAfter: cfg.LostAfter,
			wake: make(chan struct{}, 1), after: map[string]uuid.UUID{},
		},
		reconciler: &reconciler{
			db: db, queue: q, service: service, log: log, lostAfter: cfg.LostAfter, maxCrashes: cfg.MaxCrashes,
			overtime: cfg.Overtime, patience: cfg.CancelAfter, metrics: m, clock: clk,
		},
		backfiller: &backfiller{db: db, service: service, log: log},
		guard:      &guard{db: db, log: log},
		zones:      &zones{db: db, log: log, version: schedule.TZDataVersion()},
		historian:  &historian{db: db, log: log, keep: cfg.Keep},
		janitor:    &janitor{db: db, log: log, keep: cmp.Or(cfg.LedgerRetention, defaultLedgerRetention), audit: cfg.AuditRetention},
		weigher:    &weigher{db: db, clock: clk, log: log},
		db:         db, clock: clk, log: log,
	}
}

// drainTime is how long a step in hand may take after stop; it is one transaction.
const drainTime = 10 * time.Second

// Run works until stop ends.
func (s *Scheduler) Run(ctx, stop context.Context) error {
	services := []lifecycle.Service{
		s.loop("ticker", s.ticker.wake, s.herald.watched(s.ticker.step)),
		s.loop("ticker's help", s.ticker.help, s.ticker.helperStep),
		s.loop("follower", s.follower.wake, s.follower.step),
		s.loop("alerter", s.alerter.wake, s.alerter.step),
		s.loop("dispatcher", s.dispatcher.wake, s.dispatcher.step),
		s.loop("reconciler", nil, s.reconciler.step),
		s.loop("backfiller", nil, s.backfiller.step),
		s.loop("guard", nil, s.guard.step),
		s.loop("zones", nil, s.zones.step),
		s.loop("historian", nil, s.historian.step),
		s.loop("janitor", nil, s.janitor.step),
		s.loop("weigher", nil, s.weigher.step),
		{Name: "listener", Run: s.listen},
	}
	if s.herald.url != "" && s.herald.client != nil {
		services = append(services, s.loop("herald", nil, s.herald.step))
	}
	return lifecycle.Run(stop, ctx, drainTime, s.log, services...)
}

// shortestPause is the time between two steps that nobody but a notification asks for, so that a burst of them becomes
// one step.
const shortestPause = 5 * time.Millisecond

// loop makes a service that repeats a step: it waits as long as the step says, or until it is woken. A step that fails
// is tried again after a second; a database that is away is no reason to end.
func (s *Scheduler) loop(name string, wake <-chan struct{}, step func(context.Context) (time.Duration, error)) lifecycle.Service {
	return lifecycle.Service{Name: name, Run: func(ctx, stop context.Context) error {
		failing := false
		for stop.Err() == nil {
			began := s.clock.Now()
			wait, err := step(ctx)
			if err != nil {
				if ctx.Err() != nil {
					return nil //nolint:nilerr // cancelled: the step's error is the echo of that
				}
				// One line when it begins and one when it ends: an outage must not fill the disk.
				if !failing {
					s.log.ErrorContext(ctx, "step failed; trying again each second", "service", name, "error", err)
				}
				wait = time.Second
			} else if failing {
				s.log.InfoContext(ctx, "step works again", "service", name)
			}
			failing = err != nil
			select {
			case <-s.clock.After(wait):
			case <-wake:
				_ = s.clock.Sleep(stop, shortestPause-s.clock.Now().Sub(began)) // an end of stop is seen by the loop
			case <-stop.Done():
			}
		}
		return nil
	}}
}

// listen wakes, until stop ends, the ticker and the dispatcher when a plan was changed or a run was put back, and the follower
// when a run ended that a trigger waits for, and the alerter when something happened that a rule may be about.
func (s *Scheduler) listen(_, stop context.Context) error {
	wake := func(channel string) {
		if channel == postgres.AlertChannel || channel == "" {
			nudge(s.alerter.wake)
		}
		if channel != postgres.AfterChannel && channel != postgres.AlertChannel {
			nudge(s.ticker.wake)
			nudge(s.dispatcher.wake)
		}
		if channel == postgres.AfterChannel || channel == "" {
			nudge(s.follower.wake)
		}
	}
	pause := func(ctx context.Context) error { return s.clock.Sleep(ctx, time.Second) }
	return s.db.Listen(stop, wake, pause, postgres.ScheduleChannel, postgres.DueChannel, postgres.AfterChannel, postgres.AlertChannel)
}

// nudge wakes a loop; one that was nudged already needs no more.
func nudge(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
