package pgtest_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// notes is a schema of one table; it counts how often it was made.
func notes(made *atomic.Int32, name string) *pgtest.Migrator {
	schema := fmt.Sprintf("create table %s (id int primary key)", name)
	return &pgtest.Migrator{
		Files: fstest.MapFS{"0001.sql": {Data: []byte(schema)}},
		Migrate: func(ctx context.Context, url string) error {
			made.Add(1)
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, schema)
			return err
		},
	}
}

func count(t *testing.T, url, sql string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEachTestGetsADatabaseOfItsOwn(t *testing.T) {
	var made atomic.Int32
	schema := notes(&made, "separate")
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			url := schema.DB(t)
			if n := count(t, url, "with added as (insert into separate values (1) returning 1) select count(*)::int from added"); n != 1 {
				t.Fatalf("inserted %d rows, want 1", n)
			}
		})
	}
}

func TestATemplateIsMadeOncePerContent(t *testing.T) {
	var made atomic.Int32
	for range 2 { // two Migrators stand for two test binaries
		if n := count(t, notes(&made, "shared").DB(t), "select count(*)::int from shared"); n != 0 {
			t.Fatalf("the clone has %d rows, want 0", n)
		}
	}
	if made.Load() != 1 {
		t.Errorf("migrated %d times, want once", made.Load())
	}
	notes(&made, "changed").DB(t)
	if made.Load() != 2 {
		t.Errorf("after a change of the migrations: migrated %d times, want 2", made.Load())
	}
}

func TestDatabasesAreDropped(t *testing.T) {
	var made atomic.Int32
	var url string
	t.Run("a test that leaves a session open", func(t *testing.T) {
		url = notes(&made, "dropped").DB(t)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn // left open on purpose: the drop has to end it
	})
	if _, err := pgx.Connect(t.Context(), url); err == nil {
		t.Error("the database is still there after its test")
	}
}

func TestEmpty(t *testing.T) {
	sql := "select count(*)::int from pg_tables where schemaname = 'public'"
	if n := count(t, pgtest.Empty(t), sql); n != 0 {
		t.Errorf("%d tables, want none", n)
	}
}

func TestDBHasTheSchema(t *testing.T) {
	sql := "select count(*)::int from pg_tables where schemaname = 'public' and tablename in ('runs', 'run_live', 'occurrences')"
	if n := count(t, pgtest.DB(t), sql); n != 3 {
		t.Errorf("%d of the tables, want 3", n)
	}
}
