package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const (
	day               = 24 * time.Hour
	defaultExpiryDays = 90
)

// ListTokens implements the contract.
func (s *server) ListTokens(ctx context.Context, _ oas.ListTokensRequestObject) (oas.ListTokensResponseObject, error) {
	rows, err := postgres.APITokens{Q: s.db}.List(ctx, httpx.Principal(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	list := oas.ListTokens200JSONResponse{Items: make([]oas.APIToken, len(rows))}
	for i, r := range rows {
		list.Items[i] = apiTokenOf(r)
	}
	return list, nil
}

// CreateToken implements the contract.
func (s *server) CreateToken(ctx context.Context, req oas.CreateTokenRequestObject) (oas.CreateTokenResponseObject, error) {
	who := httpx.Principal(ctx)
	row := postgres.APITokenRow{Name: strings.TrimSpace(req.Body.Name), ProjectID: req.Body.ProjectId}
	for _, scope := range req.Body.Scopes {
		row.Scopes = append(row.Scopes, account.Permission(scope))
	}
	if err := mayHold(who, row); err != nil {
		return nil, err
	}
	days := defaultExpiryDays
	if req.Body.ExpiresInDays != nil {
		days = *req.Body.ExpiresInDays
	}
	var err error
	if row.ID, err = uuid.NewV7(); err != nil {
		return nil, fmt.Errorf("make an id: %w", err)
	}
	token, hash, hint := auth.NewAPIToken()
	row.Hint = hint
	row, made, err := postgres.APITokens{Q: s.db}.Create(ctx, who.User.ID, row, hash, time.Duration(days)*day)
	if err != nil {
		return nil, err
	}
	if !made {
		return nil, fault.New(fault.Conflict, "too_many_tokens", "You have %d API tokens; revoke one first", postgres.MaxAPITokens)
	}
	s.log.InfoContext(ctx, "API token made", "user", who.User.ID, "token", row.ID)
	return oas.CreateToken201JSONResponse{Token: token, ApiToken: apiTokenOf(row)}, nil
}

// mayHold refuses a token that could never do what it is for.
func mayHold(who account.Principal, t postgres.APITokenRow) error {
	if t.ProjectID != nil && who.In(*t.ProjectID) == "" {
		return fault.At("/project_id", "unknown_project", "you are in no such project")
	}
	if slices.Contains(t.Scopes, account.Administer) && who.User.Role != account.Administrator {
		return fault.At("/scopes", "administrators_only", "the scope administrator is for administrators")
	}
	return nil
}

// RevokeToken implements the contract.
func (s *server) RevokeToken(ctx context.Context, req oas.RevokeTokenRequestObject) (oas.RevokeTokenResponseObject, error) {
	if err := (postgres.APITokens{Q: s.db}).Revoke(ctx, httpx.Principal(ctx).User.ID, req.Id); err != nil {
		return nil, err
	}
	s.callers.forgetToken(req.Id)
	return oas.RevokeToken204Response{}, nil
}

func apiTokenOf(r postgres.APITokenRow) oas.APIToken {
	t := oas.APIToken{
		Id: r.ID, Name: r.Name, Hint: r.Hint, ProjectId: r.ProjectID, CreatedAt: wire.At(r.CreatedAt), ExpiresAt: wire.At(r.ExpiresAt),
		UsedAt: wire.Maybe(r.UsedAt), Scopes: make([]oas.Scope, len(r.Scopes)),
	}
	for i, scope := range r.Scopes {
		t.Scopes[i] = oas.Scope(scope)
	}
	return t
}
