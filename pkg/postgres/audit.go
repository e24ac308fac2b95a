package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
)

// Audit is the store of the audit log, for reading; Note adds to it.
type Audit struct{ Q Querier }

// AuditFilter narrows the audit log; zero values do not.
type AuditFilter struct {
	Project  *uuid.UUID
	Actor    *uuid.UUID
	Action   string // a whole action, or its first part for all that is done to such things
	Object   string // its id
	From, To *time.Time
	Before   int64 // keyset: only entries with a smaller number; 0: from the newest
	Limit    int   // 0: all
	Oldest   bool  // the oldest first
}

const entryColumns = `e.number, e.at, e.actor_kind, e.actor_id, e.actor_name, e.session_id, e.token_id, e.address, e.request_id, e.action,
	e.project_id, e.object_id, e.object_name, e.before, e.after, e.previous, e.hash, e.seal, e.sealed_by`

// List lists entries, the newest first.
func (s Audit) List(ctx context.Context, f AuditFilter) (list []audit.Entry, err error) {
	err = s.Each(ctx, f, func(e audit.Entry) error {
		list = append(list, e)
		return nil
	})
	return list, err
}

// Each goes through entries without keeping them.
func (s Audit) Each(ctx context.Context, f AuditFilter, see func(audit.Entry) error) error {
	where, params := f.where()
	order := `e.number desc`
	if f.Oldest {
		order = `e.number`
	}
	statement := `select ` + entryColumns + ` from audit_entries e where ` + where + ` order by ` + order
	if f.Limit > 0 {
		statement, params["limit"] = statement+` limit @limit`, f.Limit
	}
	rows, err := s.Q.Query(ctx, statement, params)
	if err != nil {
		return fmt.Errorf("list the audit log: %w", translate(err))
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if err := see(e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list the audit log: %w", translate(err))
	}
	return nil
}

// Said is what the filter narrows, for the entry of an export.
func (f AuditFilter) Said() audit.Data {
	said := audit.Data{}
	if f.Project != nil {
		said["project_id"] = f.Project
	}
	if f.Actor != nil {
		said["actor"] = f.Actor
	}
	if f.Action != "" {
		said["action"] = f.Action
	}
	if f.Object != "" {
		said["object"] = f.Object
	}
	if f.From != nil {
		said["from"] = f.From
	}
	if f.To != nil {
		said["to"] = f.To
	}
	return said
}

// where puts the conditions together. Numbers grow with time, so that instants become numbers: one index serves them all.
func (f AuditFilter) where() (string, pgx.NamedArgs) {
	where, params := `true`, pgx.NamedArgs{}
	add := func(name string, value any, condition string) { where, params[name] = where+` and `+condition, value }
	if f.Project != nil {
		add("project", *f.Project, `e.project_id = @project`)
	}
	if f.Actor != nil {
		add("actor", *f.Actor, `e.actor_id = @actor`)
	}
	switch {
	case f.Action == "":
	case audit.Action(f.Action).Kind() == f.Action:
		add("kind", f.Action, `e.kind = @kind`)
	default:
		add("action", f.Action, `e.action = @action`)
	}
	if f.Object != "" {
		add("object", f.Object, `e.object_id = @object`)
	}
	if f.From != nil {
		add("from", *f.From, `e.number >= coalesce((select number from audit_entries where at >= @from order by at, number limit 1), 9223372036854775807)`)
	}
	if f.To != nil {
		add("to", *f.To, `e.number <= coalesce((select number from audit_entries where at <= @to order by at desc, number desc limit 1), 0)`)
	}
	if f.Before > 0 {
		add("before", f.Before, `e.number < @before`)
	}
	return where, params
}

func scanEntry(rows pgx.Rows) (e audit.Entry, err error) {
	var actor, session, token, project *uuid.UUID
	var before, after, sealedBy *string
	var previous, hash []byte
	err = rows.Scan(&e.Number, &e.At, &e.Actor.Kind, &actor, &e.Actor.Name, &session, &token, &e.Address, &e.RequestID, &e.Action,
		&project, &e.Object.ID, &e.Object.Name, &before, &after, &previous, &hash, &e.Seal, &sealedBy)
	if err != nil {
		return e, fmt.Errorf("scan an entry: %w", err)
	}
	e.At = e.At.UTC()
	for _, id := range []struct{ from, into *uuid.UUID }{{actor, &e.Actor.ID}, {session, &e.Actor.Session}, {token, &e.Actor.Token}, {project, &e.Project}} {
		if id.from != nil {
			*id.into = *id.from
		}
	}
	if before != nil {
		e.Before = []byte(*before)
	}
	if after != nil {
		e.After = []byte(*after)
	}
	if sealedBy != nil {
		e.SealedBy = *sealedBy
	}
	copy(e.Previous[:], previous)
	copy(e.Hash[:], hash)
	return e, nil
}

// Head is where the chain ends.
func (s Audit) Head(ctx context.Context) (h audit.Head, err error) {
	var hash []byte
	if err := s.Q.QueryRow(ctx, `select number, at, hash from audit_head`).Scan(&h.Number, &h.At, &hash); err != nil {
		return h, fmt.Errorf("find the end of the audit log: %w", translate(err))
	}
	copy(h.Hash[:], hash)
	return h, nil
}

// Size is how many entries there are.
func (s Audit) Size(ctx context.Context) (n int64, err error) {
	err = s.Q.QueryRow(ctx, `
		select coalesce((select h.number from audit_head h) - (select e.number from audit_entries e order by e.number limit 1) + 1, 0)`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the audit log: %w", translate(err))
	}
	return n, nil
}

// errBroken ends a verification: what comes after the first broken entry proves nothing.
var errBroken = errors.New("the chain is broken")

// Verify goes through the whole chain as it is at one moment. known, when not nil, is an entry that has to be in it. tell, when
// not nil, hears now and then how far it is.
func (db *DB) Verify(ctx context.Context, keys audit.Keys, known *audit.Head, tell func(checked, of int64)) (report audit.Report, err error) {
	const often = 20_000
	err = db.InSnapshot(ctx, func(q Querier) error {
		log := Audit{Q: q}
		head, err := log.Head(ctx)
		if err != nil {
			return err
		}
		size, err := log.Size(ctx)
		if err != nil {
			return err
		}
		v := audit.NewVerifier(keys).Knowing(known)
		err = log.Each(ctx, AuditFilter{Oldest: true}, func(e audit.Entry) error {
			if !v.Add(e) {
				return errBroken
			}
			if tell != nil && v.Checked()%often == 0 {
				tell(v.Checked(), size)
			}
			return nil
		})
		if err != nil && !errors.Is(err, errBroken) {
			return err
		}
		report = v.End(&head)
		return nil
	})
	return report, err
}

// ExportAudit writes entries out, the oldest first, as they are at one moment, and answers how many there were.
func (db *DB) ExportAudit(ctx context.Context, w io.Writer, format audit.Format, f AuditFilter) (n int64, err error) {
	f.Oldest = true
	out, err := audit.NewWriter(w, format)
	if err != nil {
		return 0, err
	}
	err = db.InSnapshot(ctx, func(q Querier) error {
		return Audit{Q: q}.Each(ctx, f, func(e audit.Entry) error {
			n++
			return out.Write(e)
		})
	})
	if err != nil {
		return n, err
	}
	return n, out.Flush()
}

// cutDaily is how much older than they have to be entries become before they are removed, so that a removal, which is an
// entry itself, comes once a day and not all the time.
const cutDaily = 24 * time.Hour

// Cut removes up to most entries that are older than keep, which is 30 days or more, and notes that in the chain. It needs a
// transaction. It answers how many are gone.
func (s Audit) Cut(ctx context.Context, keep time.Duration, most int) (removed int64, err error) {
	var ripe bool
	err = s.Q.QueryRow(ctx, `select exists (select from audit_entries where at < now() - make_interval(secs => $1))`, (keep + cutDaily).Seconds()).Scan(&ripe)
	if err != nil || !ripe {
		return 0, err
	}
	var through *int64
	var count *int64
	var hash []byte
	err = s.Q.QueryRow(ctx, `select through, hash, removed from cut_audit(make_interval(secs => $1), $2)`, keep.Seconds(), most).Scan(&through, &hash, &count)
	if err != nil {
		return 0, fmt.Errorf("cut the audit log: %w", translate(err))
	}
	if through == nil || count == nil {
		return 0, nil
	}
	var last audit.Hash
	copy(last[:], hash)
	return *count, Note(ctx, s.Q, audit.Change{Action: audit.AuditCut, After: audit.Cut(*through, last, *count)})
}
