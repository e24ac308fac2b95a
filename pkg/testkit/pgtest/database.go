package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Migrator brings an empty database to a schema.
type Migrator struct {
	Files   fs.FS // what the schema is made from; a change makes another template
	Migrate func(ctx context.Context, databaseURL string) error

	once     sync.Once
	template string
	err      error
}

// DB returns the URL of a fresh database with m's schema. It is dropped when the test ends, also when sessions are
// still open.
func (m *Migrator) DB(t testing.TB) string {
	t.Helper()
	admin := mustServer(t)
	m.once.Do(func() { m.template, m.err = m.prepare(context.Background(), admin) })
	if m.err != nil {
		t.Fatalf("prepare the database template: %v", m.err)
	}
	return create(t, admin, m.template)
}

// Empty returns the URL of a fresh database without any table, for tests of migrations.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, mustServer(t), "template0")
}

func mustServer(t testing.TB) *url.URL {
	t.Helper()
	admin, err := server()
	if err != nil {
		t.Fatalf("start PostgreSQL for tests: %v", err)
	}
	return admin
}

// create clones template. The strategy wal_log copies only the blocks in use and needs no checkpoint.
func create(t testing.TB, admin *url.URL, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	err := execute(t.Context(), admin, fmt.Sprintf("create database %s template %s strategy wal_log", name, template))
	if err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(context.WithoutCancel(t.Context()), admin, "drop database if exists "+name+" with (force)"); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	return within(admin, name)
}

// prepare makes the template database unless another test binary has made it. Its name carries a hash of the
// migrations, and it becomes a template only once it is complete, so what a killed binary left is made anew.
func (m *Migrator) prepare(ctx context.Context, admin *url.URL) (string, error) {
	sum, err := hashOf(m.Files)
	if err != nil {
		return "", err
	}
	name := "orq_template_" + sum
	conn, err := pgx.Connect(ctx, admin.String())
	if err != nil {
		return "", fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx) // the lock goes with the session either way
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtextextended($1, 0))", name); err != nil {
		return "", fmt.Errorf("lock template: %w", err)
	}
	var complete bool
	err = conn.QueryRow(ctx, "select datistemplate from pg_database where datname = $1", name).Scan(&complete)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("find template: %w", err)
	}
	if complete {
		return name, nil
	}
	for _, sql := range []string{"drop database if exists " + name + " with (force)", "create database " + name + " template template0"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", fmt.Errorf("create template: %w", err)
		}
	}
	if err := m.Migrate(ctx, within(admin, name)); err != nil {
		return "", fmt.Errorf("migrate template: %w", err)
	}
	// Without connections nothing can hold up a clone.
	if _, err := conn.Exec(ctx, "alter database "+name+" with is_template true allow_connections false"); err != nil {
		return "", fmt.Errorf("finish template: %w", err)
	}
	return name, nil
}

// within is the server's URL with another database.
func within(admin *url.URL, database string) string {
	u := *admin
	u.Path = "/" + database
	return u.String()
}

func execute(ctx context.Context, admin *url.URL, sql string) error {
	conn, err := pgx.Connect(ctx, admin.String())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// hashOf is a short name for the content of all files.
func hashOf(files fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(sum, "%s %d\n", path, len(text)) // a hash never fails to write
		_, _ = sum.Write(text)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash migrations: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
