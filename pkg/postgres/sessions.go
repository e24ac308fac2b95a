package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Sessions is the store of logins. A session is a family of refresh tokens of which only the newest is good.
type Sessions struct{ Q Querier }

// Begin stores a session with its first refresh token.
func (s Sessions) Begin(ctx context.Context, id, user uuid.UUID, hash []byte, life time.Duration, userAgent, address string) error {
	_, err := s.Q.Exec(ctx, `
		with fresh as (
		    insert into sessions (id, user_id, expires_at, user_agent, address)
		    values ($1, $2, now() + make_interval(secs => $3), $4, $5))
		insert into refresh_tokens (hash, session_id) values ($6, $1)`,
		id, user, life.Seconds(), userAgent, address, hash)
	if err != nil {
		return fmt.Errorf("begin session: %w", translate(err))
	}
	return nil
}

// Rotation is what became of a refresh token that was presented.
type Rotation struct {
	User, Session uuid.UUID
	Username      string
	Good          bool // false: unknown, ended, or used before; the session has ended in the last case
	Reused        bool
}

// Rotate exchanges a refresh token for the next. A token that was used before means that somebody else has a copy: its
// whole session ends. It needs a transaction that commits in either case.
func (s Sessions) Rotate(ctx context.Context, old, next []byte) (Rotation, error) {
	var r Rotation
	var used bool
	err := s.Q.QueryRow(ctx, `
		select s.user_id, s.id, u.username, t.used_at is not null
		  from refresh_tokens t
		  join sessions s on s.id = t.session_id
		  join users u on u.id = s.user_id and u.disabled_at is null
		 where t.hash = $1 and s.revoked_at is null and s.expires_at > now()
		   for update of t, s`, old).Scan(&r.User, &r.Session, &r.Username, &used)
	if translate(err) == ErrNotFound { //nolint:errorlint // translate answers the very value
		return Rotation{}, nil
	}
	if err != nil {
		return r, fmt.Errorf("find refresh token: %w", err)
	}
	if used {
		r.Reused = true
		return r, s.end(ctx, r.Session, "a refresh token was used twice")
	}
	r.Good = true
	_, err = s.Q.Exec(ctx, `
		with spent as (update refresh_tokens set used_at = now() where hash = $1),
		     seen as (update sessions set used_at = now() where id = $3)
		insert into refresh_tokens (hash, session_id) values ($2, $3)`, old, next, r.Session)
	if err != nil {
		return r, fmt.Errorf("rotate refresh token: %w", translate(err))
	}
	return r, nil
}

// LoggedOut is a session that has just ended, and whose it was; zero where none has.
type LoggedOut struct {
	Session, User uuid.UUID
	Username      string
}

// EndByToken ends the session of a refresh token; one that is not known is no error.
func (s Sessions) EndByToken(ctx context.Context, hash []byte) (LoggedOut, error) {
	return s.logOut(ctx, `
		update sessions s set revoked_at = now(), revoked_reason = 'logged out'
		  from refresh_tokens t, users u where t.hash = $1 and s.id = t.session_id and s.revoked_at is null and u.id = s.user_id
		returning s.id, u.id, u.username`, hash)
}

// End ends a session of a user; one that has ended already, or is somebody else's, is no error.
func (s Sessions) End(ctx context.Context, user, id uuid.UUID) (LoggedOut, error) {
	return s.logOut(ctx, `
		update sessions s set revoked_at = now(), revoked_reason = 'logged out'
		  from users u where s.id = $1 and s.user_id = $2 and s.revoked_at is null and u.id = s.user_id
		returning s.id, u.id, u.username`, id, user)
}

func (s Sessions) logOut(ctx context.Context, statement string, key ...any) (e LoggedOut, err error) {
	err = s.Q.QueryRow(ctx, statement, key...).Scan(&e.Session, &e.User, &e.Username)
	if err != nil && translate(err) != ErrNotFound { //nolint:errorlint // translate answers the very value
		return LoggedOut{}, fmt.Errorf("end session: %w", err)
	}
	return e, nil
}

// SessionRow is a session that has not ended.
type SessionRow struct {
	ID        uuid.UUID `db:"id"`
	CreatedAt time.Time `db:"created_at"`
	UsedAt    time.Time `db:"used_at"`
	ExpiresAt time.Time `db:"expires_at"`
	UserAgent string    `db:"user_agent"`
	Address   string    `db:"address"`
}

// maxSessions is how many sessions are listed, the ones used last.
const maxSessions = 100

// List lists a user's sessions that have not ended, the one used last first.
func (s Sessions) List(ctx context.Context, user uuid.UUID) ([]SessionRow, error) {
	rows, err := s.Q.Query(ctx, `
		select id, created_at, used_at, expires_at, user_agent, address from sessions
		 where user_id = $1 and revoked_at is null and expires_at > now() order by used_at desc, id limit $2`, user, maxSessions)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[SessionRow])
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

// EndOne is End for a session that the user chose; ErrNotFound when they have no such session.
func (s Sessions) EndOne(ctx context.Context, user, id uuid.UUID) error {
	tag, err := s.Q.Exec(ctx, `
		update sessions set revoked_at = coalesce(revoked_at, now()), revoked_reason = coalesce(revoked_reason, 'ended by its user')
		 where id = $1 and user_id = $2`, id, user)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return nil
}

func (s Sessions) end(ctx context.Context, id uuid.UUID, reason string) error {
	_, err := s.Q.Exec(ctx, `update sessions set revoked_at = now(), revoked_reason = $2 where id = $1 and revoked_at is null`, id, reason)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// DropExpired removes sessions that ended a week ago or more.
func (s Sessions) DropExpired(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from sessions where least(expires_at, coalesce(revoked_at, 'infinity')) < now() - interval '7 days'`)
	if err != nil {
		return 0, fmt.Errorf("drop old sessions: %w", err)
	}
	return tag.RowsAffected(), nil
}
