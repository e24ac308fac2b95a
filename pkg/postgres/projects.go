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

// Projects is the store of projects and of who works in them.
type Projects struct{ Q Querier }

// MaxOwned is how many projects somebody may own.
const MaxOwned = 100

// ProjectRow is a project as its members see it.
type ProjectRow struct {
	ID        uuid.UUID `db:"id"`
	Name      string    `db:"name"`
	Members   int       `db:"members"`
	CreatedAt time.Time `db:"created_at"`
}

// Create stores a project that somebody owns. It needs a transaction. Somebody who owns as many as may be is a conflict.
func (s Projects) Create(ctx context.Context, id uuid.UUID, name string, owner uuid.UUID) error {
	// Others that the same person makes at once wait here, so that they are counted.
	if _, err := s.Q.Exec(ctx, `select from users where id = $1 for update`, owner); err != nil {
		return fmt.Errorf("wait to create a project: %w", err)
	}
	tag, err := s.Q.Exec(ctx, `
		insert into projects (id, name)
		select $1, $2 where (select count(*) from project_members where user_id = $3 and role = 'owner') < $4`, id, name, owner, MaxOwned)
	if err != nil {
		return fmt.Errorf("insert project: %w", translate(err))
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "too_many_projects", "You own %d projects, and no more can be", MaxOwned)
	}
	return s.Join(ctx, id, owner, account.Owner)
}

// Get finds one of the projects.
func (s Projects) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (ProjectRow, error) {
	rows, err := s.Q.Query(ctx, `
		select p.id, p.name, p.created_at, (select count(*) from project_members m where m.project_id = p.id) as members
		  from projects p where p.id = $1 and p.id = any($2) and p.deleted_at is null`, id, projects)
	if err != nil {
		return ProjectRow{}, fmt.Errorf("get project: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ProjectRow])
	if err != nil {
		return row, fmt.Errorf("get project: %w", translate(err))
	}
	return row, nil
}

// Names are what projects are called, also of those that are deleted.
func (s Projects) Names(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	rows, err := s.Q.Query(ctx, `select id, name from projects where id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("name projects: %w", err)
	}
	names := map[uuid.UUID]string{}
	var id uuid.UUID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		names[id] = name
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("name projects: %w", err)
	}
	return names, nil
}

// Rename gives a project another name.
func (s Projects) Rename(ctx context.Context, id uuid.UUID, name string) error {
	return s.change(ctx, "rename project", `update projects set name = $2 where id = $1 and deleted_at is null`, id, name)
}

// Hold keeps a project from being deleted until the transaction ends; ErrNotFound when it has been.
func (s Projects) Hold(ctx context.Context, id uuid.UUID) error {
	return s.lock(ctx, id, `for key share`)
}

// Lock makes changes of a project's members, and its deletion, wait for each other; ErrNotFound when it is gone.
func (s Projects) Lock(ctx context.Context, id uuid.UUID) error { return s.lock(ctx, id, `for update`) }

func (s Projects) lock(ctx context.Context, id uuid.UUID, how string) error {
	var there bool
	err := s.Q.QueryRow(ctx, `select true from projects where id = $1 and deleted_at is null `+how, id).Scan(&there)
	if err != nil {
		return fmt.Errorf("lock project: %w", translate(err))
	}
	return nil
}

// Live counts the project's runs that have not finished.
func (s Projects) Live(ctx context.Context, id uuid.UUID) (n int, err error) {
	if err := s.Q.QueryRow(ctx, `select count(*) from run_live where project_id = $1`, id).Scan(&n); err != nil {
		return 0, fmt.Errorf("count live runs: %w", err)
	}
	return n, nil
}

// Workflows lists the project's workflows.
func (s Projects) Workflows(ctx context.Context, id uuid.UUID) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `select id from workflows where project_id = $1 and deleted_at is null order by id`, id)
	if err != nil {
		return nil, fmt.Errorf("list workflows: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list workflows: %w", err)
	}
	return ids, nil
}

// Bury marks a project deleted and removes what must not outlive it: its members, invitations, secrets, variables,
// calendars and tests of steps. Its workflows have been deleted before; runs stay as long as all runs do.
func (s Projects) Bury(ctx context.Context, id uuid.UUID) error {
	for _, statement := range []string{
		`delete from project_members where project_id = $1`,
		`delete from invitations where project_id = $1`,
		`delete from secrets where project_id = $1`,
		`delete from variables where project_id = $1`,
		`delete from calendars where project_id = $1`,
		`delete from alert_rules where project_id = $1`,
		`delete from alert_channels where project_id = $1`,
		`update api_tokens set revoked_at = now() where project_id = $1 and revoked_at is null`,
		`delete from step_tests where project_id = $1`,
		`update projects set deleted_at = now() where id = $1`,
	} {
		if _, err := s.Q.Exec(ctx, statement, id); err != nil {
			return fmt.Errorf("delete project: %w", translate(err))
		}
	}
	return nil
}

func (s Projects) change(ctx context.Context, what, statement string, args ...any) error {
	tag, err := s.Q.Exec(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, translate(err))
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return nil
}
