package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListAudit implements the contract.
func (s *server) ListAudit(ctx context.Context, req oas.ListAuditRequestObject) (oas.ListAuditResponseObject, error) {
	p := req.Params
	f := auditFilter(p.ProjectId, p.Actor, p.Action, p.Object, p.From, p.To)
	page, err := s.auditPage(ctx, f, p.Cursor, p.Limit)
	return oas.ListAudit200JSONResponse(page), err
}

// ListProjectAudit implements the contract.
func (s *server) ListProjectAudit(ctx context.Context, req oas.ListProjectAuditRequestObject) (oas.ListProjectAuditResponseObject, error) {
	if err := httpx.Principal(ctx).May(account.AuditRead, req.Id); err != nil {
		return nil, err
	}
	p := req.Params
	f := auditFilter(&req.Id, p.Actor, p.Action, p.Object, p.From, p.To)
	page, err := s.auditPage(ctx, f, p.Cursor, p.Limit)
	return oas.ListProjectAudit200JSONResponse(page), err
}

func auditFilter(project, actor *uuid.UUID, action, object *string, from, to *wire.Instant) postgres.AuditFilter {
	return postgres.AuditFilter{
		Project: project, Actor: actor, Action: textOr(action), Object: textOr(object), From: from.Pointer(), To: to.Pointer(),
	}
}

func (s *server) auditPage(ctx context.Context, f postgres.AuditFilter, cursor *string, asked *int32) (oas.AuditPage, error) {
	before, err := entryCursor(cursor)
	if err != nil {
		return oas.AuditPage{}, err
	}
	limit := limitOf(asked)
	f.Before, f.Limit = before, limit+1
	rows, err := postgres.Audit{Q: s.db}.List(ctx, f)
	if err != nil {
		return oas.AuditPage{}, err
	}
	rows, nextCursor := next(rows, limit, func(e audit.Entry) *string { return encodeCursor(strconv.FormatInt(e.Number, 10)) })
	names, err := s.projectNames(ctx, rows)
	if err != nil {
		return oas.AuditPage{}, err
	}
	page := oas.AuditPage{Items: make([]oas.AuditEntry, len(rows)), NextCursor: nextCursor}
	for i, e := range rows {
		if page.Items[i], err = entryOf(e, names); err != nil {
			return page, err
		}
	}
	return page, nil
}

// entryCursor reads a cursor of the audit log; 0 for the first page.
func entryCursor(cursor *string) (int64, error) {
	if cursor == nil || *cursor == "" {
		return 0, nil
	}
	parts, err := decodeCursor(*cursor, 1)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || n < 1 {
		return 0, errCursor
	}
	return n, nil
}

// projectNames are those of the projects that entries are about, as they are called now.
func (s *server) projectNames(ctx context.Context, entries []audit.Entry) (map[uuid.UUID]string, error) {
	var ids []uuid.UUID
	seen := map[uuid.UUID]bool{uuid.Nil: true}
	for _, e := range entries {
		if !seen[e.Project] {
			ids, seen[e.Project] = append(ids, e.Project), true
		}
	}
	return postgres.Projects{Q: s.db}.Names(ctx, ids)
}

func entryOf(e audit.Entry, projects map[uuid.UUID]string) (oas.AuditEntry, error) {
	out := oas.AuditEntry{
		Number: e.Number, At: wire.At(e.At), Address: e.Address, RequestId: e.RequestID, Action: string(e.Action), ProjectId: maybe(e.Project),
		Actor: oas.AuditActor{
			Kind: oas.AuditActorKind(e.Actor.Kind), Id: maybe(e.Actor.ID), Name: e.Actor.Name, SessionId: maybe(e.Actor.Session), TokenId: maybe(e.Actor.Token),
		},
		Object:   oas.AuditObject{Kind: e.Action.Kind(), Id: e.Object.ID, Name: e.Object.Name},
		Previous: e.Previous.String(), Hash: e.Hash.String(), Sealed: len(e.Seal) > 0,
	}
	if name, ok := projects[e.Project]; ok {
		out.ProjectName = &name
	}
	for _, part := range []struct {
		raw  json.RawMessage
		into **map[string]any
	}{{e.Before, &out.Before}, {e.After, &out.After}} {
		if len(part.raw) == 0 {
			continue
		}
		object := map[string]any{}
		if err := httpx.DecodeJSON(part.raw, &object); err != nil {
			return out, fmt.Errorf("read entry %d: %w", e.Number, err)
		}
		*part.into = &object
	}
	return out, nil
}

