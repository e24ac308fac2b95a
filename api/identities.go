package api

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/sso"
)

var (
	errDisabled   = fault.New(fault.Forbidden, "account_disabled", "Your account is disabled; ask an administrator")
	errUnverified = fault.New(fault.Forbidden, "sso_unverified", "The other service does not say that your e-mail address is yours; have it verified there first")
	errLinkFirst  = fault.New(fault.Conflict, "sso_email_taken",
		"Your e-mail address has an account here already; log in with its password, and link the other one in the settings")
)

// finishLogin logs somebody in by what a service says, with an account that they have or get by it.
func (s *server) finishLogin(ctx context.Context, a postgres.Attempt, req oas.FinishSSORequestObject) (*granted, error) {
	who, err := s.identify(ctx, a, req)
	if err != nil {
		return nil, err
	}
	var user uuid.UUID
	var changed bool
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		user, changed, err = s.enter(ctx, q, who, a.Invitation)
		return err
	})
	if err != nil {
		return nil, err
	}
	if changed {
		s.changed(ctx, user)
	}
	p, err := postgres.Users{Q: s.db}.ByID(ctx, user)
	if err != nil {
		return nil, err
	}
	g, err := s.logIn(ctx, p.User, who.Issuer)
	if err != nil {
		return nil, err
	}
	return &g, nil
}

// enter finds the account of an identity, or makes one. It needs a transaction. changed tells that the account has got into a
// project by the invitation.
func (s *server) enter(ctx context.Context, q postgres.Querier, who sso.Identity, invitation []byte) (user uuid.UUID, changed bool, err error) {
	identities := postgres.Identities{Q: q}
	user, disabled, err := identities.Use(ctx, who.Issuer, who.Subject, who.Email)
	var name string
	if fault.Is(err, fault.NotFound) {
		if err := s.mayEnroll(ctx, q, who, invitation); err != nil {
			return user, false, err
		}
		if name, err = (postgres.Users{Q: q}).FreeUsername(ctx, usernameOf(who)); err != nil {
			return user, false, err
		}
		// Nobody else registers from here on; perhaps they have just come back in another tab.
		user, disabled, err = identities.Use(ctx, who.Issuer, who.Subject, who.Email)
	}
	switch {
	case fault.Is(err, fault.NotFound):
		user, err = s.enrollBy(ctx, q, who, name, invitation)
		return user, false, err
	case err != nil:
		return user, false, err
	case disabled:
		return user, false, errDisabled
	}
	changed, err = joinBy(ctx, q, user, invitation)
	return user, changed, err
}

// mayEnroll refuses those who get no account by what a service says. That an address has one already is told to those only
// of whom the service says that it is theirs.
func (s *server) mayEnroll(ctx context.Context, q postgres.Querier, who sso.Identity, invitation []byte) error {
	if who.Verified {
		taken, err := postgres.Users{Q: q}.HasEmail(ctx, who.Email)
		if err != nil {
			return err
		}
		if taken {
			return errLinkFirst
		}
	}
	if err := s.mayRegister(ctx, invitation); err != nil {
		return err
	}
	if !who.Verified || who.Email == "" {
		return errUnverified
	}
	return nil
}

// enrollBy makes an account without a password.
func (s *server) enrollBy(ctx context.Context, q postgres.Querier, who sso.Identity, name string, invitation []byte) (user uuid.UUID, err error) {
	u := account.User{Email: who.Email, Username: name, Role: account.Member}
	if u, err = s.enroll(ctx, q, u, "", invitation); err != nil {
		if f, ok := fault.Of(err); ok && f.Code == "email_taken" {
			return user, errLinkFirst // somebody was quicker
		}
		return user, err
	}
	return u.ID, s.link(asUser(ctx, u.ID, u.Username, uuid.Nil), q, u, who, true)
}

// link stores an identity of somebody. It needs a transaction.
func (s *server) link(ctx context.Context, q postgres.Querier, u account.User, who sso.Identity, used bool) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err //nolint:wrapcheck // only the random source can fail
	}
	n := postgres.NewIdentity{ID: id, UserID: u.ID, Issuer: who.Issuer, Subject: who.Subject, Email: who.Email, Used: used}
	if err := (postgres.Identities{Q: q}).Insert(ctx, n); err != nil {
		return err
	}
	after := audit.Data{"service": who.Issuer, "email": who.Email}
	if err := postgres.Note(ctx, q, audit.Change{Action: audit.IdentityLink, Object: audit.Of(id, u.Username), After: after}); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "identity linked", "user", u.ID, "issuer", who.Issuer)
	return nil
}

