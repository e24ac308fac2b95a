package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Values is the store of the secrets and variables that templates name. Which of the two is told by the root under which
// they stand there: secrets or vars.
type Values struct{ Q Querier }

// ValueKey names a project's secret or variable.
type ValueKey struct {
	ProjectID uuid.UUID
	Root      string // workflow.RootSecrets or workflow.RootVars
	Name      string
}

// Value is a secret as it is sealed, or a variable.
type Value struct {
	Sealed []byte
	JSON   json.RawMessage
}

// Read answers the values that are there, for runs that use them now: when a secret was used last is noted, to the minute.
func (s Values) Read(ctx context.Context, keys []ValueKey) (map[ValueKey]Value, error) {
	projects, roots, names := splitKeys(keys)
	rows, err := s.Q.Query(ctx, `
		with wanted as (select * from unnest(@projects::uuid[], @roots::text[], @names::text[]) u (project_id, root, name)),
		stale as (
		    select s.project_id, s.name from wanted u join secrets s using (project_id, name)
		     where u.root = 'secrets' and (s.used_at is null or s.used_at < now() - interval '1 minute')
		       for no key update of s skip locked),
		used as (
		    update secrets s set used_at = now() from stale u where s.project_id = u.project_id and s.name = u.name)
		select u.project_id, u.root, u.name, s.sealed, null::jsonb as value
		  from wanted u join secrets s using (project_id, name) where u.root = 'secrets'
		union all
		select u.project_id, u.root, u.name, null, v.value
		  from wanted u join variables v using (project_id, name) where u.root = 'vars'`,
		args{"projects": projects, "roots": roots, "names": names})
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	values := make(map[ValueKey]Value, len(keys))
	var key ValueKey
	var value Value
	_, err = pgx.ForEachRow(rows, []any{&key.ProjectID, &key.Root, &key.Name, &value.Sealed, &value.JSON}, func() error {
		values[key] = value
		value = Value{} // the next row must not be read into this one's bytes
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	return values, nil
}

func splitKeys(keys []ValueKey) (projects []uuid.UUID, roots, names []string) {
	for _, k := range keys {
		projects, roots, names = append(projects, k.ProjectID), append(roots, k.Root), append(names, k.Name)
	}
	return projects, roots, names
}

// Names lists the names of a project's values, by root.
func (s Values) Names(ctx context.Context, project uuid.UUID) (map[string][]string, error) {
	rows, err := s.Q.Query(ctx, `
		select 'secrets', name from secrets where project_id = $1
		union all select 'vars', name from variables where project_id = $1 order by 1, 2`, project)
	if err != nil {
		return nil, fmt.Errorf("list names of values: %w", err)
	}
	byRoot := map[string][]string{}
	var root, name string
	_, err = pgx.ForEachRow(rows, []any{&root, &name}, func() error {
		byRoot[root] = append(byRoot[root], name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list names of values: %w", err)
	}
	return byRoot, nil
}

// SetUses stores which values a workflow's definition names; those must not go away before the transaction ends. It
// answers those that are not there.
func (s Values) SetUses(ctx context.Context, workflow uuid.UUID, keys []ValueKey) (missing map[ValueKey]bool, err error) {
	if _, err := s.Q.Exec(ctx, `delete from workflow_names where workflow_id = $1`, workflow); err != nil {
		return nil, fmt.Errorf("store the names of a workflow: %w", err)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	projects, roots, names := splitKeys(keys)
	_, err = s.Q.Exec(ctx, `
		insert into workflow_names (workflow_id, project_id, root, name)
		select distinct @workflow::uuid, u.* from unnest(@projects::uuid[], @roots::text[], @names::text[]) u`,
		args{"workflow": workflow, "projects": projects, "roots": roots, "names": names})
	if err != nil {
		return nil, fmt.Errorf("store the names of a workflow: %w", err)
	}
	return s.Hold(ctx, keys)
}

// Hold answers which values are not there; the others stay until the transaction ends.
func (s Values) Hold(ctx context.Context, keys []ValueKey) (missing map[ValueKey]bool, err error) {
	missing = make(map[ValueKey]bool, len(keys))
	for _, k := range keys {
		missing[k] = true
	}
	projects, roots, names := splitKeys(keys)
	// Locks by root and name, so that no two savers wait for each other.
	for _, sql := range []string{
		`select s.project_id, u.root, s.name from secrets s join unnest($1::uuid[], $2::text[], $3::text[]) u (project_id, root, name)
		     using (project_id, name) where u.root = 'secrets' order by s.name for key share of s`,
		`select v.project_id, u.root, v.name from variables v join unnest($1::uuid[], $2::text[], $3::text[]) u (project_id, root, name)
		     using (project_id, name) where u.root = 'vars' order by v.name for key share of v`,
	} {
		rows, err := s.Q.Query(ctx, sql, projects, roots, names)
		if err != nil {
			return nil, fmt.Errorf("hold values: %w", err)
		}
		var key ValueKey
		_, err = pgx.ForEachRow(rows, []any{&key.ProjectID, &key.Root, &key.Name}, func() error {
			delete(missing, key)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("hold values: %w", err)
		}
	}
	return missing, nil
}

// User is a workflow that names a value.
type User struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// maxUsers is how many of the workflows that name a value are listed.
const maxUsers = 20

// usersOf are the columns used_by and used_by_count for a row t of a value under a root.
func usersOf(root string) string {
	return fmt.Sprintf(`
		(select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name) order by lower(w.name), w.id), '[]')
		   from (select w.id, w.name from workflow_names n join workflows w on w.id = n.workflow_id
		          where n.project_id = t.project_id and n.root = '%[1]s' and n.name = t.name
		          order by lower(w.name), w.id limit %[2]d) w) as used_by,
		(select count(*) from workflow_names n
		  where n.project_id = t.project_id and n.root = '%[1]s' and n.name = t.name) as used_by_count`, root, maxUsers)
}

// ValueMeta is what secrets and variables have in common.
type ValueMeta struct {
	ProjectID   uuid.UUID `db:"project_id"`
	Name        string    `db:"name"`
	Description string    `db:"description"`
	CreatedAt   time.Time `db:"created_at"`
	UpdatedAt   time.Time `db:"updated_at"`
	UpdatedBy   *string   `db:"updated_by"` // the username; nil when the user is gone
	UsedBy      []User    `db:"used_by"`    // at most 20, by name
	UsedByCount int       `db:"used_by_count"`
}

const metaColumns = `t.project_id, t.name, t.description, t.created_at, t.updated_at, u.username as updated_by`

// PageKey is the last row of the page before.
type PageKey struct {
	Name      string
	ProjectID uuid.UUID
}

// page finishes a query of values with a page of theirs: of some projects, by name.
const page = `
		 where t.project_id = any(@projects) and (@after::text is null or (t.name, t.project_id) > (@after, @after_project))
		 order by t.name, t.project_id limit @limit`

func pageArgs(projects []uuid.UUID, after *PageKey, limit int) args {
	a := args{"projects": projects, "limit": limit, "after": (*string)(nil), "after_project": (*uuid.UUID)(nil)}
	if after != nil {
		a["after"], a["after_project"] = &after.Name, &after.ProjectID
	}
	return a
}

// room locks a project and answers how many values of a kind it has besides one.
func room(ctx context.Context, q Querier, table string, project uuid.UUID, name string) (others int, err error) {
	if _, err := q.Exec(ctx, `select 1 from projects where id = $1 for no key update`, project); err != nil {
		return 0, fmt.Errorf("lock the project: %w", err)
	}
	err = q.QueryRow(ctx, `select count(*) from `+table+` where project_id = $1 and name <> $2`, project, name).Scan(&others)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", table, err)
	}
	return others, nil
}
