package scheduler

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// hour is an hour of a day long past.
func hour(n int) time.Time { return time.Date(2025, 1, 6, n, 0, 0, 0, time.UTC) }

// backfill starts a backfill of an hourly trigger, all its runs at once.
func (d *desk) backfill(workflow uuid.UUID, from, to time.Time) uuid.UUID {
	d.t.Helper()
	r := dispatch.BackfillRequest{From: from, To: to, Overlap: schedule.OverlapAllow, Concurrency: 50, Limit: 100}
	row, err := d.service.StartBackfill(d.t.Context(), d.who, workflow, "t", r, "")
	d.must(err)
	return row.ID
}

// feed lets the backfiller look once at all backfills.
func (d *desk) feed() error {
	d.t.Helper()
	_, err := (&backfiller{db: d.db, service: d.service, log: d.log}).step(d.t.Context())
	return err
}

// Backfills may take the fires of a row of the ledger in any order: what is left of the row goes on telling of the others.
func TestBackfillsTakeARowApart(t *testing.T) {
	d := newDesk(t)
	id := d.create(workflow.Trigger{Cron: "0 * * * *"})
	until, code, reason := hour(5), postgres.CodeMissed, "missed"
	_, err := postgres.Occurrences{Q: d.db}.Insert(t.Context(), []postgres.OccurrenceRow{{
		TriggerID: d.trigger(id).ID, WorkflowID: id, FireAt: hour(0), UntilAt: &until, Count: 6,
		Outcome: postgres.OutcomeSkipped, Code: &code, Reason: &reason,
	}})
	d.must(err)
	for _, c := range []struct {
		from, to int
		want     []string
	}{
		{1, 2, []string{"00:00 skipped ×4 missed", "01:00 ran backfill", "02:00 ran backfill"}},
		{4, 4, []string{"00:00 skipped ×3 missed", "01:00 ran backfill", "02:00 ran backfill", "04:00 ran backfill"}},
		{0, 0, []string{"00:00 ran backfill", "01:00 ran backfill", "02:00 ran backfill", "03:00 skipped ×2 missed", "04:00 ran backfill"}},
		{5, 5, []string{"00:00 ran backfill", "01:00 ran backfill", "02:00 ran backfill", "03:00 skipped missed", "04:00 ran backfill", "05:00 ran backfill"}},
		{3, 3, []string{"00:00 ran backfill", "01:00 ran backfill", "02:00 ran backfill", "03:00 ran backfill", "04:00 ran backfill", "05:00 ran backfill"}},
	} {
		d.backfill(id, hour(c.from), hour(c.to))
		d.must(d.feed())
		d.end(run.Succeeded)
		d.must(d.feed())
		told := d.told(id)
		for i, r := range d.rows(id) {
			told[i] = r.FireAt.UTC().Format("15:04") + " " + told[i]
		}
		d.same(c.want, told)
	}
	if n := d.count(`select count(*) from backfills where state <> 'done'`); n != 0 {
		t.Errorf("%d backfills are not done", n)
	}
}

// A backfill that cannot go on does not keep the others from it.
func TestAnIllBackfillStopsNoOther(t *testing.T) {
	d := newDesk(t)
	ill, well := d.create(workflow.Trigger{Cron: "0 * * * *"}), d.create(workflow.Trigger{Cron: "0 * * * *"})
	d.backfill(ill, hour(0), hour(1))
	d.backfill(well, hour(0), hour(1))
	d.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise 'ill'; end $$`)
	d.exec(`create trigger refuse before insert on runs for each row when (new.workflow_id = '` + ill.String() + `') execute function refuse()`)
	err := d.feed()
	if err == nil {
		t.Fatal("it does not tell")
	}
	has(t, err.Error(), "ill")
	of := func(workflow uuid.UUID) int {
		return d.count(`select count(*) from runs where workflow_id = $1`, workflow)
	}
	if of(ill) != 0 || of(well) != 2 || len(d.told(ill)) != 0 {
		t.Errorf("the ill one has %d runs, the other %d", of(ill), of(well))
	}
	d.exec(`drop trigger refuse on runs`)
	d.must(d.feed())
	if of(ill) != 2 || of(well) != 2 {
		t.Errorf("well again, the one has %d runs, the other %d", of(ill), of(well))
	}
}

// A backfill is beside the schedule: its runs are in nobody's way, are not counted, and their failures stop nothing.
func TestABackfillIsBesideTheSchedule(t *testing.T) {
	d := newDesk(t)
	id := d.create(workflow.Trigger{Cron: "0 * * * *", MaxRuns: 2, PauseAfterFailures: 1, Grace: punctual})
	d.backfill(id, hour(0), hour(3))
	d.must(d.feed())
	d.end(run.Failed)
	_, err := (&guard{db: d.db, log: d.log}).step(t.Context())
	d.must(err)
	d.backfill(id, hour(4), hour(7))
	d.must(d.feed())
	d.pass(time.Hour)
	d.tick()
	told, row := d.told(id), d.trigger(id)
	if told[len(told)-1] != "ran" || !row.Enabled || row.RunsMade != 1 || row.NextFireAt == nil {
		t.Errorf("the ledger: %v; the trigger has made %d runs, and is on: %v", told, row.RunsMade, row.Enabled)
	}
	if n := d.count(`select count(*) from run_live`); n != 5 {
		t.Errorf("%d runs are under way, want four of the backfill beside that of the schedule", n)
	}
}
