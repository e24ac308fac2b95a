package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestCreateAWorkflow(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	a := ana.post("/workflows", example(), header("Accept-Language", "es-PY,es;q=0.9,en;q=0.8"))
	w := a.want(201)
	if a.header.Get("Location") != "/api/v1/workflows/"+w.text("id") || a.header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %q", a.header.Get("Location"), a.header.Get("ETag"))
	}
	trigger := w.items("triggers")[0]
	if w.number("version") != "1" || w["enabled"] != true || w.text("next_fire_at") == "" || trigger.text("next_fire_at") != w.text("next_fire_at") {
		t.Errorf("created %v", w)
	}
	if !strings.Contains(strings.ToLower(trigger.text("description")), "laborable") {
		t.Errorf("described as %q, want Spanish", trigger.text("description"))
	}
	got := ana.get("/workflows/" + w.text("id"))
	if got.header.Get("ETag") != `"1"` || !strings.Contains(strings.ToLower(got.want(200).items("triggers")[0].text("description")), "weekday") {
		t.Errorf("read %s", got.body)
	}
	if home := ana.get("/auth/me").want(200).items("projects")[0].text("id"); w.text("project_id") != home {
		t.Errorf("it is in %s, want the caller's own project %s", w.text("project_id"), home)
	}
}

// What GET answers can be edited and sent back, and when nothing was edited nothing happens.
func TestWhatWasReadCanBeSentBack(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	every := example(func(w object) {
		w["description"] = "Tells the team when the dollar moves"
		w["timeout"] = "90s"
		w["triggers"] = append(w["triggers"].(list),
			object{"id": "often", "type": "schedule", "every": "90m", "enabled": true, "overlap": "queue_one", "missed": "all", "catch_up_window": "36h", "catch_up_limit": 5, "grace": "2m"},
			object{"id": "never", "type": "schedule", "cron": "@daily", "enabled": false},
			object{"id": "once", "type": "schedule", "at": "2100-01-01T12:00:00.123456+02:00", "inputs": object{"big": 9007199254740993}})
		w["steps"] = append(w["steps"].(list), object{
			"id": "send", "action": "http_endpoint", "timeout": "1500ms", "on_error": "continue",
			"config": object{"method": "POST", "url": "https://example.com", "body": object{"json": object{"id": 12345678901234567, "rate": 1.50}}},
		})
	})
	for name, w := range map[string]object{"the example": example(), "every option": every, "no trigger": logOnly("x")} {
		path, _ := ana.create(w)
		read := ana.get(path)
		again := ana.send("PUT", path, raw(read.body), header("If-Match", read.header.Get("ETag")))
		if v := again.want(200); v.number("version") != "1" || again.header.Get("ETag") != `"1"` || string(again.body) != string(read.body) {
			t.Errorf("%s: sent back unchanged it became\n%s\nfrom\n%s", name, again.body, read.body)
		}
		if v := ana.get(path + "/versions").want(200); len(v.items("items")) != 1 {
			t.Errorf("%s: versions %v", name, v)
		}
	}
	path, _ := ana.create(every)
	body := string(ana.get(path).body)
	for _, want := range []string{"9007199254740993", "12345678901234567", "1h30m", "1m30s", "2100-01-01T10:00:00.123Z"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
}

func TestSavesOfTwoPeople(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("first"))
	etag := ana.get(path).header.Get("ETag")
	if a := ana.put(path, logOnly("second"), header("If-Match", etag)); a.want(200).number("version") != "2" || a.header.Get("ETag") == etag {
		t.Errorf("saved as %s, ETag %s", a.body, a.header.Get("ETag"))
	}
	for _, old := range []string{etag, "W/" + etag, `"nonsense"`, `"0"`, `"99999999999999999999"`} {
		ana.put(path, logOnly("third"), header("If-Match", old)).refused(412, "changed_meanwhile")
		ana.delete(path, header("If-Match", old)).refused(412, "changed_meanwhile")
	}
	ana.put(path, logOnly("third"), header("If-Match", "*")).want(200)
	ana.put(path, logOnly("fourth")).want(200) // who does not care need not say
	ana.post(path+"/disable", nil).want(200)   // counts as a change too
	etag = ana.get(path).header.Get("ETag")
	ana.delete(path, header("If-Match", etag)).want(204)
	ana.get(path).refused(404, "not_found")
	ana.put(path, logOnly("fifth")).refused(404, "not_found")
	ana.delete(path).refused(404, "not_found")
}

