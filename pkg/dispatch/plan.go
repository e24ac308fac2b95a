package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Check tells everything that is wrong with a definition, as a fault whose fields point into it. What depends on the
// project, such as the names of its calendars, is checked when it is saved.
func (s *Service) Check(def workflow.Definition) error {
	if err := workflow.Validate(def); err != nil {
		return err
	}
	var fields []fault.Field
	for i, t := range def.Triggers {
		if !t.Timed() {
			continue
		}
		compiled, err := schedule.Compile(t.Spec(time.Unix(0, 0).UTC()))
		if err == nil {
			err = compiled.CheckPace(s.MinInterval)
		}
		if f, ok := fault.Of(fault.Under(fmt.Sprintf("/triggers/%d", i), err)); ok {
			fields = append(fields, f.Fields...)
		}
	}
	return fault.InvalidFields(fields)
}

// plan brings the workflow's trigger rows in line with its definition. A trigger whose schedule did not change keeps its
// plan; one that did is planned from now on, and what was planned is recorded as superseded. by is who saves.
func (s *Service) plan(ctx context.Context, q postgres.Querier, row postgres.WorkflowRow, by string) error {
	now, err := postgres.Now(ctx, q)
	if err != nil {
		return err
	}
	triggers := postgres.Triggers{Q: q}
	existing, err := triggers.Lock(ctx, row.ID)
	if err != nil {
		return err
	}
	calendars, err := holdCalendars(ctx, q, row)
	if err != nil {
		return err
	}
	p := planning{Querier: q, row: row, by: by, now: now}
	for i, spec := range row.Definition.Triggers {
		var old postgres.TriggerRow
		at := slices.IndexFunc(existing, func(t postgres.TriggerRow) bool { return t.Key == spec.ID })
		if at >= 0 {
			old = existing[at]
			existing = slices.Delete(existing, at, at+1)
		}
		if err := p.save(ctx, spec, old, calendars[spec.Calendar]); err != nil {
			return fault.Under(fmt.Sprintf("/triggers/%d", i), err)
		}
	}
	for _, gone := range existing {
		if err := p.remove(ctx, gone); err != nil {
			return err
		}
	}
	return p.finish(ctx)
}

// holdCalendars reads the calendars that a definition names, by their names, and keeps them until the transaction ends.
func holdCalendars(ctx context.Context, q postgres.Querier, row postgres.WorkflowRow) (map[string][]string, error) {
	var keys []postgres.CalendarKey
	for _, t := range row.Definition.Triggers {
		if t.Calendar != "" {
			keys = append(keys, postgres.CalendarKey{ProjectID: row.ProjectID, Name: t.Calendar})
		}
	}
	dates, err := postgres.Calendars{Q: q}.HoldDates(ctx, keys)
	if err != nil {
		return nil, err
	}
	byName := make(map[string][]string, len(dates))
	for i, t := range row.Definition.Triggers {
		if t.Calendar == "" {
			continue
		}
		list, ok := dates[postgres.CalendarKey{ProjectID: row.ProjectID, Name: t.Calendar}]
		if !ok {
			return nil, fault.At(fmt.Sprintf("/triggers/%d/calendar", i), "unknown_calendar", "the project has no calendar %q", t.Calendar)
		}
		byName[t.Calendar] = list
	}
	return byName, nil
}

// planning is what one save does to a workflow's triggers.
type planning struct {
	postgres.Querier
	row postgres.WorkflowRow
	by  string
	now time.Time

	ledger  []postgres.OccurrenceRow
	off     []postgres.Pause
	on      []uuid.UUID
	removed []uuid.UUID
	chains  *chains // of the project, once a trigger needs them
}

// save stores one trigger of the definition; old is its row, zero for a new one.
func (p *planning) save(ctx context.Context, spec workflow.Trigger, old postgres.TriggerRow, calendar []string) error {
	known := old.ID != uuid.UUID{}
	t, err := planTrigger(p.row, spec, old, calendar, p.now)
	if err != nil {
		return err
	}
	returns := old.RemovedAt != nil
	if known && !old.Enabled && (t.Enabled || returns) {
		p.on = append(p.on, t.ID)
	}
	if !t.Enabled && (old.Enabled || !known || returns) {
		p.off = append(p.off, postgres.Pause{TriggerID: t.ID, Code: postgres.PauseDisabled, Detail: p.by})
	}
	if err := p.settle(ctx, old, &t, postgres.CodeChanged, fmt.Sprintf("changed in version %d", p.row.Version)); err != nil {
		return err
	}
	if err := p.follow(ctx, &t, old); err != nil {
		return err
	}
	if err := (postgres.Triggers{Q: p}).Save(ctx, t); err != nil {
		return err
	}
	return p.open(ctx, t, old)
}

