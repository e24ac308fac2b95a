package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
)

// database is what the tools need that look after the database alone.
type database struct {
	DatabaseURL telemetry.Secret `env:"ORQ_DATABASE_URL" help:"PostgreSQL, as in postgres://user:password@host:5432/name."`
}

// Validate implements kong's hook. A required flag would be asked for by the flag's name, which nobody should use: a
// command line is seen by everybody on the machine.
func (d database) Validate() error {
	if d.DatabaseURL == "" {
		return errors.New("ORQ_DATABASE_URL is not set")
	}
	return nil
}

func (d database) open(ctx context.Context) (*postgres.DB, error) {
	db, err := postgres.Open(ctx, d.DatabaseURL.Reveal(), postgres.Options{Application: "tool", Conns: 2})
	if err != nil {
		return nil, err
	}
	if err := db.Ready(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" default:"withargs" help:"Apply what is missing."`
	Status migrateStatusCmd `cmd:"" help:"List the migrations."`
}

type migrateUpCmd struct {
	database `embed:""`
	Wait     time.Duration `default:"60s" env:"ORQ_MIGRATE_WAIT" help:"How long to wait for the database to answer."`

	APIPassword       telemetry.Secret `env:"ORQ_DATABASE_API_PASSWORD" help:"Lets orq api log in to the database as orq_api with this password."`
	SchedulerPassword telemetry.Secret `env:"ORQ_DATABASE_SCHEDULER_PASSWORD" help:"Lets orq scheduler log in as orq_scheduler with this password."`
	WorkerPassword    telemetry.Secret `env:"ORQ_DATABASE_WORKER_PASSWORD" help:"Lets orq worker log in as orq_worker with this password."`
}

// Run applies what is missing, once the database answers.
func (c *migrateUpCmd) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.stop, c.Wait)
	defer cancel()
	db, err := postgres.Open(ctx, c.DatabaseURL.Reveal(), postgres.Options{Application: "migrate", Conns: 1})
	if err != nil {
		return err
	}
	defer db.Close()
	for err := db.Ping(ctx); err != nil; err = db.Ping(ctx) {
		a.log.Info("waiting for the database", "reason", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return err
		}
	}
	if err := postgres.Migrate(a.stop, c.DatabaseURL.Reveal()); err != nil {
		return err
	}
	passwords := map[string]string{}
	for role, password := range map[string]telemetry.Secret{
		postgres.RoleAPI: c.APIPassword, postgres.RoleScheduler: c.SchedulerPassword, postgres.RoleWorker: c.WorkerPassword,
	} {
		if password != "" {
			passwords[role] = password.Reveal()
		}
	}
	if err := postgres.SetLogins(a.stop, c.DatabaseURL.Reveal(), passwords); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, "the schema is up to date")
	return err //nolint:wrapcheck // standard output is gone
}

type migrateStatusCmd struct {
	database `embed:""`
}

