package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// ListUsers implements the contract.
func (s *server) ListUsers(ctx context.Context, req oas.ListUsersRequestObject) (oas.ListUsersResponseObject, error) {
	before, err := idCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	rows, err := postgres.Users{Q: s.db}.People(ctx, postgres.PersonFilter{Search: textOr(req.Params.Q), Before: before, Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.PersonRow) *string { return encodeCursor(r.ID.String()) })
	page := oas.ListUsers200JSONResponse{Items: make([]oas.Person, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = s.personOf(r)
	}
	return page, nil
}

// DisableUser implements the contract.
func (s *server) DisableUser(ctx context.Context, req oas.DisableUserRequestObject) (oas.DisableUserResponseObject, error) {
	p, err := s.changePerson(ctx, audit.AccountDisable, req.User, postgres.Users.Disable)
	return oas.DisableUser200JSONResponse(p), err
}

// EnableUser implements the contract.
func (s *server) EnableUser(ctx context.Context, req oas.EnableUserRequestObject) (oas.EnableUserResponseObject, error) {
	p, err := s.changePerson(ctx, audit.AccountEnable, req.User, postgres.Users.Enable)
	return oas.EnableUser200JSONResponse(p), err
}

// AppointUser implements the contract.
func (s *server) AppointUser(ctx context.Context, req oas.AppointUserRequestObject) (oas.AppointUserResponseObject, error) {
	role := account.Role(req.Body.Role)
	p, err := s.changePerson(ctx, audit.AccountRole, req.User, func(users postgres.Users, ctx context.Context, id uuid.UUID) error {
		return users.Appoint(ctx, id, role)
	})
	return oas.AppointUser200JSONResponse(p), err
}

// EndUserSessions implements the contract.
func (s *server) EndUserSessions(ctx context.Context, req oas.EndUserSessionsRequestObject) (oas.EndUserSessionsResponseObject, error) {
	_, err := s.changePerson(ctx, audit.SessionEndAll, req.User, func(users postgres.Users, ctx context.Context, id uuid.UUID) error {
		return users.EndSessions(ctx, id, "ended by an administrator")
	})
	return oas.EndUserSessions204Response{}, err
}

// MakeResetLink implements the contract.
func (s *server) MakeResetLink(ctx context.Context, req oas.MakeResetLinkRequestObject) (oas.MakeResetLinkResponseObject, error) {
	token, hash, err := auth.NewToken()
	if err != nil {
		return nil, err
	}
	var expires time.Time
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		if expires, err = (postgres.Resets{Q: q}).Put(ctx, req.User, hash, resetLife); err != nil {
			return err
		}
		row, err := postgres.Users{Q: q}.Person(ctx, req.User)
		if err != nil {
			return err
		}
		after := audit.Data{"expires_at": wire.At(expires)}
		return postgres.Note(ctx, q, audit.Change{Action: audit.AccountResetLink, Object: audit.Of(row.ID, row.Username), After: after})
	})
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "link for another password made", "user", req.User, "by", httpx.Principal(ctx).User.ID)
	return oas.MakeResetLink201JSONResponse{Url: s.publicURL(ctx) + resetPage + token, ExpiresAt: wire.At(expires)}, nil
}

// changePerson changes an account, lets that take effect at once, and answers the account as it is then.
func (s *server) changePerson(ctx context.Context, action audit.Action, id uuid.UUID, change func(postgres.Users, context.Context, uuid.UUID) error) (oas.Person, error) {
	var row postgres.PersonRow
	err := s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		users := postgres.Users{Q: q}
		before, err := users.Person(ctx, id)
		if err != nil {
			return err
		}
		if err := change(users, ctx, id); err != nil {
			return err
		}
		if row, err = users.Person(ctx, id); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: action, Object: audit.Of(id, row.Username), Before: personData(before), After: personData(row),
		})
	})
	if err != nil {
		return oas.Person{}, err
	}
	s.changed(ctx, id)
	s.log.InfoContext(ctx, "account changed", "user", id, "action", action, "by", httpx.Principal(ctx).User.ID)
	return s.personOf(row), nil
}

func personData(r postgres.PersonRow) audit.Data {
	return audit.Data{"role": r.Role, "disabled": r.DisabledAt != nil, "sessions": r.Sessions}
}

func (s *server) personOf(r postgres.PersonRow) oas.Person {
	services := make([]string, len(r.Issuers))
	for i, issuer := range r.Issuers {
		services[i] = issuer
		if p := s.providers.ByIssuer(issuer); p != nil {
			services[i] = p.Name
		}
	}
	return oas.Person{
		Password: r.Password, Services: services,
		Id: r.ID, Email: r.Email, Username: r.Username, Role: oas.PersonRole(r.Role), CreatedAt: wire.At(r.CreatedAt), DisabledAt: wire.Maybe(r.DisabledAt),
		SeenAt: wire.Maybe(r.SeenAt), Sessions: int32(r.Sessions), Projects: int32(r.Projects), //nolint:gosec // counts
	}
}
