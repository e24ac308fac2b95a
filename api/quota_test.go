package api_test

import (
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
)

// home is the client's own project.
func (c *client) home() string {
	c.in.t.Helper()
	return c.get("/auth/me").want(200).items("projects")[0].text("id")
}

// grant lets an administrator decide about a project. It counts at once.
func (c *client) grant(project string, own object) object {
	c.in.t.Helper()
	all := object{"workflows": nil, "runs_per_minute": nil, "concurrent_runs": nil, "storage": nil}
	maps.Copy(all, own)
	set := c.put("/projects/"+project+"/quota", all).want(200)
	c.in.clock.advance(pacedLife)
	return set
}

// pacedLife is how long the API remembers which projects have a quota of runs, and which are full.
const pacedLife = 5e9

func TestAProjectHasAsManyWorkflowsAsItsQuotaLets(t *testing.T) {
	in := install(t, func(c *api.Config) { c.Quota = quota.Quota{Workflows: 3} })
	root, ana := in.user("root"), in.user("ana")
	first, _ := ana.create(logOnly("one"))
	ana.create(logOnly("two"))
	ana.post("/workflows/drafts", drafted(logOnly("three"))).want(201) // a draft is one too
	for _, path := range []string{"/workflows", "/workflows/drafts"} {
		body := logOnly("four")
		if path != "/workflows" {
			body = drafted(body)
		}
		refused := ana.post(path, body).refused(409, "workflow_quota")
		if detail := refused.json().text("detail"); detail != "The project has 3 workflows, and may have 3; delete one, or ask an administrator for more" {
			t.Error(detail)
		}
	}
	root.create(logOnly("of another project"))
	root.grant(ana.home(), object{"workflows": 4})
	ana.create(logOnly("four"))
	ana.post("/workflows", logOnly("five")).refused(409, "workflow_quota")
	ana.delete(first).want(204)
	ana.create(logOnly("five"))
	used := ana.get("/projects/" + ana.home() + "/quota").want(200).child("workflows")
	if used.number("used") != "4" || used.number("limit") != "4" || used["own"] != true {
		t.Errorf("it says %v", used)
	}
}

func TestRunsStartAsOftenAsTheQuotaLets(t *testing.T) {
	in := install(t)
	root, ana := in.user("root"), in.user("ana")
	path, _ := ana.create(logOnly("often"))
	first := ana.post(path+"/runs", object{}).want(202).text("id")
	root.grant(ana.home(), object{"runs_per_minute": 3})
	ana.post(path+"/runs", object{}, header("Idempotency-Key", "one")).want(202)
	ana.post("/runs/"+first+"/rerun", object{"from": "start"}).want(202)
	for _, again := range []func() answer{
		func() answer { return ana.post(path+"/runs", object{}) },
		func() answer { return ana.post(path+"/runs", object{}, header("Idempotency-Key", "two")) },
		func() answer { return ana.post("/runs/"+first+"/rerun", object{"from": "start"}) },
	} {
		refused := again().refused(429, "runs_quota")
		if wait, err := strconv.Atoi(refused.header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 {
			t.Errorf("Retry-After: %q", refused.header.Get("Retry-After"))
		}
	}
	// A key that stands for a run answers that run, and one that was refused is free again.
	ana.post(path+"/runs", object{}, header("Idempotency-Key", "one")).want(202)
	other, _ := root.create(logOnly("of another project"))
	root.post(other+"/runs", object{}).want(202)
	in.sql(`with a as (update runs set id = overlay(id::text placing '0190' from 1 for 4)::uuid returning 1) select count(*) from a`) // they are older
	ana.post(path+"/runs", object{}, header("Idempotency-Key", "two")).want(202)
}

func TestAQuotaHoldsForManyAtOnce(t *testing.T) {
	in := install(t)
	root, ana := in.user("root"), in.user("ana")
	path, _ := ana.create(logOnly("rush"))
	root.grant(ana.home(), object{"runs_per_minute": 10})
	second, _ := in.serve(prometheus.NewRegistry())
	var started atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		at := *ana
		if i%2 == 1 {
			there := *in
			there.url = second
			at.in = &there
		}
		wg.Go(func() {
			switch status := at.post(path+"/runs", object{}).status; status {
			case 202:
				started.Add(1)
			case 429:
			default:
				t.Errorf("%d", status)
			}
		})
	}
	wg.Wait()
	if started.Load() != 10 {
		t.Errorf("%d runs were started at two replicas, want 10", started.Load())
	}
}