// Run lists the migrations.
func (c *migrateStatusCmd) Run(a *app) error {
	status, err := postgres.MigrationStatus(a.stop, c.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(a.stdout, status)
	return err //nolint:wrapcheck // standard output is gone
}

type userCmd struct {
	List  userListCmd  `cmd:"" help:"List the accounts."`
	Add   userAddCmd   `cmd:"" help:"Make an account; the password is read from standard input."`
	Reset userResetCmd `cmd:"" help:"Set another password, read from standard input, and end the user's sessions."`
	Role  userRoleCmd  `cmd:"" help:"Make somebody administrator, or not."`
}

type userListCmd struct {
	database `embed:""`
}

// Run lists the accounts.
func (c *userListCmd) Run(a *app) error {
	db, err := c.open(a.stop)
	if err != nil {
		return err
	}
	defer db.Close()
	users, err := postgres.Users{Q: db}.List(a.stop)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EMAIL\tUSERNAME\tROLE\tSTATE")
	for _, u := range users {
		state := "active"
		if u.Disabled {
			state = "disabled"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Email, u.Username, u.Role, state)
	}
	return w.Flush() //nolint:wrapcheck // standard output is gone
}

type userAddCmd struct {
	database `embed:""`
	Email    string `arg:"" help:"E-mail address."`
	Username string `arg:"" help:"Username."`
	Role     string `default:"member" enum:"member,administrator" help:"Role: ${enum}."`
}

// Run makes an account.
func (c *userAddCmd) Run(a *app) error {
	var err error
	if c.Email, err = account.CleanEmail(c.Email); err != nil {
		return err
	}
	if c.Username, err = account.CleanUsername(c.Username); err != nil {
		return err
	}
	hash, err := readPassword(a, c.Email, c.Username)
	if err != nil {
		return err
	}
	db, err := c.open(a.stop)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make a user id: %w", err)
	}
	u := account.User{ID: id, Email: c.Email, Username: c.Username, Role: account.Role(c.Role)}
	err = db.InTx(a.stop, func(q postgres.Querier) (err error) {
		if u, err = (postgres.Users{Q: q}).Register(a.stop, u, hash); err != nil {
			return err
		}
		after := audit.Data{"email": u.Email, "username": u.Username, "role": u.Role}
		return postgres.Note(byHand(a.stop), q, audit.Change{Action: audit.AccountCreate, Object: audit.Of(u.ID, u.Username), After: after})
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s has an account (%s)\n", u.Email, u.Role)
	return err //nolint:wrapcheck // standard output is gone
}

type userResetCmd struct {
	database `embed:""`
	Email    string `arg:"" help:"E-mail address."`
}

// Run sets another password.
func (c *userResetCmd) Run(a *app) error {
	hash, err := readPassword(a, c.Email, "")
	if err != nil {
		return err
	}
	return c.change(a, c.Email, "has another password; all sessions have ended", func(ctx context.Context, users postgres.Users) (audit.Change, error) {
		u, err := users.SetPassword(ctx, c.Email, hash)
		return audit.Change{Action: audit.AccountPassword, Object: audit.Of(u.ID, u.Username)}, err
	})
}

type userRoleCmd struct {
	database `embed:""`
	Email    string `arg:"" help:"E-mail address."`
	Role     string `arg:"" enum:"member,administrator" help:"Role: ${enum}."`
}

// Run gives another role.
func (c *userRoleCmd) Run(a *app) error {
	return c.change(a, c.Email, "is now "+c.Role, func(ctx context.Context, users postgres.Users) (audit.Change, error) {
		u, err := users.SetRole(ctx, c.Email, account.Role(c.Role))
		before, after := audit.Data{"role": u.Role}, audit.Data{"role": c.Role}
		return audit.Change{Action: audit.AccountRole, Object: audit.Of(u.ID, u.Username), Before: before, After: after}, err
	})
}

func (d database) change(a *app, email, done string, change func(context.Context, postgres.Users) (audit.Change, error)) error {
	db, err := d.open(a.stop)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.InTx(a.stop, func(q postgres.Querier) error {
		c, err := change(a.stop, postgres.Users{Q: q})
		if err != nil {
			return err
		}
		return postgres.Note(byHand(a.stop), q, c)
	})
	if errors.Is(err, postgres.ErrNotFound) {
		return fmt.Errorf("nobody has the e-mail address %s\nTry: orq user list", email)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s %s\n", email, done)
	return err //nolint:wrapcheck // standard output is gone
}

// passwordCost is bcrypt's; tests have no time for it.
var passwordCost = auth.Cost

// readPassword reads a line, so that the password stands neither in the shell's history nor in the process list.
func readPassword(a *app, email, username string) (hash string, err error) {
	// A last line without a line break is a line; whatever went wrong otherwise shows as an empty password.
	line, _ := bufio.NewReader(a.stdin).ReadString('\n')
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", fmt.Errorf("no password on standard input\nTry: printf '%%s\\n' \"$PASSWORD\" | orq user add %s name", email)
	}
	if err := auth.Check(password, email, username); err != nil {
		return "", err
	}
	passwords, err := auth.NewPasswords(passwordCost)
	if err != nil {
		return "", err
	}
	return passwords.Hash(a.stop, password)
}

type doctorCmd struct {
	DatabaseURL telemetry.Secret `env:"ORQ_DATABASE_URL" help:"PostgreSQL."`
	RedisURL    telemetry.Secret `env:"ORQ_REDIS_URL" help:"Redis."`
	SecretKey   telemetry.Secret `env:"ORQ_SECRET_KEY" help:"The installation's key."`

	HeartbeatURL   telemetry.Secret `env:"ORQ_HEARTBEAT_URL" help:"Address that is called while all is well."`
	HeartbeatEvery time.Duration    `default:"60s" env:"ORQ_HEARTBEAT_EVERY" help:"How often."`
}

const checkTimeout = 5 * time.Second

// Run checks one thing after the other and says how to mend what is wrong.
func (c *doctorCmd) Run(a *app) error {
	healthy := true
	check := func(what, try string, err error) {
		if err == nil {
			fmt.Fprintf(a.stdout, "ok    %s\n", what)
			return
		}
		healthy = false
		fmt.Fprintf(a.stdout, "FAIL  %s: %s\n      Try: %s\n", what, err, try)
	}
	check("time zone data", "update the tzdata package", zones())
	check("secret key", "export ORQ_SECRET_KEY=$(openssl rand -hex 32)   (orq all makes one by itself)", keyLength(c.SecretKey))
	check("PostgreSQL", "set ORQ_DATABASE_URL, then: orq migrate up   (orq all needs neither)", c.checkDatabase(a.stop))
	check("Redis", "set ORQ_REDIS_URL to a Redis with maxmemory-policy noeviction   (orq all starts one)", c.checkRedis(a))
	if c.HeartbeatURL == "" {
		fmt.Fprintln(a.stdout, "note  nobody outside notices when this installation falls silent\n      Try: set ORQ_HEARTBEAT_URL to an address of a service that misses heartbeats")
	} else {
		beats := scheduler.Config{HeartbeatURL: c.HeartbeatURL, HeartbeatEvery: c.HeartbeatEvery}
		check(fmt.Sprintf("heartbeat of this installation, every %s", c.HeartbeatEvery), "set ORQ_HEARTBEAT_URL to an address such as https://hc.example.com/ping/…", beats.CheckHeartbeat())
	}
	if !healthy {
		return errors.New("something is missing")
	}
	return nil
}

func zones() error {
	if !schedule.TZDataOK() {
		return errors.New("it is older than 2025: schedules in some zones would fire an hour off")
	}
	return nil
}

func keyLength(key telemetry.Secret) error {
	if n := len([]rune(key.Reveal())); n < auth.MinSecret {
		return fmt.Errorf("it has %d characters; it needs %d", n, auth.MinSecret)
	}
	return nil
}

func (c *doctorCmd) checkDatabase(ctx context.Context) error {
	if c.DatabaseURL == "" {
		return errors.New("ORQ_DATABASE_URL is not set")
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	db, err := database{DatabaseURL: c.DatabaseURL}.open(ctx)
	if err != nil {
		return err
	}
	db.Close()
	return nil
}

func (c *doctorCmd) checkRedis(a *app) error {
	if c.RedisURL == "" {
		return errors.New("ORQ_REDIS_URL is not set")
	}
	ctx, cancel := context.WithTimeout(a.stop, checkTimeout)
	defer cancel()
	q, err := queue.Open(queue.Config{URL: c.RedisURL.Reveal(), Log: a.log})
	if err != nil {
		return err
	}
	defer func() { _ = q.Close() }()
	return q.Check(ctx)
}

type healthCmd struct {
	HealthListen string `env:"ORQ_HEALTH_LISTEN" help:"Address of the health endpoints."`
	Listen       string `default:"127.0.0.1:8080" env:"ORQ_LISTEN" help:"Address of the API, asked when there is no other."`
}

// Run asks and prints nothing when all is well.
func (c *healthCmd) Run(a *app) error {
	address := c.HealthListen
	if address == "" {
		address = c.Listen
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("read the address %s: %w", address, err)
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(a.stop, checkTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	client := &http.Client{}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("nobody answers at %s: %w", address, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready (%s)", address, resp.Status)
	}
	return nil
}