func TestVersions(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("version 1"))
	for i := 2; i <= 5; i++ {
		ana.put(path, logOnly(fmt.Sprintf("version %d", i))).want(200)
	}
	var names []string
	for page := range ana.pages(path+"/versions", 2) {
		for _, v := range page {
			names = append(names, v.child("definition").text("name")+" by "+v.text("created_by"))
		}
	}
	if got := strings.Join(names, ", "); got != "version 5 by ana, version 4 by ana, version 3 by ana, version 2 by ana, version 1 by ana" {
		t.Errorf("versions: %s", got)
	}
	if v := ana.get(path + "/versions/2").want(200); v.child("definition").text("name") != "version 2" {
		t.Errorf("version 2 is %v", v)
	}
	for _, version := range []string{"6", "0", "-1", "x", "2147483648", "99999999999999999999"} {
		ana.get(path + "/versions/" + version).want(404)
	}
}

func TestEnableAndDisable(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example(func(w object) { w["enabled"] = false }))
	if w := ana.get(path).want(200); w["enabled"] != false || w["next_fire_at"] != nil {
		t.Errorf("made disabled: %v", w)
	}
	if w := ana.post(path+"/enable", nil).want(200); w["enabled"] != true || w.text("next_fire_at") == "" || w.number("version") != "1" {
		t.Errorf("enabled: %v", w)
	}
	if w := ana.post(path+"/disable", nil).want(200); w["enabled"] != false || w["next_fire_at"] != nil {
		t.Errorf("disabled: %v", w)
	}
	ana.post(path+"/runs", nil).want(202) // by hand it still starts
	w := ana.put(path, example(func(w object) { w["enabled"] = true })).want(200)
	if w["enabled"] != true || w.number("version") != "1" {
		t.Errorf("enabled by saving: %v", w)
	}
}

// pages are the pages of a list, one after the other.
func (c *client) pages(path string, limit int) func(func([]object) bool) {
	return func(yield func([]object) bool) {
		cursor := ""
		for {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			page := c.get(fmt.Sprintf("%s%slimit=%d%s", path, sep, limit, cursor)).want(200)
			if !yield(page.items("items")) || page["next_cursor"] == nil {
				return
			}
			cursor = "&cursor=" + url.QueryEscape(page.text("next_cursor"))
		}
	}
}

func TestPagesOfWorkflows(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	for i := range 7 {
		ana.create(logOnly(fmt.Sprintf("Report %d", i)))
	}
	ana.create(logOnly("Ñandú 100%_done"))
	eve.create(logOnly("Report of eve"))
	var names []string
	sizes := ""
	for page := range ana.pages("/workflows?q=report", 3) {
		sizes += fmt.Sprint(len(page))
		for _, w := range page {
			names = append(names, w.text("name"))
		}
	}
	if got := strings.Join(names, " "); sizes != "331" || got != "Report 6 Report 5 Report 4 Report 3 Report 2 Report 1 Report 0" {
		t.Errorf("pages of %s: %s", sizes, got)
	}
	for query, want := range map[string]int{
		"q=REPORT%206": 1, "q=%25_": 1, "q=_%25": 0, "q=%27%3B--": 0, "enabled=true": 8, "enabled=false": 0,
	} {
		if got := len(ana.get("/workflows?" + query).want(200).items("items")); got != want {
			t.Errorf("%s: %d workflows, want %d", query, got, want)
		}
	}
	ana.get("/workflows?project_id="+eve.get("/auth/me").want(200).items("projects")[0].text("id")).refused(404, "not_found")
}

