package api_test

import "testing"

// queue finds a queue in the list of all.
func (c *client) queue(name string) object {
	c.in.t.Helper()
	for _, q := range c.get("/queues").want(200).items("items") {
		if q.text("name") == name {
			return q
		}
	}
	c.in.t.Fatalf("there is no queue %s", name)
	return nil
}

func TestQueuesShowWhatWaits(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	if names := ana.get("/queues").want(200).items("items"); len(names) != 3 || names[0].text("name") != "critical" {
		t.Errorf("queues: %v", names)
	}
	path, _ := ana.create(logOnly("x", func(w object) { w["queue"] = "bulk" }))
	ana.post(path+"/runs", nil).want(202)
	if q := ana.queue("bulk"); q.number("due") != "1" || q.number("running") != "0" {
		t.Errorf("bulk: %v", q)
	}
	if q := ana.queue("default"); q.number("due") != "0" {
		t.Errorf("default: %v", q)
	}
	limited, _ := ana.create(logOnly("y", func(w object) { w["max_concurrent"] = 1; w["keep"] = object{"succeeded": "7d"} }))
	if w := ana.get(limited).want(200); w.number("max_concurrent") != "1" {
		t.Errorf("saved: %v", w)
	}
	ana.post(limited+"/runs", nil).want(202)
	if q := ana.queue("default"); q.number("gated") != "1" || q.number("due") != "0" {
		t.Errorf("default: %v", q)
	}
}

func TestPausingAQueue(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for range 2 { // twice is no mistake
		q := ana.post("/queues/bulk/pause", nil).want(200)
		if q["paused_at"] == nil || q.text("paused_by") != "ana" {
			t.Errorf("paused: %v", q)
		}
	}
	if q := ana.post("/queues/bulk/resume", nil).want(200); q["paused_at"] != nil || q["paused_by"] != nil {
		t.Errorf("resumed: %v", q)
	}
	ana.post("/queues/nonsense/pause", nil).refused(404, "not_found")
}

func TestLimitsOfQueuesAndProjects(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	if q := ana.put("/queues/default", object{"max_concurrent": 7}).want(200); q.number("max_concurrent") != "7" {
		t.Errorf("limited: %v", q)
	}
	if q := ana.put("/queues/default", object{"max_concurrent": nil}).want(200); q["max_concurrent"] != nil {
		t.Errorf("freed: %v", q)
	}
	for _, body := range []any{nil, object{}, object{"max_concurrent": 0}, object{"max_concurrent": "3"}, object{"max": 3}} {
		if a := ana.put("/queues/default", body); a.status < 400 || a.status >= 500 {
			t.Errorf("%v: %d", body, a.status)
		}
	}
	ana.put("/projects/0190c0de-0000-7000-8000-000000000000/limits", object{"max_concurrent": 1}).refused(404, "not_found")
}

func TestOnlyAdministratorsChangeQueues(t *testing.T) {
	in := install(t)
	in.user("ana") // the administrator
	ben := in.user("ben")
	ben.get("/queues").want(200)
	ben.post("/queues/bulk/pause", nil).refused(403, "administrators_only")
	ben.put("/queues/bulk", object{"max_concurrent": 1}).refused(403, "administrators_only")
}
