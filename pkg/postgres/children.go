package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Children is the store of the runs that steps of other runs start.
type Children struct{ Q Querier }

// ChildKey says which step, and which try of it, starts runs.
type ChildKey struct {
	ParentID uuid.UUID
	Step     string
	Try      int // failed attempts before this one: what a lost worker began is found again
}

// Reserve notes which run is started for which item. It answers the runs of all the items: those given, or those of an
// earlier call for the same items.
func (s Children) Reserve(ctx context.Context, key ChildKey, items []int32, runs []uuid.UUID) (map[int32]uuid.UUID, error) {
	_, err := s.Q.Exec(ctx, `
		insert into child_runs (parent_id, step, attempt, item, run_id)
		select $1, $2, $3, u.* from unnest($4::int[], $5::uuid[]) u order by 4
		    on conflict do nothing`, key.ParentID, key.Step, key.Try, items, runs)
	if err != nil {
		return nil, fmt.Errorf("reserve child runs: %w", translate(err))
	}
	rows, err := s.Q.Query(ctx, `
		select item, run_id from child_runs where parent_id = $1 and step = $2 and attempt = $3 and item = any($4)`,
		key.ParentID, key.Step, key.Try, items)
	if err != nil {
		return nil, fmt.Errorf("find child runs: %w", err)
	}
	found := make(map[int32]uuid.UUID, len(items))
	var item int32
	var id uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&item, &id}, func() error { found[item] = id; return nil }); err != nil {
		return nil, fmt.Errorf("find child runs: %w", err)
	}
	return found, nil
}

// ChildRow is a run that a step started.
type ChildRow struct {
	Item   int             `db:"item"`
	RunID  uuid.UUID       `db:"run_id"`
	Status run.Status      `db:"status"`
	Reason *string         `db:"reason"`
	Output json.RawMessage `db:"output"`
}

// A run that was removed since has ended, and nobody knows how: it counts as one that succeeded, since only those are kept for
// less than a failed one.
const childColumns = `c.item, c.run_id, coalesce(l.state, r.status, 'succeeded') as status, r.reason`

// Of lists the runs that a step started, in the order of its items, with their outputs as far as they fit into room bytes
// together.
func (s Children) Of(ctx context.Context, key ChildKey, room int) ([]ChildRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+childColumns+`,
		       case when sum(octet_length(r.output::text)) over (order by c.item) <= $4 then r.output end as output
		  from child_runs c left join runs r on r.id = c.run_id left join run_live l on l.id = c.run_id
		 where c.parent_id = $1 and c.step = $2 and c.attempt = $3 order by c.item`, key.ParentID, key.Step, key.Try, room)
	return collectChildren(rows, err)
}

// Ended lists which of the items' runs have ended, without their outputs.
func (s Children) Ended(ctx context.Context, key ChildKey, items []int32) ([]ChildRow, error) {
	rows, err := s.Q.Query(ctx, `
		select `+childColumns+`, null::jsonb as output
		  from child_runs c left join runs r on r.id = c.run_id left join run_live l on l.id = c.run_id
		 where c.parent_id = $1 and c.step = $2 and c.attempt = $3 and c.item = any($4) and l.id is null
		 order by c.item`, key.ParentID, key.Step, key.Try, items)
	return collectChildren(rows, err)
}

func collectChildren(rows pgx.Rows, err error) ([]ChildRow, error) {
	if err != nil {
		return nil, fmt.Errorf("list child runs: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[ChildRow])
	if err != nil {
		return nil, fmt.Errorf("list child runs: %w", err)
	}
	return list, nil
}

// ChildPlace is a place in the list of the runs that a run started.
type ChildPlace struct {
	Step    string `db:"step"`
	Attempt int    `db:"attempt"`
	Item    int    `db:"item"`
}

// ListedChild is a run that a run started, with its place.
type ListedChild struct {
	ChildPlace
	RunRow
}

// List lists the runs that a run's steps started, behind a place; a step may be named.
func (s Children) List(ctx context.Context, projects []uuid.UUID, parent uuid.UUID, step string, after ChildPlace, limit int) ([]ListedChild, error) {
	rows, err := s.Q.Query(ctx, `
		select c.step, c.attempt, c.item, `+runColumns+`
		  from child_runs c join runs r on r.id = c.run_id `+runJoins+`
		 where c.parent_id = @parent and r.project_id = any(@projects) and (@step = '' or c.step = @step)
		   and (c.step, c.attempt, c.item) > (@after_step, @after_attempt, @after_item)
		 order by c.step, c.attempt, c.item limit @limit`,
		args{
			"parent": parent, "projects": projects, "step": step, "after_step": after.Step, "after_attempt": after.Attempt,
			"after_item": after.Item, "limit": limit,
		})
	if err != nil {
		return nil, fmt.Errorf("list child runs: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[ListedChild])
	if err != nil {
		return nil, fmt.Errorf("list child runs: %w", err)
	}
	return list, nil
}

// Orphans lists runs that a step waited for whose own run has ended: nobody wants what they do.
func (s Children) Orphans(ctx context.Context, limit int) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `
		select c.id from run_live c
		 where c.parent_id is not null and c.cancel is null and not exists (select from run_live p where p.id = c.parent_id)
		 limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("find orphaned runs: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find orphaned runs: %w", err)
	}
	return ids, nil
}
