package dispatch_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// A save that comes while a ticker has the trigger in hand waits for it. With the plan from before, the trigger would be
// due a second time for a fire that has had its run.
func TestASaveDoesNotUndoATick(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(daily("0 9 * * *")), true)
	_, err := d.db.Exec(t.Context(), `update triggers set next_fire_at = now() - interval '1 s', due_at = now() - interval '1 s'`)
	d.must(err)
	next := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	saved := make(chan error, 1)
	d.must(d.db.InTx(t.Context(), func(q postgres.Querier) error {
		triggers := postgres.Triggers{Q: q}
		due, err := triggers.LockDue(t.Context(), 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("due: %v, %v", due, err)
		}
		go func() {
			renamed := definition(daily("0 9 * * *"))
			renamed.Name = "another name"
			_, err := d.service.Replace(t.Context(), d.who, wf.ID, renamed, nil, 0)
			saved <- err
		}()
		d.waitForALock(1)
		return triggers.Advance(t.Context(), map[uuid.UUID]postgres.Step{due[0].ID: {Next: &next, Due: &next}})
	}))
	d.must(<-saved)
	if planned := d.trigger(wf.ID); planned.Version != 2 || !planned.NextFireAt.Equal(next) {
		t.Errorf("version %d, planned at %v; the ticker said %v", planned.Version, planned.NextFireAt, next)
	}
}

// A backfill that is started while somebody takes its trigger out comes too late: it would be there for ever.
func TestABackfillDoesNotOvertakeASave(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(daily("0 9 * * *")), true)
	saved, started := make(chan error, 1), make(chan error, 1)
	d.must(d.db.InTx(t.Context(), func(q postgres.Querier) error {
		_, err := postgres.Triggers{Q: q}.LockSome(t.Context(), []uuid.UUID{d.trigger(wf.ID).ID})
		go func() {
			_, err := d.service.Replace(t.Context(), d.who, wf.ID, definition(), nil, 0)
			saved <- err
		}()
		d.waitForALock(1)
		go func() {
			period := dispatch.BackfillRequest{
				From: time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 1, 7, 0, 0, 0, 0, time.UTC),
				Overlap: schedule.OverlapQueueAll, Concurrency: 1, Limit: 10,
			}
			_, err := d.service.StartBackfill(t.Context(), d.who, wf.ID, "t", period, "")
			started <- err
		}()
		d.waitForALock(2)
		return err
	}))
	d.must(<-saved)
	if err := <-started; !fault.Is(err, fault.NotFound) {
		t.Errorf("started although its trigger is gone: %v", err)
	}
}

// waitForALock returns once as many in the test's database wait for a row.
func (d *desk) waitForALock(many int) {
	d.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		var waiting int
		d.must(d.db.QueryRow(d.t.Context(), `select count(*) from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock'`).Scan(&waiting))
		if waiting >= many {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%d wait, want %d", waiting, many)
		}
	}
}
