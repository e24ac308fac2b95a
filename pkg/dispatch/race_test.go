package dispatch_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
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
		d.waitsForALock()
		return triggers.Advance(t.Context(), map[uuid.UUID]postgres.Step{due[0].ID: {Next: &next, Due: &next}})
	}))
	d.must(<-saved)
	if planned := d.trigger(wf.ID); planned.Version != 2 || !planned.NextFireAt.Equal(next) {
		t.Errorf("version %d, planned at %v; the ticker said %v", planned.Version, planned.NextFireAt, next)
	}
}

// waitsForALock returns once somebody in the test's database waits for a row.
func (d *desk) waitsForALock() {
	d.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		var waiting bool
		d.must(d.db.QueryRow(d.t.Context(), `select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`).Scan(&waiting))
		if waiting {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal("nobody waits")
		}
	}
}