func TestADeliveryBeyondTheQuotaIsRefusedAndListed(t *testing.T) {
	in := install(t)
	root, ana := in.user("root"), in.user("ana")
	path, hook := ana.hooked(func(trigger object) { trigger["dedupe"] = object{"header": "X-Id", "window": "1h"} })
	root.grant(ana.home(), object{"runs_per_minute": 1})
	in.deliver(hook, `{}`, header("X-Id", "1")).want(202)
	refused := in.deliver(hook, `{}`, header("X-Id", "2")).refused(429, "runs_quota")
	if refused.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	var listed object
	eventually(t, "it is listed", func() bool {
		items := ana.get(path + "/triggers/hook/deliveries?verdict=refused").want(200).items("items")
		if len(items) == 0 {
			return false
		}
		listed = items[0]
		return true
	})
	if listed.text("code") != "runs_quota" {
		t.Errorf("listed as %v", listed)
	}
	// It may come again: nothing was kept of it that would make it a duplicate.
	root.grant(ana.home(), object{"runs_per_minute": 5})
	if again := in.deliver(hook, `{}`, header("X-Id", "2")).want(202); again.text("verdict") != "accepted" {
		t.Errorf("again: %v", again)
	}
	if again := in.deliver(hook, `{}`, header("X-Id", "2")).want(202); again.text("verdict") != "duplicate" {
		t.Errorf("and again: %v", again)
	}
}

// Of what a full project may still do, and what not.
func TestAFullProjectStartsNoMoreRuns(t *testing.T) {
	in := install(t)
	root, ana := in.user("root"), in.user("ana")
	path, hook := ana.hooked()
	first := ana.post(path+"/runs", object{}).want(202).text("id")
	in.sql(`with s as (insert into project_storage (project_id, bytes, measured_at) select project_id, 2500000, now() from runs returning 1) select count(*) from s`)
	used := root.grant(ana.home(), object{"storage": 2_000_000}).child("storage")
	if used.number("used") != "2500000" || used.number("limit") != "2000000" || used["own"] != true {
		t.Errorf("it says %v", used)
	}
	refused := ana.post(path+"/runs", object{}).refused(409, "storage_quota")
	if detail := refused.json().text("detail"); !strings.HasPrefix(detail, "The project stores 2 MB, and may store 2 MB;") {
		t.Error(detail)
	}
	ana.post("/runs/"+first+"/rerun", object{"from": "start"}).refused(409, "storage_quota")
	ana.post(path+"/runs", object{}, header("Idempotency-Key", "one")).refused(409, "storage_quota")
	in.deliver(hook, `{}`).refused(409, "storage_quota")
	eventually(t, "the delivery is listed", func() bool {
		items := ana.get(path + "/triggers/hook/deliveries?verdict=refused").want(200).items("items")
		return len(items) == 1 && items[0].text("code") == "storage_quota"
	})
	ana.create(logOnly("to work on goes on"))
	other, _ := root.create(logOnly("of another project"))
	root.post(other+"/runs", object{}).want(202)

	root.grant(ana.home(), object{"storage": 3_000_000})
	ana.post(path+"/runs", object{}, header("Idempotency-Key", "one")).want(202)
	in.deliver(hook, `{}`).want(202)
}

func TestQuotasThatAreRefused(t *testing.T) {
	in := install(t)
	root, ana := in.user("root"), in.user("ana")
	quota := "/projects/" + ana.home() + "/quota"
	root.put(quota, object{"workflows": 0, "runs_per_minute": nil, "concurrent_runs": 2_000_000, "storage": 5}).refused(422, "validation_failed").
		at("/workflows", "minimum").at("/concurrent_runs", "maximum").at("/storage", "minimum")
	root.put(quota, object{"workflows": 1}).refused(422, "validation_failed")
	ana.put(quota, object{"workflows": nil, "runs_per_minute": nil, "concurrent_runs": nil, "storage": nil}).refused(403, "administrators_only")
	found := root.get("/installation/projects?q=ana").want(200).items("items")[0].child("quota").child("runs_per_minute")
	if found["limit"] != nil || found["own"] != false {
		t.Errorf("without a quota: %v", found)
	}
}
