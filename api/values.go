package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListSecrets implements the contract.
func (s *server) ListSecrets(ctx context.Context, req oas.ListSecretsRequestObject) (oas.ListSecretsResponseObject, error) {
	after, err := nameCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	where, err := projects(ctx, account.SecretRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	rows, err := postgres.Secrets{Q: s.db}.List(ctx, where, after, limit+1)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.SecretRow) *string { return encodeCursor(r.Name, r.ProjectID.String()) })
	page := oas.ListSecrets200JSONResponse{Items: make([]oas.Secret, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = secretOf(r)
	}
	return page, nil
}

// PutSecret implements the contract.
func (s *server) PutSecret(ctx context.Context, req oas.PutSecretRequestObject) (oas.PutSecretResponseObject, error) {
	who := httpx.Principal(ctx)
	project, err := projectOr(who, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	in := dispatch.Secret{Name: req.Name, Value: req.Body.Value, Description: textOr(req.Body.Description)}
	row, err := s.dispatch.PutSecret(ctx, who, project, in)
	return oas.PutSecret200JSONResponse(secretOf(row)), err
}

// DeleteSecret implements the contract.
func (s *server) DeleteSecret(ctx context.Context, req oas.DeleteSecretRequestObject) (oas.DeleteSecretResponseObject, error) {
	who := httpx.Principal(ctx)
	project, err := projectOr(who, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	return oas.DeleteSecret204Response{}, s.dispatch.DeleteSecret(ctx, who, project, req.Name)
}

// ListVariables implements the contract.
func (s *server) ListVariables(ctx context.Context, req oas.ListVariablesRequestObject) (oas.ListVariablesResponseObject, error) {
	after, err := nameCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	where, err := projects(ctx, account.VariableRead, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	rows, err := postgres.Variables{Q: s.db}.List(ctx, where, after, limit+1)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.VariableRow) *string { return encodeCursor(r.Name, r.ProjectID.String()) })
	page := oas.ListVariables200JSONResponse{Items: make([]oas.Variable, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		if page.Items[i], err = variableOf(r); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// PutVariable implements the contract.
func (s *server) PutVariable(ctx context.Context, req oas.PutVariableRequestObject) (oas.PutVariableResponseObject, error) {
	who := httpx.Principal(ctx)
	project, err := projectOr(who, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	in := dispatch.Variable{Name: req.Name, Description: textOr(req.Body.Description)}
	if in.Value, err = json.Marshal(req.Body.Value); err != nil {
		return nil, fmt.Errorf("encode a variable: %w", err)
	}
	row, err := s.dispatch.PutVariable(ctx, who, project, in)
	if err != nil {
		return nil, err
	}
	v, err := variableOf(row)
	return oas.PutVariable200JSONResponse(v), err
}

// DeleteVariable implements the contract.
func (s *server) DeleteVariable(ctx context.Context, req oas.DeleteVariableRequestObject) (oas.DeleteVariableResponseObject, error) {
	who := httpx.Principal(ctx)
	project, err := projectOr(who, req.Params.ProjectId)
	if err != nil {
		return nil, err
	}
	return oas.DeleteVariable204Response{}, s.dispatch.DeleteVariable(ctx, who, project, req.Name)
}

// nameCursor reads a cursor of a list by name; nil for the first page.
func nameCursor(cursor *string) (*postgres.PageKey, error) {
	if cursor == nil || *cursor == "" {
		return nil, nil
	}
	parts, err := decodeCursor(*cursor, 2)
	if err != nil {
		return nil, err
	}
	project, err := uuid.Parse(parts[1])
	if err != nil {
		return nil, errCursor
	}
	return &postgres.PageKey{Name: parts[0], ProjectID: project}, nil
}

func secretOf(r postgres.SecretRow) oas.Secret {
	return oas.Secret{
		ProjectId: r.ProjectID, Name: r.Name, Description: r.Description, CreatedAt: wire.At(r.CreatedAt), UpdatedAt: wire.At(r.UpdatedAt),
		UpdatedBy: r.UpdatedBy, LastUsedAt: wire.Maybe(r.UsedAt), UsedBy: usersOf(r.ValueMeta), UsedByCount: int32(r.UsedByCount), //nolint:gosec // counts workflows
	}
}

func variableOf(r postgres.VariableRow) (oas.Variable, error) {
	v := oas.Variable{
		ProjectId: r.ProjectID, Name: r.Name, Description: r.Description, CreatedAt: wire.At(r.CreatedAt), UpdatedAt: wire.At(r.UpdatedAt),
		UpdatedBy: r.UpdatedBy, UsedBy: usersOf(r.ValueMeta), UsedByCount: int32(r.UsedByCount), //nolint:gosec // counts workflows
	}
	return v, recode(r.Value, &v.Value)
}

func usersOf(r postgres.ValueMeta) []oas.ValueUser {
	users := make([]oas.ValueUser, len(r.UsedBy))
	for i, u := range r.UsedBy {
		users[i] = oas.ValueUser{Id: u.ID, Name: u.Name}
	}
	return users
}

func textOr(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
