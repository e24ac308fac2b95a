package api

import (
	"context"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListApprovals implements the contract.
func (s *server) ListApprovals(ctx context.Context, req oas.ListApprovalsRequestObject) (oas.ListApprovalsResponseObject, error) {
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	where, err := projects(ctx, account.RunRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	rows, err := postgres.Approvals{Q: s.db}.List(ctx, postgres.ApprovalFilter{
		Projects: where, RunID: req.Params.RunId, Before: before, Limit: limit + 1,
		Pending: req.Params.Pending != nil && *req.Params.Pending,
	})
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.ApprovalRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListApprovals200JSONResponse{Items: make([]oas.Approval, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = approvalOf(r)
	}
	return page, nil
}

// GetApproval implements the contract.
func (s *server) GetApproval(ctx context.Context, req oas.GetApprovalRequestObject) (oas.GetApprovalResponseObject, error) {
	row, err := postgres.Approvals{Q: s.db}.Get(ctx, httpx.Principal(ctx).Where(account.RunRead), req.Id)
	return oas.GetApproval200JSONResponse(approvalOf(row)), err
}

// DecideApproval implements the contract.
func (s *server) DecideApproval(ctx context.Context, req oas.DecideApprovalRequestObject) (oas.DecideApprovalResponseObject, error) {
	v := dispatch.Verdict{Approved: req.Body.Decision == oas.VerdictDecisionApprove}
	if req.Body.Note != nil {
		v.Note = *req.Body.Note
	}
	row, err := s.dispatch.Decide(ctx, httpx.Principal(ctx), req.Id, v)
	return oas.DecideApproval200JSONResponse(approvalOf(row)), err
}

// GetAsked implements the contract.
func (s *server) GetAsked(ctx context.Context, req oas.GetAskedRequestObject) (oas.GetAskedResponseObject, error) {
	row, err := s.dispatch.Asked(ctx, req.Token)
	return oas.GetAsked200JSONResponse(askedOf(row)), err
}

// DecideAsked implements the contract.
func (s *server) DecideAsked(ctx context.Context, req oas.DecideAskedRequestObject) (oas.DecideAskedResponseObject, error) {
	v := dispatch.Verdict{Approved: req.Body.Decision == oas.LinkVerdictDecisionApprove}
	if req.Body.Note != nil {
		v.Note = *req.Body.Note
	}
	row, err := s.dispatch.DecideAs(ctx, req.Token, req.Body.Name, v)
	return oas.DecideAsked200JSONResponse(askedOf(row)), err
}

func askedOf(r postgres.ApprovalRow) oas.Asked {
	return oas.Asked{
		WorkflowName: r.WorkflowName, Message: r.Message, State: oas.ApprovalState(r.State), ExpiresAt: wire.Maybe(r.ExpiresAt),
		DecidedAt: wire.Maybe(r.DecidedAt), DecidedBy: r.DecidedBy, Note: r.Note, CreatedAt: wire.At(r.CreatedAt),
	}
}

func approvalOf(r postgres.ApprovalRow) oas.Approval {
	return oas.Approval{
		Id: r.ID, ProjectId: r.ProjectID, WorkflowId: r.WorkflowID, WorkflowName: r.WorkflowName, RunId: r.RunID, Step: r.Step,
		Message: r.Message, State: oas.ApprovalState(r.State), ExpiresAt: wire.Maybe(r.ExpiresAt), DecidedAt: wire.Maybe(r.DecidedAt),
		DecidedBy: r.DecidedBy, Note: r.Note, CreatedAt: wire.At(r.CreatedAt),
	}
}
