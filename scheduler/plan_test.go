package scheduler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

var nine = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// ledger writes a plan as people would read it: fire, outcome, reason, and whether its run waits.
func ledger(p plan) []string {
	waits := map[uuid.UUID]bool{}
	for _, r := range p.runs {
		waits[r.ID] = r.Blocked
	}
	var lines []string
	for _, row := range p.ledger {
		line := row.FireAt.Format("15:04") + " " + row.Outcome
		if row.Count > 1 {
			line += fmt.Sprintf(" ×%d", row.Count)
		}
		if row.Reason != nil {
			line += " (" + *row.Reason + ")"
		}
		if row.RunID != nil && waits[*row.RunID] {
			line += ", waits"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestWhatBecomesOfFires(t *testing.T) {
	running := []postgres.LiveRun{{ID: uuid.New()}}
	waiting := append(running, postgres.LiveRun{ID: uuid.New(), Blocked: true})
	hourly := workflow.Trigger{ID: "t", Type: workflow.TriggerSchedule, Cron: "0 * * * *"}
	with := func(change func(*workflow.Trigger)) workflow.Trigger {
		trigger := hourly
		change(&trigger)
		return trigger
	}
	for _, c := range []struct {
		name    string
		trigger workflow.Trigger
		due     time.Duration // before now: when the oldest due fire was
		live    []postgres.LiveRun
		want    []string
	}{
		{"on time", hourly, 0, nil, []string{"09:00 ran"}},
		{
			"a run is under way", hourly, 0, running,
			[]string{"09:00 skipped (the run before has not finished)"},
		},
		{"and may have company", with(func(t *workflow.Trigger) { t.Overlap = "allow" }), 0, running, []string{"09:00 ran"}},
		{"one may wait", with(func(t *workflow.Trigger) { t.Overlap = "queue_one" }), 0, running, []string{"09:00 ran, waits"}},
		{
			"one waits already", with(func(t *workflow.Trigger) { t.Overlap = "queue_one" }), 0, waiting,
			[]string{"09:00 skipped (a run waits already)"},
		},
		{"all may wait", with(func(t *workflow.Trigger) { t.Overlap = "queue_all" }), 0, waiting, []string{"09:00 ran, waits"}},
		{"the other makes way", with(func(t *workflow.Trigger) { t.Overlap = "cancel_running" }), 0, running, []string{"09:00 ran, waits"}},
		{
			"after three hours, the latest", with(func(t *workflow.Trigger) { t.Grace = workflow.Duration(time.Second) }), 3*time.Hour + 30*time.Minute, nil,
			[]string{"05:00 coalesced ×3 (missed; a newer fire ran for it)", "08:00 ran_late"},
		},
		{
			"after three hours, none", with(func(t *workflow.Trigger) { t.Missed = "skip"; t.Grace = workflow.Duration(time.Second) }), 3*time.Hour + 30*time.Minute, nil,
			[]string{"05:00 skipped ×4 (missed)"},
		},
		{
			"after three hours, all, one by one", with(func(t *workflow.Trigger) { t.Missed = "all"; t.Grace = workflow.Duration(time.Second) }), 3*time.Hour + 30*time.Minute, nil,
			[]string{"05:00 ran_late", "06:00 ran_late, waits", "07:00 ran_late, waits", "08:00 ran_late, waits"},
		},
		{
			"after three hours, at most two", with(func(t *workflow.Trigger) {
				t.Missed, t.CatchUpLimit, t.Grace = "all", 2, workflow.Duration(time.Second)
			}), 3*time.Hour + 30*time.Minute, nil,
			[]string{"05:00 skipped ×2 (limit)", "07:00 ran_late", "08:00 ran_late, waits"},
		},
		{
			"what is too old is only recorded", with(func(t *workflow.Trigger) {
				t.CatchUpWindow, t.Grace = workflow.Duration(2*time.Hour), workflow.Duration(time.Second)
			}), 3*time.Hour + 30*time.Minute, nil,
			[]string{"05:00 skipped ×2 (outside_window)", "07:00 coalesced (missed; a newer fire ran for it)", "08:00 ran_late"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := nine
			if c.due > 0 {
				now = nine.Add(-30 * time.Minute) // no fire is on time
			}
			next := now.Add(-c.due)
			p, err := planFires(due{TriggerRow: postgres.TriggerRow{ID: uuid.New(), Spec: c.trigger, NextFireAt: &next}, live: c.live}, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, ledger(p)); diff != "" {
				t.Error(diff)
			}
			if p.step.Next == nil || !p.step.Next.After(now) {
				t.Errorf("next fire %v is not after %v", p.step.Next, now)
			}
			if c.trigger.Overlap == "cancel_running" && len(p.cancel) != len(c.live) {
				t.Errorf("%d runs are cancelled, want %d", len(p.cancel), len(c.live))
			}
		})
	}
}

// A coalesced fire names the run that ran for it.
func TestCoalescedFiresNameTheirRun(t *testing.T) {
	next := nine.Add(-3 * time.Hour)
	p, err := planFires(due{TriggerRow: postgres.TriggerRow{ID: uuid.New(), Spec: workflow.Trigger{Cron: "0 * * * *"}, NextFireAt: &next}}, nine)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.runs) != 1 || p.ledger[0].RunID == nil || *p.ledger[0].RunID != p.runs[0].ID {
		t.Errorf("runs %v, ledger %v", p.runs, ledger(p))
	}
}

// A trigger that was away for very long is brought up to date in bounded pieces, and nothing is left out of the ledger.
func TestALongAbsence(t *testing.T) {
	next := nine.Add(-2 * mostFires * time.Second).Truncate(time.Second)
	row := postgres.TriggerRow{ID: uuid.New(), Spec: workflow.Trigger{Cron: "* * * * * *", Missed: "latest"}, NextFireAt: &next}
	total, ticks, runs := 0, 0, 0
	for row.NextFireAt != nil && !row.NextFireAt.After(nine) {
		p, err := planFires(due{TriggerRow: row}, nine)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.ledger {
			total += o.Count
		}
		runs += len(p.runs)
		row.NextFireAt = p.step.Next
		if ticks++; ticks > 10 {
			t.Fatal("it does not come to an end")
		}
	}
	want := int(nine.Sub(next)/time.Second) + 1
	if total != want {
		t.Errorf("the ledger accounts for %d fires, want %d", total, want)
	}
	// Those within the grace are on time, and each is a run of its own until the first has one under way.
	if runs != 1 {
		t.Errorf("%d runs, want 1", runs)
	}
}

// Wherever the pieces end, as many of the newest missed fires run as are wanted.
func TestALongAbsenceIsMadeUpForToTheLimit(t *testing.T) {
	missed := nine.Add(-2 * time.Minute) // the newest that is late
	next := missed.Add(-(mostFires + 60) * time.Second)
	row := postgres.TriggerRow{ID: uuid.New(), NextFireAt: &next, Spec: workflow.Trigger{
		Cron: "* * * * * *", Missed: "all", CatchUpLimit: 500, Overlap: "queue_all", EndsAt: &missed,
	}}
	runs := 0
	for row.NextFireAt != nil && !row.NextFireAt.After(nine) {
		p, err := planFires(due{TriggerRow: row}, nine)
		if err != nil {
			t.Fatal(err)
		}
		runs += len(p.runs)
		row.NextFireAt = p.step.Next
	}
	if runs != 500 {
		t.Errorf("%d runs, want 500", runs)
	}
}

func TestAnOnceOnlyTriggerHasNoNext(t *testing.T) {
	p, err := planFires(due{TriggerRow: postgres.TriggerRow{ID: uuid.New(), Spec: workflow.Trigger{At: &nine}, NextFireAt: &nine}}, nine)
	if err != nil {
		t.Fatal(err)
	}
	if p.step.Next != nil || strings.Join(ledger(p), "") != "09:00 ran" {
		t.Errorf("next %v, ledger %v", p.step.Next, ledger(p))
	}
}

func TestSettingsThatCannotWork(t *testing.T) {
	good := Config{
		Batch: 500, LostAfter: 15 * time.Second, EnqueueGrace: 5 * time.Second, MaxCrashes: 3, Overtime: 15 * time.Second,
		CancelAfter: 10 * time.Second, LedgerRetention: time.Hour,
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	err := Config{}.Check()
	for _, name := range []string{
		"ORQ_SCHEDULER_BATCH", "ORQ_LOST_AFTER", "ORQ_ENQUEUE_GRACE", "ORQ_MAX_CRASHES", "ORQ_OVERTIME", "ORQ_CANCEL_AFTER", "ORQ_LEDGER_RETENTION",
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}

// A row that cannot be is told as an error, so that the other triggers of the batch are planned.
func TestAPanicIsTheTriggersOwn(t *testing.T) {
	_, err := planFires(due{TriggerRow: postgres.TriggerRow{ID: uuid.New(), Spec: workflow.Trigger{Cron: "0 * * * *"}}}, nine)
	if err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("a trigger without a next fire: %v", err)
	}
}
