package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Backfilled is a fire that a backfill runs, as the ledger is to show it.
type Backfilled struct {
	FireAt time.Time
	RunID  uuid.UUID
}

// Backfill writes into the ledger that a backfill by somebody runs fires of a trigger, which the transaction has locked
// (LockSome). A fire of which there is no row gets one. A fire that did not run becomes one that ran, and its reason goes on
// telling what had become of it before; if its row stands for several, that stands for one less from now on. A fire that
// ran keeps its row: the backfill only repeats it. next answers the trigger's fire after one, zero when there is none.
func (s Occurrences) Backfill(ctx context.Context, trigger, workflow uuid.UUID, by string, fires []Backfilled, next func(time.Time) time.Time) error {
	for _, f := range fires {
		old, found, err := s.covering(ctx, trigger, f.FireAt)
		if err != nil {
			return err
		}
		if found && (old.Outcome == OutcomeRan || old.Outcome == OutcomeRanLate) {
			continue
		}
		code, reason := CodeBackfill, "backfilled by "+by
		if found {
			reason += "; before: " + old.Outcome
			if old.Reason != nil {
				reason += " (" + *old.Reason + ")"
			}
			if err := s.carve(ctx, old, f.FireAt, next); err != nil {
				return err
			}
		}
		_, err = s.Q.Exec(ctx, `
			insert into occurrences (trigger_id, workflow_id, fire_at, outcome, code, reason, run_id)
			values (@trigger, @workflow, @fire, 'ran', @code, @reason, @run)
			    on conflict (trigger_id, fire_at) do update
			   set outcome = 'ran', code = excluded.code, reason = excluded.reason, run_id = excluded.run_id,
			       until_at = null, count = 1, recorded_at = now()`,
			args{"trigger": trigger, "workflow": workflow, "fire": f.FireAt, "code": code, "reason": reason, "run": f.RunID})
		if err != nil {
			return fmt.Errorf("insert backfilled occurrence: %w", err)
		}
	}
	return nil
}

// carve takes a fire out of a row that stands for several: the row stands for one less, and if it began with that fire,
// it begins with the next that has no row of its own.
func (s Occurrences) carve(ctx context.Context, old OccurrenceRow, fire time.Time, next func(time.Time) time.Time) error {
	if old.UntilAt == nil || old.Count <= 1 {
		return nil // the row becomes the fire's own
	}
	start := old.FireAt
	if start.Equal(fire) {
		taken, err := s.within(ctx, old)
		if err != nil {
			return err
		}
		for start = next(fire); taken[start.UTC()]; {
			start = next(start)
		}
		if start.IsZero() || start.After(*old.UntilAt) {
			return nil
		}
	}
	_, err := s.Q.Exec(ctx, `update occurrences set count = count - 1, fire_at = $3 where trigger_id = $1 and fire_at = $2`,
		old.TriggerID, old.FireAt, start)
	if err != nil {
		return fmt.Errorf("carve an occurrence: %w", err)
	}
	return nil
}

// within finds the fires that have a row of their own although they lie within one that stands for several.
func (s Occurrences) within(ctx context.Context, row OccurrenceRow) (map[time.Time]bool, error) {
	rows, err := s.Q.Query(ctx, `select fire_at from occurrences where trigger_id = $1 and fire_at > $2 and fire_at <= $3`,
		row.TriggerID, row.FireAt, row.UntilAt)
	if err != nil {
		return nil, fmt.Errorf("list occurrences within another: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return nil, fmt.Errorf("list occurrences within another: %w", err)
	}
	fires := make(map[time.Time]bool, len(list))
	for _, at := range list {
		fires[at.UTC()] = true
	}
	return fires, nil
}

// About finds the row of the ledger that accounts for a fire of a trigger within [from, to), or for from itself; ok is
// false when there is none.
func (s Occurrences) About(ctx context.Context, trigger uuid.UUID, from, to time.Time) (row LedgerRow, ok bool, err error) {
	rows, err := s.Q.Query(ctx, `
		select t.key as trigger_key, o.fire_at, o.until_at, o.count, o.outcome, o.code, o.reason, o.run_id, o.recorded_at, o.trigger_id
		  from triggers t cross join lateral (
		    (select 1 as rank, * from occurrences where trigger_id = t.id and fire_at >= $2 and fire_at < $3 order by fire_at limit 1)
		    union all
		    (select 2, l.* from (
		        select * from occurrences
		         where trigger_id = t.id and fire_at < $2 and (outcome <> 'superseded' or until_at is not null)
		           and code is distinct from 'backfill'
		         order by fire_at desc limit 1) l
		      where l.until_at >= $2)) o
		 where t.id = $1 order by o.rank limit 1`, trigger, from, to)
	if err != nil {
		return row, false, fmt.Errorf("find an occurrence: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[LedgerRow])
	if err != nil {
		return row, false, fmt.Errorf("find an occurrence: %w", err)
	}
	if len(list) == 0 {
		return row, false, nil
	}
	return list[0], true, nil
}

// covering: the fire's own row is the better answer; between others it may stand in one for several.
func (s Occurrences) covering(ctx context.Context, trigger uuid.UUID, fire time.Time) (OccurrenceRow, bool, error) {
	rows, err := s.Q.Query(ctx, `
		(select trigger_id, workflow_id, fire_at, until_at, count, outcome, code, reason, run_id from occurrences
		  where trigger_id = $1 and fire_at = $2)
		union all
		(select o.* from (
		    select trigger_id, workflow_id, fire_at, until_at, count, outcome, code, reason, run_id from occurrences
		     where trigger_id = $1 and fire_at < $2 and (outcome <> 'superseded' or until_at is not null) and code is distinct from 'backfill'
		     order by fire_at desc limit 1) o
		  where o.until_at >= $2)`, trigger, fire)
	if err != nil {
		return OccurrenceRow{}, false, fmt.Errorf("find an occurrence: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[OccurrenceRow])
	if err != nil || len(list) == 0 {
		if err != nil {
			err = fmt.Errorf("find an occurrence: %w", err)
		}
		return OccurrenceRow{}, false, err
	}
	return list[0], true, nil
}
