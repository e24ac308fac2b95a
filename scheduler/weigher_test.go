package scheduler

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// stores has the desk's project take up so many megabytes, as if it had been weighed.
func (d *desk) stores(megabytes int) {
	d.t.Helper()
	home, _ := d.who.Home()
	d.exec(`insert into project_storage (project_id, bytes, measured_at) values ($1, $2, now())
		on conflict (project_id) do update set bytes = excluded.bytes`, home, megabytes*quota.Megabyte)
}

// A project that stores as much as it may starts no more runs; each fire is in the ledger with the reason.
func TestAFireOfAFullProjectIsInTheLedger(t *testing.T) {
	d := newDesk(t)
	d.service.Quota = quota.Quota{Storage: 100 * quota.Megabyte, RunsPerMinute: 100}
	id := d.create(workflow.Trigger{Cron: "0 * * * *", Overlap: "allow", Grace: punctual})
	d.stores(100)
	d.pass(5 * time.Hour)
	d.tick()
	d.same([]string{"skipped ×5 storage_quota"}, d.told(id))
	has(t, reasonOf(d.rows(id)[0]), "the project stored as much as it may (100 MB)")
}

func TestABackfillOfAFullProjectWaits(t *testing.T) {
	d := newDesk(t)
	d.service.Quota = quota.Quota{Storage: 100 * quota.Megabyte}
	id := d.create(workflow.Trigger{Cron: "0 * * * *"})
	d.stores(101)
	d.backfill(id, hour(0), hour(5))
	d.must(d.feed())
	if n := d.count(`select count(*) from runs`); n != 0 {
		t.Errorf("%d runs", n)
	}
}

// The weigher notes what projects store. Another that comes right after it leaves it alone; what has not changed is not weighed
// again before an hour has passed.
func TestWhatProjectsStoreIsNoted(t *testing.T) {
	d := newDesk(t)
	var said strings.Builder
	w := &weigher{db: d.db, clock: clock.System{}, log: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	step := func() int {
		t.Helper()
		if wait, err := w.step(t.Context()); err != nil || wait < weighEvery/2 {
			t.Fatalf("%v, %v", wait, err)
		}
		return d.count(`select coalesce(sum(bytes), 0) from project_storage`)
	}
	if n := step(); n != 0 {
		t.Errorf("%d bytes of nothing", n)
	}
	id := d.create(workflow.Trigger{Cron: "0 * * * *"})
	d.ends(id, run.Succeeded, run.Succeeded)
	two := step()
	if two < 500 || two > 5000 {
		t.Errorf("two runs take up %d bytes", two)
	}
	rounds := strings.Count(said.String(), "storage weighed")
	d.ends(id, run.Succeeded)
	if n := step(); n != two || strings.Count(said.String(), "storage weighed") != rounds {
		t.Errorf("weighed again at once: %d bytes", n)
	}
	// A part that has not changed is not weighed again, until an hour has passed.
	parts, err := postgres.Storage{Q: d.db}.Parts(t.Context())
	d.must(err)
	for _, part := range parts {
		known := w.known[part.Name]
		part.State = known.state
		if again, err := w.weigh(t.Context(), part); err != nil || again.at != known.at {
			t.Errorf("%s was weighed again: %v", part.Name, err)
		}
		known.at = known.at.Add(-weighAgain)
		w.known[part.Name] = known
	}
	d.exec(`update project_storage set measured_at = measured_at - interval '1 minute'`)
	if n := step(); n <= two {
		t.Errorf("after an hour it is %d, as before", n)
	}
	// What is dropped counts no longer.
	d.exec(`truncate runs, step_runs, run_logs, occurrences`)
	d.exec(`update project_storage set measured_at = measured_at - interval '1 minute'`)
	if n := step(); n != 0 {
		t.Errorf("%d bytes of nothing", n)
	}
}

// People hear of it before it is too late, once, and when there is room again.
func TestStorageThatFillsIsTold(t *testing.T) {
	d := newDesk(t)
	d.storage = 100 * quota.Megabyte
	d.rule(nil, alert.Storage, alert.Recovery)
	d.stores(79)
	d.alert()
	if n := len(d.alerts()); n != 0 {
		t.Fatalf("told at 79 %%: %q", d.alerts())
	}
	d.stores(81)
	d.alert()
	d.alert()
	d.same([]string{"storage | out | The project ana is running out of storage"}, d.alerts())
	has(t, d.alertRows()[0].Text, "Why: 81 MB / 100 MB (81 %)")
	if row := d.alertRows()[0]; row.WorkflowID != nil {
		t.Errorf("it is about the workflow %v", row.WorkflowID)
	}
	d.later()
	d.alert()
	if n := len(d.alerts()); n != 2 {
		t.Errorf("it goes on and is not repeated: %q", d.alerts())
	}
	d.stores(50)
	d.alert()
	d.same([]string{"recovery | out | The project ana has room again"}, d.alerts()[2:])

	// What administrators decide for the project counts.
	home, _ := d.who.Home()
	d.must(postgres.Quotas{Q: d.db}.Set(t.Context(), home, quota.Own{Storage: new(51 * quota.Megabyte)}))
	d.alert()
	if n := len(d.alerts()); n != 4 {
		t.Errorf("after the quota was made smaller: %q", d.alerts())
	}
}
