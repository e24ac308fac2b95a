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
	NextFireAt *time.Time       `db:"next_fire_at"`
	RemovedAt  *time.Time       `db:"removed_at"`
}

const triggerColumns = `id, workflow_id, project_id, key, version, spec, anchor_at, enabled, next_fire_at, removed_at`

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
		where enabled and next_fire_at <= now() order by next_fire_at limit $1 for update skip locked`, limit)
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
		insert into triggers (id, workflow_id, project_id, key, version, spec, anchor_at, enabled, next_fire_at, removed_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (id) do update
		   set version = excluded.version, spec = excluded.spec, anchor_at = excluded.anchor_at,
		       enabled = excluded.enabled, next_fire_at = excluded.next_fire_at, removed_at = excluded.removed_at`,
		t.ID, t.WorkflowID, t.ProjectID, t.Key, t.Version, t.Spec, t.AnchorAt, t.Enabled, t.NextFireAt, t.RemovedAt)
	if err != nil {
		return fmt.Errorf("save trigger: %w", translate(err))
	}
	return Notify(ctx, s.Q, ScheduleChannel)
}

// Advance stores the next fires of triggers that were ticked; nil means that there is none.
func (s Triggers) Advance(ctx context.Context, next map[uuid.UUID]*time.Time) error {
	ids := make([]uuid.UUID, 0, len(next))
	fires := make([]*time.Time, 0, len(next))
	for id, at := range next {
		ids = append(ids, id)
		fires = append(fires, at)
	}
	_, err := s.Q.Exec(ctx, `
		update triggers t set next_fire_at = u.at from unnest($1::uuid[], $2::timestamptz[]) u (id, at) where t.id = u.id`, ids, fires)
	if err != nil {
		return fmt.Errorf("advance triggers: %w", err)
	}
	return nil
}

// NextFire is the wait until the nearest fire of any trigger, by the database's clock; ok is false when there is none.
func (s Triggers) NextFire(ctx context.Context) (wait time.Duration, ok bool, err error) {
	var seconds *float64
	err = s.Q.QueryRow(ctx, `
		select extract(epoch from next_fire_at - clock_timestamp())::float8 from triggers
		 where enabled and next_fire_at is not null order by next_fire_at limit 1`).Scan(&seconds)
	if err != nil {
		if translate(err) == ErrNotFound { //nolint:errorlint // translate answers the very value
			return 0, false, nil
		}
		return 0, false, fmt.Errorf("find the next fire: %w", err)
	}
	return max(time.Duration(*seconds*float64(time.Second)), 0), true, nil
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

// Listen delivers to wake whenever one of the channels is notified, until ctx ends. It reconnects by itself through the
// pool and wakes after that, since it may have missed something. wake must not block.
func (db *DB) Listen(ctx context.Context, wake func(), pause func(context.Context) error, channels ...string) error {
	for ctx.Err() == nil {
		err := db.listenOnce(ctx, wake, channels)
		if ctx.Err() != nil {
			return nil
		}
		if err := pause(ctx); err != nil {
			return nil //nolint:nilerr // only ctx can end the pause
		}
		_ = err // the connection broke: the loop makes a new one, and whoever waits has a timer as well
		wake()
	}
	return nil
}

func (db *DB) listenOnce(ctx context.Context, wake func(), channels []string) error {
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
		if _, err := raw.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		wake()
	}
}
