package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Occurrences is the store of the ledger: one row per expected fire of a trigger, with what became of it.
type Occurrences struct{ Q Querier }

// Outcomes of an occurrence.
const (
	OutcomeRan        = "ran"
	OutcomeRanLate    = "ran_late"
	OutcomeCoalesced  = "coalesced"  // into the run RunID
	OutcomeSkipped    = "skipped"    // Reason says why
	OutcomeSuperseded = "superseded" // by an edit, before it was due
)

// OccurrenceRow is one row of the ledger.
type OccurrenceRow struct {
	TriggerID  uuid.UUID  `db:"trigger_id"`
	WorkflowID uuid.UUID  `db:"workflow_id"`
	FireAt     time.Time  `db:"fire_at"`
	UntilAt    *time.Time `db:"until_at"`
	Count      int        `db:"count"`
	Outcome    string     `db:"outcome"`
	Reason     *string    `db:"reason"`
	RunID      *uuid.UUID `db:"run_id"`
}

// FireKey names an occurrence.
type FireKey struct {
	TriggerID uuid.UUID
	FireAt    time.Time
}

// Insert writes rows and answers those that are new. A row that stands already stays as it is, unless it was superseded.
func (s Occurrences) Insert(ctx context.Context, list []OccurrenceRow) (map[FireKey]bool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	n := len(list)
	var (
		triggers, workflows = make([]uuid.UUID, n), make([]uuid.UUID, n)
		fires               = make([]time.Time, n)
		untils              = make([]*time.Time, n)
		counts              = make([]int32, n)
		outcomes            = make([]string, n)
		reasons             = make([]*string, n)
		runs                = make([]*uuid.UUID, n)
	)
	for i, o := range list {
		triggers[i], workflows[i], fires[i], untils[i] = o.TriggerID, o.WorkflowID, o.FireAt, o.UntilAt
		counts[i] = int32(max(o.Count, 1)) //nolint:gosec // bounded by the planner
		outcomes[i], reasons[i], runs[i] = o.Outcome, o.Reason, o.RunID
	}
	rows, err := s.Q.Query(ctx, `
		insert into occurrences (trigger_id, workflow_id, fire_at, until_at, count, outcome, reason, run_id)
		select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::int[], $6::text[], $7::text[], $8::uuid[])
		    on conflict (trigger_id, fire_at) do update
		   set until_at = excluded.until_at, count = excluded.count, outcome = excluded.outcome, reason = excluded.reason,
		       run_id = excluded.run_id, recorded_at = now()
		 where occurrences.outcome = 'superseded'
		returning trigger_id, fire_at`, triggers, workflows, fires, untils, counts, outcomes, reasons, runs)
	if err != nil {
		return nil, fmt.Errorf("insert occurrences: %w", err)
	}
	inserted := make(map[FireKey]bool, n)
	var key FireKey
	_, err = pgx.ForEachRow(rows, []any{&key.TriggerID, &key.FireAt}, func() error {
		inserted[FireKey{key.TriggerID, key.FireAt.UTC()}] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("insert occurrences: %w", err)
	}
	return inserted, nil
}

// LedgerRow is an occurrence as people see it.
type LedgerRow struct {
	TriggerKey string     `db:"trigger_key"`
	FireAt     time.Time  `db:"fire_at"`
	UntilAt    *time.Time `db:"until_at"`
	Count      int        `db:"count"`
	Outcome    string     `db:"outcome"`
	Reason     *string    `db:"reason"`
	RunID      *uuid.UUID `db:"run_id"`
	RecordedAt time.Time  `db:"recorded_at"`
	TriggerID  uuid.UUID  `db:"trigger_id"`
}

// LedgerFilter narrows the ledger of one workflow; zero values do not.
type LedgerFilter struct {
	WorkflowID uuid.UUID
	Trigger    string // its id in the definition
	Outcome    string
	From, To   *time.Time
	Before     *FireKey // keyset: only rows that come after this one in the list
	Limit      int
}

// List lists the ledger of a workflow, newest first.
func (s Occurrences) List(ctx context.Context, f LedgerFilter) ([]LedgerRow, error) {
	where := `o.workflow_id = @workflow`
	args := pgx.NamedArgs{"workflow": f.WorkflowID, "limit": f.Limit}
	if f.Trigger != "" {
		where += ` and t.key = @trigger`
		args["trigger"] = f.Trigger
	}
	if f.Outcome != "" {
		where += ` and o.outcome = @outcome`
		args["outcome"] = f.Outcome
	}
	if f.From != nil {
		where += ` and o.fire_at >= @from`
		args["from"] = *f.From
	}
	if f.To != nil {
		where += ` and o.fire_at < @to`
		args["to"] = *f.To
	}
	if f.Before != nil {
		where += ` and o.fire_at <= @before_at and (o.fire_at, o.trigger_id) < (@before_at, @before_trigger)`
		args["before_at"], args["before_trigger"] = f.Before.FireAt, f.Before.TriggerID
	}
	rows, err := s.Q.Query(ctx, `
		select t.key as trigger_key, o.fire_at, o.until_at, o.count, o.outcome, o.reason, o.run_id, o.recorded_at, o.trigger_id
		  from occurrences o join triggers t on t.id = o.trigger_id
		 where `+where+` order by o.fire_at desc, o.trigger_id desc limit @limit`, args)
	if err != nil {
		return nil, fmt.Errorf("list occurrences: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[LedgerRow])
	if err != nil {
		return nil, fmt.Errorf("list occurrences: %w", err)
	}
	return list, nil
}