// joinBy lets somebody who has an account accept the invitation that they came with. One to the installation, or to a project
// in which they are, has nothing to give them.
func joinBy(ctx context.Context, q postgres.Querier, user uuid.UUID, invitation []byte) (joined bool, err error) {
	if invitation == nil {
		return false, nil
	}
	p, err := postgres.Users{Q: q}.ByID(ctx, user)
	if err != nil {
		return false, err
	}
	row, err := postgres.Invitations{Q: q}.Find(ctx, invitation)
	if err != nil {
		return false, spent(err)
	}
	if row.ProjectID == nil || p.In(*row.ProjectID) != "" {
		return false, nil
	}
	_, err = accept(asUser(ctx, p.User.ID, p.User.Username, uuid.Nil), q, invitation, p.User)
	return err == nil, err
}

// usernameOf makes a username of what a service calls somebody.
func usernameOf(who sso.Identity) string {
	local, _, _ := strings.Cut(who.Email, "@")
	for _, raw := range []string{who.Name, local} {
		name := strings.ToValidUTF8(strings.Join(strings.Fields(strings.ReplaceAll(raw, "\x00", "")), " "), "")
		name = string([]rune(name)[:min(len([]rune(name)), account.MaxUsername)])
		if clean, err := account.CleanUsername(name); err == nil {
			return clean
		}
	}
	return "user"
}

// finishLink gives somebody who is logged in the identity that they came back with.
func (s *server) finishLink(ctx context.Context, a postgres.Attempt, req oas.FinishSSORequestObject) error {
	owner, err := postgres.Users{Q: s.db}.Principal(ctx, *a.User, *a.Session)
	if fault.Is(err, fault.NotFound) {
		return errAttempt // the session in which they began has ended
	}
	if err != nil {
		return err
	}
	who, err := s.identify(ctx, a, req)
	if err != nil {
		return err
	}
	ctx = asUser(ctx, owner.User.ID, owner.User.Username, *a.Session)
	err = s.db.InTx(ctx, func(q postgres.Querier) error { return s.link(ctx, q, owner.User, who, false) })
	if err != nil {
		return err
	}
	if s.outbox != nil {
		accept := echoOf(ctx).Request().Header.Get("Accept-Language")
		s.outbox.put(linking(language(&accept), owner.User.Email, s.providers.ByIssuer(who.Issuer).Name, s.publicURL(ctx)+settingsPage))
	}
	return nil
}

// ListIdentities implements the contract.
func (s *server) ListIdentities(ctx context.Context, _ oas.ListIdentitiesRequestObject) (oas.ListIdentitiesResponseObject, error) {
	rows, password, err := postgres.Identities{Q: s.db}.List(ctx, httpx.Principal(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	list := oas.ListIdentities200JSONResponse{Password: password, Items: make([]oas.Identity, len(rows))}
	for i, r := range rows {
		list.Items[i] = oas.Identity{Id: r.ID, Issuer: r.Issuer, Email: r.Email, CreatedAt: wire.At(r.CreatedAt), UsedAt: wire.Maybe(r.UsedAt)}
		if p := s.providers.ByIssuer(r.Issuer); p != nil {
			list.Items[i].Provider = &p.ID
		}
	}
	return list, nil
}

// LinkIdentity implements the contract.
func (s *server) LinkIdentity(ctx context.Context, req oas.LinkIdentityRequestObject) (oas.LinkIdentityResponseObject, error) {
	if _, err := s.provider(req.Body.Provider); err != nil {
		return nil, err
	}
	if err := s.confirm(ctx, req.Body.Password); err != nil {
		return nil, err
	}
	who := httpx.Principal(ctx)
	return s.sendAway(ctx, req.Body.Provider, postgres.Attempt{User: &who.User.ID, Session: &who.Session})
}

// UnlinkIdentity implements the contract.
func (s *server) UnlinkIdentity(ctx context.Context, req oas.UnlinkIdentityRequestObject) (oas.UnlinkIdentityResponseObject, error) {
	if err := s.confirm(ctx, req.Body.Password); err != nil {
		return nil, err
	}
	who := httpx.Principal(ctx)
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Identities{Q: q}).Delete(ctx, who.User.ID, req.Id, s.providers.Issuers()); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: audit.IdentityUnlink, Object: audit.Of(req.Id, who.User.Username)})
	})
	if err != nil {
		return nil, err
	}
	s.log.InfoContext(ctx, "identity unlinked", "user", who.User.ID, "identity", req.Id)
	return oas.UnlinkIdentity204Response{}, nil
}

// confirm asks for the caller's password again, where they have one: a browser that somebody left open is not enough.
func (s *server) confirm(ctx context.Context, password *string) error {
	_, hash, err := postgres.Users{Q: s.db}.Credentials(ctx, httpx.Principal(ctx).User.Email)
	if err != nil || hash == "" {
		return err
	}
	if password == nil || *password == "" {
		return fault.At("/password", "password_needed", "your password is needed for this")
	}
	return s.knowsPassword(ctx, "/password", *password)
}
