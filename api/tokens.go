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
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
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
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		var made bool
		if row, made, err = (postgres.APITokens{Q: q}).Create(ctx, who.User.ID, row, hash, time.Duration(days)*day); err != nil {
			return err
		}
		if !made {
			return fault.New(fault.Conflict, "too_many_tokens", "You have %d API tokens; revoke one first", postgres.MaxAPITokens)
		}
		return noteToken(ctx, q, audit.TokenCreate, row)
	})
	if err != nil {
		return nil, err
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
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.APITokens{Q: q}.Revoke(ctx, httpx.Principal(ctx).User.ID, req.Id)
		if err != nil {
			return err
		}
		return noteToken(ctx, q, audit.TokenRevoke, row)
	})
	if err != nil {
		return nil, err
	}
	s.callers.forgetToken(req.Id)
	return oas.RevokeToken204Response{}, nil
}

// noteToken notes that a token was made or revoked. A token is its user's, not a project's, also when it sees a single one.
func noteToken(ctx context.Context, q postgres.Querier, action audit.Action, row postgres.APITokenRow) error {
	c := audit.Change{Action: action, Object: audit.Of(row.ID, row.Name)}
	data := audit.Data{"scopes": row.Scopes, "project_id": row.ProjectID, "expires_at": wire.At(row.ExpiresAt)}
	if action == audit.TokenCreate {
		c.After = data
	} else {
		c.Before = data
	}
	return postgres.Note(ctx, q, c)
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
