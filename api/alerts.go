package api

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListAlerts implements the contract.
func (s *server) ListAlerts(ctx context.Context, req oas.ListAlertsRequestObject) (oas.ListAlertsResponseObject, error) {
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	where, err := projects(ctx, account.AlertRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	filter := postgres.AlertFilter{
		Projects: where, Workflow: req.Params.WorkflowId, Rule: req.Params.RuleId, Before: before, Limit: limit + 1,
	}
	if req.Params.Kind != nil {
		filter.Kind = string(*req.Params.Kind)
	}
	if req.Params.State != nil {
		filter.State = string(*req.Params.State)
	}
	rows, err := postgres.Alerts{Q: s.db}.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.AlertRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListAlerts200JSONResponse{Items: make([]oas.Alert, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = alertOf(r)
	}
	return page, nil
}

// GetAlert implements the contract.
func (s *server) GetAlert(ctx context.Context, req oas.GetAlertRequestObject) (oas.GetAlertResponseObject, error) {
	a, err := s.oneAlert(ctx, req.Id)
	return oas.GetAlert200JSONResponse(a), err
}

// RetryAlert implements the contract.
func (s *server) RetryAlert(ctx context.Context, req oas.RetryAlertRequestObject) (oas.RetryAlertResponseObject, error) {
	if err := s.dispatch.RetryAlert(ctx, httpx.Principal(ctx), req.Id); err != nil {
		return nil, err
	}
	a, err := s.oneAlert(ctx, req.Id)
	return oas.RetryAlert200JSONResponse(a), err
}

func (s *server) oneAlert(ctx context.Context, id uuid.UUID) (oas.Alert, error) {
	row, err := postgres.Alerts{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.AlertRead), id)
	return alertOf(row), err
}

// GetMute implements the contract.
func (s *server) GetMute(ctx context.Context, req oas.GetMuteRequestObject) (oas.GetMuteResponseObject, error) {
	if _, err := (postgres.Workflows{Q: s.db}).Get(ctx, httpx.Principal(ctx).Where(account.AlertRead), req.Id); err != nil {
		return nil, err
	}
	row, err := postgres.AlertRules{Q: s.db}.Muted(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	return oas.GetMute200JSONResponse(muteOf(row)), nil
}

// MuteWorkflow implements the contract.
func (s *server) MuteWorkflow(ctx context.Context, req oas.MuteWorkflowRequestObject) (oas.MuteWorkflowResponseObject, error) {
	d, err := durationOf("/for", &req.Body.For)
	if err != nil {
		return nil, err
	}
	row, err := s.dispatch.Mute(ctx, httpx.Principal(ctx), req.Id, *d)
	return oas.MuteWorkflow200JSONResponse(muteOf(&row)), err
}

// UnmuteWorkflow implements the contract.
func (s *server) UnmuteWorkflow(ctx context.Context, req oas.UnmuteWorkflowRequestObject) (oas.UnmuteWorkflowResponseObject, error) {
	return oas.UnmuteWorkflow204Response{}, s.dispatch.Unmute(ctx, httpx.Principal(ctx), req.Id)
}

func muteOf(r *postgres.MuteRow) oas.Mute {
	if r == nil {
		return oas.Mute{}
	}
	until := wire.At(r.Until)
	return oas.Mute{Until: &until, By: &r.By}
}

func alertOf(r postgres.AlertRow) oas.Alert {
	said := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	a := oas.Alert{
		Id: r.ID, ProjectId: r.ProjectID, RuleId: r.RuleID, Rule: said(r.Facts.Rule), WorkflowId: r.WorkflowID, WorkflowName: r.WorkflowName, RunId: r.RunID,
		Kind: oas.AlertKind(r.Kind), OfKind: said(string(r.Facts.Of)), Title: r.Title, Text: r.Text, Step: said(r.Facts.Step),
		Error: said(cmp.Or(r.Facts.Error, r.Facts.Reason)), Count: int32(r.Facts.Count), Since: wire.At(r.Facts.Since), //nolint:gosec // counts causes
		State: oas.AlertState(r.State), ReleaseAt: wire.Maybe(r.ReleaseAt), DigestId: r.DigestID, CreatedAt: wire.At(r.CreatedAt),
		Deliveries: make([]oas.AlertDelivery, len(r.Deliveries)),
	}
	for i, d := range r.Deliveries {
		a.Deliveries[i] = deliveryOfAlert(d)
	}
	return a
}

func deliveryOfAlert(d postgres.AlertDelivery) oas.AlertDelivery {
	out := oas.AlertDelivery{
		ChannelId: d.ChannelID, ChannelName: d.ChannelName, State: oas.AlertDeliveryState(d.State), Attempts: int32(d.Attempts), //nolint:gosec // counts attempts
		SentAt: wire.Maybe(d.SentAt), Tries: make([]oas.DeliveryTry, len(d.Tries)),
	}
	if d.State == postgres.DeliveryWaiting {
		due := wire.At(d.DueAt)
		out.DueAt = &due
	}
	for i, t := range d.Tries {
		out.Tries[i] = oas.DeliveryTry{At: wire.At(t.At), Class: t.Class, Error: t.Error}
	}
	return out
}
