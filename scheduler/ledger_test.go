package scheduler

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// punctual makes fires of the last day count as on time, so that it does not matter at which minute a test runs.
const punctual = workflow.Duration(24 * time.Hour)

// The delay of jitter is a trigger's own, the same for whoever asks, and does not reach the ledger.
func TestJitterIsStableAndNotInTheLedger(t *testing.T) {
	d := newDesk(t)
	id := d.create(workflow.Trigger{Cron: "0 * * * *", Jitter: workflow.Duration(30 * time.Minute), Grace: punctual})
	first := d.trigger(id)
	compiled, err := schedule.Compile(first.Spec.Spec(first.AnchorAt))
	d.must(err)
	start := compiled.Start(*first.NextFireAt, 30*time.Minute, first.ID.String())
	if !first.DueAt.Equal(start) || first.DueAt.Before(*first.NextFireAt) || !first.DueAt.Before(first.NextFireAt.Add(30*time.Minute)) {
		t.Errorf("due at %s for the fire at %s", first.DueAt, first.NextFireAt)
	}
	d.enable(id, false)
	d.enable(id, true)
	if again := d.trigger(id); !again.DueAt.Equal(*first.DueAt) || !again.NextFireAt.Equal(*first.NextFireAt) {
		t.Errorf("switched off and on, it is due at %s, was %s", again.DueAt, first.DueAt)
	}
	d.pass(2 * time.Hour)
	d.tick()
	rows := d.rows(id)
	if len(rows) == 0 || !rows[0].FireAt.Equal(first.NextFireAt.Add(-2*time.Hour)) || rows[0].Outcome != postgres.OutcomeRan {
		t.Fatalf("the ledger: %v", d.told(id))
	}
	if n := d.count(`select count(*) from runs where fire_at = $1`, rows[0].FireAt); n != 1 {
		t.Errorf("%d runs at the fire's own instant", n)
	}
}

// A trigger that has made its runs is at its end, until it may make more.
func TestMaxRuns(t *testing.T) {
	d := newDesk(t)
	spec := workflow.Trigger{Cron: "0 * * * *", MaxRuns: 2, Overlap: "allow", Grace: punctual}
	id := d.create(spec)
	d.pass(5 * time.Hour)
	d.tick()
	d.same([]string{"ran", "ran", "skipped ×3 max_runs"}, d.told(id))
	if row := d.trigger(id); row.NextFireAt != nil || row.DueAt != nil || row.RunsMade != 2 {
		t.Errorf("it goes on at %v, after %d runs", row.NextFireAt, row.RunsMade)
	}
	d.enable(id, false)
	d.enable(id, true)
	if row := d.trigger(id); row.NextFireAt != nil {
		t.Errorf("switched off and on, it goes on at %v", row.NextFireAt)
	}
	spec.MaxRuns = 3
	_, err := d.service.Replace(t.Context(), d.who, id, withTrigger(spec), nil, 0)
	d.must(err)
	if row := d.trigger(id); row.NextFireAt == nil {
		t.Error("with one run more it does not go on")
	}
	d.pass(2 * time.Hour)
	d.tick()
	d.same([]string{"ran", "ran", "skipped ×3 max_runs", "ran", "skipped max_runs"}, d.told(id))
}

// Fires on dates that are off do not run and are told, and a change of the calendar counts for the next fire.
func TestDaysOffInTheLedger(t *testing.T) {
	d := newDesk(t)
	home, _ := d.who.Home()
	var dates []string
	for day := -3; day < 3; day++ {
		dates = append(dates, time.Now().UTC().AddDate(0, 0, day).Format(time.DateOnly))
	}
	calendar, err := d.service.CreateCalendar(t.Context(), d.who, home, workflow.Calendar{Name: "holidays", Dates: dates})
	d.must(err)
	byCalendar := d.create(workflow.Trigger{Cron: "0 * * * *", Calendar: "holidays", Overlap: "allow", Grace: punctual})
	byDate := d.create(workflow.Trigger{Cron: "0 * * * *", ExcludedDates: dates, Overlap: "allow", Grace: punctual})
	d.pass(3 * time.Hour)
	d.tick()
	for id, says := range map[uuid.UUID]string{byCalendar: "in the calendar holidays", byDate: "is excluded"} {
		fires := 0
		for _, r := range d.rows(id) {
			fires += r.Count
			if r.Outcome != postgres.OutcomeSkipped || *r.Code != postgres.CodeExcluded {
				t.Errorf("the ledger: %v", d.told(id))
			}
			has(t, reasonOf(r), says)
		}
		if fires != 3 {
			t.Errorf("%s: the ledger tells of %d fires, want 3", says, fires)
		}
	}
	_, err = d.service.ReplaceCalendar(t.Context(), d.who, calendar.ID, workflow.Calendar{Name: "holidays"})
	d.must(err)
	d.pass(time.Hour)
	d.tick()
	if told := d.told(byCalendar); told[len(told)-1] != "ran" {
		t.Errorf("after the calendar was emptied: %v", told)
	}
	if n := d.count(`select count(*) from runs`); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
}

