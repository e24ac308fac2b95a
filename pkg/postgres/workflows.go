package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Workflows is the store of workflows and their versions.
type Workflows struct{ Q Querier }

// WorkflowRow is a workflow with the definition that runs.
type WorkflowRow struct {
	ID         uuid.UUID           `db:"id"`
	ProjectID  uuid.UUID           `db:"project_id"`
	Enabled    bool                `db:"enabled"`
	Version    int                 `db:"version"`
	Revision   int                 `db:"revision"` // counts every change; the ETag
	CreatedAt  time.Time           `db:"created_at"`
	UpdatedAt  time.Time           `db:"updated_at"`
	Definition workflow.Definition `db:"definition"`
}

// Head is what starting a run of the workflow needs.
func (r WorkflowRow) Head() Head {
	return Head{ID: r.ID, ProjectID: r.ProjectID, Name: r.Definition.Name, Version: r.Version, Inputs: r.Definition.Inputs}
}

const workflowColumns = `w.id, w.project_id, w.enabled, w.version, w.revision, w.created_at, w.updated_at, v.definition`

const workflowJoin = ` join workflow_versions v on v.workflow_id = w.id and v.version = w.version `

// Insert stores a new workflow, its first version with it.
func (s Workflows) Insert(ctx context.Context, row WorkflowRow, by uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		insert into workflows (id, project_id, name, description, enabled, version, queue, max_concurrent, keep_succeeded, keep_failed, inputs)
		values (@id, @project, @name, @description, @enabled, @version, @queue, @max_concurrent, @keep_succeeded, @keep_failed, @inputs)`,
		row.columns(pgx.NamedArgs{"project": row.ProjectID}))
	if err != nil {
		return fmt.Errorf("insert workflow: %w", translate(err))
	}
	return s.InsertVersion(ctx, row, by)
}

// columns adds to args what the engine reads of a workflow without opening its definition.
func (r WorkflowRow) columns(args pgx.NamedArgs) pgx.NamedArgs {
	d := r.Definition
	args["id"], args["enabled"], args["version"] = r.ID, r.Enabled, r.Version
	args["name"], args["description"], args["queue"] = d.Name, d.Description, d.QueueName()
	args["max_concurrent"] = nonZero(d.MaxConcurrent)
	args["inputs"] = nonZero(string(d.Inputs))
	args["keep_succeeded"], args["keep_failed"] = nonZero(time.Duration(d.Keep.Succeeded)), nonZero(time.Duration(d.Keep.Failed))
	return args
}

// nonZero is nil for the zero value.
func nonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// InsertVersion stores the definition of row as version row.Version.
func (s Workflows) InsertVersion(ctx context.Context, row WorkflowRow, by uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		insert into workflow_versions (workflow_id, version, definition, created_by) values ($1, $2, $3, $4)`,
		row.ID, row.Version, row.Definition, by)
	if err != nil {
		return fmt.Errorf("insert version: %w", translate(err))
	}
	return nil
}

// Update stores what changed of a workflow and counts the revision up.
func (s Workflows) Update(ctx context.Context, row WorkflowRow) error {
	_, err := s.Q.Exec(ctx, `
		update workflows
		   set name = @name, description = @description, enabled = @enabled, version = @version, queue = @queue,
		       max_concurrent = @max_concurrent, keep_succeeded = @keep_succeeded, keep_failed = @keep_failed, inputs = @inputs,
		       revision = revision + 1, updated_at = now()
		 where id = @id`, row.columns(pgx.NamedArgs{}))
	if err != nil {
		return fmt.Errorf("update workflow: %w", translate(err))
	}
	return nil
}

// Delete hides a workflow; its runs and its ledger stay.
func (s Workflows) Delete(ctx context.Context, id uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `update workflows set deleted_at = now(), enabled = false, revision = revision + 1 where id = $1`, id)
	if err != nil {
		return fmt.Errorf("delete workflow: %w", err)
	}
	return nil
}

// Get finds a workflow in one of the projects; ErrNotFound when it is not there or deleted.
func (s Workflows) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (WorkflowRow, error) {
	return s.get(ctx, projects, id, "")
}

