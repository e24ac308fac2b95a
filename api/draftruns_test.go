package api_test

import (
	"strings"
	"testing"
)

// A run of a draft keeps what it ran, whatever becomes of the draft, and counts nowhere.
func TestRunADraft(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, created := ana.create(logOnly("published"))
	draft := path + "/draft"
	ana.put(draft, drafted(example(func(w object) {
		w["inputs"] = object{"properties": object{"base": object{"type": "string", "default": "EUR"}}}
	}))).want(200)
	ana.post(draft+"/runs", object{"inputs": object{"base": 5}}).refused(422, "validation_failed").at("/inputs/base", "inputs")
	key := header("Idempotency-Key", "once")
	run := ana.post(draft+"/runs", nil, key).want(202)
	if again := ana.post(draft+"/runs", nil, key).want(202); again.text("id") != run.text("id") {
		t.Errorf("one key made the runs %s and %s", run.text("id"), again.text("id"))
	}
	if run["draft"] != true || run.number("version") != "-1" || len(run.items("steps")) != 2 || run.child("inputs").text("base") != "EUR" || run.text("trigger") != "manual" {
		t.Errorf("the run is %v", run)
	}
	if second := ana.post(draft+"/runs", nil).want(202); second.number("version") != "-1" {
		t.Errorf("the same text runs as %v", second["version"])
	}

	ana.put(draft, drafted(logOnly("another"))).want(200)
	seen := ana.get("/runs/" + run.text("id")).want(200)
	if len(seen.items("steps")) != 2 || seen.items("steps")[0].text("id") != "fetch" {
		t.Errorf("after the draft changed, its steps are %v", seen["steps"])
	}
	again := ana.post("/runs/"+run.text("id")+"/rerun", nil).want(202)
	if again["draft"] != true || again.number("version") != "-1" || len(again.items("steps")) != 2 {
		t.Errorf("run again it is %v", again)
	}
	if other := ana.post(draft+"/runs", nil).want(202); other.number("version") != "-2" || len(other.items("steps")) != 1 {
		t.Errorf("the other draft's run is %v", other)
	}
	ran := ana.get(path + "/versions/-1").want(200)
	if ran.child("definition").text("name") != "Daily exchange rate" {
		t.Errorf("it ran %v", ran)
	}
	ana.get(path+"/versions/-3").refused(404, "not_found")
	current := ana.post("/runs/"+run.text("id")+"/rerun", object{"version": "current"}).want(202)
	if current["draft"] != false || current.number("version") != "1" {
		t.Errorf("by the current version it is %v", current)
	}

	count := func(query string) int { return len(ana.get("/runs" + query).want(200).items("items")) }
	for query, n := range map[string]int{
		"": 1, "?drafts=hide": 1, "?drafts=show": 5, "?drafts=only": 4, "?drafts=only&workflow_id=" + created.text("id"): 4,
		"?drafts=only&status=queued": 4, "?status=queued": 1,
	} {
		if got := count(query); got != n {
			t.Errorf("GET /runs%s lists %d, want %d", query, got, n)
		}
	}
	ana.put(path, logOnly("a version after it")).want(200)
	ana.delete(draft).want(204)
	if len(ana.get("/runs/"+run.text("id")).want(200).items("steps")) != 2 {
		t.Error("without the draft its run lost its steps")
	}
}