func maybe(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// ExportAudit implements the contract.
func (s *server) ExportAudit(ctx context.Context, req oas.ExportAuditRequestObject) (oas.ExportAuditResponseObject, error) {
	p := req.Params
	f := auditFilter(p.ProjectId, p.Actor, p.Action, p.Object, p.From, p.To)
	return s.export(ctx, f, (*string)(p.Format)), nil
}

// ExportProjectAudit implements the contract.
func (s *server) ExportProjectAudit(ctx context.Context, req oas.ExportProjectAuditRequestObject) (oas.ExportProjectAuditResponseObject, error) {
	if err := httpx.Principal(ctx).May(account.AuditRead, req.Id); err != nil {
		return nil, err
	}
	p := req.Params
	f := auditFilter(&req.Id, p.Actor, p.Action, p.Object, p.From, p.To)
	return s.export(ctx, f, (*string)(p.Format)), nil
}

func (s *server) export(ctx context.Context, f postgres.AuditFilter, format *string) export {
	e := export{server: s, ctx: ctx, filter: f, format: audit.JSONLines}
	if format != nil {
		e.format = audit.Format(*format)
	}
	return e
}

// export is an answer that is written while it is read from the database.
type export struct {
	server *server
	ctx    context.Context //nolint:containedctx // the generated interface hands the answer no context
	filter postgres.AuditFilter
	format audit.Format
}

// VisitExportAuditResponse implements the generated interface.
func (e export) VisitExportAuditResponse(w http.ResponseWriter) error {
	kind, name := "application/x-ndjson", "audit.jsonl"
	if e.format == audit.CSV {
		kind, name = "text/csv; charset=utf-8", "audit.csv"
	}
	// It is noted before it leaves: who took it must be known also when the line breaks.
	if err := e.note(); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if _, err := e.server.db.ExportAudit(e.ctx, w, e.format, e.filter); err != nil {
		hangUp(w)
		return fmt.Errorf("export the audit log: %w", err)
	}
	return nil
}

// VisitExportProjectAuditResponse implements the generated interface.
func (e export) VisitExportProjectAuditResponse(w http.ResponseWriter) error {
	return e.VisitExportAuditResponse(w)
}

// note notes the export, in the project whose part it is.
func (e export) note() error {
	c := audit.Exported(e.format, e.filter.Said())
	if e.filter.Project != nil {
		c.Project = *e.filter.Project
	}
	return e.server.db.InTx(e.ctx, func(q postgres.Querier) error { return postgres.Note(e.ctx, q, c) })
}

// hangUp lets the client see that an answer which has begun is not whole.
func hangUp(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)) // where it cannot, the log has the error
}

// VerifyAudit implements the contract.
func (s *server) VerifyAudit(ctx context.Context, _ oas.VerifyAuditRequestObject) (oas.VerifyAuditResponseObject, error) {
	return verification{server: s, ctx: ctx}, nil
}

// verification is an answer that says how far it is.
type verification struct {
	server *server
	ctx    context.Context //nolint:containedctx // the generated interface hands the answer no context
}

// VisitVerifyAuditResponse implements the generated interface.
func (v verification) VisitVerifyAuditResponse(w http.ResponseWriter) error {
	if !v.server.verifying.TryLock() {
		return fault.New(fault.Conflict, "verification_running", "The audit log is just being verified; ask again when that is done")
	}
	defer v.server.verifying.Unlock()
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	tell := func(checked, of int64) {
		_ = lines.Encode(map[string]int64{"checked": checked, "of": of}) // whoever has left is not told
		_ = http.NewResponseController(w).Flush()
	}
	report, err := v.server.db.Verify(v.ctx, v.server.keys, nil, tell)
	if err != nil {
		hangUp(w)
		return fmt.Errorf("verify the audit log: %w", err)
	}
	err = v.server.db.InTx(v.ctx, func(q postgres.Querier) error { return postgres.Note(v.ctx, q, audit.Verified(report)) })
	if err != nil {
		hangUp(w)
		return fmt.Errorf("note a verification: %w", err)
	}
	if !report.OK {
		v.server.log.ErrorContext(v.ctx, "the audit log is broken", "entry", report.Broken.Number, "problem", report.Broken.Problem)
	}
	if err := lines.Encode(report); err != nil {
		return fmt.Errorf("answer a verification: %w", err)
	}
	return nil
}