func TestCursorsThatWereTamperedWith(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("x"))
	ana.create(logOnly("y"))
	ana.put(path, logOnly("z")).want(200)
	good := ana.get("/workflows?limit=1").want(200).text("next_cursor")
	for _, listed := range []string{"/workflows", "/runs", path + "/versions", path + "/occurrences"} {
		for _, cursor := range []string{
			"x", "AAAA", good + "A", good[1:], "!!!", "%00", "%ff", strings.Repeat("A", 400),
			"MA", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk", // 0, -1, 99999999999999999999
			"OTk5OTktMDEtMDFUMDA6MDA6MDBafDAx", "MjAyNi0wMS0wMVQwMDowMDowMFp8eA", // instants that are none, ids that are none
		} {
			if cursor == good {
				continue
			}
			if a := ana.get(listed + "?cursor=" + cursor); a.status != 400 && a.status != 422 {
				t.Errorf("%s with the cursor %s: %d", listed, cursor, a.status)
			}
		}
	}
	ana.get("/workflows?cursor=x").refused(400, "bad_cursor")
	for _, limit := range []string{"0", "-1", "201", "x", "1.5", "1e1", "99999999999999999999"} {
		ana.get("/workflows?limit=" + limit).want(422)
	}
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	step := func(w object, i int) object { return w["steps"].(list)[i].(object) }
	trigger := func(w object) object { return w["triggers"].(list)[0].(object) }
	set := func(o func(object) object, name string, value any) func(object) {
		return func(w object) { o(w)[name] = value }
	}
	first := func(w object) object { return step(w, 0) }
	second := func(w object) object { return step(w, 1) }
	whole := func(w object) object { return w }
	many := func(n int) list {
		steps := make(list, n)
		for i := range steps {
			steps[i] = object{"id": fmt.Sprintf("s%d", i), "action": "log_message", "config": object{"message": "x"}}
		}
		return steps
	}
	for _, c := range []struct {
		what          string
		change        func(object)
		pointer, code string
	}{
		{"an unknown field", set(whole, "stepps", list{}), "/stepps", "unknown_field"},
		{"an unknown field of a step", set(first, "dependson", "x"), "/steps/0/dependson", "unknown_field"},
		{"an unknown field of a configuration", set(first, "config", object{"url": "https://a.b", "verb": "GET"}), "/steps/0/config", "config_shape"},
		{"no name", set(whole, "name", ""), "/name", "minLength"},
		{"a blank name", set(whole, "name", "  "), "/name", "required"},
		{"a number for a name", set(whole, "name", 7), "/name", "type"},
		{"no steps", set(whole, "steps", list{}), "/steps", "minItems"},
		{"201 steps", set(whole, "steps", many(201)), "/steps", "maxItems"},
		{"null for an object", set(first, "config", nil), "/steps/0/config", "nullable"},
		{"two steps of one id", set(second, "id", "fetch"), "/steps/1/id", "duplicate_id"},
		{"an id that is none", set(first, "id", "1 2"), "/steps/0/id", "pattern"},
		{"steps that wait for each other", set(first, "depends_on", list{"note"}), "/steps/0/depends_on", "cycle"},
		{"a step that waits for itself", set(first, "depends_on", list{"fetch"}), "/steps/0/depends_on/0", "cycle"},
		{"a step after one that is not there", set(second, "depends_on", list{"gone"}), "/steps/1/depends_on/0", "unknown_step"},
		{"a template that names a later step", set(first, "config", object{"url": "https://a.b/{{ steps.note.x }}"}), "/steps/0/config", "step_order"},
		{"a template that names no step", set(first, "config", object{"url": "https://a.b/{{ steps.gone.x }}"}), "/steps/0/config", "unknown_step"},
		{"a condition that names no step", set(second, "if", "steps.gone.status == 200"), "/steps/1/if", "unknown_step"},
		{"an action that is none", set(first, "action", "shell"), "/steps/0/action", "action"},
		{"a URL that is none", set(first, "config", object{"url": "ftp://a.b"}), "/steps/0/config/url", "url_scheme"},
		{"a header with a line break", set(first, "config", object{"url": "https://a.b", "headers": object{"X-A": "b\r\nHost: c"}}), "/steps/0/config/headers/X-A", "header_value"},
		{"a timeout that is too long for any clock", set(first, "timeout", "99999999999h"), "/steps/0/timeout", "duration"},
		{"a timeout of a month", set(first, "timeout", "31d"), "/steps/0/timeout", "too_long"},
		{"a delay that is none", set(first, "retry", object{"initial": "99999999999h"}), "/steps/0/retry/initial", "duration"},
		{"a cron line that is none", set(trigger, "cron", "61 * * * *"), "/triggers/0/cron", "cron_syntax"},
		{"a cron line that never fires", set(trigger, "cron", "0 0 31 2 *"), "/triggers/0/cron", "cron_never"},
		{"a zone inside the cron line", set(trigger, "cron", "TZ=Europe/Madrid 0 9 * * *"), "/triggers/0/cron", "cron_syntax"},
		{"a zone that is none", set(trigger, "timezone", "Europe/Atlantis"), "/triggers/0/timezone", "timezone_unknown"},
		{"a zone that is a file", set(trigger, "timezone", "../../etc/passwd"), "/triggers/0/timezone", "timezone_unknown"},
		{"cron and every", set(trigger, "every", "1h"), "/triggers/0/every", "exclusive"},
		{"a type of trigger to come", set(trigger, "type", "email"), "/triggers/0/type", "enum"},
		{"an end in the past", set(trigger, "ends_at", "2001-01-01T00:00:00Z"), "/triggers/0/ends_at", "never_fires"},
		{"a year that is none", set(trigger, "starts_at", "2300-01-01T00:00:00Z"), "/triggers/0/starts_at", "out_of_range"},
		{"a day that is none", set(trigger, "starts_at", "2026-02-30T00:00:00Z"), "/triggers/0/starts_at", "format"},
		{"an instant without a zone", set(trigger, "starts_at", "2026-02-01T00:00:00"), "/triggers/0/starts_at", "format"},
		{"a project that is none", set(whole, "project_id", "x"), "/project_id", "format"},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := example(c.change)
			a := ana.post("/workflows", w)
			a.t = t
			a.want(422)
			a.at(c.pointer, c.code)
			if b := ana.post("/workflows/validate", w); c.code != "never_fires" && b.status != 422 {
				t.Errorf("validate answers %d", b.status)
			}
		})
	}
	ana.post("/workflows", object{"name": "200 steps", "steps": many(200)}).want(201)
	if n := in.sql(`select count(*) from workflows`); n != 1 {
		t.Errorf("%d workflows were saved, want 1", n)
	}
}

