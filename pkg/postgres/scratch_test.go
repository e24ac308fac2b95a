package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
)

// words writes a URL in the other form that PostgreSQL's programs read.
func words(t *testing.T, databaseURL, user, password string) string {
	t.Helper()
	cfg, err := pgx.ParseConfig(databaseURL)
	must(t, err)
	if user == "" {
		user, password = cfg.User, cfg.Password
	}
	return fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", cfg.Host, cfg.Port, user, password, cfg.Database)
}

func TestAScratchDatabaseLiesBesideTheNamedOneUntilItIsDropped(t *testing.T) {
	ctx := t.Context()
	named := pgtest.Empty(t)
	conn, err := pgx.Connect(ctx, named)
	must(t, err)
	defer conn.Close(ctx)
	count := func(sql string, args ...any) (n int) {
		must(t, conn.QueryRow(ctx, sql, args...).Scan(&n))
		return n
	}
	for _, databaseURL := range []string{named, words(t, named, "", "")} {
		s, err := postgres.MakeScratch(ctx, databaseURL, "scratch_")
		must(t, err)
		must(t, postgres.Migrate(ctx, s.URL))
		if n := count(`select count(*) from pg_class where relname = 'runs'`); n != 0 {
			t.Error("the named database got the schema")
		}
		busy, err := pgx.Connect(ctx, s.URL)
		must(t, err)
		if got := busy.Config().Database; got != s.Name {
			t.Errorf("the URL names the database %q, want %q", got, s.Name)
		}
		must(t, s.Drop(ctx))
		if n := count(`select count(*) from pg_database where datname = $1`, s.Name); n != 0 {
			t.Error("it is still there, perhaps because somebody was connected")
		}
		_ = busy.Close(ctx)
	}
}

func TestWhoMayMakeNoDatabaseIsToldHow(t *testing.T) {
	ctx := t.Context()
	named := pgtest.Empty(t)
	conn, err := pgx.Connect(ctx, named)
	must(t, err)
	defer conn.Close(ctx)
	role := "r" + conn.Config().Database
	_, err = conn.Exec(ctx, `create role `+pgx.Identifier{role}.Sanitize()+` login password 'a test'`)
	must(t, err)
	defer func() {
		if _, err := conn.Exec(ctx, `drop role `+pgx.Identifier{role}.Sanitize()); err != nil {
			t.Error(err)
		}
	}()
	_, err = postgres.MakeScratch(ctx, words(t, named, role, "a test"), "scratch_")
	if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "createdb") {
		t.Errorf("got %v", err)
	}
}