// remove ends the plan of a trigger that is no longer in the definition.
func (p *planning) remove(ctx context.Context, old postgres.TriggerRow) error {
	if old.RemovedAt != nil {
		return nil
	}
	t := old
	t.Enabled, t.NextFireAt, t.DueAt, t.RemovedAt, t.PausedReason = false, nil, nil, &p.now, nil
	p.removed = append(p.removed, t.ID)
	p.off = append(p.off, postgres.Pause{TriggerID: t.ID, Code: postgres.PauseRemoved, Detail: p.by})
	if err := p.settle(ctx, old, &t, postgres.CodeRemoved, "the trigger was removed"); err != nil {
		return err
	}
	return postgres.Triggers{Q: p}.Save(ctx, t)
}

// finish writes what belongs to the triggers that were saved.
func (p *planning) finish(ctx context.Context) error {
	if _, err := (postgres.Occurrences{Q: p}).Insert(ctx, p.ledger); err != nil {
		return err
	}
	if err := (postgres.Backfills{Q: p}).CancelOf(ctx, p.removed, "the trigger was removed by "+p.by); err != nil {
		return err
	}
	pauses := postgres.Pauses{Q: p}
	if err := pauses.End(ctx, slices.Concat(p.on, p.removed)); err != nil {
		return err
	}
	return pauses.Begin(ctx, p.off)
}

// settle records the fires that were planned and are not any more: those that are past, and the next.
func (p *planning) settle(ctx context.Context, old postgres.TriggerRow, t *postgres.TriggerRow, code, reason string) error {
	if old.NextFireAt == nil || t.NextFireAt != nil && t.NextFireAt.Equal(*old.NextFireAt) {
		return nil
	}
	superseded := postgres.OccurrenceRow{Outcome: postgres.OutcomeSuperseded, Code: &code, Reason: &reason}
	rows, err := settle(ctx, p, old, p.now, superseded)
	if err != nil {
		return err
	}
	switch {
	case len(rows) > 0:
		last := rows[len(rows)-1].Last()
		t.DecidedAt = &last
	case old.Enabled:
		superseded.TriggerID, superseded.WorkflowID, superseded.FireAt, superseded.Count = old.ID, old.WorkflowID, *old.NextFireAt, 1
		rows = append(rows, superseded)
	}
	p.ledger = append(p.ledger, rows...)
	return nil
}

// mostSettled is how many fires are counted that nobody came to decide about before their plan was changed. The ledger's
// row for the rest reaches as far as they do and counts less.
const mostSettled = 20_000

// settle makes the ledger's rows for the fires of a trigger up to until that were not decided: other says what became of
// them, unless the trigger was off; then that is why they did not run.
func settle(ctx context.Context, q postgres.Querier, t postgres.TriggerRow, until time.Time, other postgres.OccurrenceRow) ([]postgres.OccurrenceRow, error) {
	compiled, err := schedule.Compile(t.Spec.Spec(t.AnchorAt))
	if err != nil {
		return nil, nil //nolint:nilerr // it was valid once; what it would have done then cannot be told
	}
	from := t.NextFireAt.Add(-time.Nanosecond)
	if t.DecidedAt != nil && t.DecidedAt.After(from) {
		from = *t.DecidedAt
	}
	fires, more := compiled.Plan(from, until, mostSettled)
	if len(fires) == 0 {
		return nil, nil
	}
	pauses, err := postgres.Pauses{Q: q}.Since(ctx, []uuid.UUID{t.ID}, from)
	if err != nil {
		return nil, err
	}
	var rows []postgres.OccurrenceRow
	for _, fire := range fires {
		row := other
		row.TriggerID, row.WorkflowID, row.FireAt, row.Count = t.ID, t.WorkflowID, fire, 1
		if i := slices.IndexFunc(pauses[t.ID], func(p postgres.Pause) bool { return p.Covers(fire) }); i >= 0 {
			pause := pauses[t.ID][i]
			reason := pause.Reason()
			row.Outcome, row.Code, row.Reason = postgres.OutcomeSkipped, &pause.Code, &reason
		}
		if n := len(rows); n > 0 && rows[n-1].Alike(row) {
			rows[n-1].UntilAt, rows[n-1].Count = &row.FireAt, rows[n-1].Count+1
			continue
		}
		rows = append(rows, row)
	}
	if more {
		rows[len(rows)-1].UntilAt = &until
	}
	return rows, nil
}
