package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Pauses is the store of the times in which triggers were off.
type Pauses struct{ Q Querier }

// Why a trigger is off.
const (
	PauseDisabled = "disabled" // by somebody: the trigger or its workflow
	PauseFailures = "paused"   // by itself, after failed runs
	PauseRemoved  = "removed"  // by somebody who took it out of the workflow, or deleted that
)

// Pause is a time in which a trigger was off.
type Pause struct {
	TriggerID uuid.UUID  `db:"trigger_id"`
	OffAt     time.Time  `db:"off_at"`
	OnAt      *time.Time `db:"on_at"` // nil: it still is
	Code      string     `db:"code"`
	Detail    string     `db:"detail"` // who did it; of PauseFailures, after how many failed runs
}

// Reason says why it is off, for the ledger.
func (p Pause) Reason() string {
	var text string
	switch {
	case p.Code == PauseFailures:
		text = fmt.Sprintf("paused after %s failed runs in a row", p.Detail)
	case p.Detail == "":
		text = p.Code
	default:
		text = p.Code + " by " + p.Detail
	}
	return text + " at " + p.OffAt.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// Covers tells whether the trigger was off at t.
func (p Pause) Covers(t time.Time) bool {
	return !t.Before(p.OffAt) && (p.OnAt == nil || t.Before(*p.OnAt))
}

// Begin notes that triggers are off from now on, or since OffAt when that is set, each for its own reason. One that is off
// already stays so for the first reason.
func (s Pauses) Begin(ctx context.Context, pauses []Pause) error {
	if len(pauses) == 0 {
		return nil
	}
	ids, codes, details := make([]uuid.UUID, len(pauses)), make([]string, len(pauses)), make([]string, len(pauses))
	since := make([]*time.Time, len(pauses))
	for i, p := range pauses {
		ids[i], codes[i], details[i] = p.TriggerID, p.Code, p.Detail
		if !p.OffAt.IsZero() {
			since[i] = &p.OffAt
		}
	}
	_, err := s.Q.Exec(ctx, `
		insert into trigger_pauses (trigger_id, off_at, code, detail)
		select u.id, least(now(), u.since), u.code, u.detail
		  from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) u (id, code, detail, since)
		 where not exists (select from trigger_pauses p where p.trigger_id = u.id and p.on_at is null)
		    on conflict do nothing`, ids, codes, details, since)
	if err != nil {
		return fmt.Errorf("begin pauses: %w", translate(err))
	}
	return nil
}

// End notes that triggers are on again from now on.
func (s Pauses) End(ctx context.Context, triggers []uuid.UUID) error {
	if len(triggers) == 0 {
		return nil
	}
	_, err := s.Q.Exec(ctx, `update trigger_pauses set on_at = now() where trigger_id = any($1) and on_at is null`, triggers)
	if err != nil {
		return fmt.Errorf("end pauses: %w", err)
	}
	return nil
}

// Since lists, by trigger, the pauses that had not ended at an instant, the oldest first.
func (s Pauses) Since(ctx context.Context, triggers []uuid.UUID, from time.Time) (map[uuid.UUID][]Pause, error) {
	if len(triggers) == 0 {
		return nil, nil
	}
	rows, err := s.Q.Query(ctx, `
		select trigger_id, off_at, on_at, code, detail from trigger_pauses
		 where trigger_id = any($1) and (on_at is null or on_at > $2) order by trigger_id, off_at`, triggers, from)
	if err != nil {
		return nil, fmt.Errorf("list pauses: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Pause])
	if err != nil {
		return nil, fmt.Errorf("list pauses: %w", err)
	}
	by := make(map[uuid.UUID][]Pause)
	for _, p := range list {
		by[p.TriggerID] = append(by[p.TriggerID], p)
	}
	return by, nil
}

// DropOld forgets, of triggers, the pauses that ended before an instant.
func (s Pauses) DropOld(ctx context.Context, triggers []uuid.UUID, before time.Time) (int64, error) {
	tag, err := s.Q.Exec(ctx, `delete from trigger_pauses where trigger_id = any($1) and on_at < $2`, triggers, before)
	if err != nil {
		return 0, fmt.Errorf("drop old pauses: %w", err)
	}
	return tag.RowsAffected(), nil
}
