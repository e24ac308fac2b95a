// Package api is the role that people and programs talk to: the REST API of openapi.yaml, live events, the web interface
// and, for administrators, the queue's dashboard.
package api

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/lifecycle"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/sso"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

//go:embed openapi.yaml
var contractSource []byte

// loadContract reads openapi.yaml, which does not change while a program runs; the APIs of one program share it.
var loadContract = sync.OnceValues(func() (*httpx.Contract, error) { return httpx.LoadContract(contractSource) })

// Config is what can be set about the API.
type Config struct {
	Listen       string           `default:"127.0.0.1:8080" env:"ORQ_LISTEN" help:"Address of the API and the web interface."`
	SecretKey    telemetry.Secret `env:"ORQ_SECRET_KEY" help:"Any text of 32 characters or more, the same for all roles; signs the access tokens and seals secrets."`
	PreviousKey  telemetry.Secret `name:"secret-key-previous" env:"ORQ_SECRET_KEY_PREVIOUS" help:"The key before it, until orq secrets rotate has run."`
	Registration string           `default:"open" enum:"open,invite,closed" env:"ORQ_REGISTRATION" help:"Who may create an account: ${enum}. The first one always may."`
	CORSOrigins  []string         `env:"ORQ_CORS_ORIGINS" help:"Other origins whose pages may call the API, as in https://tools.example.com."`
	MinInterval  time.Duration    `default:"1s" env:"ORQ_MIN_INTERVAL" help:"How often a schedule may fire at most: once in this time."`
	// PublicURL is where others reach the installation; it stands before the addresses of webhooks. Without it: where the
	// request came to.
	PublicURL string `kong:"-"`
	// Quota is what projects may use of which administrators decided nothing.
	Quota    quota.Quota      `kong:"-"`
	SMTPURL  telemetry.Secret `env:"ORQ_SMTP_URL" help:"The mail server for invitations and forgotten passwords, as in smtp://user:password@mail.example.com:587; none: links are handed over by people."`
	MailFrom string           `env:"ORQ_MAIL_FROM" help:"The sender of those mails, as in Orquestador <orq@example.com>."`
	SSO      sso.Config       `embed:""`
	// EgressAllow is what may be called inside the network.
	EgressAllow      []string   `kong:"-"`
	RateLimitUser    rate.Limit `default:"3000/1m" env:"ORQ_RATE_LIMIT_USER" help:"Requests to the API by a user, all sessions together: a number and a time, or off."`
	RateLimitToken   rate.Limit `default:"6000/1m" env:"ORQ_RATE_LIMIT_TOKEN" help:"The same by an API token."`
	RateLimitAddress rate.Limit `default:"600/1m" env:"ORQ_RATE_LIMIT_ADDRESS" help:"The same from an address (IPv6: a network of /64) by those who are not logged in."`
	MonitoringWrite  bool       `env:"ORQ_MONITORING_WRITE" help:"Let administrators change the queue from the dashboard."`
}

// Check reports what is wrong with the configuration.
func (c Config) Check() error {
	if _, err := c.keyring(); err != nil {
		return err
	}
	if err := c.checkMail(); err != nil {
		return err
	}
	if err := c.checkSSO(); err != nil {
		return err
	}
	if c.MinInterval < 0 || c.MinInterval > maxMinInterval {
		return fmt.Errorf("ORQ_MIN_INTERVAL must be from 1s to %s", maxMinInterval)
	}
	return nil
}

func (c Config) keyring() (*secret.Keyring, error) {
	return secret.NewKeyring(c.SecretKey.Reveal(), c.PreviousKey.Reveal())
}

const maxMinInterval = 24 * time.Hour

// API is the role.
type API struct {
	cfg      Config
	echo     *echo.Echo
	hub      *hub
	health   *telemetry.Health
	log      *slog.Logger
	stopping context.Context //nolint:containedctx // tells live streams that the server stops
	stop     context.CancelFunc
	outbox   *outbox
	failures *failures
	people   func(ctx context.Context) // hears of changes of people until ctx ends
}

// Deps is what an API needs of the process.
type Deps struct {
	DB       *postgres.DB
	Queue    *queue.Client
	Clock    clock.Clock
	Log      *slog.Logger
	Health   *telemetry.Health
	Registry prometheus.Registerer // may be nil
	Version  string
	// PasswordCost is bcrypt's; auth.Cost when zero. Tests have no time for that.
	PasswordCost int
}

// server implements the operations of the contract.
type server struct {
	cfg       Config
	version   string
	db        *postgres.DB
	queue     *queue.Client
	dispatch  *dispatch.Service
	clock     clock.Clock
	log       *slog.Logger
	tokens    *auth.Tokens
	passwords *auth.Passwords
	throttle  *throttle
	hub       *hub
	callers   *callers
	runs      runView
	contract  *httpx.Contract
	providers *sso.Providers
	outbox    *outbox // nil where the installation sends no mail
	failures  *failures
	keys      *secret.Keyring
	verifying sync.Mutex // held by who verifies the audit log
}

