package postgres_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
)

// as connects to a fresh database as one of its roles.
func as(t *testing.T, role string) *pgx.Conn {
	t.Helper()
	u, err := url.Parse(pgtest.DB(t))
	must(t, err)
	q := u.Query()
	q.Set("options", "-c role="+role)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	conn, err := pgx.Connect(t.Context(), u.String())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

const insufficientPrivilege = "42501"

func denied(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == insufficientPrivilege
}

// The programs that run cannot change the schema, nor give themselves more than they have.
func TestNoRoleChangesTheSchema(t *testing.T) {
	for _, role := range []string{postgres.RoleAPI, postgres.RoleScheduler, postgres.RoleWorker} {
		conn := as(t, role)
		for _, sql := range []string{
			`alter table users add column x text`, `drop table runs`, `truncate workflows`, `create table x (y text)`, `create index on runs (status)`,
			`alter table users disable trigger all`, `create function x() returns int language sql as 'select 1'`, `create schema x`,
			`alter role ` + role + ` superuser`, `create role x`, `delete from goose_db_version`, `create extension pgcrypto`, `drop function make_week(timestamptz)`,
			`copy users to program 'id'`, `select pg_read_file('PG_VERSION')`, `select * from pg_authid`,
		} {
			if _, err := conn.Exec(t.Context(), sql); !denied(err) {
				t.Errorf("%s: %s: %v", role, sql, err)
			}
		}
		for _, sql := range []string{`select make_week(now())`, `select drop_weeks('2000-01-01')`, `select cut_audit('1000 days', 1)`} {
			if _, err := conn.Exec(t.Context(), sql); denied(err) == (role == postgres.RoleScheduler) {
				t.Errorf("%s: %s: %v", role, sql, err)
			}
		}
	}
}

// The worker does what users wrote: it sees nothing to log in with, and changes nobody's rights. The scheduler neither, and no
// secret.
func TestRolesSeeWhatTheyNeed(t *testing.T) {
	for role, statements := range map[string][]string{
		postgres.RoleWorker: {
			`select password_hash from users`, `select * from users`, `update users set role = 'administrator'`, `select * from sessions`, `select hash from refresh_tokens`,
			`select * from api_tokens`, `insert into api_tokens default values`, `select * from invitations`, `select * from password_resets`,
			`insert into project_members default values`, `delete from projects`, `update workflows set name = 'x'`, `insert into workflow_versions default values`,
			`update secrets set sealed = ''`, `delete from secrets`, `delete from variables`,
		},
		postgres.RoleScheduler: {
			`select password_hash from users`, `update users set role = 'administrator'`, `insert into users default values`, `insert into sessions default values`,
			`update api_tokens set scopes = '{administrator}'`, `insert into project_members default values`, `select * from secrets`, `delete from secrets`,
		},
	} {
		conn := as(t, role)
		for _, sql := range statements {
			if _, err := conn.Exec(t.Context(), sql); !denied(err) {
				t.Errorf("%s: %s: %v", role, sql, err)
			}
		}
		if _, err := conn.Exec(t.Context(), `select id, username, email from users`); err != nil {
			t.Errorf("%s does not see who is who: %v", role, err)
		}
	}
	for _, role := range []string{postgres.RoleAPI, postgres.RoleScheduler, postgres.RoleWorker} {
		for _, sql := range []string{`update audit_entries set action = 'x'`, `delete from audit_entries`, `delete from audit_head`, `insert into audit_head default values`} {
			if _, err := as(t, role).Exec(t.Context(), sql); !denied(err) {
				t.Errorf("%s: %s: %v", role, sql, err)
			}
		}
	}
	if _, err := as(t, postgres.RoleAPI).Exec(t.Context(), `select password_hash from users`); err != nil {
		t.Errorf("nobody can log in: %v", err)
	}
}

// A password is set without the server ever seeing it, and works.
func TestARoleLogsIn(t *testing.T) {
	owner := pgtest.DB(t)
	const password = `it's "odd" \ $$ enough`
	must(t, postgres.SetLogins(t.Context(), owner, map[string]string{postgres.RoleWorker: password}))
	var stored string
	db, err := pgx.Connect(t.Context(), owner)
	must(t, err)
	defer db.Close(t.Context())
	must(t, db.QueryRow(t.Context(), `select rolpassword from pg_authid where rolname = $1`, postgres.RoleWorker).Scan(&stored))
	if !strings.HasPrefix(stored, "SCRAM-SHA-256$4096:") {
		t.Errorf("stored as %s", stored)
	}
	mine, err := postgres.As(owner, postgres.RoleWorker, password)
	must(t, err)
	conn, err := pgx.Connect(t.Context(), mine)
	must(t, err)
	var who string
	must(t, conn.QueryRow(t.Context(), `select current_user`).Scan(&who))
	must(t, conn.Close(t.Context()))
	if who != postgres.RoleWorker {
		t.Errorf("logged in as %s", who)
	}
	wrong, err := postgres.As(owner, postgres.RoleWorker, password+"x")
	must(t, err)
	if _, err := pgx.Connect(t.Context(), wrong); err == nil {
		t.Error("logged in with another password")
	}
	for _, bad := range []string{"", "contraseña"} {
		if err := postgres.SetLogins(t.Context(), owner, map[string]string{postgres.RoleWorker: bad}); err == nil {
			t.Errorf("the password %q is taken", bad)
		}
	}
}
