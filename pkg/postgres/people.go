package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// PersonRow is an account as administrators see it.
type PersonRow struct {
	account.User
	CreatedAt  time.Time
	DisabledAt *time.Time
	SeenAt     *time.Time // when a session of theirs was renewed last
	Sessions   int        // that have not ended
	Projects   int
	Password   bool     // they have one
	Issuers    []string // of the identities by which they log in
}

// PersonFilter narrows a list of accounts; zero values do not.
type PersonFilter struct {
	ID     *uuid.UUID
	Search string     // part of the name or the e-mail address
	Before *uuid.UUID // keyset: only accounts that are older
	Limit  int
}

// People lists accounts, newest first.
func (s Users) People(ctx context.Context, f PersonFilter) ([]PersonRow, error) {
	rows, err := s.Q.Query(ctx, `
		select u.id, u.email, u.username, u.role, u.created_at, u.disabled_at, s.seen_at, s.sessions,
		       (select count(*) from project_members m where m.user_id = u.id), u.password_hash is not null,
		       array(select issuer from identities i where i.user_id = u.id order by i.id)
		  from users u cross join lateral (
		    select max(used_at) as seen_at, count(*) filter (where revoked_at is null and expires_at > now()) as sessions
		      from sessions where user_id = u.id) s
		 where (@id::uuid is null or u.id = @id) and (@before::uuid is null or u.id < @before)
		   and (@search = '' or position(lower(@search) in lower(u.username)) > 0 or position(lower(@search) in lower(u.email)) > 0)
		 order by u.id desc limit @limit`, args{"id": f.ID, "before": f.Before, "search": f.Search, "limit": f.Limit})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p PersonRow, err error) {
		err = row.Scan(&p.ID, &p.Email, &p.Username, &p.Role, &p.CreatedAt, &p.DisabledAt, &p.SeenAt, &p.Sessions, &p.Projects, &p.Password, &p.Issuers)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return list, nil
}

// Person finds an account; ErrNotFound when there is none.
func (s Users) Person(ctx context.Context, id uuid.UUID) (PersonRow, error) {
	list, err := s.People(ctx, PersonFilter{ID: &id, Limit: 1})
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return PersonRow{}, err
	}
	return list[0], nil
}

// Disable keeps somebody out from now on, and ends their sessions and the links that they made or were given. It needs a
// transaction. The last administrator is a conflict.
func (s Users) Disable(ctx context.Context, id uuid.UUID) error {
	err := s.changeOne(ctx, id, `
		with links as (delete from password_resets where user_id = $1), invited as (delete from invitations where created_by = $1)
		update users set disabled_at = coalesce(disabled_at, now()) where id = $1 returning id`)
	if err != nil {
		return err
	}
	return s.EndSessions(ctx, id, "the account was disabled")
}

// Enable lets somebody in again.
func (s Users) Enable(ctx context.Context, id uuid.UUID) error {
	return s.changeOne(ctx, id, `update users set disabled_at = null where id = $1 returning id`)
}

// Appoint makes somebody administrator, or not. It needs a transaction. The last administrator is a conflict.
func (s Users) Appoint(ctx context.Context, id uuid.UUID, role account.Role) error {
	return s.changeOne(ctx, id, `update users set role = $2 where id = $1 returning id`, role)
}

// changeOne changes an account, under a lock that keeps two changes from taking the last two administrators at once.
func (s Users) changeOne(ctx context.Context, id uuid.UUID, statement string, more ...any) error {
	if _, err := s.Q.Exec(ctx, `select pg_advisory_xact_lock($1)`, registrationLock); err != nil {
		return fmt.Errorf("wait to change an account: %w", err)
	}
	var changed uuid.UUID
	if err := s.Q.QueryRow(ctx, statement, append([]any{id}, more...)...).Scan(&changed); err != nil {
		return fmt.Errorf("change an account: %w", translate(err))
	}
	var left bool
	err := s.Q.QueryRow(ctx, `select exists (select from users where role = 'administrator' and disabled_at is null)`).Scan(&left)
	if err != nil {
		return fmt.Errorf("look for administrators: %w", err)
	}
	if !left {
		return fault.New(fault.Conflict, "last_administrator", "Nobody would be left to administer; make somebody else administrator first")
	}
	return nil
}

