package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Moved is a schedule whose next fires would be others.
type Moved struct {
	Trigger       string // its id in the definition
	Before, After []time.Time
}

// shownFires is how many fires of a schedule are compared.
const shownFires = 5

// PlanDraft tells which fires would move if def were published now. Errors: what is wrong with def.
func (s *Service) PlanDraft(ctx context.Context, who account.Principal, id uuid.UUID, def workflow.Definition, enabled *bool) (moved []Moved, err error) {
	if err := s.Check(def); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		row, err := postgres.Workflows{Q: q}.Get(ctx, who.Where(account.WorkflowRead), id)
		if err != nil {
			return err
		}
		now, err := postgres.Now(ctx, q)
		if err != nil {
			return err
		}
		triggers, err := postgres.Triggers{Q: q}.Of(ctx, id)
		if err != nil {
			return err
		}
		before, err := holdCalendars(ctx, q, row)
		if err != nil {
			return err
		}
		row.Definition = def
		if enabled != nil {
			row.Enabled = *enabled
		}
		after, err := holdCalendars(ctx, q, row)
		if err != nil {
			return err
		}
		moved, err = movedBy(row, triggers, before, after, now)
		return err
	})
	return moved, err
}

// movedBy compares the plans of triggers with those that they would have by row's definition. before and after are the dates of
// the calendars that the one and the other name.
func movedBy(row postgres.WorkflowRow, triggers []postgres.TriggerRow, before, after map[string][]string, now time.Time) ([]Moved, error) {
	var moved []Moved
	compare := func(key string, old, next postgres.TriggerRow) error {
		m := Moved{Trigger: key}
		var err error
		if m.Before, err = coming(old, before[old.Spec.Calendar], now); err != nil {
			return err
		}
		if m.After, err = coming(next, after[next.Spec.Calendar], now); err == nil && !slices.EqualFunc(m.Before, m.After, time.Time.Equal) {
			moved = append(moved, m)
		}
		return err
	}
	for i, spec := range row.Definition.Triggers {
		var old postgres.TriggerRow
		if at := slices.IndexFunc(triggers, func(t postgres.TriggerRow) bool { return t.Key == spec.ID }); at >= 0 {
			old = triggers[at]
			triggers = slices.Delete(triggers, at, at+1)
		}
		next, err := planTrigger(row, spec, old, after[spec.Calendar], now)
		if err != nil {
			return nil, fault.Under(fmt.Sprintf("/triggers/%d", i), err)
		}
		if err := compare(spec.ID, old, next); err != nil {
			return nil, err
		}
	}
	for _, gone := range triggers {
		if err := compare(gone.Key, gone, postgres.TriggerRow{}); err != nil {
			return nil, err
		}
	}
	return moved, nil
}

// coming lists the next fires of a schedule that are planned and do not lie on a day off.
func coming(t postgres.TriggerRow, calendar []string, now time.Time) ([]time.Time, error) {
	if !t.Enabled || t.NextFireAt == nil || !t.Spec.Timed() {
		return nil, nil
	}
	compiled, err := schedule.Compile(t.Spec.Spec(t.AnchorAt))
	if err != nil {
		return nil, nil //nolint:nilerr // it was valid once; when it would have fired cannot be told
	}
	most := shownFires
	if t.Spec.MaxRuns > 0 {
		most = min(most, t.Spec.MaxRuns-t.RunsMade)
	}
	from := t.NextFireAt.Add(-time.Nanosecond)
	if now.After(from) {
		from = now
	}
	var fires []time.Time
	off := t.Spec.DaysOff(calendar)
	for at := compiled.NextRunning(from, off, nil); !at.IsZero() && len(fires) < most; at = compiled.NextRunning(at, off, nil) {
		fires = append(fires, at)
	}
	return fires, nil
}
