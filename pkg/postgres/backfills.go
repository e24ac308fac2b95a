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

// Backfills is the store of backfills and of their fires.
type Backfills struct{ Q Querier }

// BackfillState is where a backfill stands.
type BackfillState string

// The states of a backfill.
const (
	BackfillRunning   BackfillState = "running"
	BackfillPaused    BackfillState = "paused"    // begins no more runs; those under way go on
	BackfillDone      BackfillState = "done"      // each of its runs has ended
	BackfillCancelled BackfillState = "cancelled" // somebody ended it
)

// Ended tells whether nothing follows.
func (s BackfillState) Ended() bool { return s == BackfillDone || s == BackfillCancelled }

// NewBackfill is a backfill that is about to be.
type NewBackfill struct {
	ID          uuid.UUID
	Trigger     TriggerRow // whose version and inputs its runs have
	From, To    time.Time
	Overlap     string // queue_all or allow
	Concurrency int    // how many of its runs may be under way
	Inputs      json.RawMessage
	CreatedBy   uuid.UUID
	Fires       []time.Time
}

// Insert stores a backfill with its fires.
func (s Backfills) Insert(ctx context.Context, b NewBackfill) error {
	_, err := s.Q.Exec(ctx, `
		with made as (
		    insert into backfills (id, project_id, workflow_id, trigger_id, version, from_at, to_at, overlap, concurrency,
		                           inputs, created_by)
		    values (@id, @project, @workflow, @trigger, @version, @from, @to, @overlap, @concurrency, @inputs, @by)
		    returning id)
		insert into backfill_fires (backfill_id, fire_at) select made.id, f from made, unnest(@fires::timestamptz[]) f`,
		args{
			"id": b.ID, "project": b.Trigger.ProjectID, "workflow": b.Trigger.WorkflowID, "trigger": b.Trigger.ID,
			"version": b.Trigger.Version, "from": b.From, "to": b.To, "overlap": b.Overlap, "concurrency": b.Concurrency,
			"inputs": nonZero(string(b.Inputs)), "by": b.CreatedBy, "fires": b.Fires,
		})
	if err != nil {
		return fmt.Errorf("insert backfill: %w", translate(err))
	}
	return nil
}

// BackfillRow is a backfill as people see it, with its progress.
type BackfillRow struct {
	ID          uuid.UUID     `db:"id"`
	ProjectID   uuid.UUID     `db:"project_id"`
	WorkflowID  uuid.UUID     `db:"workflow_id"`
	TriggerID   uuid.UUID     `db:"trigger_id"`
	TriggerKey  string        `db:"trigger_key"`
	Version     int           `db:"version"`
	From        time.Time     `db:"from_at"`
	To          time.Time     `db:"to_at"`
	Overlap     string        `db:"overlap"`
	Concurrency int           `db:"concurrency"`
	State       BackfillState `db:"state"`
	Reason      *string       `db:"reason"`
	CreatedBy   *string       `db:"created_by"` // the username; nil when the user is gone
	CreatedAt   time.Time     `db:"created_at"`
	EndedAt     *time.Time    `db:"ended_at"`
	Total       int           `db:"total"`
	Started     int           `db:"started"` // and not ended
	Succeeded   int           `db:"succeeded"`
	Failed      int           `db:"failed"`
	Cancelled   int           `db:"cancelled"`
}

const backfillColumns = `
	b.id, b.project_id, b.workflow_id, b.trigger_id, t.key as trigger_key, b.version, b.from_at, b.to_at, b.overlap,
	b.concurrency, b.state, b.reason, u.username as created_by, b.created_at, b.ended_at,
	f.total, f.started, f.succeeded, f.failed, f.cancelled`

const backfillJoins = `
	  join triggers t on t.id = b.trigger_id
	  left join users u on u.id = b.created_by
	 cross join lateral (
	    select count(*)::int as total, (count(*) filter (where state = 'started'))::int as started,
	           (count(*) filter (where state = 'succeeded'))::int as succeeded,
	           (count(*) filter (where state = 'failed'))::int as failed,
	           (count(*) filter (where state = 'cancelled'))::int as cancelled
	      from backfill_fires where backfill_id = b.id) f`