// Head is a workflow without its definition: what starting a run needs.
type Head struct {
	ID        uuid.UUID       `db:"id"`
	ProjectID uuid.UUID       `db:"project_id"`
	Name      string          `db:"name"`
	Version   int             `db:"version"`
	Inputs    json.RawMessage `db:"inputs"` // the schema of what its runs get; nil for anything
}

// Heads finds workflows by their ids, whoever's they are; those that are not there or deleted are missing from the answer.
func (s Workflows) Heads(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Head, error) {
	rows, err := s.Q.Query(ctx, `
		select w.id, w.project_id, w.name, w.version, w.inputs from workflows w where w.id = any($1) and w.deleted_at is null`, ids)
	if err != nil {
		return nil, fmt.Errorf("get workflows: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Head])
	if err != nil {
		return nil, fmt.Errorf("get workflows: %w", err)
	}
	heads := make(map[uuid.UUID]Head, len(list))
	for _, h := range list {
		heads[h.ID] = h
	}
	return heads, nil
}

// Lock is Get for a transaction that changes the workflow: others wait until it ends.
func (s Workflows) Lock(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (WorkflowRow, error) {
	return s.get(ctx, projects, id, " for update of w")
}

func (s Workflows) get(ctx context.Context, projects []uuid.UUID, id uuid.UUID, lock string) (WorkflowRow, error) {
	rows, err := s.Q.Query(ctx, `select `+workflowColumns+` from workflows w `+workflowJoin+`
		where w.id = $1 and w.project_id = any($2) and w.deleted_at is null`+lock, id, projects)
	if err != nil {
		return WorkflowRow{}, fmt.Errorf("get workflow: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[WorkflowRow])
	if err != nil {
		return WorkflowRow{}, fmt.Errorf("get workflow: %w", translate(err))
	}
	return row, nil
}

// WorkflowFilter narrows a list of workflows; zero values do not.
type WorkflowFilter struct {
	Projects []uuid.UUID
	Search   string // part of the name
	Enabled  *bool
	Drafted  bool       // with those that were never published
	Before   *uuid.UUID // keyset: only workflows older than this one
	Limit    int
}

// List lists workflows, newest first.
func (s Workflows) List(ctx context.Context, f WorkflowFilter) ([]WorkflowRow, error) {
	where := `w.project_id = any(@projects) and w.deleted_at is null`
	args := pgx.NamedArgs{"projects": f.Projects, "limit": f.Limit}
	if f.Search != "" {
		where += ` and position(lower(@search) in lower(w.name)) > 0`
		args["search"] = f.Search
	}
	if f.Enabled != nil {
		where += ` and w.enabled = @enabled`
		args["enabled"] = *f.Enabled
	}
	if !f.Drafted {
		where += ` and w.version > 0`
	}
	if f.Before != nil {
		where += ` and w.id < @before`
		args["before"] = *f.Before
	}
	rows, err := s.Q.Query(ctx, `select `+workflowColumns+` from workflows w `+workflowJoin+` where `+where+` order by w.id desc limit @limit`, args)
	if err != nil {
		return nil, fmt.Errorf("list workflows: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[WorkflowRow])
	if err != nil {
		return nil, fmt.Errorf("list workflows: %w", err)
	}
	return list, nil
}

// RecentRun is one mark of a workflow's strip.
type RecentRun struct {
	WorkflowID uuid.UUID  `db:"workflow_id"`
	ID         uuid.UUID  `db:"id"`
	Status     run.Status `db:"status"`
	CreatedAt  time.Time  `db:"created_at"`
	StartedAt  *time.Time `db:"started_at"`
	FinishedAt *time.Time `db:"finished_at"`
}

// RecentRuns answers the last n runs of each workflow, newest first.
func (s Workflows) RecentRuns(ctx context.Context, workflows []uuid.UUID, n int) (map[uuid.UUID][]RecentRun, error) {
	rows, err := s.Q.Query(ctx, `
		select r.* from unnest($1::uuid[]) u (id)
		 cross join lateral (
		    select r.workflow_id, r.id,
		           coalesce(l.state, r.status) as status,
		           r.created_at, coalesce(r.started_at, l.started_at) as started_at, r.finished_at
		      from runs r left join run_live l on l.id = r.id
		     where r.workflow_id = u.id and r.version > 0 order by r.id desc limit $2) r`, workflows, n)
	if err != nil {
		return nil, fmt.Errorf("list recent runs: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[RecentRun])
	if err != nil {
		return nil, fmt.Errorf("list recent runs: %w", err)
	}
	byWorkflow := make(map[uuid.UUID][]RecentRun, len(workflows))
	for _, r := range list {
		byWorkflow[r.WorkflowID] = append(byWorkflow[r.WorkflowID], r)
	}
	return byWorkflow, nil
}

// VersionRow is one version of a workflow.
type VersionRow struct {
	Version    int                 `db:"version"`
	CreatedAt  time.Time           `db:"created_at"`
	CreatedBy  *string             `db:"created_by"` // the username; nil when the user is gone
	Definition workflow.Definition `db:"definition"`
}

const versionColumns = `v.version, v.created_at, u.username as created_by, v.definition`

// Versions lists the versions of a workflow, newest first, below before (0: from the newest).
func (s Workflows) Versions(ctx context.Context, id uuid.UUID, before, limit int) ([]VersionRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+versionColumns+` from workflow_versions v left join users u on u.id = v.created_by
		 where v.workflow_id = $1 and v.version > 0 and ($2 = 0 or v.version < $2) order by v.version desc limit $3`, id, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[VersionRow])
	if err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	return list, nil
}

// Version finds one version, or what runs of a draft ran (below zero); ErrNotFound when there is none. The caller has checked that the workflow is theirs.
func (s Workflows) Version(ctx context.Context, id uuid.UUID, version int) (VersionRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+versionColumns+` from workflow_versions v left join users u on u.id = v.created_by
		 where v.workflow_id = $1 and v.version = $2`, id, version)
	if err != nil {
		return VersionRow{}, fmt.Errorf("get version: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[VersionRow])
	if err != nil {
		return VersionRow{}, fmt.Errorf("get version: %w", translate(err))
	}
	return row, nil
}

// VersionAt finds the version that was in force at an instant; ErrNotFound when there was none yet.
func (s Workflows) VersionAt(ctx context.Context, id uuid.UUID, at time.Time) (VersionRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+versionColumns+` from workflow_versions v left join users u on u.id = v.created_by
		 where v.workflow_id = $1 and v.version > 0 and v.created_at <= $2 order by v.version desc limit 1`, id, at)
	if err != nil {
		return VersionRow{}, fmt.Errorf("find version: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[VersionRow])
	if err != nil {
		return VersionRow{}, fmt.Errorf("find version: %w", translate(err))
	}
	return row, nil
}

// DefinitionJSON is a version's definition as it is stored, for the workers' cache.
func (s Workflows) DefinitionJSON(ctx context.Context, id uuid.UUID, version int) (json.RawMessage, error) {
	var raw json.RawMessage
	err := s.Q.QueryRow(ctx, `select definition from workflow_versions where workflow_id = $1 and version = $2`, id, version).Scan(&raw)
	if err != nil {
		return nil, fmt.Errorf("get definition: %w", translate(err))
	}
	return raw, nil
}

// Named finds the published workflows of a project that have the id or the name: two at most, as more than one is too many.
func (s Workflows) Named(ctx context.Context, project uuid.UUID, name string) ([]Head, error) {
	id, err := uuid.Parse(name)
	if err != nil {
		id = uuid.Nil
	}
	rows, err := s.Q.Query(ctx, `
		select w.id, w.project_id, w.name, w.version, w.inputs from workflows w
		 where w.project_id = $1 and (w.name = $2 or w.id = $3) and w.deleted_at is null and w.version > 0
		 order by w.id <> $3 limit case when exists (select from workflows where id = $3) then 1 else 2 end`, project, name, id)
	if err != nil {
		return nil, fmt.Errorf("find a workflow by its name: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Head])
	if err != nil {
		return nil, fmt.Errorf("find a workflow by its name: %w", err)
	}
	return list, nil
}
