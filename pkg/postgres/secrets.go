package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Secrets is the store of the projects' secrets. It knows them sealed only.
type Secrets struct{ Q Querier }

// SecretRow is a secret, without its value.
type SecretRow struct {
	ValueMeta
	UsedAt *time.Time `db:"used_at"` // by a run, to the minute
}

// NewSecret is a secret that is stored, or replaced.
type NewSecret struct {
	ProjectID   uuid.UUID
	Name        string
	Description string
	Sealed      []byte
	KeyID       string
	By          uuid.UUID
}

var selectSecrets = `select ` + metaColumns + `, t.used_at,` + usersOf(workflow.RootSecrets) + `
		  from secrets t left join users u on u.id = t.updated_by`

// Others answers how many secrets a project has besides one. It belongs in the transaction that stores that one.
func (s Secrets) Others(ctx context.Context, project uuid.UUID, name string) (int, error) {
	return room(ctx, s.Q, "secrets", project, name)
}

// Put stores a secret, in the place of one of that name.
func (s Secrets) Put(ctx context.Context, n NewSecret) error {
	_, err := s.Q.Exec(ctx, `
		insert into secrets (project_id, name, description, sealed, key_id, updated_by)
		values (@project, @name, @description, @sealed, @key, @by)
		on conflict (project_id, name) do update
		   set description = @description, sealed = @sealed, key_id = @key, updated_by = @by, updated_at = now()`,
		args{"project": n.ProjectID, "name": n.Name, "description": n.Description, "sealed": n.Sealed, "key": n.KeyID, "by": n.By})
	if err != nil {
		return fmt.Errorf("store a secret: %w", translate(err))
	}
	return nil
}

// Describe changes a secret's description alone; ErrNotFound when it is not there.
func (s Secrets) Describe(ctx context.Context, project uuid.UUID, name, description string, by uuid.UUID) error {
	tag, err := s.Q.Exec(ctx, `
		update secrets set description = $3, updated_by = $4, updated_at = now() where project_id = $1 and name = $2`,
		project, name, description, by)
	if err != nil {
		return fmt.Errorf("describe a secret: %w", translate(err))
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return nil
}

// Get finds a secret; ErrNotFound when it is not there.
func (s Secrets) Get(ctx context.Context, project uuid.UUID, name string) (SecretRow, error) {
	return s.one(ctx, selectSecrets+` where t.project_id = $1 and t.name = $2`, project, name)
}

// Lock is Get for a transaction that removes the secret: whoever saves a workflow that names it waits, and the other way
// round.
func (s Secrets) Lock(ctx context.Context, project uuid.UUID, name string) (SecretRow, error) {
	if _, err := s.Q.Exec(ctx, `select 1 from secrets where project_id = $1 and name = $2 for update`, project, name); err != nil {
		return SecretRow{}, fmt.Errorf("lock a secret: %w", err)
	}
	return s.Get(ctx, project, name)
}

func (s Secrets) one(ctx context.Context, sql string, a ...any) (SecretRow, error) {
	rows, err := s.Q.Query(ctx, sql, a...)
	if err != nil {
		return SecretRow{}, fmt.Errorf("get a secret: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[SecretRow])
	if err != nil {
		return SecretRow{}, fmt.Errorf("get a secret: %w", translate(err))
	}
	return row, nil
}

// Delete removes a secret.
func (s Secrets) Delete(ctx context.Context, project uuid.UUID, name string) error {
	if _, err := s.Q.Exec(ctx, `delete from secrets where project_id = $1 and name = $2`, project, name); err != nil {
		return fmt.Errorf("delete a secret: %w", err)
	}
	return nil
}

// List lists the secrets of projects by name, from the one after another on (nil: from the first).
func (s Secrets) List(ctx context.Context, projects []uuid.UUID, after *PageKey, limit int) ([]SecretRow, error) {
	rows, err := s.Q.Query(ctx, selectSecrets+page, pageArgs(projects, after, limit))
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[SecretRow])
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	return list, nil
}

// SealedRow is a secret as it is sealed.
type SealedRow struct {
	ProjectID uuid.UUID `db:"project_id"`
	Name      string    `db:"name"`
	Sealed    []byte    `db:"sealed"`
}

// Sealed answers a secret as it is sealed; ErrNotFound when it is not there.
func (s Secrets) Sealed(ctx context.Context, project uuid.UUID, name string) ([]byte, error) {
	var sealed []byte
	err := s.Q.QueryRow(ctx, `select sealed from secrets where project_id = $1 and name = $2`, project, name).Scan(&sealed)
	if err != nil {
		return nil, fmt.Errorf("read a secret: %w", translate(err))
	}
	return sealed, nil
}

// Stale lists up to limit secrets that are sealed with another key than that one, after a row, and locks them.
func (s Secrets) Stale(ctx context.Context, keyID string, after SealedRow, limit int) ([]SealedRow, error) {
	rows, err := s.Q.Query(ctx, `
		select project_id, name, sealed from secrets
		 where key_id <> $1 and (project_id, name) > ($2, $3) order by project_id, name limit $4 for update`,
		keyID, after.ProjectID, after.Name, limit)
	if err != nil {
		return nil, fmt.Errorf("list secrets of other keys: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[SealedRow])
	if err != nil {
		return nil, fmt.Errorf("list secrets of other keys: %w", err)
	}
	return list, nil
}

// Reseal stores a secret as it is sealed with another key. It is the same value, so that nobody counts as its author.
func (s Secrets) Reseal(ctx context.Context, row SealedRow, keyID string) error {
	_, err := s.Q.Exec(ctx, `update secrets set sealed = $3, key_id = $4 where project_id = $1 and name = $2`,
		row.ProjectID, row.Name, row.Sealed, keyID)
	if err != nil {
		return fmt.Errorf("reseal a secret: %w", err)
	}
	return nil
}
