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
	Code       *string    `db:"code"`   // why, for programs: one of the codes
	Reason     *string    `db:"reason"` // why, for people
	RunID      *uuid.UUID `db:"run_id"`
}

// Codes of an occurrence, besides those of the schedule package for fires that were missed.
const (
	CodeMissed        = "missed"         // nobody was there in time, and the policy wants none of the missed, or a newer one
	CodeOutsideWindow = "outside_window" // missed for longer than the catch-up window
	CodeLimit         = "limit"          // missed, and newer ones fill the catch-up limit
	CodeOverlap       = "overlap"        // the run before had not finished
	CodeQueueFull     = "queue_full"     // as many runs wait as may
	CodeExcluded      = "excluded"       // its date is excluded
	CodeMaxRuns       = "max_runs"       // the trigger has made all its runs
	CodeDisabled      = "disabled"       // somebody had switched it off
	CodePaused        = "paused"         // it had stopped after failed runs
	CodeChanged       = "changed"        // an edit changed the schedule
	CodeRemoved       = "removed"        // an edit took the trigger out
	CodeZoneData      = "zone_data"      // the rules of its time zone changed
	CodeQuotaRuns     = "runs_quota"     // its project had started as many runs within a minute as it may
	CodeQuotaStorage  = "storage_quota"  // its project stored as much as it may
	CodeBackfill      = "backfill"       // a backfill ran it, or will

	// Of runs that are for an event.
	CodeAfter          = "after"           // a run of the other workflow ended
	CodeChain          = "chain"           // so did many, each after the one before
	CodePingLate       = "ping_late"       // no ping came in time
	CodePingFailed     = "ping_failed"     // the job said that it failed
	CodePingUnfinished = "ping_unfinished" // the job began, and did not end in time
	CodePingAgain      = "ping_again"      // pings came again
)

// Last is the last fire that the row stands for.
func (o OccurrenceRow) Last() time.Time {
	if o.UntilAt != nil {
		return *o.UntilAt
	}
	return o.FireAt
}

// Alike tells whether two rows say the same of their fires, so that one may stand for both.
func (o OccurrenceRow) Alike(b OccurrenceRow) bool {
	return o.TriggerID == b.TriggerID && o.Outcome == b.Outcome && equal(o.Code, b.Code) && equal(o.Reason, b.Reason) && equal(o.RunID, b.RunID)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

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
		codes, reasons      = make([]*string, n), make([]*string, n)
		runs                = make([]*uuid.UUID, n)
		several             bool
	)
	for i, o := range list {
		triggers[i], workflows[i], fires[i], untils[i] = o.TriggerID, o.WorkflowID, o.FireAt, o.UntilAt
		counts[i] = int32(max(o.Count, 1)) //nolint:gosec // bounded by the planner
		outcomes[i], codes[i], reasons[i], runs[i] = o.Outcome, o.Code, o.Reason, o.RunID
		several = several || o.UntilAt != nil
	}
	rows, err := s.Q.Query(ctx, `
		insert into occurrences (trigger_id, workflow_id, fire_at, until_at, count, outcome, code, reason, run_id)
		select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::int[], $6::text[], $7::text[],
		                     $8::text[], $9::uuid[])
		    on conflict (trigger_id, fire_at) do update
		   set until_at = excluded.until_at, count = excluded.count, outcome = excluded.outcome, code = excluded.code,
		       reason = excluded.reason, run_id = excluded.run_id, recorded_at = now()
		 where occurrences.outcome = 'superseded'
		returning trigger_id, fire_at`, triggers, workflows, fires, untils, counts, outcomes, codes, reasons, runs)
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
	if several {
		err = s.dropCovered(ctx, triggers, fires, untils)
	}
	if err == nil {
		err = s.noteMissed(ctx, list, func(o OccurrenceRow) bool { return inserted[FireKey{o.TriggerID, o.FireAt.UTC()}] })
	}
	return inserted, err
}

// dropCovered removes rows of fires that were superseded and are accounted for by a row for several, after all.
func (s Occurrences) dropCovered(ctx context.Context, triggers []uuid.UUID, froms []time.Time, untils []*time.Time) error {
	_, err := s.Q.Exec(ctx, `
		delete from occurrences o using unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) u (id, from_at, until_at)
		 where o.trigger_id = u.id and o.fire_at > u.from_at and o.fire_at <= u.until_at and o.outcome = 'superseded'`,
		triggers, froms, untils)
	if err != nil {
		return fmt.Errorf("drop superseded occurrences: %w", err)
	}
	return nil
}

