package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

// APITokens is the store of what programs log in with.
type APITokens struct{ Q Querier }

// APITokenRow is a token, without what it says.
type APITokenRow struct {
	ID        uuid.UUID            `db:"id"`
	Name      string               `db:"name"`
	Hint      string               `db:"hint"`
	Scopes    []account.Permission `db:"scopes"`
	ProjectID *uuid.UUID           `db:"project_id"`
	CreatedAt time.Time            `db:"created_at"`
	ExpiresAt time.Time            `db:"expires_at"`
	UsedAt    *time.Time           `db:"used_at"`
}

const apiTokenColumns = `id, name, hint, scopes, project_id, created_at, expires_at, used_at`

// MaxAPITokens is how many tokens a user may have.
const MaxAPITokens = 100

// Create stores a token of a user that lives for a time; false when they have MaxAPITokens.
func (s APITokens) Create(ctx context.Context, user uuid.UUID, t APITokenRow, hash []byte, life time.Duration) (row APITokenRow, made bool, err error) {
	rows, err := s.Q.Query(ctx, `
		insert into api_tokens (id, user_id, name, hash, hint, scopes, project_id, expires_at)
		select @id, @user, @name, @hash, @hint, @scopes, @project, now() + @life
		 where (select count(*) from api_tokens where user_id = @user and revoked_at is null and expires_at > now()) < @most
		returning `+apiTokenColumns,
		args{
			"id": t.ID, "user": user, "name": t.Name, "hash": hash, "hint": t.Hint, "scopes": t.Scopes, "project": t.ProjectID,
			"life": life, "most": MaxAPITokens,
		})
	if err != nil {
		return row, false, fmt.Errorf("create API token: %w", translate(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[APITokenRow])
	if err != nil || len(list) == 0 {
		return row, false, translate(err)
	}
	return list[0], true, nil
}

// List lists a user's tokens that are good, the newest first.
func (s APITokens) List(ctx context.Context, user uuid.UUID) ([]APITokenRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+apiTokenColumns+` from api_tokens
		 where user_id = $1 and revoked_at is null and expires_at > now() order by id desc limit $2`, user, MaxAPITokens)
	if err != nil {
		return nil, fmt.Errorf("list API tokens: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[APITokenRow])
	if err != nil {
		return nil, fmt.Errorf("list API tokens: %w", err)
	}
	return list, nil
}

// Revoke ends a token of a user, and answers it; ErrNotFound when they have no such token.
func (s APITokens) Revoke(ctx context.Context, user, id uuid.UUID) (row APITokenRow, err error) {
	rows, err := s.Q.Query(ctx, `
		update api_tokens set revoked_at = coalesce(revoked_at, now()) where id = $1 and user_id = $2 returning `+apiTokenColumns, id, user)
	if err != nil {
		return row, fmt.Errorf("revoke API token: %w", err)
	}
	if row, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[APITokenRow]); err != nil {
		return row, fmt.Errorf("revoke API token: %w", translate(err))
	}
	return row, nil
}

// Principal finds who a token stands for, within what it may do, and notes that it was used; ErrNotFound when it is good no
// more.
func (s APITokens) Principal(ctx context.Context, hash []byte) (account.Principal, error) {
	return s.principal(ctx, `hash = $1`, hash)
}

// ByID is Principal for a token that was seen before.
func (s APITokens) ByID(ctx context.Context, id uuid.UUID) (account.Principal, error) {
	return s.principal(ctx, `id = $1`, id)
}

func (s APITokens) principal(ctx context.Context, which string, key any) (p account.Principal, err error) {
	var user uuid.UUID
	var project *uuid.UUID
	err = s.Q.QueryRow(ctx, `
		with good as (
		    select id, user_id, scopes, project_id, used_at from api_tokens where `+which+` and revoked_at is null and expires_at > now()),
		     used as (
		    update api_tokens t set used_at = now() from good
		     where t.id = good.id and (good.used_at is null or good.used_at < now() - interval '1 minute'))
		select id, user_id, scopes, project_id from good`, key).Scan(&p.Token, &user, &p.Scopes, &project)
	if err != nil {
		return p, fmt.Errorf("find API token: %w", translate(err))
	}
	full, err := Users(s).ByID(ctx, user)
	if err != nil {
		return p, err
	}
	full.Token, full.Scopes = p.Token, p.Scopes
	if project != nil {
		full.Projects = slices.DeleteFunc(full.Projects, func(m account.Membership) bool { return m.ProjectID != *project })
	}
	return full, nil
}

// DropExpired removes tokens that ended a week ago or more.
func (s APITokens) DropExpired(ctx context.Context) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from api_tokens where least(expires_at, coalesce(revoked_at, 'infinity')) < now() - interval '7 days'`)
	if err != nil {
		return 0, fmt.Errorf("drop old API tokens: %w", err)
	}
	return tag.RowsAffected(), nil
}
