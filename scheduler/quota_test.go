package scheduler

import (
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// A fire for which the project has no run left is in the ledger with the reason, as every fire is.
func TestAFireBeyondTheQuotaIsInTheLedger(t *testing.T) {
	d := newDesk(t)
	home, _ := d.who.Home()
	d.exec(`update projects set quota_runs_per_minute = 3 where id = $1`, home)
	spec := workflow.Trigger{Cron: "0 * * * *", Overlap: "allow", Grace: punctual}
	one, two := d.create(spec), d.create(spec)
	d.pass(5 * time.Hour)
	d.tick()
	if n := d.count(`select count(*) from runs`); n != 3 {
		t.Errorf("%d runs, want the 3 of the quota", n)
	}
	fires := 0
	for _, id := range append(d.rows(one), d.rows(two)...) {
		fires += id.Count
		if id.Outcome == "skipped" {
			if *id.Code != "runs_quota" {
				t.Errorf("the code is %s", *id.Code)
			}
			has(t, reasonOf(id), "the project had used up its quota of runs within a minute (3)")
		}
	}
	if want := 2 * d.firesIn(5*time.Hour); fires != want {
		t.Errorf("%d of %d fires are in the ledger", fires, want)
	}
	// Later they run again.
	d.exec(`update runs set id = overlay(id::text placing '0190' from 1 for 4)::uuid`)
	d.end(run.Succeeded)
	before := d.count(`select count(*) from runs`)
	d.pass(time.Hour)
	d.tick()
	if n := d.count(`select count(*) from runs`) - before; n != 2 {
		t.Errorf("%d runs afterwards", n)
	}
}

// firesIn is how many fires an hourly trigger had within a time that passed.
func (d *desk) firesIn(by time.Duration) int { return int(by / time.Hour) }

// What holds for the installation holds for each project of which nothing was decided.
func TestTheInstallationsQuota(t *testing.T) {
	d := newDesk(t)
	d.service.Quota = quota.Quota{RunsPerMinute: 2}
	id := d.create(workflow.Trigger{Cron: "0 * * * *", Overlap: "allow", Grace: punctual})
	d.pass(5 * time.Hour)
	d.tick()
	d.same([]string{"ran", "ran", "skipped ×3 runs_quota"}, d.told(id))
}

// A backfill waits for what its project may start.
func TestABackfillKeepsToTheQuota(t *testing.T) {
	d := newDesk(t)
	d.service.Quota = quota.Quota{RunsPerMinute: 2}
	id := d.create(workflow.Trigger{Cron: "0 * * * *"})
	d.backfill(id, hour(0), hour(5))
	d.must(d.feed())
	if n := d.count(`select count(*) from runs`); n != 2 {
		t.Fatalf("%d runs", n)
	}
	for range 4 {
		d.exec(`update runs set id = overlay(id::text placing '0190' from 1 for 4)::uuid`)
		d.exec(`delete from run_live`)
		d.exec(`update runs set status = 'succeeded', finished_at = now()`)
		d.must(d.feed())
	}
	if n := d.count(`select count(*) from runs`); n != 6 {
		t.Errorf("%d of 6 runs were made in the end", n)
	}
}
