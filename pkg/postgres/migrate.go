package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/guildmember145/orquestador-plataforma/migrations"
)

// Migrate brings the schema up to date, and what each role may do in it. Several may call it at once: one applies, the others
// wait.
func Migrate(ctx context.Context, databaseURL string) error {
	err := withProvider(databaseURL, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate the database: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return grantRoles(ctx, databaseURL)
}

// MigrationStatus lists the migrations, one per line, with whether each is applied.
func MigrationStatus(ctx context.Context, databaseURL string) (string, error) {
	var b strings.Builder
	err := withProvider(databaseURL, func(p *goose.Provider) error {
		list, err := p.Status(ctx)
		if err != nil {
			return fmt.Errorf("read the migrations: %w", err)
		}
		for _, m := range list {
			fmt.Fprintf(&b, "%-8s %s\n", m.State, m.Source.Path)
		}
		return nil
	})
	return b.String(), err
}

// ErrSchemaBehind says that the database lacks migrations this program needs.
var ErrSchemaBehind = errors.New("the database's schema is older than this program; run: orq migrate up")

// SchemaCurrent tells whether every migration is applied; ErrSchemaBehind when not.
func (db *DB) SchemaCurrent(ctx context.Context) error {
	var applied int64
	err := db.QueryRow(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&applied)
	if err != nil {
		return ErrSchemaBehind
	}
	files, err := migrations.FS.ReadDir(".")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if applied < int64(len(files)) {
		return ErrSchemaBehind
	}
	return nil
}

func withProvider(databaseURL string, do func(*goose.Provider) error) (err error) {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", redactURL(err))
	}
	db := sql.OpenDB(stdlib.GetConnector(*cfg))
	defer func() { err = errors.Join(err, db.Close()) }()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("prepare the migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("prepare the migrations: %w", err)
	}
	return do(p)
}
