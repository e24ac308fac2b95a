package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

// ledger is a database whose audit log is sealed.
func ledger(t *testing.T) (*postgres.DB, *secret.Keyring) {
	t.Helper()
	db := open(t, postgres.Options{Conns: 12})
	keys, err := secret.NewKeyring("a key that is long enough for tests", "")
	must(t, err)
	db.SealWith(keys)
	return db, keys
}

func note(ctx context.Context, db *postgres.DB, changes ...audit.Change) error {
	return db.InTx(ctx, func(q postgres.Querier) error {
		for _, c := range changes {
			if err := postgres.Note(ctx, q, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func change(name string) audit.Change {
	return audit.Change{Action: audit.CalendarUpdate, Object: audit.Named(name), After: audit.Data{"name": name}}
}

func verified(t *testing.T, db *postgres.DB, keys audit.Keys) audit.Report {
	t.Helper()
	r, err := db.Verify(t.Context(), keys, nil, nil)
	must(t, err)
	return r
}

// An entry is there with its change, or neither is.
func TestAnEntryIsThereWithItsChange(t *testing.T) {
	db, keys := ledger(t)
	must(t, note(t.Context(), db, change("a"), change("b")))
	failed := errors.New("it was not to be")
	err := db.InTx(t.Context(), func(q postgres.Querier) error {
		must(t, postgres.Note(t.Context(), q, change("never")))
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if err := postgres.Note(t.Context(), db, change("alone")); err == nil {
		t.Error("an entry without a transaction was taken")
	}
	must(t, note(t.Context(), db, change("c")))
	list, err := postgres.Audit{Q: db}.List(t.Context(), postgres.AuditFilter{Limit: 10})
	must(t, err)
	var names []string
	for _, e := range list {
		names = append(names, fmt.Sprint(e.Number, e.Object.Name))
	}
	if got := strings.Join(names, " "); got != "3c 2b 1a" {
		t.Errorf("listed %s", got)
	}
	if r := verified(t, db, keys); !r.OK || r.Entries != 3 || r.Sealed != 3 {
		t.Errorf("%+v, %+v", r, r.Broken)
	}
}

// Many who change things at once, and hold what others wait for meanwhile, leave one chain without gaps, and none of them
// waits for ever.
func TestWritersAtOnceMakeOneChain(t *testing.T) {
	db, keys := ledger(t)
	const writers, each = 16, 25
	_, err := db.Exec(t.Context(), `insert into projects (id, name) select gen_random_uuid(), 'p' || g from generate_series(1, 3) g`)
	must(t, err)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				err := db.InTx(t.Context(), func(q postgres.Querier) error {
					// Noted first, changed after: were the end of the chain held from here on, they would wait in a circle.
					if err := postgres.Note(t.Context(), q, change(fmt.Sprint(w, "/", i))); err != nil {
						return err
					}
					if _, err := q.Exec(t.Context(), `update projects set name = name where name = 'p' || $1`, fmt.Sprint((w+i)%3+1)); err != nil {
						return err
					}
					if i%5 == 0 {
						return errors.New("rolled back")
					}
					return postgres.Note(t.Context(), q, change("second"))
				})
				if err != nil && i%5 != 0 {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	r := verified(t, db, keys)
	if want := int64(writers * each * 4 / 5 * 2); !r.OK || r.Entries != want || r.First.Number != 1 || r.Last.Number != want {
		t.Errorf("%+v, %+v; want %d entries", r, r.Broken, want)
	}
}

// The table is only added to, by whoever asks.
func TestTheAuditLogIsOnlyAddedTo(t *testing.T) {
	db, keys := ledger(t)
	must(t, note(t.Context(), db, change("a"), change("b")))
	for _, statement := range []string{
		`update audit_entries set actor_name = 'eva' where number = 1`,
		`delete from audit_entries where number = 2`,
		`delete from audit_entries`,
		`truncate audit_entries`,
		`select cut_audit('0', 100)`,
		`select cut_audit('29 days', 100)`,
		`insert into audit_entries select * from audit_entries limit 1`,
	} {
		if _, err := db.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s was allowed", statement)
		}
	}
	if r := verified(t, db, keys); !r.OK || r.Entries != 2 {
		t.Errorf("%+v", r)
	}
}

// Who has the database, and takes the guard away, is found all the same.
func TestTamperingWithTheTableIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		problem   audit.Problem
		number    int64
	}{
		"a changed text":  {`update audit_entries set after = replace(after, 'n3', 'n9') where number = 3`, audit.Altered, 3},
		"a changed actor": {`update audit_entries set actor_name = 'eva' where number = 3`, audit.Altered, 3},
		"another time":    {`update audit_entries set at = at + interval '1 microsecond' where number = 3`, audit.Altered, 3},
		"a missing entry": {`delete from audit_entries where number = 3`, audit.Missing, 3},
		"a missing end":   {`delete from audit_entries where number > 3`, audit.CutOff, 4},
		"a missing start": {`delete from audit_entries where number < 3`, audit.Missing, 1},
		"two swapped":     {`update audit_entries set number = case number when 3 then 104 else 103 end where number in (3, 4)`, audit.Missing, 3},
		"another end":     {`update audit_head set hash = sha256('x')`, audit.Altered, 5},
		"an entry at the end": {`insert into audit_entries (number, at, actor_kind, actor_name, address, request_id, action, object_id, object_name, previous, hash)
			select 6, at, 'command_line', 'x', '', '', 'account.role', '', '', hash, sha256('y') from audit_entries where number = 5`, audit.Altered, 6},
	} {
		t.Run(name, func(t *testing.T) {
			db, keys := ledger(t)
			for i := range 5 {
				must(t, note(t.Context(), db, change(fmt.Sprint("n", i+1))))
			}
			_, err := db.Exec(t.Context(), `alter table audit_entries disable trigger all`)
			must(t, err)
			_, err = db.Exec(t.Context(), c.statement)
			must(t, err)
			if r := verified(t, db, keys); r.OK || r.Broken.Problem != c.problem || r.Broken.Number != c.number {
				t.Errorf("found %+v, want %s at %d", r.Broken, c.problem, c.number)
			}
		})
	}
}

// Entries that are too old go, from the old end and once a day, and what is left still verifies.
func TestOldEntriesAreCut(t *testing.T) {
	db, keys := ledger(t)
	const keep = 40 * 24 * time.Hour
	cut := func(most int) (removed int64) {
		t.Helper()
		must(t, db.InTx(t.Context(), func(q postgres.Querier) (err error) {
			removed, err = postgres.Audit{Q: q}.Cut(t.Context(), keep, most)
			return err
		}))
		return removed
	}
	written := func(age time.Duration, n int) {
		t.Helper()
		list := entries(t, db, keys, time.Now().Add(-age), n)
		insertEntries(t, db, list)
	}
	written(keep+50*time.Hour, 10)
	written(keep+time.Hour, 5)
	written(time.Hour, 5)
	if n := cut(7); n != 7 {
		t.Errorf("%d removed, want 7 at a time", n)
	}
	if n := cut(100); n != 8 {
		t.Errorf("%d removed, want the other 8", n)
	}
	if n := cut(100); n != 0 {
		t.Errorf("%d removed again", n)
	}
	written(0, 1)
	r := verified(t, db, keys)
	if !r.OK || r.Cut != 15 || r.First.Number != 16 || r.Entries != 5+2+1 {
		t.Errorf("%+v, %+v", r, r.Broken)
	}
	list, err := postgres.Audit{Q: db}.List(t.Context(), postgres.AuditFilter{Action: "audit.cut", Limit: 10})
	must(t, err)
	if len(list) != 2 || list[0].Actor.Kind != audit.System || !strings.Contains(string(list[0].After), `"through":15`) {
		t.Errorf("%+v", list)
	}
}

// entries are n of a time gone by, that belong behind the end of the chain.
func entries(t *testing.T, db *postgres.DB, keys *secret.Keyring, at time.Time, n int) []audit.Entry {
	t.Helper()
	head, err := postgres.Audit{Q: db}.Head(t.Context())
	must(t, err)
	list := make([]audit.Entry, n)
	for i := range list {
		e, err := audit.NewEntry(t.Context(), change("old"))
		must(t, err)
		head = e.Follow(head, at)
		e.Seal, e.SealedBy = keys.Sign(audit.SealPurpose, e.Hash[:]), keys.KeyID()
		list[i] = e
	}
	return list
}

func insertEntries(t *testing.T, db *postgres.DB, list []audit.Entry) {
	t.Helper()
	for _, e := range list {
		_, err := db.Exec(t.Context(), `
			insert into audit_entries (number, at, actor_kind, actor_name, address, request_id, action, object_id, object_name, after, previous, hash, seal, sealed_by)
			values ($1, $2, $3, $4, '', '', $5, $6, $7, $8, $9, $10, $11, $12)`,
			e.Number, e.At, e.Actor.Kind, e.Actor.Name, e.Action, e.Object.ID, e.Object.Name, string(e.After), e.Previous[:], e.Hash[:], e.Seal, e.SealedBy)
		must(t, err)
		_, err = db.Exec(t.Context(), `update audit_head set number = $1, at = $2, hash = $3`, e.Number, e.At, e.Hash[:])
		must(t, err)
	}
}

// A log of a million entries is listed by its indexes, whatever is asked for.
func TestTheAuditLogIsListedByIndex(t *testing.T) {
	db, _ := ledger(t)
	// A million rows are written in a fifth of the time without the indexes, which are made again after.
	var indexes []string
	must(t, db.QueryRow(t.Context(), `select array_agg(indexdef) from pg_indexes where tablename = 'audit_entries' and indexname <> 'audit_entries_pkey'`).Scan(&indexes))
	for _, definition := range indexes {
		_, err := db.Exec(t.Context(), `drop index `+strings.Fields(definition)[2])
		must(t, err)
	}
	_, err := db.Exec(t.Context(), `
		insert into audit_entries (number, at, actor_kind, actor_id, actor_name, address, request_id, action, project_id, object_id, object_name, previous, hash)
		select g, now() - (1000000 - g) * interval '10 seconds', 'user', lpad((g % 50)::text, 32, '0')::uuid, 'u', '192.0.2.7', 'r',
		       (array['workflow.update', 'secret.update', 'session.login', 'run.cancel'])[g % 4 + 1], lpad((g % 20)::text, 32, '0')::uuid, (g % 5000)::text, 'o', '', ''
		  from generate_series(1, 1000000) g`)
	must(t, err)
	for _, statement := range append(indexes, `analyze audit_entries`) {
		_, err = db.Exec(t.Context(), statement)
		must(t, err)
	}
	id := uuid.MustParse("00000000-0000-0000-0000-000000000007")
	from, to := time.Now().Add(-100*time.Hour), time.Now().Add(-90*time.Hour)
	for name, f := range map[string]postgres.AuditFilter{
		"all": {}, "a page further on": {Before: 500_000}, "a project's": {Project: &id}, "somebody's": {Actor: &id},
		"an action": {Action: "secret.update"}, "a kind": {Action: "secret"}, "an object": {Object: "77"}, "a time": {From: &from, To: &to},
		"much at once": {Project: &id, Action: "run", From: &from, To: &to, Before: 999_999}, "a project's, a page further on": {Project: &id, Before: 500_000},
	} {
		t.Run(name, func(t *testing.T) {
			f.Limit = 50
			list, err := postgres.Audit{Q: explaining{db, t}}.List(t.Context(), f)
			must(t, err)
			if len(list) == 0 {
				t.Error("nothing was found")
			}
			for i := 1; i < len(list); i++ {
				if list[i].Number >= list[i-1].Number {
					t.Fatalf("entry %d stands behind %d", list[i].Number, list[i-1].Number)
				}
			}
			for _, e := range list {
				if f.From != nil && (e.At.Before(*f.From) || e.At.After(*f.To)) {
					t.Fatalf("entry %d is of %s", e.Number, e.At)
				}
			}
		})
	}
}

func TestAnExportIsWhole(t *testing.T) {
	db, _ := ledger(t)
	for i := range 30 {
		must(t, note(t.Context(), db, change(fmt.Sprint("n", i))))
	}
	var b bytes.Buffer
	n, err := db.ExportAudit(t.Context(), &b, audit.JSONLines, postgres.AuditFilter{})
	must(t, err)
	if lines := strings.Count(b.String(), "\n"); n != 30 || lines != 30 {
		t.Errorf("%d entries in %d lines", n, lines)
	}
	b.Reset()
	n, err = db.ExportAudit(t.Context(), &b, audit.CSV, postgres.AuditFilter{Object: "n7"})
	must(t, err)
	if lines := strings.Count(b.String(), "\n"); n != 1 || lines != 2 {
		t.Errorf("%d entries in %d lines", n, lines)
	}
}
