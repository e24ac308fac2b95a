package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// ScheduleChannel is where the ticker hears (LISTEN) that a plan was changed.
const ScheduleChannel = "orq_schedule"

// DueChannel is where the dispatcher hears that a run was put back to wait.
const DueChannel = "orq_due"

// Triggers is the store of the triggers' plans: what the ticker reads and writes.
type Triggers struct{ Q Querier }

// TriggerRow is a trigger with its plan.
type TriggerRow struct {
	ID         uuid.UUID        `db:"id"`
	WorkflowID uuid.UUID        `db:"workflow_id"`
	ProjectID  uuid.UUID        `db:"project_id"`
	Key        string           `db:"key"` // its id in the definition
	Version    int              `db:"version"`
	Spec       workflow.Trigger `db:"spec"`
	AnchorAt   time.Time        `db:"anchor_at"`
	Enabled    bool             `db:"enabled"`
	NextFireAt *time.Time       `db:"next_fire_at"` // the ledger's key of the next fire
	DueAt      *time.Time       `db:"due_at"`       // when that fire's run begins: with jitter, later
	DecidedAt  *time.Time       `db:"decided_at"`   // the latest fire that the ledger accounts for: none up to it comes again
	RunsMade   int              `db:"runs_made"`    // by its schedule, ever
	RemovedAt  *time.Time       `db:"removed_at"`
	CreatedAt  time.Time        `db:"created_at"`
	// PausedReason is why the trigger stopped by itself; nil when it did not.
	PausedReason *string `db:"paused_reason"`
	// AfterWorkflow is whose runs it waits for; nil for a trigger of another type.
	AfterWorkflow *uuid.UUID `db:"after_workflow"`
}

const triggerColumns = `id, workflow_id, project_id, key, version, spec, anchor_at, enabled, next_fire_at, due_at, decided_at,
	runs_made, removed_at, created_at, paused_reason, after_workflow`

// Of lists the triggers of workflows, removed ones included.
func (s Triggers) Of(ctx context.Context, workflows ...uuid.UUID) ([]TriggerRow, error) {
	return s.list(ctx, `select `+triggerColumns+` from triggers where workflow_id = any($1) order by created_at, id`, workflows)
}

// Lock is Of for a transaction that changes the plans: it waits for tickers that have the triggers in hand, and answers
// what they made of them.
func (s Triggers) Lock(ctx context.Context, workflow uuid.UUID) ([]TriggerRow, error) {
	return s.list(ctx, `select `+triggerColumns+` from triggers where workflow_id = $1 order by created_at, id for update`, workflow)
}

// LockDue takes up to limit enabled triggers that are due, the most overdue first, for the rest of the transaction.
// Others skip them.
func (s Triggers) LockDue(ctx context.Context, limit int) ([]TriggerRow, error) {
	return s.list(ctx, `select `+triggerColumns+` from triggers
		where enabled and due_at <= now() order by due_at limit $1 for update skip locked`, limit)
}

// LockSome takes triggers by their ids for the rest of the transaction, in one order, and answers them.
func (s Triggers) LockSome(ctx context.Context, ids []uuid.UUID) ([]TriggerRow, error) {
	return s.list(ctx, `select `+triggerColumns+` from triggers where id = any($1) order by id for update`, ids)
}

// Find finds a trigger of a workflow by its id in the definition, removed ones included; ErrNotFound when there was none.
func (s Triggers) Find(ctx context.Context, workflow uuid.UUID, key string) (TriggerRow, error) {
	list, err := s.list(ctx, `select `+triggerColumns+` from triggers where workflow_id = $1 and key = $2`, workflow, key)
	if err != nil {
		return TriggerRow{}, err
	}
	if len(list) == 0 {
		return TriggerRow{}, ErrNotFound
	}
	return list[0], nil
}

// ByID finds a trigger, removed ones included; ErrNotFound when there was none.
func (s Triggers) ByID(ctx context.Context, id uuid.UUID) (TriggerRow, error) {
	list, err := s.list(ctx, `select `+triggerColumns+` from triggers where id = $1`, id)
	if err != nil {
		return TriggerRow{}, err
	}
	if len(list) == 0 {
		return TriggerRow{}, ErrNotFound
	}
	return list[0], nil
}

// Stamp tells whether a trigger is still what it was.
type Stamp struct {
	ID      uuid.UUID `db:"id"`
	Version int       `db:"version"`
	Enabled bool      `db:"enabled"`
}

