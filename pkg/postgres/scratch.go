package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Scratch is a database that is made for a while beside another one, for measuring. Whoever made it drops it.
type Scratch struct {
	URL  string
	Name string

	beside *pgx.ConnConfig
}

// insufficientPrivilege is what the server answers to somebody who may not make databases.
const insufficientPrivilege = "42501"

// MakeScratch makes an empty database on the server that a URL names, and leaves the URL's own database alone. The new
// one's name begins with prefix.
func MakeScratch(ctx context.Context, databaseURL, prefix string) (*Scratch, error) {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", redactURL(err))
	}
	s := &Scratch{Name: prefix + strings.ToLower(rand.Text()[:10]), beside: cfg}
	s.URL, err = withDatabase(databaseURL, s.Name)
	if err != nil {
		return nil, err
	}
	err = s.admin(ctx, "create database "+pgx.Identifier{s.Name}.Sanitize()+" template template0")
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == insufficientPrivilege {
		return nil, fault.New(fault.Forbidden, "no_database", "the database's user %s may not make a database to work in\nTry, as an administrator: alter role %s createdb",
			cfg.User, pgx.Identifier{cfg.User}.Sanitize())
	}
	if err != nil {
		return nil, fmt.Errorf("make a database: %w", withoutPassword(err))
	}
	return s, nil
}

// Drop removes the database, whoever is still connected to it.
func (s *Scratch) Drop(ctx context.Context) error {
	if err := s.admin(ctx, "drop database if exists "+pgx.Identifier{s.Name}.Sanitize()+" with (force)"); err != nil {
		return fmt.Errorf("drop the database %s: %w", s.Name, withoutPassword(err))
	}
	return nil
}

// admin runs a statement on the database beside which this one is.
func (s *Scratch) admin(ctx context.Context, sql string) error {
	conn, err := pgx.ConnectConfig(ctx, s.beside)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}

// withDatabase is a URL, or a list of key=value words, with another database.
func withDatabase(databaseURL, name string) (string, error) {
	if !strings.Contains(databaseURL, "://") {
		return databaseURL + " dbname=" + name, nil // the last one counts
	}
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", fmt.Errorf("read the database URL: %w", redactURL(err))
	}
	u.Path = "/" + name
	query := u.Query()
	query.Del("dbname")
	query.Del("database")
	u.RawQuery = query.Encode()
	return u.String(), nil
}