// Failed runs in a row stop the trigger; what it would have fired until somebody lets it go on is one row.
func TestFailedRunsPauseTheTrigger(t *testing.T) {
	for name, stop := range map[string]func(*desk){
		"by the ticker": func(d *desk) { d.pass(time.Hour); d.tick() },
		"by the guard, before the next fire": func(d *desk) {
			_, err := (&guard{db: d.db, log: d.log}).step(d.t.Context())
			d.must(err)
			d.pass(time.Hour)
			d.tick()
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			id := d.create(workflow.Trigger{Cron: "0 * * * *", PauseAfterFailures: 2, Missed: "skip", Overlap: "allow", Grace: punctual})
			for _, status := range []run.Status{run.Failed, run.Succeeded, run.Failed, run.Cancelled, run.Failed} {
				d.pass(time.Hour)
				d.tick()
				d.end(status)
			}
			ran := []string{"ran", "ran", "ran", "ran", "ran"}
			d.same(ran, d.told(id))
			if row := d.trigger(id); !row.Enabled {
				t.Fatal("it stopped too early")
			}
			stop(d)
			row := d.trigger(id)
			if row.Enabled || row.PausedReason == nil {
				t.Fatalf("it goes on: %+v", row)
			}
			has(t, *row.PausedReason, "paused after 2 failed runs in a row at ")
			d.pass(30 * time.Hour)
			d.tick()
			d.same(ran, d.told(id))

			d.enable(id, true) // the workflow was on all the time
			if row := d.trigger(id); !row.Enabled || row.PausedReason != nil {
				t.Errorf("it does not go on: %+v", row)
			}
			d.tick()
			rows := d.rows(id)
			late := rows[len(ran)]
			if late.Outcome != postgres.OutcomeSkipped || *late.Code != postgres.CodePaused || late.Count < 6 {
				t.Errorf("the ledger: %v", d.told(id))
			}
			has(t, reasonOf(late), "paused after 2 failed runs in a row at ")
			total := 0
			for _, r := range rows[len(ran):] {
				total += r.Count
			}
			if total != 31 {
				t.Errorf("the ledger tells of %d fires since it stopped, want 31: %v", total, d.told(id))
			}
			// The failures of before do not count any more.
			d.end(run.Failed)
			d.pass(time.Hour)
			d.tick()
			if row := d.trigger(id); !row.Enabled {
				t.Errorf("it stopped again: %s", *row.PausedReason)
			}
		})
	}
}

// A trigger that cannot run for the same reason each second fills one row, from tick to tick.
func TestSkipsAreOneRowAcrossTicks(t *testing.T) {
	d := newDesk(t)
	id := d.create(workflow.Trigger{Cron: "* * * * * *"})
	fires := 0
	for range 4 {
		d.pass(5 * time.Second)
		d.tick()
		rows := d.rows(id)
		if len(rows) != 2 || rows[0].Outcome != postgres.OutcomeRan || rows[1].Code == nil || *rows[1].Code != postgres.CodeOverlap {
			t.Fatalf("the ledger: %v", d.told(id))
		}
		skipped := rows[1]
		if *skipped.RunID != *rows[0].RunID {
			t.Error("the row does not name the run that is in the way")
		}
		if n := 1 + int(skipped.UntilAt.Sub(skipped.FireAt)/time.Second); skipped.Count != n || n < fires+5 && fires > 0 {
			t.Errorf("the row tells of %d fires and spans %d, after %d", skipped.Count, n, fires)
		}
		fires = skipped.Count
	}
	d.end(run.Succeeded)
	d.pass(time.Second)
	d.tick()
	if rows := d.rows(id); len(rows) < 3 || rows[2].Outcome != postgres.OutcomeRan {
		t.Errorf("after the run ended: %v", d.told(id))
	}
}

// While a workflow is off, nothing is decided; once it is on, the ledger says who had switched it off, and since when.
func TestTheTimeOffIsTold(t *testing.T) {
	for missed, want := range map[string]string{
		"skip":   "skipped ×30 disabled",
		"latest": "coalesced ×30 disabled",
	} {
		d := newDesk(t)
		id := d.create(workflow.Trigger{Cron: "0 * * * *", Missed: missed, CatchUpWindow: workflow.Duration(48 * time.Hour)})
		d.enable(id, false)
		d.pass(31 * time.Hour)
		d.tick()
		if told := d.told(id); len(told) != 0 {
			t.Errorf("while it was off: %v", told)
		}
		d.enable(id, true)
		d.tick()
		rows := d.rows(id)
		total := 0
		for _, r := range rows {
			total += r.Count
		}
		// The newest may be on time, in the first minute of an hour.
		if told := d.told(id); total != 31 || told[0] != want && told[0] != "skipped ×31 disabled" {
			t.Errorf("missed %s: %v", missed, told)
		}
		has(t, reasonOf(rows[0]), "disabled by ana at ")
	}
}