// Stamps answers the stamps of triggers.
func (s Triggers) Stamps(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Stamp, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.Q.Query(ctx, `select id, version, enabled from triggers where id = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("look at triggers: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Stamp])
	if err != nil {
		return nil, fmt.Errorf("look at triggers: %w", err)
	}
	stamps := make(map[uuid.UUID]Stamp, len(list))
	for _, one := range list {
		stamps[one.ID] = one
	}
	return stamps, nil
}

// AnyPaused tells whether a trigger of the workflow stopped by itself.
func (s Triggers) AnyPaused(ctx context.Context, workflow uuid.UUID) (paused bool, err error) {
	err = s.Q.QueryRow(ctx, `select exists (select from triggers where workflow_id = $1 and paused_reason is not null)`, workflow).Scan(&paused)
	if err != nil {
		return false, fmt.Errorf("find paused triggers: %w", err)
	}
	return paused, nil
}

// IDsAfter lists up to limit ids of triggers in their order, for those who go through all of them in pieces.
func (s Triggers) IDsAfter(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	return s.ids(ctx, `select id from triggers where id > $1 order by id limit $2`, after, limit)
}

// WatchedAfter is IDsAfter for those that failed runs are to stop.
func (s Triggers) WatchedAfter(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	return s.ids(ctx, `select id from triggers
		where enabled and spec ->> 'pause_after_failures' is not null and id > $1 order by id limit $2`, after, limit)
}

func (s Triggers) ids(ctx context.Context, sql string, args ...any) ([]uuid.UUID, error) {
	rows, err := s.Q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list triggers: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list triggers: %w", err)
	}
	return ids, nil
}

func (s Triggers) list(ctx context.Context, sql string, args ...any) ([]TriggerRow, error) {
	rows, err := s.Q.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list triggers: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[TriggerRow])
	if err != nil {
		return nil, fmt.Errorf("list triggers: %w", err)
	}
	return list, nil
}

// Save stores a trigger, new or changed, and tells the tickers.
func (s Triggers) Save(ctx context.Context, t TriggerRow) error {
	_, err := s.Q.Exec(ctx, `
		insert into triggers (id, workflow_id, project_id, key, version, spec, anchor_at, enabled, next_fire_at, due_at,
		                      decided_at, removed_at, paused_reason, after_workflow)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		on conflict (id) do update
		   set version = excluded.version, spec = excluded.spec, anchor_at = excluded.anchor_at,
		       enabled = excluded.enabled, next_fire_at = excluded.next_fire_at, due_at = excluded.due_at,
		       decided_at = greatest(triggers.decided_at, excluded.decided_at), removed_at = excluded.removed_at, paused_reason = excluded.paused_reason,
		       after_workflow = excluded.after_workflow`,
		t.ID, t.WorkflowID, t.ProjectID, t.Key, t.Version, t.Spec, t.AnchorAt, t.Enabled, t.NextFireAt, t.DueAt, t.DecidedAt,
		t.RemovedAt, t.PausedReason, t.AfterWorkflow)
	if err != nil {
		return fmt.Errorf("save trigger: %w", translate(err))
	}
	return Notify(ctx, s.Q, ScheduleChannel)
}

// Step is what a tick, or somebody else who looked at it, makes of a trigger.
type Step struct {
	Next *time.Time // its next fire; nil: there is none
	Due  *time.Time // when the run of that begins
	// Decided is the latest fire that the ledger accounts for now; nil leaves that as it is.
	Decided *time.Time
	Made    int // how many runs it made more
	// Paused is why it stops; empty when it does not.
	Paused string
}

// Advance stores the steps of triggers.
func (s Triggers) Advance(ctx context.Context, steps map[uuid.UUID]Step) error {
	if len(steps) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, 0, len(steps))
	fires, due, decided := make([]*time.Time, 0, len(steps)), make([]*time.Time, 0, len(steps)), make([]*time.Time, 0, len(steps))
	made, paused := make([]int32, 0, len(steps)), make([]*string, 0, len(steps))
	for id, step := range steps {
		ids, fires, due, decided = append(ids, id), append(fires, step.Next), append(due, step.Due), append(decided, step.Decided)
		made = append(made, int32(step.Made)) //nolint:gosec // bounded by the planner
		paused = append(paused, nonZero(step.Paused))
	}
	_, err := s.Q.Exec(ctx, `
		update triggers t
		   set next_fire_at = u.at, due_at = u.due, runs_made = t.runs_made + u.made,
		       decided_at = greatest(t.decided_at, u.decided),
		       enabled = t.enabled and u.paused is null, paused_reason = coalesce(u.paused, t.paused_reason)
		  from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::int[], $6::text[])
		       u (id, at, due, decided, made, paused)
		 where t.id = u.id`, ids, fires, due, decided, made, paused)
	if err != nil {
		return fmt.Errorf("advance triggers: %w", err)
	}
	return nil
}

// NextFire is the wait until the nearest run of any trigger is due, by the database's clock; ok is false when there is
// none.
func (s Triggers) NextFire(ctx context.Context) (wait time.Duration, ok bool, err error) {
	var seconds *float64
	err = s.Q.QueryRow(ctx, `
		select extract(epoch from due_at - clock_timestamp())::float8 from triggers
		 where enabled and due_at is not null order by due_at limit 1`).Scan(&seconds)
	if err != nil {
		if translate(err) == ErrNotFound { //nolint:errorlint // translate answers the very value
			return 0, false, nil
		}
		return 0, false, fmt.Errorf("find the next fire: %w", err)
	}
	return max(time.Duration(*seconds*float64(time.Second)), 0), true, nil
}

// Failing picks, of triggers that failed runs are to stop, those whose runs failed as often in a row, counting those of
// fires since the trigger was switched on. A run that was cancelled counts for neither side.
func (s Triggers) Failing(ctx context.Context, triggers []uuid.UUID) (map[uuid.UUID]bool, error) {
	if len(triggers) == 0 {
		return nil, nil
	}
	ids, err := s.ids(ctx, `
		select t.id from triggers t
		 cross join lateral (
		    select coalesce(max(p.on_at), '1970-01-01') as at from trigger_pauses p where p.trigger_id = t.id) on_since
		 cross join lateral (
		    select count(*) from (
		        (select r.status from occurrences o join runs r on r.id = o.run_id
		          where o.trigger_id = t.id and o.outcome in ('ran', 'ran_late') and o.code is distinct from 'backfill'
		            and o.fire_at > on_since.at and r.status in ('failed', 'succeeded')
		          order by o.fire_at desc limit (t.spec ->> 'pause_after_failures')::int)
		        union all -- a webhook's fires are its deliveries
		        (select r.status from deliveries d join runs r on r.id = d.run_id
		          where t.spec ->> 'type' = 'webhook' and d.trigger_id = t.id and d.verdict = 'accepted'
		            and d.id > first_id_at(on_since.at) and r.version > 0 and r.status in ('failed', 'succeeded')
		          order by d.id desc limit (t.spec ->> 'pause_after_failures')::int)) r
		     where r.status = 'failed') f (n)
		 where t.id = any($1) and f.n = (t.spec ->> 'pause_after_failures')::int`, triggers)
	if err != nil {
		return nil, fmt.Errorf("find failing triggers: %w", err)
	}
	failing := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		failing[id] = true
	}
	return failing, nil
}

// LiveOf lists the unfinished runs of triggers, oldest first.
func (s Triggers) LiveOf(ctx context.Context, triggers []uuid.UUID) (map[uuid.UUID][]LiveRun, error) {
	rows, err := s.Q.Query(ctx, `
		select trigger_id, id, gate is not distinct from trigger_id from run_live where trigger_id = any($1) order by trigger_id, id`, triggers)
	if err != nil {
		return nil, fmt.Errorf("list live runs: %w", err)
	}
	live := make(map[uuid.UUID][]LiveRun)
	var trigger uuid.UUID
	var r LiveRun
	_, err = pgx.ForEachRow(rows, []any{&trigger, &r.ID, &r.Blocked}, func() error {
		live[trigger] = append(live[trigger], r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list live runs: %w", err)
	}
	return live, nil
}

// LiveRun is an unfinished run of a trigger.
type LiveRun struct {
	ID      uuid.UUID
	Blocked bool // waits for an earlier one
}

// Now is the instant of the transaction by the database's clock, which decides what is due.
func Now(ctx context.Context, q Querier) (time.Time, error) {
	var now time.Time
	if err := q.QueryRow(ctx, `select now()`).Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("ask the database for the time: %w", err)
	}
	return now.UTC(), nil
}

// Notify wakes whoever listens to a channel, once the transaction commits.
func Notify(ctx context.Context, q Querier, channel string) error {
	if _, err := q.Exec(ctx, `select pg_notify($1, '')`, channel); err != nil {
		return fmt.Errorf("notify %s: %w", channel, err)
	}
	return nil
}

// Listen calls wake with the name of a channel whenever that is notified, until ctx ends. It reconnects by itself through the
// pool and calls it without a name after that, since it may have missed something. wake must not block.
func (db *DB) Listen(ctx context.Context, wake func(channel string), pause func(context.Context) error, channels ...string) error {
	for ctx.Err() == nil {
		err := db.listenOnce(ctx, wake, channels)
		if ctx.Err() != nil {
			return nil
		}
		if err := pause(ctx); err != nil {
			return nil //nolint:nilerr // only ctx can end the pause
		}
		_ = err // the connection broke: the loop makes a new one, and whoever waits has a timer as well
		wake("")
	}
	return nil
}

func (db *DB) listenOnce(ctx context.Context, wake func(channel string), channels []string) error {
	conn, err := db.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	raw := conn.Hijack() // a listening connection must not go back to the pool
	defer func() { _ = raw.Close(context.WithoutCancel(ctx)) }()
	for _, channel := range channels {
		if _, err := raw.Exec(ctx, `listen `+pgx.Identifier{channel}.Sanitize()); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	for {
		heard, err := raw.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		wake(heard.Channel)
	}
}