func TestWhatIsNotYoursIsNotThere(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	path, created := ana.create(example())
	run := "/runs/" + ana.post(path+"/runs", nil).want(202).text("id")
	nowhere, norun := "/workflows/"+uuid.NewString(), "/runs/"+uuid.NewString()
	for _, c := range []struct {
		method, mine, missing string
		body                  any
	}{
		{"GET", path, nowhere, nil},
		{"PUT", path, nowhere, example()},
		{"DELETE", path, nowhere, nil},
		{"POST", path + "/enable", nowhere + "/enable", nil},
		{"POST", path + "/disable", nowhere + "/disable", nil},
		{"GET", path + "/versions", nowhere + "/versions", nil},
		{"GET", path + "/versions/1", nowhere + "/versions/1", nil},
		{"GET", path + "/occurrences", nowhere + "/occurrences", nil},
		{"POST", path + "/runs", nowhere + "/runs", object{}},
		{"GET", run, norun, nil},
		{"GET", run + "/logs", norun + "/logs", nil},
		{"POST", run + "/cancel", norun + "/cancel", nil},
		{"POST", run + "/rerun", norun + "/rerun", object{}},
	} {
		foreign := eve.send(c.method, c.mine, c.body).refused(404, "not_found").json()
		missing := eve.send(c.method, c.missing, c.body).refused(404, "not_found").json()
		if foreign.text("detail") != missing.text("detail") {
			t.Errorf("%s %s: what is another's answers %q, what is not there %q", c.method, c.mine, foreign.text("detail"), missing.text("detail"))
		}
	}
	mine := example(func(w object) { w["project_id"] = created.text("project_id") })
	eve.post("/workflows", mine).refused(404, "not_found")
	if got := eve.get("/runs?workflow_id=" + created.text("id")).want(200).items("items"); len(got) != 0 {
		t.Errorf("their runs: %v", got)
	}
}