// Latest answers, by trigger, the row of the latest fire that was decided: what the ledger has is accounted for up to
// its last fire. Fires that were superseded were not decided, and those of a backfill stand between others.
func (s Occurrences) Latest(ctx context.Context, triggers []uuid.UUID) (map[uuid.UUID]OccurrenceRow, error) {
	if len(triggers) == 0 {
		return nil, nil
	}
	rows, err := s.Q.Query(ctx, `
		select o.* from unnest($1::uuid[]) u (id)
		 cross join lateral (
		    select trigger_id, workflow_id, fire_at, until_at, count, outcome, code, reason, run_id from occurrences
		     where trigger_id = u.id and (outcome <> 'superseded' or until_at is not null) and code is distinct from 'backfill'
		     order by fire_at desc limit 1) o`, triggers)
	if err != nil {
		return nil, fmt.Errorf("find the latest occurrences: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[OccurrenceRow])
	if err != nil {
		return nil, fmt.Errorf("find the latest occurrences: %w", err)
	}
	latest := make(map[uuid.UUID]OccurrenceRow, len(list))
	for _, o := range list {
		latest[o.TriggerID] = o
	}
	return latest, nil
}

// Extend lets rows that stand already stand for more fires: each up to UntilAt, Count more than before.
func (s Occurrences) Extend(ctx context.Context, list []OccurrenceRow) error {
	if len(list) == 0 {
		return nil
	}
	n := len(list)
	triggers, fires := make([]uuid.UUID, n), make([]time.Time, n)
	untils, counts := make([]*time.Time, n), make([]int32, n)
	for i, o := range list {
		triggers[i], fires[i], untils[i] = o.TriggerID, o.FireAt, o.UntilAt
		counts[i] = int32(o.Count) //nolint:gosec // bounded by the planner
	}
	_, err := s.Q.Exec(ctx, `
		update occurrences o set until_at = u.until_at, count = o.count + u.count, recorded_at = now()
		  from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::int[]) u (id, fire_at, until_at, count)
		 where o.trigger_id = u.id and o.fire_at = u.fire_at`, triggers, fires, untils, counts)
	if err != nil {
		return fmt.Errorf("extend occurrences: %w", err)
	}
	if err := s.noteMissed(ctx, list, func(OccurrenceRow) bool { return true }); err != nil {
		return err
	}
	return s.dropCovered(ctx, triggers, fires, untils)
}

// DropOld forgets, of triggers, up to limit rows whose last fire lies before an instant, and that were written before it:
// what a backfill did to fires of long ago is news.
func (s Occurrences) DropOld(ctx context.Context, triggers []uuid.UUID, before time.Time, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		delete from occurrences where (trigger_id, fire_at) in (
		    select trigger_id, fire_at from occurrences
		     where trigger_id = any($1) and fire_at < $2 and coalesce(until_at, fire_at) < $2 and recorded_at < $2 limit $3)`, triggers, before, limit)
	if err != nil {
		return 0, fmt.Errorf("drop old occurrences: %w", err)
	}
	return tag.RowsAffected(), nil
}

// LedgerRow is an occurrence as people see it.
type LedgerRow struct {
	TriggerKey string     `db:"trigger_key"`
	FireAt     time.Time  `db:"fire_at"`
	UntilAt    *time.Time `db:"until_at"`
	Count      int        `db:"count"`
	Outcome    string     `db:"outcome"`
	Code       *string    `db:"code"`
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
		// A row that stands for several may begin before; of each trigger it is the last one before, at most.
		where += ` and (o.fire_at >= @from or o.until_at >= @from) and o.fire_at >= least(@from, (
			select min(s.fire_at) from triggers st
			 cross join lateral (
			    select fire_at, until_at from occurrences
			     where trigger_id = st.id and fire_at < @from and (outcome <> 'superseded' or until_at is not null) and code is distinct from 'backfill'
			     order by fire_at desc limit 1) s
			 where st.workflow_id = @workflow and s.until_at >= @from))`
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
		select t.key as trigger_key, o.fire_at, o.until_at, o.count, o.outcome, o.code, o.reason, o.run_id, o.recorded_at, o.trigger_id
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
