package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// Runs is the store of all runs, finished or not.
type Runs struct{ Q Querier }

// NewRun is a run that is about to be.
type NewRun struct {
	ID         uuid.UUID
	ProjectID  uuid.UUID
	WorkflowID uuid.UUID
	Version    int
	Trigger    run.Trigger
	TriggerID  *uuid.UUID
	FireAt     *time.Time
	RerunOf    *uuid.UUID
	Inputs     json.RawMessage // an object, or nil
	CreatedBy  *uuid.UUID
	Blocked    bool       // waits for the earlier runs of its trigger
	Current    bool       // only if Version is the workflow's newest, and the workflow is there
	ParentID   *uuid.UUID // the run whose step starts it
	Awaited    bool       // and waits for it
	Depth      int        // how many runs are above it
	Cause      *uuid.UUID // the run whose end started it
}

// Inserted is a run that was made, with its ticket.
type Inserted struct {
	run.Ticket
	Released bool // the ticket may be handed out now
}

// Insert makes runs, each with its live row, which is also its place in the outbox. The answer lacks those whose Current
// does not hold. Of each queue as many as room says are released at once, and whoever commits hands them out. The others are
// released by the dispatcher: blocked ones when they may, those of a workflow with a limit when it has room, and the rest when
// their project's turn comes.
func (s Runs) Insert(ctx context.Context, runs []NewRun, room map[string]int) ([]Inserted, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	n := len(runs)
	var (
		ids, projects, workflows       = make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
		triggerIDs, rerunOf, createdBy = make([]*uuid.UUID, n), make([]*uuid.UUID, n), make([]*uuid.UUID, n)
		causes                         = make([]*uuid.UUID, n)
		versions                       = make([]int32, n)
		triggers                       = make([]string, n)
		fireAts                        = make([]*time.Time, n)
		inputs                         = make([]*string, n)
		blocked, current, awaited      = make([]bool, n), make([]bool, n), make([]bool, n)
		parents, depths                = make([]*uuid.UUID, n), make([]int16, n)
	)
	for i, r := range runs {
		ids[i], projects[i], workflows[i] = r.ID, r.ProjectID, r.WorkflowID
		triggerIDs[i], rerunOf[i], createdBy[i], causes[i] = r.TriggerID, r.RerunOf, r.CreatedBy, r.Cause
		versions[i] = int32(r.Version) //nolint:gosec // counts saves
		triggers[i], fireAts[i], blocked[i], current[i] = string(r.Trigger), r.FireAt, r.Blocked, r.Current
		inputs[i] = nonZero(string(r.Inputs))
		parents[i], awaited[i], depths[i] = r.ParentID, r.Awaited, int16(r.Depth) //nolint:gosec // MaxDepth at most
	}
	rows, err := s.Q.Query(ctx, `
		with u as materialized (
		    select u.*, w.queue, o.max_concurrent is null as unlimited,
		           case when blocked then trigger_id when w.max_concurrent is not null then workflow_id end as gate
		      from unnest(@ids::uuid[], @projects::uuid[], @workflows::uuid[], @versions::int[], @triggers::text[],
		                  @trigger_ids::uuid[], @fire_ats::timestamptz[], @rerun_of::uuid[], @inputs::jsonb[],
		                  @created_by::uuid[], @causes::uuid[], @blocked::bool[], @current::bool[], @parents::uuid[], @awaited::bool[],
		                  @depths::smallint[])
		           as u (id, project_id, workflow_id, version, trigger, trigger_id, fire_at, rerun_of, inputs,
		                 created_by, cause, blocked, current, parent_id, awaited, depth)
		      join workflows w on w.id = u.workflow_id
		      join projects o on o.id = u.project_id
		     where not u.current or w.version = u.version and w.deleted_at is null),
		turn as materialized (
		    select u.*, u.gate is null and u.unlimited
		                and row_number() over (partition by u.queue, u.gate is null and u.unlimited) <=
		                    case u.queue when 'critical' then @room_critical::int when 'bulk' then @room_bulk::int
		                                 else @room_default::int end as released
		      from u),
		made as (
		    insert into runs (id, project_id, workflow_id, version, trigger, trigger_id, fire_at, rerun_of, inputs,
		                      created_by, cause, parent_id, created_at)
		    select id, project_id, workflow_id, version, trigger, trigger_id, fire_at, rerun_of, inputs, created_by, cause, parent_id, now()
		      from turn order by id),
		live as (
		    insert into run_live (id, project_id, workflow_id, trigger_id, parent_id, depth, queue, gate, enqueued_at, enqueues)
		    select id, project_id, workflow_id, case when trigger <> 'backfill' then trigger_id end, -- its schedule does not wait for it
		           case when awaited then parent_id end, depth, queue, gate, case when released then now() end, case when released then 1 else 0 end
		      from turn order by id)
		select id, 0 as attempt, queue, released from turn`,
		args{
			"ids": ids, "projects": projects, "workflows": workflows, "versions": versions, "triggers": triggers,
			"trigger_ids": triggerIDs, "fire_ats": fireAts, "rerun_of": rerunOf, "inputs": inputs, "created_by": createdBy,
			"causes": causes, "blocked": blocked, "current": current, "parents": parents, "awaited": awaited, "depths": depths,
			"room_critical": room[run.CriticalQueue], "room_default": room[run.DefaultQueue],
			"room_bulk": room[run.BulkQueue],
		})
	if err != nil {
		return nil, fmt.Errorf("insert runs: %w", translate(err))
	}
	made, err := pgx.CollectRows(rows, pgx.RowToStructByName[Inserted])
	if err != nil {
		return nil, fmt.Errorf("insert runs: %w", translate(err))
	}
	if slices.ContainsFunc(made, func(i Inserted) bool { return !i.Released }) {
		return made, Notify(ctx, s.Q, DueChannel)
	}
	return made, nil
}

