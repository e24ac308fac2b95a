package dispatch

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// planTrigger makes the row of a trigger as it is saved at now. old is its row until then, zero for a new trigger, and
// calendar the dates of the calendar that spec names.
func planTrigger(row postgres.WorkflowRow, spec workflow.Trigger, old postgres.TriggerRow, calendar []string, now time.Time) (postgres.TriggerRow, error) {
	t := old
	fresh := old.ID == uuid.UUID{} || old.RemovedAt != nil
	if (t.ID == uuid.UUID{}) {
		id, err := uuid.NewV7()
		if err != nil {
			return t, fmt.Errorf("make a trigger id: %w", err)
		}
		t = postgres.TriggerRow{ID: id, WorkflowID: row.ID, ProjectID: row.ProjectID, Key: spec.ID}
	}
	t.Version, t.Spec, t.Enabled, t.RemovedAt = row.Version, spec, row.Enabled && spec.IsEnabled(), nil
	if t.Enabled {
		t.PausedReason = nil
	}
	if fresh || old.Spec.Every != spec.Every {
		t.AnchorAt = now
	}
	if !spec.Timed() {
		return planEvent(t, old, now), nil
	}
	compiled, err := schedule.Compile(spec.Spec(t.AnchorAt))
	if err != nil {
		return t, err
	}
	changed := fresh || !old.Spec.Timed() || !sameSchedule(old.Spec, spec)
	if changed || old.NextFireAt == nil {
		from := now
		if t.DecidedAt != nil && t.DecidedAt.After(from) {
			from = *t.DecidedAt
		}
		next := compiled.Next(from)
		if changed && next.IsZero() {
			return t, fault.At(neverPointer(spec), "never_fires", "it has no fire after now; choose a later instant")
		}
		// One that is not enabled is planned when it is: nothing can be missed before the first time.
		t.NextFireAt = nil
		if t.Enabled && !next.IsZero() {
			t.NextFireAt = &next
		}
	}
	if err := checkDays(compiled, spec, old.Spec, changed, calendar, now); err != nil {
		return t, err
	}
	if err := limitRuns(&t, old.Spec, fresh); err != nil {
		return t, err
	}
	t.DueAt = nil
	if t.NextFireAt != nil {
		due := compiled.Start(*t.NextFireAt, time.Duration(spec.Jitter), t.ID.String())
		t.DueAt = &due
	}
	return t, nil
}

// checkDays refuses a change after which every fire lies on an excluded date.
func checkDays(compiled *schedule.Schedule, spec, old workflow.Trigger, changed bool, calendar []string, now time.Time) error {
	if !spec.Excludes() || !changed && spec.Calendar == old.Calendar && slices.Equal(spec.ExcludedDates, old.ExcludedDates) {
		return nil
	}
	if !compiled.NextRunning(now, spec.DaysOff(calendar), nil).IsZero() || compiled.Next(now).IsZero() {
		return nil
	}
	pointer := "/excluded_dates"
	if len(spec.ExcludedDates) == 0 {
		pointer = "/calendar"
	}
	return fault.At(pointer, "never_fires", "every fire after now lies on an excluded date")
}

// limitRuns takes the next fire from a trigger that has made all its runs, and refuses a new limit that it has reached
// already.
func limitRuns(t *postgres.TriggerRow, old workflow.Trigger, fresh bool) error {
	if t.Spec.MaxRuns == 0 || t.RunsMade < t.Spec.MaxRuns {
		return nil
	}
	if fresh || t.Spec.MaxRuns != old.MaxRuns {
		return fault.At("/max_runs", "range", "its schedule has made %d runs already: choose more, or none for no limit", t.RunsMade)
	}
	t.NextFireAt = nil
	return nil
}

func neverPointer(spec workflow.Trigger) string {
	switch {
	case spec.At != nil:
		return "/at"
	case spec.EndsAt != nil:
		return "/ends_at"
	}
	return "/cron"
}

// sameSchedule tells whether two specs fire at the same instants.
func sameSchedule(a, b workflow.Trigger) bool {
	anchor := time.Unix(0, 0).UTC()
	x, y := a.Spec(anchor), b.Spec(anchor)
	return x.Cron == y.Cron && x.Timezone == y.Timezone && x.Every == y.Every && x.At.Equal(y.At) && x.Gap == y.Gap &&
		x.OverlapHour == y.OverlapHour && x.StartsAt.Equal(y.StartsAt) && x.EndsAt.Equal(y.EndsAt)
}
