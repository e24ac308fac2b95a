package api

import (
	"context"
	"strconv"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListChildren implements the contract.
func (s *server) ListChildren(ctx context.Context, req oas.ListChildrenRequestObject) (oas.ListChildrenResponseObject, error) {
	projects := httpx.Principal(ctx).Where(account.RunRead)
	if _, err := (postgres.Runs{Q: s.db}).Get(ctx, projects, req.Id); err != nil {
		return nil, err
	}
	after, err := childCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	step := ""
	if req.Params.Step != nil {
		step = *req.Params.Step
	}
	limit := limitOf(req.Params.Limit)
	rows, err := postgres.Children{Q: s.db}.List(ctx, projects, req.Id, step, after, limit+1)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.ListedChild) *string {
		return encodeCursor(r.Step, strconv.Itoa(r.ChildPlace.Attempt), strconv.Itoa(r.Item))
	})
	page := oas.ListChildren200JSONResponse{Items: make([]oas.Child, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = oas.Child{Step: r.Step, Item: int32(r.Item), Run: summary(r.RunRow)} //nolint:gosec // workflow.MaxItems at most
	}
	return page, nil
}

// childCursor reads a place in the list of a run's children; the beginning for the first page.
func childCursor(cursor *string) (postgres.ChildPlace, error) {
	if cursor == nil || *cursor == "" {
		return postgres.ChildPlace{Attempt: -1}, nil
	}
	parts, err := decodeCursor(*cursor, 3)
	if err != nil {
		return postgres.ChildPlace{}, err
	}
	attempt, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		return postgres.ChildPlace{}, errCursor
	}
	item, err := strconv.ParseInt(parts[2], 10, 32)
	if err != nil {
		return postgres.ChildPlace{}, errCursor
	}
	return postgres.ChildPlace{Step: parts[0], Attempt: int(attempt), Item: int(item)}, nil
}