// New makes an API.
func New(cfg Config, d Deps) (*API, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	tokens, err := auth.NewTokens(cfg.SecretKey.Reveal(), cfg.PreviousKey.Reveal(), d.Clock)
	if err != nil {
		return nil, err
	}
	keys, err := cfg.keyring()
	if err != nil {
		return nil, err
	}
	cost := d.PasswordCost
	if cost < bcrypt.MinCost {
		cost = auth.Cost
	}
	passwords, err := auth.NewPasswords(cost)
	if err != nil {
		return nil, err
	}
	contract, err := loadContract()
	if err != nil {
		return nil, err
	}
	d.DB.SealWith(keys)
	stopping, stop := context.WithCancel(context.Background())
	a := &API{cfg: cfg, echo: echo.New(), health: d.Health, log: d.Log, stopping: stopping, stop: stop}
	runs := runView{db: d.DB, versions: newVersions(d.DB)}
	a.hub = newHub(d.DB, d.Queue, runs, d.Clock, d.Log)
	service := dispatch.New(d.DB, d.Queue, d.Clock, d.Log)
	service.MinInterval, service.Secrets = cfg.MinInterval, keys
	service.Quota = cfg.Quota
	s := &server{
		cfg: cfg, version: d.Version, db: d.DB, queue: d.Queue, dispatch: service, clock: d.Clock,
		log: d.Log, tokens: tokens, passwords: passwords, throttle: newThrottle(d.Queue, d.Clock, d.Log), hub: a.hub,
		callers: newCallers(d.DB, tokens, d.Clock), runs: runs, contract: contract,
	}
	if a.outbox, err = newOutbox(cfg, d.Clock, d.Log); err != nil {
		return nil, err
	}
	s.outbox = a.outbox
	if s.providers, err = newProviders(cfg, d.Clock); err != nil {
		return nil, err
	}
	a.failures = newFailures(d.DB, d.Clock, d.Log)
	s.failures, s.keys = a.failures, keys
	a.people = func(ctx context.Context) { d.Queue.People(ctx, s.callers.forgetPerson) }
	return a, a.routes(s, contract, d)
}

func (a *API) routes(s *server, contract *httpx.Contract, d Deps) error {
	e := a.echo
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = httpx.ErrorHandler(a.log)
	e.IPExtractor = clientAddress
	e.JSONSerializer = httpx.JSON{}
	e.Use(httpx.Observe(a.log, d.Clock, d.Registry), httpx.Headers)
	if len(a.cfg.CORSOrigins) > 0 {
		e.Use(crossOrigins(a.cfg.CORSOrigins))
	}
	sameOrigin, err := httpx.SameOrigin(a.cfg.CORSOrigins, hooksPath, pingsPath)
	if err != nil {
		return err
	}
	compressed, err := compress()
	if err != nil {
		return err
	}
	e.Use(sameOrigin, compressed, contract.Middleware(s.callers.authenticate, newLimits(a.cfg, d).count, s.whyMissing))

	oas.RegisterHandlersWithBaseURL(e, oas.NewStrictHandler(s, []oas.StrictMiddlewareFunc{withEcho}), httpx.Prefix)
	// The strict handler cannot stream and follow a server that stops; this route takes its place.
	e.GET(httpx.Prefix+"/events", func(c echo.Context) error { return a.hub.serve(c, a.stopping, s.callers) })

	addresses := newHooks(a.stopping, s)
	e.Any(hooksPath+":token", addresses.serve)
	e.Any(pingsPath+":token", addresses.ping)
	e.Any(pingsPath+":token/:signal", addresses.ping)

	e.GET("/healthz", echo.WrapHandler(http.HandlerFunc(a.health.ServeAlive)))
	e.GET("/readyz", echo.WrapHandler(http.HandlerFunc(a.health.ServeReady)))
	if err := docs(e); err != nil {
		return err
	}
	monitoring(e, a.cfg, d, s.callers)
	return ui(e)
}

// Timeouts of the listener. A request's body is at most 1 MiB; answers may stream for hours.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 60 * time.Second
	idleTimeout       = 2 * time.Minute
)

// Run listens and serves until stop ends; then it answers what was asked already. When ctx ends it hangs up.
func (a *API) Run(ctx, stop context.Context) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", a.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w (is another program using %s? choose another address with ORQ_LISTEN)", err, a.cfg.Listen)
	}
	return a.Serve(ctx, stop, listener)
}

// Serve is Run on a listener.
func (a *API) Serve(ctx, stop context.Context, listener net.Listener) error {
	srv := &http.Server{
		Handler: a.echo, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.log.InfoContext(ctx, "listening", "address", listener.Addr().String())
	serve := func(context.Context, context.Context) error {
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	}
	shutdown := func(ctx, stop context.Context) error {
		<-stop.Done()
		a.health.Drain()
		a.stop() // live streams end, so that the others can be waited for
		if err := srv.Shutdown(ctx); err != nil {
			return errors.Join(err, srv.Close())
		}
		return nil
	}
	return lifecycle.Run(stop, ctx, time.Hour, a.log,
		lifecycle.Service{Name: "listener", Run: serve},
		lifecycle.Service{Name: "shutdown", Run: shutdown},
		lifecycle.Service{Name: "hub", Run: func(_, stop context.Context) error { return a.hub.run(stop) }},
		lifecycle.Service{Name: "people", Run: func(_, stop context.Context) error { a.people(stop); return nil }},
		lifecycle.Service{Name: "failures", Run: a.failures.run},
		lifecycle.Service{Name: "outbox", Run: func(ctx, stop context.Context) error { return a.outbox.run(ctx, stop) }},
	)
}
