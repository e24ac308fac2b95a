package scheduler

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// TestPoliciesOfATrigger: what the trigger's own limits make of fires that are due. Fires come each hour; the oldest is
// due at six, and it is nine.
func TestPoliciesOfATrigger(t *testing.T) {
	hourly := workflow.Trigger{ID: "t", Type: workflow.TriggerSchedule, Cron: "0 * * * *", Missed: "all", Overlap: "allow"}
	with := func(change func(*workflow.Trigger)) workflow.Trigger {
		trigger := hourly
		change(&trigger)
		return trigger
	}
	six := nine.Add(-3 * time.Hour)
	crowd := make([]postgres.LiveRun, schedule.MostQueued) // one is under way, the others wait for it
	for i := range crowd {
		crowd[i] = postgres.LiveRun{ID: uuid.New(), Blocked: i > 0}
	}
	half, eight := nine.Add(-150*time.Minute), nine.Add(-time.Hour)
	for _, c := range []struct {
		name string
		due  due
		want []string
		next string // empty: none
	}{
		{
			"an excluded date",
			due{TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) { t.ExcludedDates = []string{"2026-11-23"} })}},
			[]string{"06:00 skipped ×4 (2026-11-23 is excluded)"},
			"10:00",
		},
		{
			"a date of a calendar",
			due{
				TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) { t.Calendar = "holidays" })},
				calendar:   []string{"2026-11-23"},
			},
			[]string{"06:00 skipped ×4 (2026-11-23 is in the calendar holidays)"},
			"10:00",
		},
		{
			"a date that is excluded where the trigger is",
			due{TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) {
				t.ExcludedDates, t.Timezone = []string{"2026-11-22"}, "America/Los_Angeles" // until eight in UTC
			})}},
			[]string{"06:00 skipped ×2 (2026-11-22 is excluded)", "08:00 ran_late", "09:00 ran"},
			"10:00",
		},
		{
			"one run is left",
			due{TriggerRow: postgres.TriggerRow{RunsMade: 4, Spec: with(func(t *workflow.Trigger) { t.MaxRuns = 5 })}},
			[]string{"06:00 ran_late", "07:00 skipped ×3 (the trigger has made its 5 runs)"},
			"",
		},
		{
			"the last run is made",
			due{TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) { t.MaxRuns = 4 })}},
			[]string{"06:00 ran_late", "07:00 ran_late", "08:00 ran_late", "09:00 ran"},
			"",
		},
		{
			"it was off for a while: that is why fires were missed",
			due{
				TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) { t.Missed = "skip" })},
				pauses: []postgres.Pause{
					{OffAt: six.Add(-time.Hour), OnAt: &half, Code: postgres.PauseDisabled, Detail: "ana"},
					{OffAt: eight, Code: postgres.PauseFailures, Detail: "3"},
				},
			},
			[]string{
				"06:00 skipped (disabled by ana at 2026-11-23 05:00:00 UTC)",
				"07:00 skipped (missed)",
				"08:00 skipped (paused after 3 failed runs in a row at 2026-11-23 08:00:00 UTC)",
				"09:00 ran",
			},
			"10:00",
		},
		{
			"it was off, and the newest is run for the others",
			due{
				TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) { t.Missed = "latest" })},
				pauses:     []postgres.Pause{{OffAt: six, OnAt: &nine, Code: postgres.PauseDisabled, Detail: "ana"}},
			},
			[]string{"06:00 coalesced ×3 (disabled by ana at 2026-11-23 06:00:00 UTC; a newer fire ran for it)", "09:00 ran"},
			"10:00",
		},
		{
			"one more may wait",
			due{live: crowd, TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) { t.Overlap = "queue_all" })}},
			[]string{"06:00 ran_late, waits", "07:00 skipped ×3 (1000 runs of the trigger wait already)"},
			"10:00",
		},
		{
			"too many of its runs failed",
			due{failing: true, TriggerRow: postgres.TriggerRow{Spec: with(func(t *workflow.Trigger) { t.PauseAfterFailures = 3 })}},
			nil, "06:00",
		},
		{
			"the ledger has some of them already, though the clock was set back",
			due{TriggerRow: postgres.TriggerRow{DecidedAt: &eight, Spec: hourly}},
			[]string{"09:00 ran"},
			"10:00",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.due.ID, c.due.NextFireAt, c.due.DueAt = uuid.New(), &six, &six
			p, err := planFires(c.due, nine)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, ledger(p)); diff != "" {
				t.Error(diff)
			}
			next := ""
			if p.step.Next != nil {
				next = p.step.Next.Format("15:04")
			}
			if next != c.next || p.step.Made != len(p.runs) || c.due.failing != (p.step.Paused != "") {
				t.Errorf("next %q, want %q; made %d of %d; paused %q", next, c.next, p.step.Made, len(p.runs), p.step.Paused)
			}
			if n := len(p.ledger); n > 0 && (p.step.Decided == nil || !p.step.Decided.Equal(p.ledger[n-1].Last())) {
				t.Errorf("decided up to %v, want the last fire of the ledger", p.step.Decided)
			}
		})
	}
}