// Other rules of a time zone move the fires to come, are told, and are applied once, however many schedulers start.
func TestOtherZoneDataMoveTheNextFire(t *testing.T) {
	d := newDesk(t)
	moves := d.create(workflow.Trigger{Cron: "0 9 * * *", Timezone: "America/Asuncion"})
	stays := d.create(workflow.Trigger{Cron: "0 9 * * *", Timezone: "Europe/Madrid"})
	due := d.create(workflow.Trigger{Cron: "0 9 * * *", Timezone: "America/Asuncion"})
	every := d.create(workflow.Trigger{Every: workflow.Duration(time.Hour)})
	right, same := d.trigger(moves), d.trigger(stays)
	// What older zone data had made of it: the same wall time, an hour later.
	d.exec(`update triggers set next_fire_at = next_fire_at + interval '1 hour', due_at = due_at + interval '1 hour' where id = $1`, right.ID)
	d.exec(`update triggers set next_fire_at = now() - interval '1 hour', due_at = now() - interval '1 hour' where id = $1`, d.trigger(due).ID)
	before := d.trigger(every)

	one, two := &zones{db: d.db, log: d.log, version: "2099z"}, &zones{db: d.db, log: d.log, version: "2099z"}
	for range 3 {
		for _, z := range []*zones{one, two} {
			_, err := z.step(t.Context())
			d.must(err)
		}
	}
	if !one.done || !two.done || one.moved+two.moved != 1 {
		t.Errorf("moved %d and %d, want one once", one.moved, two.moved)
	}
	if row := d.trigger(moves); !row.NextFireAt.Equal(*right.NextFireAt) || !row.DueAt.Equal(*right.DueAt) {
		t.Errorf("it fires at %s, want %s", row.NextFireAt, right.NextFireAt)
	}
	rows := d.rows(moves)
	if len(rows) != 1 || rows[0].Outcome != postgres.OutcomeSuperseded || *rows[0].Code != postgres.CodeZoneData || !rows[0].FireAt.Equal(right.NextFireAt.Add(time.Hour)) {
		t.Fatalf("the ledger: %v", d.told(moves))
	}
	has(t, reasonOf(rows[0]), "the rules of its time zone changed (2099z)")
	if row := d.trigger(stays); !row.NextFireAt.Equal(*same.NextFireAt) || len(d.rows(stays)) != 0 {
		t.Errorf("a zone that did not change: %v", d.told(stays))
	}
	if row := d.trigger(every); !row.NextFireAt.Equal(*before.NextFireAt) {
		t.Error("an interval has no zone")
	}
	if row := d.trigger(due); row.NextFireAt.After(time.Now()) || len(d.rows(due)) != 0 {
		t.Errorf("what is due is the ticker's: %v", d.told(due))
	}
	if v := d.count(`select count(*) from zone_data where version = '2099z' and going_to is null`); v != 1 {
		t.Error("the version is not noted")
	}
}

// The ledger is kept for a while after the fire, and what was written about old fires for a while after that.
func TestTheLedgerIsKeptForAWhile(t *testing.T) {
	d := newDesk(t)
	id := d.create(workflow.Trigger{Cron: "0 * * * *"})
	row := d.trigger(id)
	now := time.Now().UTC().Truncate(time.Second)
	at := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	until := at(10)
	rows := []postgres.OccurrenceRow{
		{FireAt: at(200), Outcome: postgres.OutcomeRan},                                  // old
		{FireAt: at(190), Outcome: postgres.OutcomeSkipped, UntilAt: &until, Count: 100}, // reaches into our time
		{FireAt: at(180), Outcome: postgres.OutcomeRan},                                  // old, but backfilled today
		{FireAt: at(5), Outcome: postgres.OutcomeRan},                                    // new
	}
	for i := range rows {
		rows[i].TriggerID, rows[i].WorkflowID = row.ID, id
	}
	_, err := postgres.Occurrences{Q: d.db}.Insert(t.Context(), rows)
	d.must(err)
	d.exec(`update occurrences set recorded_at = coalesce(until_at, fire_at) where fire_at <> $1`, at(180))
	j := &janitor{db: d.db, log: d.log, keep: 90 * 24 * time.Hour}
	_, err = j.step(t.Context())
	d.must(err)
	d.same([]string{"skipped ×100", "ran", "ran"}, d.told(id))
}
