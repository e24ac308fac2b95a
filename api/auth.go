package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

const (
	sessionCookie = "orq_session" // the access token, for the browser
	refreshCookie = "orq_refresh"
	refreshPath   = httpx.Prefix + "/auth"
)

// GetSystem implements the contract.
func (s *server) GetSystem(ctx context.Context, _ oas.GetSystemRequestObject) (oas.GetSystemResponseObject, error) {
	any, err := postgres.Users{Q: s.db}.Any(ctx)
	if err != nil {
		return nil, err
	}
	providers := make([]oas.Provider, len(s.providers.All()))
	for i, p := range s.providers.All() {
		providers[i] = oas.Provider{Id: oas.ProviderID(p.ID), Name: p.Name}
	}
	return oas.GetSystem200JSONResponse{
		Name: "Orquestador", Version: s.version, Registration: oas.SystemRegistration(s.cfg.Registration), SetupRequired: !any,
		Mail: s.outbox != nil, Providers: providers,
	}, nil
}

// Register implements the contract.
func (s *server) Register(ctx context.Context, req oas.RegisterRequestObject) (oas.RegisterResponseObject, error) {
	email, err := account.CleanEmail(req.Body.Email)
	if err != nil {
		return nil, err
	}
	username, err := account.CleanUsername(req.Body.Username)
	if err != nil {
		return nil, err
	}
	if err := auth.Check(req.Body.Password, email, username); err != nil {
		return nil, err
	}
	link := linkHash(req.Body.Invitation)
	if err := s.mayRegister(ctx, link); err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, req.Body.Password)
	if err != nil {
		return nil, err
	}
	u := account.User{Email: email, Username: username, Role: account.Member}
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		u, err = s.enroll(ctx, q, u, hash, link)
		return err
	})
	if err != nil {
		return nil, err
	}
	return oas.Register201JSONResponse{Id: u.ID, Email: u.Email, Username: u.Username, Role: oas.UserRole(u.Role)}, nil
}

// enroll makes an account, where registration or the invitation allows it, whatever its owner logs in with; hash is empty where
// that is no password. It needs a transaction.
func (s *server) enroll(ctx context.Context, q postgres.Querier, u account.User, hash string, link []byte) (account.User, error) {
	var err error
	if u.ID, err = uuid.NewV7(); err != nil {
		return u, err //nolint:wrapcheck // only the random source can fail
	}
	if u, err = (postgres.Users{Q: q}).Register(ctx, u, hash); err != nil {
		return u, err
	}
	ctx = asUser(ctx, u.ID, u.Username, uuid.Nil)
	after := audit.Data{"email": u.Email, "username": u.Username, "role": u.Role, "invited": link != nil}
	if err := postgres.Note(ctx, q, audit.Change{Action: audit.AccountRegister, Object: audit.Of(u.ID, u.Username), After: after}); err != nil {
		return u, err
	}
	switch {
	case link != nil && s.cfg.Registration != "closed":
		if _, err := accept(ctx, q, link, u); err != nil {
			return u, fault.Under("/invitation", err)
		}
	case s.cfg.Registration != "open" && u.Role != account.Administrator:
		return u, errClosed // somebody else was the first in the meantime
	}
	s.log.InfoContext(ctx, "user registered", "user", u.ID, "role", u.Role)
	return u, nil
}

var errClosed = fault.New(fault.Forbidden, "registration_closed", "Registration is not open here; ask the administrator for an account")

// mayRegister tells early what registering would find out later, before a password is hashed.
func (s *server) mayRegister(ctx context.Context, link []byte) error {
	if s.cfg.Registration == "open" || s.cfg.Registration == "invite" && link != nil {
		return nil
	}
	any, err := postgres.Users{Q: s.db}.Any(ctx)
	if err != nil {
		return err
	}
	if any {
		return errClosed
	}
	return nil
}

