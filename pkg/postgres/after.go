package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// AfterChannel is where schedulers hear that a run ended that a trigger waits for.
const AfterChannel = "orq_after"

// followEnded notes which triggers wait for the runs of ended, as long as they are none of a draft: whoever takes those notes makes the next runs. Where no
// trigger waits for anything, it looks into an index without entries.
const followEnded = `
	insert into after_fires (run_id, trigger_id)
	select e.id, t.id from ended e join triggers t on t.after_workflow = e.workflow_id and t.after_workflow is not null and t.enabled
	 where e.version > 0 and case coalesce(t.spec ->> 'on', 'success') when 'any' then true when 'success' then e.status = 'succeeded' else e.status = 'failed' end
	    on conflict do nothing`

// AfterFires is the store of ended runs that triggers wait for: an outbox, written with the end of a run.
type AfterFires struct{ Q Querier }

// AfterFire is the end of a run, for one trigger.
type AfterFire struct {
	RunID     uuid.UUID `db:"run_id"`
	TriggerID uuid.UUID `db:"trigger_id"`
	EndedAt   time.Time `db:"ended_at"`
}

// Take removes up to limit fires that nobody else has in hand, and answers them in the order in which their runs ended. Who
// takes them makes their runs in the same transaction.
func (s AfterFires) Take(ctx context.Context, limit int) ([]AfterFire, error) {
	rows, err := s.Q.Query(ctx, `
		with mine as (select run_id, trigger_id from after_fires limit $1 for update skip locked),
		     taken as (delete from after_fires a using mine m where a.run_id = m.run_id and a.trigger_id = m.trigger_id returning a.*)
		select run_id, trigger_id, ended_at from taken order by ended_at, run_id`, limit)
	if err != nil {
		return nil, fmt.Errorf("take ended runs: %w", err)
	}
	fires, err := pgx.CollectRows(rows, pgx.RowToStructByName[AfterFire])
	if err != nil {
		return nil, fmt.Errorf("take ended runs: %w", err)
	}
	return fires, nil
}

// Ended is a run as the one after it sees it.
type Ended struct {
	ID           uuid.UUID  `db:"id"`
	WorkflowID   uuid.UUID  `db:"workflow_id"`
	WorkflowName string     `db:"workflow_name"`
	Status       run.Status `db:"status"`
	Reason       *string    `db:"reason"`
	StartedAt    *time.Time `db:"started_at"`
	FinishedAt   *time.Time `db:"finished_at"`
	Depth        int        `db:"depth"` // how many runs stand before it, each the cause or the parent of the next; counted up to the limit
	// Outputs are those of its steps that succeeded, by the step's id. When they are larger than asked for together, only
	// those are there that fit, in the order in which the steps ended.
	Outputs json.RawMessage `db:"outputs"`
	Cut     bool            `db:"cut"` // outputs are missing
}

// Ended finds runs that have ended. depth bounds how far their causes are followed, size their outputs, in bytes.
func (s Runs) Ended(ctx context.Context, ids []uuid.UUID, depth, size int) (map[uuid.UUID]Ended, error) {
	rows, err := s.Q.Query(ctx, `
		select r.id, r.workflow_id, w.name as workflow_name, r.status, r.reason, r.started_at, r.finished_at,
		       (with recursive before as (
		            select coalesce(r.cause, r.parent_id) as id, 1 as n where num_nonnulls(r.cause, r.parent_id) > 0
		            union all
		            select coalesce(c.cause, c.parent_id), b.n + 1 from before b join runs c on c.id = b.id
		             where num_nonnulls(c.cause, c.parent_id) > 0 and b.n < @depth)
		        select coalesce(max(n), 0) from before) as depth,
		       coalesce(o.outputs, '{}') as outputs, coalesce(o.cut, false) as cut
		  from runs r join workflows w on w.id = r.workflow_id
		  left join lateral (
		      select jsonb_object_agg(s.step, s.output) filter (where s.total <= @size) as outputs, bool_or(s.total > @size) as cut
		        from (select s.step, s.output, sum(length(s.output::text)) over (order by s.finished_at, s.step) as total
		                from step_runs s where s.run_id = r.id and s.status = 'succeeded' and s.output is not null) s) o on true
		 where r.id = any(@ids)`, args{"ids": ids, "depth": depth, "size": size})
	if err != nil {
		return nil, fmt.Errorf("find ended runs: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Ended])
	if err != nil {
		return nil, fmt.Errorf("find ended runs: %w", err)
	}
	byID := make(map[uuid.UUID]Ended, len(list))
	for _, e := range list {
		byID[e.ID] = e
	}
	return byID, nil
}

// Chain is a trigger that makes a workflow run after another.
type Chain struct {
	WorkflowID uuid.UUID `db:"workflow_id"`
	Name       string    `db:"name"`
	After      uuid.UUID `db:"after"`
	AfterName  string    `db:"after_name"`
}

// LockChains answers which workflows of a project run after which, all others that change that waiting until the transaction
// ends: two that each look fine must not make a ring together.
func (s Triggers) LockChains(ctx context.Context, project uuid.UUID) ([]Chain, error) {
	if _, err := s.Q.Exec(ctx, `select pg_advisory_xact_lock(hashtext('orq chains'), hashtext($1::text))`, project.String()); err != nil {
		return nil, fmt.Errorf("lock the chains: %w", err)
	}
	rows, err := s.Q.Query(ctx, `
		select distinct t.workflow_id, w.name, t.after_workflow as after, a.name as after_name
		  from workflows a join triggers t on t.after_workflow = a.id join workflows w on w.id = t.workflow_id
		 where a.project_id = $1 and t.removed_at is null and w.deleted_at is null and a.deleted_at is null`, project)
	if err != nil {
		return nil, fmt.Errorf("list the chains: %w", err)
	}
	chains, err := pgx.CollectRows(rows, pgx.RowToStructByName[Chain])
	if err != nil {
		return nil, fmt.Errorf("list the chains: %w", err)
	}
	return chains, nil
}
