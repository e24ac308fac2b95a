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

// MemberRow is somebody who works in a project.
type MemberRow struct {
	UserID   uuid.UUID           `db:"user_id"`
	Email    string              `db:"email"`
	Username string              `db:"username"`
	Role     account.ProjectRole `db:"role"`
	Disabled bool                `db:"disabled"`
	Since    time.Time           `db:"since"`
}

const memberColumns = `m.user_id, u.email, u.username, m.role, u.disabled_at is not null as disabled, m.created_at as since`

// MaxMembers is how many people may work in a project.
const MaxMembers = 500

// Members lists who works in a project, the most powerful first.
func (s Projects) Members(ctx context.Context, id uuid.UUID) ([]MemberRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+memberColumns+` from project_members m join users u on u.id = m.user_id
		 where m.project_id = $1
		 order by array_position(array['owner', 'admin', 'editor', 'operator', 'viewer'], m.role), lower(u.username), m.user_id`, id)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[MemberRow])
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return list, nil
}

// Member finds somebody in a project; ErrNotFound when they are no member.
func (s Projects) Member(ctx context.Context, id, user uuid.UUID) (MemberRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+memberColumns+` from project_members m join users u on u.id = m.user_id
		 where m.project_id = $1 and m.user_id = $2`, id, user)
	if err != nil {
		return MemberRow{}, fmt.Errorf("find member: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[MemberRow])
	if err != nil {
		return row, fmt.Errorf("find member: %w", translate(err))
	}
	return row, nil
}

// Owners counts a project's owners whose accounts are not disabled.
func (s Projects) Owners(ctx context.Context, id uuid.UUID) (n int, err error) {
	err = s.Q.QueryRow(ctx, `
		select count(*) from project_members m join users u on u.id = m.user_id and u.disabled_at is null
		 where m.project_id = $1 and m.role = 'owner'`, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count owners: %w", err)
	}
	return n, nil
}

// Join makes somebody a member. One who is a member already, or a project that is full, is a conflict.
func (s Projects) Join(ctx context.Context, id, user uuid.UUID, role account.ProjectRole) error {
	tag, err := s.Q.Exec(ctx, `
		insert into project_members (project_id, user_id, role)
		select $1, $2, $3 where (select count(*) from project_members where project_id = $1) < $4`, id, user, role, MaxMembers)
	if Constraint(err) == "project_members_pkey" {
		return fault.New(fault.Conflict, "already_member", "You are a member of this project already")
	}
	if err != nil {
		return fmt.Errorf("insert member: %w", translate(err))
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "too_many_members", "The project has %d members, and no more can be", MaxMembers)
	}
	return nil
}

// SetRole gives a member another role.
func (s Projects) SetRole(ctx context.Context, id, user uuid.UUID, role account.ProjectRole) error {
	return s.change(ctx, "change a member's role", `update project_members set role = $3 where project_id = $1 and user_id = $2`, id, user, role)
}

// Remove takes a member out.
func (s Projects) Remove(ctx context.Context, id, user uuid.UUID) error {
	return s.change(ctx, "remove a member", `delete from project_members where project_id = $1 and user_id = $2`, id, user)
}