// Login implements the contract. Unknown users cost the same time and get the same answer as wrong passwords.
func (s *server) Login(ctx context.Context, req oas.LoginRequestObject) (oas.LoginResponseObject, error) {
	email, address := strings.TrimSpace(req.Body.Email), echoOf(ctx).RealIP()
	if err := s.throttle.enter(ctx, email, address); err != nil {
		s.failures.throttled(ctx)
		return nil, err
	}
	u, hash, err := postgres.Users{Q: s.db}.Credentials(ctx, email)
	if err != nil {
		return nil, err
	}
	ok, err := s.passwords.Match(ctx, hash, req.Body.Password)
	if err != nil {
		return nil, err
	}
	if !ok {
		s.failures.add(ctx, u)
		return nil, fault.New(fault.Unauthorized, "bad_credentials", "The e-mail address or the password is wrong")
	}
	s.throttle.succeeded(ctx, email, address)
	return s.logIn(ctx, u, "")
}

// logIn begins a session for somebody who has shown who they are: by a password, or by what a service says.
func (s *server) logIn(ctx context.Context, u account.User, service string) (granted, error) {
	c := echoOf(ctx)
	refresh, refreshHash, err := auth.NewToken()
	if err != nil {
		return granted{}, err
	}
	session := uuid.New()
	agent := []rune(c.Request().UserAgent())
	userAgent := strings.ToValidUTF8(string(agent[:min(len(agent), 200)]), "")
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Sessions{Q: q}).Begin(ctx, session, u.ID, refreshHash, auth.SessionLife, userAgent, c.RealIP()); err != nil {
			return err
		}
		after := audit.Data{"user_agent": userAgent}
		if service != "" {
			after["service"] = service
		}
		return postgres.Note(asUser(ctx, u.ID, u.Username, session), q,
			audit.Change{Action: audit.SessionLogin, Object: audit.Of(session, u.Username), After: after})
	})
	if err != nil {
		return granted{}, err
	}
	return s.grant(c.Request(), u.ID, session, refresh)
}

// Refresh implements the contract.
func (s *server) Refresh(ctx context.Context, _ oas.RefreshRequestObject) (oas.RefreshResponseObject, error) {
	r := echoOf(ctx).Request()
	cookie, err := r.Cookie(refreshCookie)
	if err != nil {
		return nil, auth.ErrUnauthorized
	}
	refresh, refreshHash, err := auth.NewToken()
	if err != nil {
		return nil, err
	}
	var rotation postgres.Rotation
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		rotation, err = postgres.Sessions{Q: q}.Rotate(ctx, auth.HashToken(cookie.Value), refreshHash)
		if err != nil || !rotation.Reused {
			return err
		}
		c := audit.Change{Action: audit.SessionReuse, Object: audit.Of(rotation.Session, rotation.Username), After: audit.Data{"user_id": rotation.User}}
		return postgres.Note(ctx, q, c)
	})
	if err != nil {
		return nil, err
	}
	if rotation.Reused {
		s.callers.forget(rotation.Session)
		s.log.WarnContext(ctx, "a refresh token was used twice; its session has ended", "user", rotation.User, "session", rotation.Session)
	}
	if !rotation.Good {
		return nil, auth.ErrUnauthorized
	}
	return s.grant(r, rotation.User, rotation.Session, refresh)
}

// Logout implements the contract.
func (s *server) Logout(ctx context.Context, _ oas.LogoutRequestObject) (oas.LogoutResponseObject, error) {
	r := echoOf(ctx).Request()
	if cookie, err := r.Cookie(refreshCookie); err == nil {
		err := s.logOut(ctx, func(sessions postgres.Sessions) (postgres.LoggedOut, error) {
			return sessions.EndByToken(ctx, auth.HashToken(cookie.Value))
		})
		if err != nil {
			return nil, err
		}
	}
	if token, err := tokenOf(r); err == nil {
		if user, session, err := s.tokens.Read(token); err == nil {
			// A program that only has its access token ends its session too.
			err := s.logOut(ctx, func(sessions postgres.Sessions) (postgres.LoggedOut, error) { return sessions.End(ctx, user, session) })
			if err != nil {
				return nil, err
			}
			s.callers.forget(session)
		}
	}
	return loggedOut{secure: httpx.IsTLS(r)}, nil
}

