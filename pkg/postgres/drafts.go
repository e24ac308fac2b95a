package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Drafts is the store of what is to become the next versions of workflows.
type Drafts struct{ Q Querier }

// DraftRow is the draft of a workflow.
type DraftRow struct {
	WorkflowID uuid.UUID       `db:"workflow_id"`
	Definition json.RawMessage `db:"definition"` // an object, which need not be a valid definition
	BasedOn    int             `db:"based_on"`   // the version that it is to replace; 0: there was none
	Snapshot   *int            `db:"snapshot"`   // the version, below zero, under which this text has run; nil: it has not
	Revision   int             `db:"revision"`   // the ETag: no two drafts ever have the same
	UpdatedBy  *string         `db:"updated_by"` // the username; nil when the user is gone
	UpdatedAt  time.Time       `db:"updated_at"`
}

const draftColumns = `d.workflow_id, d.definition, d.based_on, d.snapshot, d.revision, u.username as updated_by, d.updated_at`

const draftJoin = ` left join users u on u.id = d.updated_by `

// Get finds the draft of a workflow; ErrNotFound when it has none. The caller has checked that the workflow is theirs.
func (s Drafts) Get(ctx context.Context, id uuid.UUID) (DraftRow, error) {
	rows, err := s.Q.Query(ctx, `select `+draftColumns+` from drafts d `+draftJoin+` where d.workflow_id = $1`, id)
	if err != nil {
		return DraftRow{}, fmt.Errorf("get draft: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[DraftRow])
	if err != nil {
		return DraftRow{}, fmt.Errorf("get draft: %w", translate(err))
	}
	return row, nil
}

// Put keeps a definition as the draft of a workflow, instead of the one that was there. The caller holds the workflow's lock.
func (s Drafts) Put(ctx context.Context, row DraftRow, by uuid.UUID) error {
	_, err := s.Q.Exec(ctx, `
		insert into drafts (workflow_id, definition, based_on, updated_by) values (@id, @definition, @based_on, @by)
		    on conflict (workflow_id) do update
		   set definition = excluded.definition, based_on = excluded.based_on, updated_by = excluded.updated_by,
		       updated_at = now(), revision = excluded.revision,
		       snapshot = case when drafts.definition = excluded.definition then drafts.snapshot end`,
		args{"id": row.WorkflowID, "definition": row.Definition, "based_on": row.BasedOn, "by": by})
	if err != nil {
		return fmt.Errorf("save draft: %w", translate(err))
	}
	return nil
}

// Delete forgets the draft of a workflow, if there is one.
func (s Drafts) Delete(ctx context.Context, id uuid.UUID) error {
	if _, err := s.Q.Exec(ctx, `delete from drafts where workflow_id = $1`, id); err != nil {
		return fmt.Errorf("delete draft: %w", err)
	}
	return nil
}

// Name gives a workflow that was never published the name that its draft has.
func (s Drafts) Name(ctx context.Context, id uuid.UUID, stub workflow.Definition) error {
	_, err := s.Q.Exec(ctx, `
		with named as (update workflows set name = @name, description = @description, updated_at = now() where id = @id and version = 0 returning id)
		update workflow_versions v set definition = @stub from named where v.workflow_id = named.id and v.version = 0`,
		args{"id": id, "name": stub.Name, "description": stub.Description, "stub": stub})
	if err != nil {
		return fmt.Errorf("name a workflow after its draft: %w", translate(err))
	}
	return nil
}

// Keep stores a definition under a version below zero, which it answers, for runs of the draft to come. The caller holds the
// workflow's lock.
func (s Drafts) Keep(ctx context.Context, id uuid.UUID, def workflow.Definition, by uuid.UUID) (version int, err error) {
	err = s.Q.QueryRow(ctx, `
		with kept as (
		    insert into workflow_versions (workflow_id, version, definition, created_by)
		    select @id, least(min(version), 0) - 1, @definition, @by from workflow_versions where workflow_id = @id
		 returning version)
		update drafts d set snapshot = kept.version from kept where d.workflow_id = @id returning kept.version`,
		args{"id": id, "definition": def, "by": by}).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("keep what a draft runs: %w", translate(err))
	}
	return version, nil
}

// DraftBrief tells that a workflow has a draft.
type DraftBrief struct {
	WorkflowID uuid.UUID `db:"workflow_id"`
	BasedOn    int       `db:"based_on"`
	UpdatedBy  *string   `db:"updated_by"`
	UpdatedAt  time.Time `db:"updated_at"`
}

// Of finds the drafts of workflows; those without one are missing from the answer.
func (s Drafts) Of(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]DraftBrief, error) {
	rows, err := s.Q.Query(ctx, `
		select d.workflow_id, d.based_on, u.username as updated_by, d.updated_at from drafts d `+draftJoin+` where d.workflow_id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("find drafts: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[DraftBrief])
	if err != nil {
		return nil, fmt.Errorf("find drafts: %w", err)
	}
	byID := make(map[uuid.UUID]DraftBrief, len(list))
	for _, d := range list {
		byID[d.WorkflowID] = d
	}
	return byID, nil
}

// DropKept forgets up to limit definitions that runs of drafts ran and that no run needs any more; it answers how many. Those of
// the last day stay: their runs may be about to be.
func (s Drafts) DropKept(ctx context.Context, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		delete from workflow_versions where (workflow_id, version) in (
		    select v.workflow_id, v.version from workflow_versions v
		      join workflows w on w.id = v.workflow_id
		     where v.version < 0 and v.created_at < now() - interval '1 day'
		       and not exists (select from runs r
		                        where r.project_id = w.project_id and r.workflow_id = w.id and r.version = v.version and r.version < 0)
		       and not exists (select from drafts d where d.workflow_id = v.workflow_id and d.snapshot = v.version)
		     limit $1)`, limit)
	if err != nil {
		return 0, fmt.Errorf("drop what drafts ran: %w", err)
	}
	return tag.RowsAffected(), nil
}