// Get finds a backfill in one of the projects; ErrNotFound when it is not there.
func (s Backfills) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (BackfillRow, error) {
	rows, err := s.Q.Query(ctx, `select `+backfillColumns+` from backfills b `+backfillJoins+` where b.id = $1 and b.project_id = any($2)`, id, projects)
	if err != nil {
		return BackfillRow{}, fmt.Errorf("get backfill: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[BackfillRow])
	if err != nil {
		return BackfillRow{}, fmt.Errorf("get backfill: %w", translate(err))
	}
	return row, nil
}

// List lists the backfills of a trigger, newest first, older than before (nil: from the newest).
func (s Backfills) List(ctx context.Context, trigger uuid.UUID, before *uuid.UUID, limit int) ([]BackfillRow, error) {
	rows, err := s.Q.Query(ctx, `select `+backfillColumns+` from backfills b `+backfillJoins+`
		where b.trigger_id = @trigger and (@before::uuid is null or b.id < @before) order by b.id desc limit @limit`,
		args{"trigger": trigger, "before": before, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list backfills: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[BackfillRow])
	if err != nil {
		return nil, fmt.Errorf("list backfills: %w", err)
	}
	return list, nil
}

// LockState finds where a backfill of one of the projects stands, for a transaction that changes that.
func (s Backfills) LockState(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (BackfillState, error) {
	var state BackfillState
	err := s.Q.QueryRow(ctx, `select state from backfills where id = $1 and project_id = any($2) for update`, id, projects).Scan(&state)
	if err != nil {
		return "", fmt.Errorf("lock backfill: %w", translate(err))
	}
	return state, nil
}

// SetState stores where a backfill stands; reason may be empty.
func (s Backfills) SetState(ctx context.Context, id uuid.UUID, state BackfillState, reason string) error {
	_, err := s.Q.Exec(ctx, `
		update backfills
		   set state = $2, reason = $3, ended_at = case when $4 then now() end, busy = $2 <> 'done'
		 where id = $1`, id, state, nonZero(reason), state.Ended())
	if err != nil {
		return fmt.Errorf("change backfill: %w", err)
	}
	return nil
}

// CancelOf ends the backfills of triggers that are gone; their runs under way go on.
func (s Backfills) CancelOf(ctx context.Context, triggers []uuid.UUID, reason string) error {
	if len(triggers) == 0 {
		return nil
	}
	_, err := s.Q.Exec(ctx, `
		update backfills set state = 'cancelled', reason = $2, ended_at = now()
		 where trigger_id = any($1) and state in ('running', 'paused')`, triggers, reason)
	if err != nil {
		return fmt.Errorf("cancel backfills: %w", err)
	}
	return nil
}

// Rest notes that there is nothing to do for a backfill until somebody changes it.
func (s Backfills) Rest(ctx context.Context, id uuid.UUID) error {
	if _, err := s.Q.Exec(ctx, `update backfills set busy = false where id = $1`, id); err != nil {
		return fmt.Errorf("change backfill: %w", err)
	}
	return nil
}

// LiveRuns lists the runs of a backfill that have not ended as far as it knows.
func (s Backfills) LiveRuns(ctx context.Context, id uuid.UUID) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `select run_id from backfill_fires where backfill_id = $1 and state = 'started'`, id)
	if err != nil {
		return nil, fmt.Errorf("list the runs of a backfill: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list the runs of a backfill: %w", err)
	}
	return ids, nil
}

// Feed is a backfill that may have runs to begin, or runs that have ended.
type Feed struct {
	ID          uuid.UUID       `db:"id"`
	ProjectID   uuid.UUID       `db:"project_id"`
	WorkflowID  uuid.UUID       `db:"workflow_id"`
	TriggerID   uuid.UUID       `db:"trigger_id"`
	Version     int             `db:"version"`
	Concurrency int             `db:"concurrency"`
	State       BackfillState   `db:"state"`
	Inputs      json.RawMessage `db:"inputs"`
	CreatedBy   *uuid.UUID      `db:"created_by"`
	By          *string         `db:"by"` // the username of who made it
}

// LockBusy takes the first backfill with an id after one for which there is something to do, for the rest of the
// transaction; others skip it. Its trigger is taken with it, since whoever saves a workflow takes a trigger before its
// backfills. ok is false when there is none.
func (s Backfills) LockBusy(ctx context.Context, after uuid.UUID) (feed Feed, ok bool, err error) {
	rows, err := s.Q.Query(ctx, `
		select b.id, b.project_id, b.workflow_id, b.trigger_id, b.version, b.concurrency, b.state, b.inputs, b.created_by,
		       (select username from users where id = b.created_by) as by
		  from backfills b join triggers t on t.id = b.trigger_id
		 where b.busy and b.id > $1 order by b.id limit 1
		   for update of b, t skip locked`, after)
	if err != nil {
		return feed, false, fmt.Errorf("take a backfill: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Feed])
	if err != nil {
		return feed, false, fmt.Errorf("take a backfill: %w", err)
	}
	if len(list) == 0 {
		return feed, false, nil
	}
	return list[0], true, nil
}

// Settle brings the fires of a backfill in line with their runs, and answers how many runs have not ended.
func (s Backfills) Settle(ctx context.Context, id uuid.UUID) (live int, err error) {
	_, err = s.Q.Exec(ctx, `
		update backfill_fires f set state = r.status from runs r
		 where f.backfill_id = $1 and f.state = 'started' and r.id = f.run_id and r.status = any($2)`,
		id, []string{string(run.Succeeded), string(run.Failed), string(run.Cancelled)})
	if err != nil {
		return 0, fmt.Errorf("settle a backfill: %w", err)
	}
	err = s.Q.QueryRow(ctx, `select count(*) from backfill_fires where backfill_id = $1 and state = 'started'`, id).Scan(&live)
	if err != nil {
		return 0, fmt.Errorf("settle a backfill: %w", err)
	}
	return live, nil
}

// Waiting lists the oldest fires of a backfill that have not begun.
func (s Backfills) Waiting(ctx context.Context, id uuid.UUID, limit int) ([]time.Time, error) {
	rows, err := s.Q.Query(ctx, `
		select fire_at from backfill_fires where backfill_id = $1 and state = 'waiting' order by fire_at limit $2`, id, limit)
	if err != nil {
		return nil, fmt.Errorf("list the fires of a backfill: %w", err)
	}
	fires, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return nil, fmt.Errorf("list the fires of a backfill: %w", err)
	}
	for i := range fires {
		fires[i] = fires[i].UTC()
	}
	return fires, nil
}

// Start notes which runs fires of a backfill became.
func (s Backfills) Start(ctx context.Context, id uuid.UUID, runs []NewRun) error {
	ids, fires := make([]uuid.UUID, len(runs)), make([]time.Time, len(runs))
	for i, r := range runs {
		ids[i], fires[i] = r.ID, *r.FireAt
	}
	_, err := s.Q.Exec(ctx, `
		update backfill_fires f set state = 'started', run_id = u.id
		  from unnest($2::uuid[], $3::timestamptz[]) u (id, fire_at)
		 where f.backfill_id = $1 and f.fire_at = u.fire_at and f.state = 'waiting'`, id, ids, fires)
	if err != nil {
		return fmt.Errorf("start fires of a backfill: %w", err)
	}
	return nil
}

// RunsOf lists the runs that backfills made for one fire of a trigger, the oldest first.
func (s Backfills) RunsOf(ctx context.Context, trigger uuid.UUID, fire time.Time) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, `
		select f.run_id from backfills b join backfill_fires f on f.backfill_id = b.id and f.fire_at = $2
		 where b.trigger_id = $1 and f.run_id is not null order by b.id`, trigger, fire)
	if err != nil {
		return nil, fmt.Errorf("find backfilled runs: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find backfilled runs: %w", err)
	}
	return ids, nil
}

// DropEnded forgets up to limit backfills that ended before an instant.
func (s Backfills) DropEnded(ctx context.Context, before time.Time, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from backfills where id in (select id from backfills where ended_at < $1 limit $2)`, before, limit)
	if err != nil {
		return 0, fmt.Errorf("drop ended backfills: %w", err)
	}
	return tag.RowsAffected(), nil
}
