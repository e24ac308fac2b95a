package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// ended counts runs of a workflow as if they had ended some hours ago, each after so many milliseconds.
func (in *installation) ended(workflow string, hoursAgo int, status string, ms, n int) {
	in.t.Helper()
	in.sql(`with w as (select project_id, id from workflows where id = $1)
		insert into run_counts
		select w.project_id, k, date_trunc('hour', now()) - $2::int * interval '1 hour', $3,
		       duration_bucket('epoch', 'epoch'::timestamptz + $4::int * interval '1 millisecond'), 7, $5
		  from w, unnest(array[w.id, w.project_id]) k returning n`, workflow, hoursAgo, status, ms, n)
}

func TestStatsAreSums(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("x"))
	id := strings.TrimPrefix(path, "/workflows/")
	other, _ := ana.create(logOnly("y"))
	in.ended(id, 0, "succeeded", 1000, 95)
	in.ended(id, 1, "succeeded", 60_000, 5)
	in.ended(id, 1, "failed", 20, 10)
	in.ended(strings.TrimPrefix(other, "/workflows/"), 1, "cancelled", 20, 1)

	all := ana.get("/stats?bucket=hour&from=" + time.Now().Add(-3*time.Hour).UTC().Format(time.RFC3339)).want(200)
	total := object(all["total"].(map[string]any))
	if total.number("succeeded") != "100" || total.number("failed") != "10" || total.number("cancelled") != "1" {
		t.Errorf("total: %v", total)
	}
	for name, want := range map[string][2]float64{"p50_ms": {850, 1200}, "p95_ms": {1000, 1200}} {
		if got, err := total[name].(json.Number).Float64(); err != nil || got < want[0] || got > want[1] {
			t.Errorf("%s is %v, want about a second", name, got)
		}
	}
	if slots := all.items("buckets"); len(slots) != 4 || slots[3].number("succeeded") != "95" || slots[2].number("failed") != "10" {
		t.Errorf("hours: %v", slots)
	}
	durations := all.items("durations")
	if len(durations) != 12 || durations[0].number("from_ms") != "16" || durations[0].number("to_ms") != "32" || durations[0].number("failed") != "10" {
		t.Errorf("durations: %v", durations)
	}
	one := ana.get("/stats?timezone=Europe/Madrid&workflow_id=" + id).want(200)
	if object(one["total"].(map[string]any)).number("cancelled") != "0" || len(one.items("buckets")) < 14 || len(one.items("buckets")) > 15 {
		t.Errorf("one workflow: %v", one)
	}
	ben := in.user("ben")
	if n := object(ben.get("/stats?workflow_id=" + id).want(200)["total"].(map[string]any)).number("succeeded"); n != "0" {
		t.Errorf("ben sees %v runs", n)
	}
	for query, code := range map[string]string{
		"timezone=Mars/Olympus": "validation_failed", "timezone=Local": "validation_failed", "bucket=week": "validation_failed",
		"from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z":             "validation_failed",
		"from=2020-01-02T00:00:00Z&to=2026-01-01T00:00:00Z":             "validation_failed",
		"bucket=hour&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z": "validation_failed",
		"from=yesterday": "validation_failed",
	} {
		if a := ana.get("/stats?" + query); a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d, want %s", query, a.status, code)
		}
	}
}

// A day of a zone whose clock changes has 23 or 25 hours, and is still one day.
func TestDaysAreThoseOfTheZone(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	slots := ana.get("/stats?timezone=Europe/Madrid&from=2026-10-24T12:00:00Z&to=2026-10-26T12:00:00Z").want(200).items("buckets")
	if len(slots) != 3 || slots[1].text("from") != "2026-10-24T22:00:00.000Z" || slots[1].text("to") != "2026-10-25T23:00:00.000Z" {
		t.Errorf("days: %v", slots)
	}
}