// Runs of drafts that failed, or were cancelled, are no news about the workflow.
func TestRunsOfDraftsCountNowhere(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("published"))
	follower, _ := ana.create(logOnly("follower", func(w object) {
		w["triggers"] = list{object{"id": "then", "type": "after", "workflow": "published", "on": "any"}}
	}))
	ana.put(path+"/draft", drafted(logOnly("next"))).want(200)
	run := ana.post(path+"/draft/runs", nil).want(202)
	ana.post("/runs/"+run.text("id")+"/cancel", nil).want(202)
	if got := ana.get("/runs/" + run.text("id")).want(200).text("status"); got != "cancelled" {
		t.Fatalf("it is %s", got)
	}
	if n := in.sql(`select count(*) from run_counts`); n != 0 {
		t.Errorf("%d counts", n)
	}
	if n := in.sql(`select count(*) from after_fires`); n != 0 {
		t.Errorf("%d runs are to follow, of %s", n, follower)
	}
	if recent := ana.get(path).want(200).items("recent_runs"); len(recent) != 0 {
		t.Errorf("its strip has %v", recent)
	}
	if failed := ana.get("/runs?status=cancelled").want(200).items("items"); len(failed) != 0 {
		t.Errorf("listed %v", failed)
	}
	if failed := ana.get("/runs?status=cancelled&drafts=show&min_duration=0s").want(200).items("items"); len(failed) != 0 {
		t.Errorf("one that never began took %v", failed)
	}
	if failed := ana.get("/runs?status=cancelled&drafts=only").want(200).items("items"); len(failed) != 1 {
		t.Errorf("listed %v", failed)
	}
	in.sql(`with e as (update runs set status = 'failed', started_at = created_at, finished_at = now() returning id),
		b as (update unsuccessful_runs set status = 'failed') select 0`)
	if seen := ana.get("/overview").want(200).items("attention"); len(seen) != 0 {
		t.Errorf("people are told of %v", seen)
	}
	if took := ana.get("/runs?drafts=only&min_duration=0s").want(200).items("items"); len(took) != 1 {
		t.Errorf("by how long they took, %v", took)
	}
	real := ana.post(path+"/runs", nil).want(202)
	ana.post("/runs/"+real.text("id")+"/cancel", nil).want(202)
	if n := in.sql(`select count(*) from after_fires`); n != 1 {
		t.Errorf("%d runs are to follow one of the workflow", n)
	}
}

// A delivery can be tried on a draft before that is published.
func TestReplayADeliveryOnADraft(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, hook := ana.hooked(func(o object) { o["overlap"] = "skip" })
	delivery := "/deliveries/" + in.deliver(hook, `{"n": 1}`).want(202).text("delivery_id")
	ana.post(delivery+"/replay", object{"version": "draft"}).refused(404, "not_found")
	ana.post(delivery+"/replay", object{"version": "next"}).want(422)
	ana.put(path+"/draft", drafted(unfinished)).want(200)
	ana.post(delivery+"/replay", object{"version": "draft"}).refused(422, "validation_failed")
	ana.put(path+"/draft", drafted(example(func(w object) {
		w["triggers"] = list{object{"id": "hook", "type": "webhook", "inputs": object{"of": "the draft"}}}
	}))).want(200)
	run := ana.post(delivery+"/replay", object{"version": "draft"}).want(202)
	if run["draft"] != true || len(run.items("steps")) != 2 || run.text("trigger") != "webhook" || run["trigger_id"] != nil {
		t.Errorf("the run is %v", run)
	}
	inputs := run.child("inputs")
	if inputs.text("of") != "the draft" || inputs.child("body").number("n") != "1" {
		t.Errorf("its inputs are %v", inputs)
	}
	if again := ana.post(delivery+"/replay", nil).want(202); again["draft"] != false || len(again.items("steps")) != 1 || again.text("trigger_id") != "hook" {
		t.Errorf("by the current version it is %v", again)
	}
	newest := ana.get(path + "/triggers/hook/deliveries").want(200).items("items")
	if len(newest) != 3 || newest[1].text("run_id") != run.text("id") || !strings.HasSuffix(delivery, newest[1].text("replay_of")) {
		t.Errorf("listed %v", newest)
	}
}

// Running a draft takes the permissions to write workflows and to start runs.
func TestWhoMayUseDrafts(t *testing.T) {
	in := install(t)
	owner, guest := in.user("owner"), in.user("guest")
	path, created := owner.create(logOnly("published"))
	owner.put(path+"/draft", drafted(logOnly("next"))).want(200)
	for _, c := range []struct {
		role                 string
		read, write, started int
	}{
		{"viewer", 200, 403, 403},
		{"operator", 200, 403, 403},
		{"editor", 200, 200, 202},
	} {
		in.sql(`with gone as (delete from project_members where project_id = $1 and user_id = $2)
			select 0`, created.text("project_id"), guest.me.text("id"))
		in.sql(`insert into project_members (project_id, user_id, role) values ($1, $2, $3) returning 0`,
			created.text("project_id"), guest.me.text("id"), c.role)
		in.clock.advance(callerLife)
		guest.get(path + "/draft").want(c.read)
		guest.get(path + "/draft/plan").want(c.read)
		guest.put(path+"/draft", drafted(logOnly(c.role))).want(c.write)
		guest.post(path+"/draft/runs", nil).want(c.started)
	}
}
