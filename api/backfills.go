package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// shownFires is how many fires the preview of a backfill lists.
const shownFires = 100

// PreviewBackfill implements the contract.
func (s *server) PreviewBackfill(ctx context.Context, req oas.PreviewBackfillRequestObject) (oas.PreviewBackfillResponseObject, error) {
	request, err := backfillIn(*req.Body)
	if err != nil {
		return nil, err
	}
	p, err := s.dispatch.PlanBackfill(ctx, httpx.Principal(ctx), req.Id, req.Trigger, request)
	if err != nil {
		return nil, err
	}
	out := oas.PreviewBackfill200JSONResponse{
		Total: int32(len(p.Fires)), Excluded: int32(p.Excluded), Fires: []oas.Fire{}, //nolint:gosec // bounded
	}
	for _, at := range p.Fires[:min(len(p.Fires), shownFires)] {
		out.Fires = append(out.Fires, fireOf(p.Schedule.Show(at)))
	}
	return out, nil
}

// StartBackfill implements the contract.
func (s *server) StartBackfill(ctx context.Context, req oas.StartBackfillRequestObject) (oas.StartBackfillResponseObject, error) {
	request, err := backfillIn(*req.Body)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.StartBackfill(ctx, httpx.Principal(ctx), req.Id, req.Trigger, request, keyOf(req.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	location := httpx.Prefix + "/backfills/" + row.ID.String()
	return oas.StartBackfill201JSONResponse{Body: backfillOf(row), Headers: oas.StartBackfill201ResponseHeaders{Location: &location}}, nil
}

// ListBackfills implements the contract.
func (s *server) ListBackfills(ctx context.Context, req oas.ListBackfillsRequestObject) (oas.ListBackfillsResponseObject, error) {
	trigger, err := s.trigger(ctx, account.RunRead, req.Id, req.Trigger)
	if err != nil {
		return nil, err
	}
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	rows, err := postgres.Backfills{Q: s.db}.List(ctx, trigger.ID, before, limit+1)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.BackfillRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListBackfills200JSONResponse{Items: make([]oas.Backfill, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = backfillOf(r)
	}
	return page, nil
}

// trigger finds a trigger of a workflow that the caller may do something with.
func (s *server) trigger(ctx context.Context, permission account.Permission, workflow uuid.UUID, key string) (postgres.TriggerRow, error) {
	heads, err := postgres.Workflows{Q: s.db}.Heads(ctx, []uuid.UUID{workflow})
	if err != nil {
		return postgres.TriggerRow{}, err
	}
	head, ok := heads[workflow]
	if !ok {
		return postgres.TriggerRow{}, postgres.ErrNotFound
	}
	if err := httpx.Principal(ctx).May(permission, head.ProjectID); err != nil {
		return postgres.TriggerRow{}, err
	}
	return postgres.Triggers{Q: s.db}.Find(ctx, workflow, key)
}

// GetBackfill implements the contract.
func (s *server) GetBackfill(ctx context.Context, req oas.GetBackfillRequestObject) (oas.GetBackfillResponseObject, error) {
	row, err := postgres.Backfills{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.RunRead), req.Id)
	return oas.GetBackfill200JSONResponse{OneBackfillJSONResponse: oas.OneBackfillJSONResponse(backfillOf(row))}, err
}

// PauseBackfill implements the contract.
func (s *server) PauseBackfill(ctx context.Context, req oas.PauseBackfillRequestObject) (oas.PauseBackfillResponseObject, error) {
	row, err := s.dispatch.PauseBackfill(ctx, httpx.Principal(ctx), req.Id)
	return oas.PauseBackfill200JSONResponse{OneBackfillJSONResponse: oas.OneBackfillJSONResponse(backfillOf(row))}, err
}

// ResumeBackfill implements the contract.
func (s *server) ResumeBackfill(ctx context.Context, req oas.ResumeBackfillRequestObject) (oas.ResumeBackfillResponseObject, error) {
	row, err := s.dispatch.ResumeBackfill(ctx, httpx.Principal(ctx), req.Id)
	return oas.ResumeBackfill200JSONResponse{OneBackfillJSONResponse: oas.OneBackfillJSONResponse(backfillOf(row))}, err
}

// CancelBackfill implements the contract.
func (s *server) CancelBackfill(ctx context.Context, req oas.CancelBackfillRequestObject) (oas.CancelBackfillResponseObject, error) {
	row, err := s.dispatch.CancelBackfill(ctx, httpx.Principal(ctx), req.Id)
	return oas.CancelBackfill200JSONResponse{OneBackfillJSONResponse: oas.OneBackfillJSONResponse(backfillOf(row))}, err
}

// backfillIn fills in what the request leaves out.
func backfillIn(b oas.BackfillInput) (dispatch.BackfillRequest, error) {
	r := dispatch.BackfillRequest{
		From: b.From.UTC(), To: b.To.UTC(), Overlap: schedule.OverlapQueueAll, Concurrency: 1, Limit: dispatch.DefaultBackfill,
	}
	if r.From.Year() < 1970 || r.From.Year() > 2200 {
		return r, fault.At("/from", "range", "the year must be from 1970 to 2200")
	}
	if b.Limit != nil {
		r.Limit = int(*b.Limit)
	}
	if b.Overlap != nil {
		r.Overlap = schedule.Overlap(*b.Overlap)
	}
	switch {
	case r.Overlap == schedule.OverlapAllow && b.Concurrency == nil:
		r.Concurrency = dispatch.DefaultBackfillRuns
	case r.Overlap == schedule.OverlapAllow:
		r.Concurrency = int(*b.Concurrency)
	case b.Concurrency != nil && *b.Concurrency != 1:
		return r, fault.At("/concurrency", "exclusive", "one run after the other is one at a time: leave concurrency out, or use overlap allow")
	}
	return r, nil
}

func backfillOf(r postgres.BackfillRow) oas.Backfill {
	ended := r.Succeeded + r.Failed + r.Cancelled
	n := func(i int) int32 { return int32(i) } //nolint:gosec // at most 10,000 fires
	b := oas.Backfill{
		Id: r.ID, ProjectId: r.ProjectID, WorkflowId: r.WorkflowID, TriggerId: r.TriggerKey, Version: n(r.Version),
		From: wire.At(r.From), To: wire.At(r.To), Overlap: oas.BackfillOverlap(r.Overlap), Concurrency: n(r.Concurrency),
		State: oas.BackfillState(r.State), Reason: r.Reason, CreatedAt: wire.At(r.CreatedAt), EndedAt: wire.Maybe(r.EndedAt),
		Total: n(r.Total), Done: n(ended), Waiting: n(r.Total - ended - r.Started), Running: n(r.Started),
		Succeeded: n(r.Succeeded), Failed: n(r.Failed), Cancelled: n(r.Cancelled),
	}
	if r.CreatedBy != nil {
		b.CreatedBy = *r.CreatedBy
	}
	return b
}