// logOut ends a session, and notes it where there was one to end.
func (s *server) logOut(ctx context.Context, end func(postgres.Sessions) (postgres.LoggedOut, error)) error {
	return s.db.InTx(ctx, func(q postgres.Querier) error {
		ended, err := end(postgres.Sessions{Q: q})
		if err != nil || ended.Session == uuid.Nil {
			return err
		}
		ctx := asUser(ctx, ended.User, ended.Username, ended.Session)
		return postgres.Note(ctx, q, audit.Change{Action: audit.SessionLogout, Object: audit.Of(ended.Session, ended.Username)})
	})
}

// asUser lets changes be those of somebody who was nobody until now.
func asUser(ctx context.Context, id uuid.UUID, name string, session uuid.UUID) context.Context {
	from := audit.From(ctx)
	from.Actor = audit.Actor{Kind: audit.User, ID: id, Name: name, Session: session}
	return audit.With(ctx, from)
}

// GetMe implements the contract.
func (s *server) GetMe(ctx context.Context, _ oas.GetMeRequestObject) (oas.GetMeResponseObject, error) {
	p := httpx.Principal(ctx)
	me := oas.GetMe200JSONResponse{
		Id: p.User.ID, Email: p.User.Email, Username: p.User.Username, Role: oas.MeRole(p.User.Role),
		Projects: make([]oas.Membership, len(p.Projects)),
	}
	for i, m := range p.Projects {
		me.Projects[i] = membershipOf(m)
	}
	return me, nil
}

// granted is a login's or a refresh's answer: the token in the body for programs, both tokens in cookies for browsers.
type granted struct {
	access, refresh string
	secure          bool
}

func (s *server) grant(r *http.Request, user, session uuid.UUID, refresh string) (granted, error) {
	access, err := s.tokens.Issue(user, session)
	if err != nil {
		return granted{}, err
	}
	return granted{access: access, refresh: refresh, secure: httpx.IsTLS(r)}, nil
}

// VisitLoginResponse implements the generated interface.
func (g granted) VisitLoginResponse(w http.ResponseWriter) error {
	g.setCookies(w)
	return oas.Login200JSONResponse{SessionJSONResponse: oas.SessionJSONResponse{Body: oas.Token{
		AccessToken: g.access, TokenType: oas.Bearer, ExpiresIn: int32(auth.AccessLife.Seconds()),
	}}}.VisitLoginResponse(w)
}

func (g granted) setCookies(w http.ResponseWriter) {
	setCookie(w, sessionCookie, g.access, "/", auth.AccessLife, g.secure)
	setCookie(w, refreshCookie, g.refresh, refreshPath, auth.SessionLife, g.secure)
}

// VisitRefreshResponse implements the generated interface.
func (g granted) VisitRefreshResponse(w http.ResponseWriter) error { return g.VisitLoginResponse(w) }

type loggedOut struct{ secure bool }

// VisitLogoutResponse implements the generated interface.
func (l loggedOut) VisitLogoutResponse(w http.ResponseWriter) error {
	setCookie(w, sessionCookie, "", "/", -time.Second, l.secure)
	setCookie(w, refreshCookie, "", refreshPath, -time.Second, l.secure)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setCookie sets a cookie that no script can read and no other site can send. Without TLS it cannot be Secure: the
// browser would not send it back.
func setCookie(w http.ResponseWriter, name, value, path string, life time.Duration, secure bool) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: int(life.Seconds()), HttpOnly: true, Secure: secure,
		SameSite: http.SameSiteStrictMode,
	})
}