// With jitter a fire is decided when its run is to begin; the ledger keeps the fire's own instant. A run that begins
// late only because of its jitter was not missed.
func TestAJitteredFire(t *testing.T) {
	row := postgres.TriggerRow{ID: uuid.New(), NextFireAt: &nine, Spec: workflow.Trigger{
		ID: "t", Type: workflow.TriggerSchedule, Cron: "0 9 * * *", Jitter: workflow.Duration(time.Hour),
	}}
	early, err := planFires(due{TriggerRow: row}, nine)
	if err != nil {
		t.Fatal(err)
	}
	start := early.step.Due
	if len(early.ledger) != 0 || !early.step.Next.Equal(nine) || start == nil || !start.After(nine) || !start.Before(nine.Add(time.Hour)) {
		t.Fatalf("at nine: %v, next %v, due %v", ledger(early), early.step.Next, start)
	}
	then, err := planFires(due{TriggerRow: row}, start.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"09:00 ran"}, ledger(then)); diff != "" || len(then.lateness) != 1 || then.lateness[0] != time.Second {
		t.Errorf("%s, lateness %v", diff, then.lateness)
	}
	if !then.runs[0].FireAt.Equal(nine) || !then.step.Next.Equal(nine.AddDate(0, 0, 1)) || !then.step.Due.After(*then.step.Next) {
		t.Errorf("fire %v, next %v, due %v", then.runs[0].FireAt, then.step.Next, then.step.Due)
	}
}

// One reason, one row: as long as the same run is in the way.
func TestSkipsOfTheSameRunAreOneRow(t *testing.T) {
	busy := []postgres.LiveRun{{ID: uuid.New()}}
	begin := nine.Add(-30 * time.Second)
	row := postgres.TriggerRow{ID: uuid.New(), NextFireAt: &begin, Spec: workflow.Trigger{Cron: "* * * * * *"}}
	p, err := planFires(due{TriggerRow: row, live: busy}, nine)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"08:59 skipped ×31 (the run before has not finished)"}, ledger(p)); diff != "" {
		t.Fatal(diff)
	}
	latest := map[uuid.UUID]postgres.OccurrenceRow{row.ID: p.ledger[0]}
	after := nine.Add(time.Second)
	row.NextFireAt = p.step.Next
	next, err := planFires(due{TriggerRow: row, live: busy}, after)
	if err != nil {
		t.Fatal(err)
	}
	plans := []plan{next}
	extended := continued(plans, latest)
	if len(plans[0].ledger) != 0 || len(extended) != 1 || extended[0].Count != 1 || !extended[0].UntilAt.Equal(after) || !extended[0].FireAt.Equal(begin) {
		t.Errorf("extended by %+v, new rows %v", extended, ledger(plans[0]))
	}
	other, err := planFires(due{TriggerRow: row, live: []postgres.LiveRun{{ID: uuid.New()}}}, after)
	if err != nil {
		t.Fatal(err)
	}
	if plans := []plan{other}; len(continued(plans, latest)) != 0 || len(plans[0].ledger) != 1 {
		t.Error("another run is another reason")
	}
}
