package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Identities is the store of what people are at other services, by which they log in.
type Identities struct{ Q Querier }

// IdentityRow is an identity of somebody.
type IdentityRow struct {
	ID        uuid.UUID  `db:"id"`
	Issuer    string     `db:"issuer"`
	Email     string     `db:"email"` // what the issuer said last
	CreatedAt time.Time  `db:"created_at"`
	UsedAt    *time.Time `db:"used_at"`
}

// NewIdentity is one that is to be stored.
type NewIdentity struct {
	ID, UserID             uuid.UUID
	Issuer, Subject, Email string
	Used                   bool // they log in by it right now
}

// Insert gives somebody an identity. One that somebody has already is a conflict, and so is another one of the same issuer.
func (s Identities) Insert(ctx context.Context, n NewIdentity) error {
	_, err := s.Q.Exec(ctx, `
		insert into identities (id, user_id, issuer, subject, email, used_at)
		values ($1, $2, $3, $4, $5, case when $6 then now() end)`, n.ID, n.UserID, n.Issuer, n.Subject, n.Email, n.Used)
	switch {
	case err == nil:
		return nil
	case Constraint(err) == "identities_issuer_subject_key":
		return fault.New(fault.Conflict, "identity_taken", "That account belongs to somebody here already")
	case Constraint(err) == "identities_user_id_issuer_key":
		return fault.New(fault.Conflict, "identity_exists", "You have linked an account of that service already; unlink it first")
	}
	return fmt.Errorf("insert identity: %w", translate(err))
}

// Use finds whose an identity is, and notes that it was used and what address the issuer told. ErrNotFound when it is
// nobody's; disabled when its owner is kept out.
func (s Identities) Use(ctx context.Context, issuer, subject, email string) (user uuid.UUID, disabled bool, err error) {
	err = s.Q.QueryRow(ctx, `
		update identities i set email = $3, used_at = case when u.disabled_at is null then now() else i.used_at end
		  from users u where i.issuer = $1 and i.subject = $2 and u.id = i.user_id
		returning u.id, u.disabled_at is not null`, issuer, subject, email).Scan(&user, &disabled)
	if err != nil {
		return user, false, fmt.Errorf("find identity: %w", translate(err))
	}
	return user, disabled, nil
}

// List lists somebody's identities, the oldest first, and tells whether they have a password besides.
func (s Identities) List(ctx context.Context, user uuid.UUID) (list []IdentityRow, password bool, err error) {
	rows, err := s.Q.Query(ctx, `select id, issuer, email, created_at, used_at from identities where user_id = $1 order by id`, user)
	if err != nil {
		return nil, false, fmt.Errorf("list identities: %w", err)
	}
	if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[IdentityRow]); err != nil {
		return nil, false, fmt.Errorf("list identities: %w", err)
	}
	password, err = s.password(ctx, user, "")
	return list, password, err
}

func (s Identities) password(ctx context.Context, user uuid.UUID, lock string) (has bool, err error) {
	if err := s.Q.QueryRow(ctx, `select password_hash is not null from users where id = $1 `+lock, user).Scan(&has); err != nil {
		return false, fmt.Errorf("look for a password: %w", translate(err))
	}
	return has, nil
}

// Delete takes an identity from somebody; ErrNotFound when they have no such. The last way in is a conflict: without a
// password another identity must be left, of an issuer that is asked. It needs a transaction.
func (s Identities) Delete(ctx context.Context, user, id uuid.UUID, asked []string) error {
	// Two at once must not take the last two.
	password, err := s.password(ctx, user, "for update")
	if err != nil {
		return err
	}
	tag, err := s.Q.Exec(ctx, `delete from identities where id = $1 and user_id = $2`, id, user)
	if err != nil {
		return fmt.Errorf("delete identity: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	left := password
	if !left {
		err := s.Q.QueryRow(ctx, `select exists (select from identities where user_id = $1 and issuer = any($2))`, user, asked).Scan(&left)
		if err != nil {
			return fmt.Errorf("look for other ways: %w", err)
		}
	}
	if !left {
		return fault.New(fault.Conflict, "last_way_in", "That is your only way to log in; set a password or link another account first")
	}
	return nil
}

// Attempts is the store of people who were sent to another service and are not back yet.
type Attempts struct{ Q Querier }

// Attempt is one of them.
type Attempt struct {
	State, Browser []byte // hashes: of what comes back, and of what the browser that began knows
	Issuer, Nonce  string
	Next           string
	Invitation     []byte // nil: they came without
	User, Session  *uuid.UUID
}

// Begin stores an attempt, which somebody has the time of life to come back to.
func (s Attempts) Begin(ctx context.Context, a Attempt, life time.Duration) error {
	_, err := s.Q.Exec(ctx, `
		insert into sso_attempts (state, browser, issuer, nonce, next, invitation, user_id, session_id, expires_at)
		values (@state, @browser, @issuer, @nonce, @next, @invitation, @user, @session, now() + make_interval(secs => @life))`,
		args{
			"state": a.State, "browser": a.Browser, "issuer": a.Issuer, "nonce": a.Nonce, "next": a.Next, "invitation": a.Invitation,
			"user": a.User, "session": a.Session, "life": life.Seconds(),
		})
	if err != nil {
		return fmt.Errorf("begin an attempt: %w", translate(err))
	}
	return nil
}

// Take uses an attempt up. Who comes second, also at the same moment, or too late, gets ErrNotFound.
func (s Attempts) Take(ctx context.Context, state []byte) (a Attempt, err error) {
	var good bool
	err = s.Q.QueryRow(ctx, `
		delete from sso_attempts where state = $1
		returning browser, issuer, nonce, next, invitation, user_id, session_id, expires_at > now()`, state).
		Scan(&a.Browser, &a.Issuer, &a.Nonce, &a.Next, &a.Invitation, &a.User, &a.Session, &good)
	if err == nil && !good {
		return Attempt{}, ErrNotFound
	}
	if err != nil {
		return a, fmt.Errorf("take an attempt: %w", translate(err))
	}
	a.State = state
	return a, nil
}