// EndSessions logs somebody out everywhere, and says why.
func (s Users) EndSessions(ctx context.Context, id uuid.UUID, reason string) error {
	_, err := s.Q.Exec(ctx, `update sessions set revoked_at = now(), revoked_reason = $2 where user_id = $1 and revoked_at is null`, id, reason)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// EndOthers logs somebody out everywhere but in one session.
func (s Users) EndOthers(ctx context.Context, id, but uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		update sessions set revoked_at = now(), revoked_reason = 'ended by its user'
		 where user_id = $1 and id <> $2 and revoked_at is null`, id, but)
	if err != nil {
		return fmt.Errorf("end other sessions: %w", err)
	}
	return nil
}

// Resets is the store of links by which people choose another password.
type Resets struct{ Q Querier }

// Put stores a link for somebody, in the place of the one before. ErrNotFound when the account is gone or disabled.
func (s Resets) Put(ctx context.Context, user uuid.UUID, hash []byte, life time.Duration) (expires time.Time, err error) {
	err = s.Q.QueryRow(ctx, `
		insert into password_resets (user_id, hash, expires_at)
		select id, $2, now() + make_interval(secs => $3) from users where id = $1 and disabled_at is null
		on conflict (user_id) do update set hash = excluded.hash, created_at = now(), expires_at = excluded.expires_at
		returning expires_at`, user, hash, life.Seconds()).Scan(&expires)
	if err != nil {
		return expires, fmt.Errorf("store a link: %w", translate(err))
	}
	return expires, nil
}

// Find finds whose password a link changes; ErrNotFound when it was used, or its time is over.
func (s Resets) Find(ctx context.Context, hash []byte) (u account.User, err error) {
	err = s.Q.QueryRow(ctx, `
		select u.id, u.email, u.username, u.role from password_resets r join users u on u.id = r.user_id
		 where r.hash = $1 and r.expires_at > now() and u.disabled_at is null`, hash).Scan(&u.ID, &u.Email, &u.Username, &u.Role)
	if err != nil {
		return u, fmt.Errorf("find a link: %w", translate(err))
	}
	return u, nil
}

// Spend uses a link up and stores the password; all sessions end. What was linked beside the old password is unlinked: who had
// that may not be whose address it is. Where there was none, the first one is set, and all stays. It needs a transaction. Who comes second, also at the
// same moment, gets ErrNotFound.
func (s Resets) Spend(ctx context.Context, hash []byte, password string) error {
	var user uuid.UUID
	err := s.Q.QueryRow(ctx, `
		with spent as (delete from password_resets where hash = $1 and expires_at > now() returning user_id),
		     unlinked as (
		    delete from identities i using spent s, users u
		     where i.user_id = s.user_id and u.id = s.user_id and u.password_hash is not null)
		update users u set password_hash = $2 from spent s where u.id = s.user_id and u.disabled_at is null returning u.id`,
		hash, password).Scan(&user)
	if err != nil {
		return fmt.Errorf("use a link: %w", translate(err))
	}
	return Users(s).EndSessions(ctx, user, "the password was changed")
}

// ChangePassword stores another password of somebody, and ends their sessions but one. It needs a transaction. Links for
// another password stop working.
func (s Users) ChangePassword(ctx context.Context, id uuid.UUID, password string, but uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		with links as (delete from password_resets where user_id = $1)
		update users set password_hash = $2 where id = $1`, id, password)
	if err != nil {
		return fmt.Errorf("change a password: %w", translate(err))
	}
	return s.EndOthers(ctx, id, but)
}