func TestOverviewSaysWhatNeedsAttention(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := strings.TrimPrefix(path, "/workflows/")
	run := func(ago, status string) {
		in.sql(`with r as (insert into runs (id, project_id, workflow_id, version, trigger, status, reason, created_at, started_at, finished_at)
			select first_id_at(now() - $2::interval), project_id, id, 1, 'manual', $3, 'why', now() - $2::interval, now(), now()
			  from workflows where id = $1 returning *)
			insert into unsuccessful_runs select project_id, id, status from r where status <> 'succeeded' returning 1`, id, ago, status)
	}
	run("3 hours", "succeeded")
	run("2 hours", "failed")
	run("1 hour", "failed")
	in.sql(`update triggers set due_at = now() - interval '1 hour' where workflow_id = $1 returning 1`, id)
	old, _ := ana.create(logOnly("old"))
	in.sql(`update workflows set created_at = now() - interval '3 days' where id = $1 returning 1`, strings.TrimPrefix(old, "/workflows/"))
	heldPath, _ := ana.create(logOnly("held"))
	held := ana.post(heldPath+"/runs", nil).want(202).text("id")
	in.sql(`update run_live set state = 'held', held_at = now(), due_at = 'infinity', enqueued_at = null, reason = 'did it happen?' where id = $1 returning 1`, held)

	out := ana.get("/overview").want(200)
	found := map[string]object{}
	for _, a := range out.items("attention") {
		found[a.text("kind")] = a
	}
	if a := found["failing"]; a.number("count") != "2" || a.text("workflow_id") != id || a.text("detail") != "why" || a["run_id"] == nil {
		t.Errorf("failing: %v", a)
	}
	if a := found["late"]; a.text("trigger_id") == "" {
		t.Errorf("late: %v", a)
	}
	if a := found["held"]; a.text("run_id") != held || a.text("detail") != "did it happen?" {
		t.Errorf("held: %v", a)
	}
	if a := found["never_ran"]; a.text("workflow_name") != "old" {
		t.Errorf("never ran: %v", a)
	}
	for _, lane := range out.items("lanes") {
		if fires := lane["fires"].([]any); len(fires) == 0 || len(fires) > 48 {
			t.Errorf("lane: %v", lane)
		}
	}
	if n := len(in.user("ben").get("/overview").want(200).items("attention")); n != 0 {
		t.Errorf("ben sees %d", n)
	}
}

func TestLanesAreBounded(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	ana.create(logOnly("often", func(w object) {
		w["triggers"] = list{object{"id": "t", "type": "schedule", "every": "1m"}}
	}))
	lanes := ana.get("/overview").want(200).items("lanes")
	if len(lanes) != 1 || len(lanes[0]["fires"].([]any)) != 48 || lanes[0]["more"] != true {
		t.Errorf("lanes: %v", lanes)
	}
}

func TestWorkersShowWhatTheyDo(t *testing.T) {
	in := install(t)
	ana, ben := in.user("ana"), in.user("ben")
	path, _ := ana.create(logOnly("x"))
	id := ana.post(path+"/runs", nil).want(202).text("id")
	in.sql(`insert into workers (name, version, slots) values ('w1', 'test', 4) returning 1`)
	in.sql(`update run_live set state = 'running', worker = 'w1', attempt = 1, enqueued_at = now(), started_at = now(), beat_at = now() - interval '1 minute' where id = $1 returning 1`, id)
	in.sql(`insert into step_runs (run_id, step, attempt, status, started_at) values ($1, 'note', 1, 'running', now()) returning 1`, uuid.MustParse(id))
	out := ana.get("/workers").want(200)
	if runs := out.items("runs"); len(runs) != 1 || runs[0].text("worker") != "w1" || runs[0].text("stuck") != "silent" || runs[0]["steps"].([]any)[0] != "note" {
		t.Errorf("runs: %v", runs)
	}
	if out := ben.get("/workers").want(200); len(out.items("runs")) != 0 || len(out.items("items")) != 1 || out.items("items")[0].number("running") != "1" {
		t.Errorf("ben sees %v", out)
	}
}
