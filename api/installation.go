package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListAllProjects implements the contract.
func (s *server) ListAllProjects(ctx context.Context, req oas.ListAllProjectsRequestObject) (oas.ListAllProjectsResponseObject, error) {
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	rows, err := postgres.Projects{Q: s.db}.All(ctx, postgres.ProjectFilter{Search: textOr(req.Params.Q), Before: before, Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.InstallationProject) *string { return encodeCursor(r.ID.String()) })
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	quotas, err := s.quotas(ctx, ids)
	if err != nil {
		return nil, err
	}
	page := oas.ListAllProjects200JSONResponse{Items: make([]oas.InstallationProject, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = oas.InstallationProject{
			Id: r.ID, Name: r.Name, Owners: r.Owners, Members: int32(r.Members), //nolint:gosec // MaxMembers
			CreatedAt: wire.At(r.CreatedAt), EgressAllow: r.EgressAllow, Quota: quotas[r.ID],
		}
	}
	return page, nil
}
