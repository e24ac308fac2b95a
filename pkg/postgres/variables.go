package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Variables is the store of the projects' variables.
type Variables struct{ Q Querier }

// VariableRow is a variable.
type VariableRow struct {
	ValueMeta
	Value json.RawMessage `db:"value"`
}

// NewVariable is a variable that is stored, or replaced.
type NewVariable struct {
	ProjectID   uuid.UUID
	Name        string
	Description string
	Value       json.RawMessage
	By          uuid.UUID
}

var selectVariables = `select ` + metaColumns + `, t.value,` + usersOf(workflow.RootVars) + `
		  from variables t left join users u on u.id = t.updated_by`

// Others answers how many variables a project has besides one. It belongs in the transaction that stores that one.
func (s Variables) Others(ctx context.Context, project uuid.UUID, name string) (int, error) {
	return room(ctx, s.Q, "variables", project, name)
}

// Put stores a variable, in the place of one of that name.
func (s Variables) Put(ctx context.Context, n NewVariable) error {
	_, err := s.Q.Exec(ctx, `
		insert into variables (project_id, name, description, value, updated_by)
		values (@project, @name, @description, @value, @by)
		on conflict (project_id, name) do update
		   set description = @description, value = @value, updated_by = @by, updated_at = now()`,
		args{"project": n.ProjectID, "name": n.Name, "description": n.Description, "value": n.Value, "by": n.By})
	if err != nil {
		return fmt.Errorf("store a variable: %w", translate(err))
	}
	return nil
}

// Get finds a variable; ErrNotFound when it is not there.
func (s Variables) Get(ctx context.Context, project uuid.UUID, name string) (VariableRow, error) {
	rows, err := s.Q.Query(ctx, selectVariables+` where t.project_id = $1 and t.name = $2`, project, name)
	if err != nil {
		return VariableRow{}, fmt.Errorf("get a variable: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[VariableRow])
	if err != nil {
		return VariableRow{}, fmt.Errorf("get a variable: %w", translate(err))
	}
	return row, nil
}

// Lock is Get for a transaction that removes the variable; see Secrets.Lock.
func (s Variables) Lock(ctx context.Context, project uuid.UUID, name string) (VariableRow, error) {
	if _, err := s.Q.Exec(ctx, `select 1 from variables where project_id = $1 and name = $2 for update`, project, name); err != nil {
		return VariableRow{}, fmt.Errorf("lock a variable: %w", err)
	}
	return s.Get(ctx, project, name)
}

// Delete removes a variable.
func (s Variables) Delete(ctx context.Context, project uuid.UUID, name string) error {
	if _, err := s.Q.Exec(ctx, `delete from variables where project_id = $1 and name = $2`, project, name); err != nil {
		return fmt.Errorf("delete a variable: %w", err)
	}
	return nil
}

// List lists the variables of projects by name, from the one after another on (nil: from the first).
func (s Variables) List(ctx context.Context, projects []uuid.UUID, after *PageKey, limit int) ([]VariableRow, error) {
	rows, err := s.Q.Query(ctx, selectVariables+page, pageArgs(projects, after, limit))
	if err != nil {
		return nil, fmt.Errorf("list variables: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[VariableRow])
	if err != nil {
		return nil, fmt.Errorf("list variables: %w", err)
	}
	return list, nil
}