// RunRow is a run as people see it: its status is that of the live row while it has one.
type RunRow struct {
	ID           uuid.UUID       `db:"id"`
	ProjectID    uuid.UUID       `db:"project_id"`
	WorkflowID   uuid.UUID       `db:"workflow_id"`
	WorkflowName string          `db:"workflow_name"`
	Version      int             `db:"version"`
	Status       run.Status      `db:"status"`
	Reason       *string         `db:"reason"`
	CancelAt     *time.Time      `db:"cancel_at"` // since when it is to end; nil once it has
	Trigger      run.Trigger     `db:"trigger"`
	TriggerKey   *string         `db:"trigger_key"`
	FireAt       *time.Time      `db:"fire_at"`
	RerunOf      *uuid.UUID      `db:"rerun_of"`
	ParentID     *uuid.UUID      `db:"parent_id"` // the run whose step started it
	Cause        *uuid.UUID      `db:"cause"`     // the run whose end started it
	Inputs       json.RawMessage `db:"inputs"`
	Output       json.RawMessage `db:"output"` // what it left; not in lists
	CreatedAt    time.Time       `db:"created_at"`
	StartedAt    *time.Time      `db:"started_at"`
	FinishedAt   *time.Time      `db:"finished_at"`
}

// runColumns is the one list of a RunRow's columns but its output, which may be large; it needs runs r and run_live l. Names are looked up
// row by row: a page is small, whatever the planner thinks.
const runColumns = `
	r.id, r.project_id, r.workflow_id, (select w.name from workflows w where w.id = r.workflow_id) as workflow_name, r.version,
	coalesce(l.state, r.status) as status,
	case when l.id is null then r.reason
	     when l.cancel is not null then l.cancel
	     when l.gate = l.trigger_id then 'waits for the earlier run of its trigger'
	     when l.gate is not null then 'waits for earlier runs of its workflow'
	     when l.state in ('waiting', 'held') then l.reason end as reason,
	l.cancel_at,
	r.trigger, (select t.key from triggers t where t.id = r.trigger_id) as trigger_key, r.fire_at, r.rerun_of, r.cause, r.parent_id, r.inputs, r.created_at,
	coalesce(r.started_at, l.started_at) as started_at, r.finished_at`

const runJoins = `
	  left join run_live l on l.id = r.id`

