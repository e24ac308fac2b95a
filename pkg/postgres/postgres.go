// Package postgres is the only package that talks to the database: concrete stores over a pool or a transaction, the
// migrations' runner, and the translation of the database's errors into faults.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Querier is what a store needs: a pool or a transaction.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// DB is a pool of connections. It is a Querier whose every statement is a transaction of its own.
type DB struct {
	*pgxpool.Pool
	sealer Sealer // nil where there is no key
}

// Options are what differs between the pools of the roles.
type Options struct {
	Application string // names the role in pg_stat_activity
	Conns       int    // at most; 0 is pgx's default
	// Keyed is for a pool whose statements all find their rows by key: it never reads whole tables. A plan that was made
	// while the table of live runs was empty would do so, and go on doing so when it has a million rows.
	Keyed bool
}

// Open makes a pool. It does not wait for the database; see Wait.
func Open(ctx context.Context, databaseURL string, o Options) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", redactURL(err))
	}
	if o.Conns > 0 {
		cfg.MaxConns = int32(o.Conns) //nolint:gosec // a handful
	}
	params := cfg.ConnConfig.RuntimeParams
	params["application_name"] = "orq-" + o.Application
	params["timezone"] = "UTC"
	// With stale statistics a custom plan for a batch of ids reads every live run; the generic plan uses the key.
	params["plan_cache_mode"] = "force_generic_plan"
	// The statements here are short: compiling them costs more than it saves.
	params["jit"] = "off"
	if o.Keyed {
		params["enable_seqscan"], params["enable_hashjoin"], params["enable_mergejoin"] = "off", "off", "off"
	}
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		pgxuuid.Register(conn.TypeMap()) // without it every id of a batch is written as text and parsed again
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return &DB{Pool: pool}, nil
}

// redactURL keeps a password in a URL that cannot be parsed out of the error.
func redactURL(err error) error {
	var bad *url.Error
	if errors.As(err, &bad) {
		return bad.Err
	}
	return errors.New("it is not a PostgreSQL URL (postgres://user:password@host:5432/name)")
}

// ErrNotFound is what a store answers when the row is not there, or not in the caller's projects.
var ErrNotFound = fault.Missing

// translate turns what the database says about the input into faults; other errors stay as they are.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch {
	case pg.Code == "23505":
		return &fault.Error{Kind: fault.Conflict, Code: "already_exists", Message: "That already exists", Err: err}
	case pg.Code == "23503":
		return &fault.Error{Kind: fault.Conflict, Code: "referenced", Message: "Something it refers to is not there", Err: err}
	case pg.Code == "23514", pg.Code[:2] == "22", pg.Code == "54001":
		return &fault.Error{Kind: fault.Invalid, Code: "not_storable", Message: "A value is out of range or holds characters that cannot be stored", Err: err}
	case pg.Code == "40001", pg.Code == "40P01":
		return &fault.Error{Kind: fault.Unavailable, Code: "try_again", Message: "Somebody else changed this at the same time; try again", Err: err}
	}
	return err
}

// readOnly is what a server answers to a write while it takes none: after a failover, or because somebody said so.
const readOnly = "25006"

// Away tells that err comes from a database that cannot be reached, that is just stopping or starting, or that takes no
// writes for now, rather than from what it was asked.
func Away(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// Class 57 is the operator's intervention, 53 a lack of resources such as connections, 08 the connection.
		return pg.Code[:2] == "53" || pg.Code[:2] == "08" || pg.Code[:2] == "57" && pg.Code != "57014" || pg.Code == readOnly
	}
	// A connection that died between two statements says so without having sent the second, as does a transaction on it.
	if pgconn.SafeToRetry(err) && !errors.Is(err, context.Canceled) || errors.Is(err, pgx.ErrTxClosed) {
		return true
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// Constraint names the constraint that err broke; empty when it broke none.
func Constraint(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.ConstraintName
	}
	return ""
}

// Wait returns once the database answers and its schema is current, trying with pauses until ctx ends. say gets the
// reason for waiting, each time it is another.
func (db *DB) Wait(ctx context.Context, pause func(context.Context) error, say func(reason string)) error {
	told := ""
	for {
		err := db.Ready(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the database: %w", ctx.Err())
		}
		if reason := err.Error(); reason != told {
			told = reason
			say(reason)
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("wait for the database: %w", err)
		}
	}
}

// Ready tells whether the database answers and its schema is current.
func (db *DB) Ready(ctx context.Context) error {
	if err := db.Ping(ctx); err != nil {
		return err
	}
	return db.SchemaCurrent(ctx)
}

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.Pool.Ping(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", withoutPassword(err))
	}
	return nil
}

// withoutPassword keeps only what is safe to print of a connection error: pgx names host and user, never the password.
func withoutPassword(err error) error {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return connect
	}
	return err
}
