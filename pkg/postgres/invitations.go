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

// Invitations is the store of links by which people join a project, or the installation.
type Invitations struct{ Q Querier }

// InvitationRow is a link that nobody has used yet.
type InvitationRow struct {
	ID          uuid.UUID            `db:"id"`
	ProjectID   *uuid.UUID           `db:"project_id"` // nil: it leads to an account, and no project
	ProjectName *string              `db:"project_name"`
	Role        *account.ProjectRole `db:"role"`
	Email       *string              `db:"email"` // who alone may accept it
	CreatedBy   *string              `db:"created_by"`
	CreatedAt   time.Time            `db:"created_at"`
	ExpiresAt   time.Time            `db:"expires_at"`
}

// NewInvitation is one that is to be stored.
type NewInvitation struct {
	ID        uuid.UUID
	Hash      []byte
	ProjectID *uuid.UUID
	Role      *account.ProjectRole
	Email     *string
	By        uuid.UUID
	Life      time.Duration
}

// MaxInvitations is how many may be open, of a project or of the installation.
const MaxInvitations = 200

const invitationColumns = `i.id, i.project_id, p.name as project_name, i.role, i.email, u.username as created_by, i.created_at, i.expires_at`

const invitationJoins = `from invitations i left join projects p on p.id = i.project_id left join users u on u.id = i.created_by`

// Insert stores an invitation. Too many are a conflict.
func (s Invitations) Insert(ctx context.Context, n NewInvitation) (InvitationRow, error) {
	tag, err := s.Q.Exec(ctx, `
		insert into invitations (id, hash, project_id, role, email, created_by, expires_at)
		select @id, @hash, @project, @role, @email, @by, now() + make_interval(secs => @life)
		 where (select count(*) from invitations where project_id is not distinct from @project and expires_at > now()) < @most`,
		args{"id": n.ID, "hash": n.Hash, "project": n.ProjectID, "role": n.Role, "email": n.Email, "by": n.By, "life": n.Life.Seconds(), "most": MaxInvitations})
	if err != nil {
		return InvitationRow{}, fmt.Errorf("insert invitation: %w", translate(err))
	}
	if tag.RowsAffected() == 0 {
		return InvitationRow{}, fault.New(fault.Conflict, "too_many_invitations", "%d invitations are open; take some back first", MaxInvitations)
	}
	return s.one(ctx, `i.id = $1 and i.project_id is not distinct from $2`, n.ID, n.ProjectID)
}

// List lists the open invitations of a project, or those of the installation (nil), newest first.
func (s Invitations) List(ctx context.Context, project *uuid.UUID) ([]InvitationRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+invitationColumns+` `+invitationJoins+`
		 where i.project_id is not distinct from $1 and i.expires_at > now() order by i.id desc limit $2`, project, MaxInvitations)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[InvitationRow])
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	return list, nil
}

// Delete takes an invitation back, and answers it; ErrNotFound when the project, or the installation (nil), has no such.
func (s Invitations) Delete(ctx context.Context, project *uuid.UUID, id uuid.UUID) (InvitationRow, error) {
	row, err := s.one(ctx, `i.id = $1 and i.project_id is not distinct from $2`, id, project)
	if err != nil {
		return row, err
	}
	tag, err := s.Q.Exec(ctx, `delete from invitations where id = $1 and project_id is not distinct from $2`, id, project)
	if err != nil {
		return row, fmt.Errorf("delete invitation: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return row, ErrNotFound
	}
	return row, nil
}

// DropOf takes back what somebody invited to a project.
func (s Invitations) DropOf(ctx context.Context, project, by uuid.UUID) error {
	if _, err := s.Q.Exec(ctx, `delete from invitations where project_id = $1 and created_by = $2`, project, by); err != nil {
		return fmt.Errorf("take invitations back: %w", err)
	}
	return nil
}

// Find finds the open invitation of a link; ErrNotFound when it was used, taken back, or its time is over.
func (s Invitations) Find(ctx context.Context, hash []byte) (InvitationRow, error) {
	return s.one(ctx, `i.hash = $1 and i.expires_at > now()`, hash)
}

// Spend uses an invitation up. Who comes second, also at the same moment, gets ErrNotFound.
func (s Invitations) Spend(ctx context.Context, hash []byte) error {
	tag, err := s.Q.Exec(ctx, `delete from invitations where hash = $1 and expires_at > now()`, hash)
	if err != nil {
		return fmt.Errorf("use an invitation: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return nil
}

func (s Invitations) one(ctx context.Context, where string, values ...any) (InvitationRow, error) {
	rows, err := s.Q.Query(ctx, `select `+invitationColumns+` `+invitationJoins+` where `+where, values...)
	if err != nil {
		return InvitationRow{}, fmt.Errorf("find invitation: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[InvitationRow])
	if err != nil {
		return row, fmt.Errorf("find invitation: %w", translate(err))
	}
	return row, nil
}

// DropExpired removes links whose time is over: invitations, those for another password, and those back from other services.
func (s Invitations) DropExpired(ctx context.Context) error {
	_, err := s.Q.Exec(ctx, `
		with links as (delete from password_resets where expires_at < now()), attempts as (delete from sso_attempts where expires_at < now())
		delete from invitations where expires_at < now()`)
	if err != nil {
		return fmt.Errorf("drop expired links: %w", err)
	}
	return nil
}