// Get finds a run in one of the projects; ErrNotFound when it is not there.
func (s Runs) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (RunRow, error) {
	rows, err := s.Q.Query(ctx, `select `+runColumns+`, r.output from runs r `+runJoins+` where r.id = $1 and r.project_id = any($2)`, id, projects)
	if err != nil {
		return RunRow{}, fmt.Errorf("get run: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[RunRow])
	if err != nil {
		return RunRow{}, fmt.Errorf("get run: %w", translate(err))
	}
	return row, nil
}

// Drafting is what a list does with runs of drafts.
type Drafting int

// What it may do with them.
const (
	WithoutDrafts Drafting = iota
	WithDrafts
	OnlyDrafts
)

// RunFilter narrows a list of runs; zero values do not.
type RunFilter struct {
	Projects   []uuid.UUID
	WorkflowID *uuid.UUID
	Statuses   []run.Status
	Trigger    run.Trigger
	Drafts     Drafting   // what becomes of runs of drafts
	From, To   *time.Time // by creation: From included, To not
	Before     *uuid.UUID // keyset: only runs older than this one
	Limit      int

	MinDuration, MaxDuration *time.Duration // of finished runs: the first included, the second not
}

// List lists runs, newest first. The statement is put together from fixed pieces, so that each combination of filters
// has the plan that suits it. Each project's newest runs are read in their order by its own index; of those the newest of
// all remain. A workflow's runs are read by the workflow's index alone, once its project is seen to be among those asked for:
// PostgreSQL would combine the two indexes, and read all that the projects ever ran.
func (s Runs) List(ctx context.Context, f RunFilter) ([]RunRow, error) {
	args := pgx.NamedArgs{"projects": f.Projects}
	projects, from, id, where := `unnest(@projects::uuid[]) p (id)`, `runs r`, `r.id`, `r.project_id = p.id`
	if f.WorkflowID != nil {
		projects = `(select project_id as id from workflows where id = @workflow and project_id = any(@projects::uuid[])) p`
		where = `r.workflow_id = @workflow`
		args["workflow"] = *f.WorkflowID
	}
	ended, live := splitStatuses(f.Statuses)
	switch {
	case len(live) > 0 && len(ended) > 0:
		where += ` and (r.status = any(@ended) or r.id in (select id from run_live where project_id = p.id and state = any(@live)))`
	case len(live) > 0:
		where += ` and r.id in (select id from run_live where project_id = p.id and state = any(@live))`
	case len(ended) > 0 && !slices.Contains(ended, string(run.Succeeded)):
		// These are few, and found by a table of their own.
		from, id = `unsuccessful_runs u join runs r on r.id = u.id`, `u.id`
		where = `u.project_id = p.id and u.status = any(@ended)`
		if f.WorkflowID != nil {
			where += ` and r.workflow_id = @workflow`
		}
	case len(ended) > 0:
		where += ` and r.status = any(@ended)`
	}
	args["ended"], args["live"] = ended, live
	if f.Trigger != "" {
		// Written out, so that the planner sees whether the index of the rare ones holds them.
		where += ` and r.trigger = ` + literal(string(f.Trigger))
	}
	switch f.Drafts {
	case WithoutDrafts:
		where += ` and r.version >= 0`
	case OnlyDrafts:
		where += ` and r.version < 0`
	case WithDrafts:
	}
	if f.From != nil {
		where += ` and ` + id + ` >= @from_id and r.created_at >= @from`
		args["from"], args["from_id"] = *f.From, firstIDAt(*f.From)
	}
	if f.To != nil {
		where += ` and ` + id + ` < @to_id and r.created_at < @to`
		args["to"], args["to_id"] = *f.To, firstIDAt(f.To.Add(time.Second))
	}
	if f.Before != nil {
		where += ` and ` + id + ` < @before`
		args["before"] = *f.Before
	}
	hours, order := ``, `order by `+id+` desc`
	if f.MinDuration != nil || f.MaxDuration != nil {
		// The counts know in which hours there are such runs, so that no others are read.
		least, most := time.Duration(0), time.Duration(math.MaxInt64)
		if f.MinDuration != nil {
			least = *f.MinDuration
		}
		if f.MaxDuration != nil {
			most = *f.MaxDuration
		}
		counted := `select distinct c.hour from run_counts c
			where c.project_id = p.id and c.workflow_id = coalesce(@counted, p.id)
			  and c.bucket between duration_bucket('epoch', 'epoch'::timestamptz + @least) and duration_bucket('epoch', 'epoch'::timestamptz + @most)`
		if f.Drafts != WithoutDrafts { // they are not counted, and few
			counted += ` union select date_trunc('hour', d.created_at, 'UTC') from runs d where d.project_id = p.id and d.version < 0`
		}
		hours = `(` + counted + ` order by hour desc) h cross join lateral `
		from = `(select r.* from ` + from + ` where ` + where + `
			and ` + id + ` >= first_id_at(h.hour - interval '1 minute') and ` + id + ` < first_id_at(h.hour + interval '61 minutes')
			and r.created_at >= h.hour and r.created_at < h.hour + interval '1 hour'
			and r.finished_at - r.started_at >= @least and r.finished_at - r.started_at < @most
			order by ` + id + ` desc) r`
		where, order = `true`, `order by h.hour desc, r.id desc`
		args["counted"], args["least"], args["most"] = f.WorkflowID, least, most
	}
	// The limit is written out: the plan, which is made once, must know that the page is small.
	page := ` order by r.id desc limit ` + strconv.Itoa(f.Limit)
	rows, err := s.Q.Query(ctx, `
		select `+runColumns+` from (
		    select r.* from `+projects+`
		     cross join lateral (select r.* from `+hours+from+` where `+where+` `+order+` limit `+strconv.Itoa(f.Limit)+`) r`+page+`) r `+runJoins+page, args)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[RunRow])
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return list, nil
}

// literal quotes a text as SQL does.
func literal(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// splitStatuses tells the statuses that stand in runs from those that stand in run_live.
func splitStatuses(statuses []run.Status) (ended, live []string) {
	for _, status := range statuses {
		if status.Finished() {
			ended = append(ended, string(status))
		} else {
			live = append(live, string(status))
		}
	}
	return ended, live
}

// firstIDAt is the smallest UUIDv7 of an instant: ids sort by the time in their first 48 bits (RFC 9562).
func firstIDAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	ms := max(at.UnixMilli(), 0)
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	return id
}

// Steps lists the attempts of a run's steps, in the order they began.
func (s Runs) Steps(ctx context.Context, id uuid.UUID) ([]StepRow, error) {
	rows, err := s.Q.Query(ctx, `
		select run_id, step, attempt, status, class, error, started_at, sent_at, finished_at, next_at, output
		  from step_runs where run_id = $1 order by step, attempt`, id)
	if err != nil {
		return nil, fmt.Errorf("list steps: %w", err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowToStructByName[StepRow])
	if err != nil {
		return nil, fmt.Errorf("list steps: %w", err)
	}
	return steps, nil
}

// InsertSteps writes attempts that a new run takes over from an earlier one.
func (s Runs) InsertSteps(ctx context.Context, steps []StepRow) error {
	for _, step := range steps {
		_, err := s.Q.Exec(ctx, `
			insert into step_runs (run_id, step, attempt, status, class, error, started_at, sent_at, finished_at, next_at, output)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			step.RunID, step.Step, step.Attempt, step.Status, step.Class, step.Error, step.StartedAt, step.SentAt,
			step.FinishedAt, step.NextAt, step.Output)
		if err != nil {
			return fmt.Errorf("insert steps: %w", translate(err))
		}
	}
	return nil
}

// Logs lists the lines of a run after a seq, oldest first; step is empty for all.
func (s Runs) Logs(ctx context.Context, id uuid.UUID, step string, after, limit int) ([]LogRow, error) {
	rows, err := s.Q.Query(ctx, `
		select run_id, seq, at, step, attempt, level, message from run_logs
		 where run_id = $1 and seq > $2 and ($3 = '' or step = $3) order by seq limit $4`, id, after, step, limit)
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[LogRow])
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	return lines, nil
}

// LastSeq is the seq of a run's newest log line; 0 when there is none.
func (s Runs) LastSeq(ctx context.Context, id uuid.UUID) (int, error) {
	var seq int
	if err := s.Q.QueryRow(ctx, `select coalesce(max(seq), 0) from run_logs where run_id = $1`, id).Scan(&seq); err != nil {
		return 0, fmt.Errorf("find the last log line: %w", err)
	}
	return seq, nil
}

// Some finds runs of the projects by their ids; those that are not there are missing from the answer.
func (s Runs) Some(ctx context.Context, projects, ids []uuid.UUID) ([]RunRow, error) {
	rows, err := s.Q.Query(ctx, `select `+runColumns+` from runs r `+runJoins+` where r.id = any($1) and r.project_id = any($2) order by r.id`, ids, projects)
	if err != nil {
		return nil, fmt.Errorf("find runs: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[RunRow])
	if err != nil {
		return nil, fmt.Errorf("find runs: %w", err)
	}
	return list, nil
}
