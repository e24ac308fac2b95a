package api

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
)

// resetLife is how long a link for another password works.
const resetLife = time.Hour

// Mails that are asked for without logging in: few to an address, not many from one.
var (
	mailsPerAccount = queue.Limit{Burst: 3, Period: time.Hour}
	mailsPerAddress = queue.Limit{Burst: 20, Period: time.Hour}
)

// ChangePassword implements the contract.
func (s *server) ChangePassword(ctx context.Context, req oas.ChangePasswordRequestObject) (oas.ChangePasswordResponseObject, error) {
	who := httpx.Principal(ctx)
	if err := auth.Check(req.Body.Password, who.User.Email, who.User.Username); err != nil {
		return nil, err
	}
	if err := s.knowsPassword(ctx, "/current_password", req.Body.CurrentPassword); err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, req.Body.Password)
	if err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Users{Q: q}).ChangePassword(ctx, who.User.ID, hash, who.Session); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{Action: audit.AccountPassword, Object: audit.Of(who.User.ID, who.User.Username)})
	})
	if err != nil {
		return nil, err
	}
	s.changed(ctx, who.User.ID)
	return oas.ChangePassword204Response{}, nil
}

// knowsPassword refuses a caller who does not know their own password, at a field of what they sent; guessing is slowed down as
// at the login. Who has no password knows none.
func (s *server) knowsPassword(ctx context.Context, pointer, password string) error {
	who, address := httpx.Principal(ctx), echoOf(ctx).RealIP()
	if err := s.throttle.enter(ctx, who.User.Email, address); err != nil {
		return err
	}
	_, hash, err := postgres.Users{Q: s.db}.Credentials(ctx, who.User.Email)
	if err != nil {
		return err
	}
	ok, err := s.passwords.Match(ctx, hash, password)
	if err != nil {
		return err
	}
	if !ok {
		s.failures.add(ctx, who.User)
		return fault.At(pointer, "wrong_password", "that is not your password")
	}
	s.throttle.succeeded(ctx, who.User.Email, address)
	return nil
}

// ForgotPassword implements the contract. Whether anybody has the address is found out after the answer is given, so that
// neither the answer nor its time tells.
func (s *server) ForgotPassword(ctx context.Context, req oas.ForgotPasswordRequestObject) (oas.ForgotPasswordResponseObject, error) {
	if s.outbox == nil {
		return nil, fault.New(fault.Conflict, "no_mail", "This installation sends no mail; ask an administrator for a link")
	}
	email := strings.TrimSpace(req.Body.Email)
	if wait := s.throttle.spend(ctx, "reset:address:"+echoOf(ctx).RealIP(), mailsPerAddress); wait > 0 {
		return nil, tooMany(ctx, wait)
	}
	lang, from := language(req.Params.AcceptLanguage), audit.From(ctx)
	s.outbox.put(func(ctx context.Context) (*letter, error) {
		if s.throttle.spend(ctx, "reset:account:"+strings.ToLower(email), mailsPerAccount) > 0 {
			return nil, nil // they have mails enough
		}
		return s.resetLetter(audit.With(ctx, from), email, lang)
	})
	return oas.ForgotPassword202Response{}, nil
}

// resetLetter makes a link for whoever has the address; nil when nobody does.
func (s *server) resetLetter(ctx context.Context, email, lang string) (*letter, error) {
	// Who has no password yet chooses one in the same way: the address was shown to be theirs, as it is again now.
	u, _, err := postgres.Users{Q: s.db}.Credentials(ctx, email)
	if err != nil || u.ID == uuid.Nil {
		return nil, err
	}
	token, stored, err := auth.NewToken()
	if err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		expires, err := postgres.Resets{Q: q}.Put(ctx, u.ID, stored, resetLife)
		if err != nil {
			return err
		}
		after := audit.Data{"expires_at": wire.At(expires), "by_mail": true}
		return postgres.Note(ctx, q, audit.Change{Action: audit.AccountResetLink, Object: audit.Of(u.ID, u.Username), After: after})
	})
	if err != nil {
		return nil, err
	}
	// Where the request came to may be anybody's word, so that only what is set stands in a mail.
	return resetting(lang, u.Email, trimSlash(s.cfg.PublicURL)+resetPage+token), nil
}

// ResetPassword implements the contract.
func (s *server) ResetPassword(ctx context.Context, req oas.ResetPasswordRequestObject) (oas.ResetPasswordResponseObject, error) {
	link := auth.HashToken(req.Body.Token)
	u, err := postgres.Resets{Q: s.db}.Find(ctx, link)
	if err != nil {
		return nil, spent(err)
	}
	if err := auth.Check(req.Body.Password, u.Email, u.Username); err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, req.Body.Password)
	if err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Resets{Q: q}).Spend(ctx, link, hash); err != nil {
			return err
		}
		by := audit.Actor{Kind: audit.Link, ID: u.ID, Name: u.Username}
		return postgres.Note(ctx, q, audit.Change{Action: audit.AccountPassword, Object: audit.Of(u.ID, u.Username), Actor: &by})
	})
	if err != nil {
		return nil, spent(err)
	}
	s.changed(ctx, u.ID)
	s.log.InfoContext(ctx, "password changed by a link", "user", u.ID)
	return oas.ResetPassword204Response{}, nil
}

// EndOtherSessions implements the contract.
func (s *server) EndOtherSessions(ctx context.Context, _ oas.EndOtherSessionsRequestObject) (oas.EndOtherSessionsResponseObject, error) {
	who := httpx.Principal(ctx)
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Users{Q: q}).EndOthers(ctx, who.User.ID, who.Session); err != nil {
			return err
		}
		after := audit.Data{"but": who.Session}
		return postgres.Note(ctx, q, audit.Change{Action: audit.SessionEndAll, Object: audit.Of(who.User.ID, who.User.Username), After: after})
	})
	if err != nil {
		return nil, err
	}
	s.changed(ctx, who.User.ID)
	return oas.EndOtherSessions204Response{}, nil
}
