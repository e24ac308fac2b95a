package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// unfinished is a definition that nobody could run yet.
var unfinished = object{"name": "", "steps": list{object{"id": "a b", "action": "http_endpoint"}}, "colour": "red"}

func drafted(definition object) object { return object{"definition": definition} }

// A draft is kept as it was typed, with what is wrong with it, and nothing of what runs changes before it is published.
func TestADraftIsKeptAsItWasTyped(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, before := ana.create(example())
	draft := path + "/draft"
	ana.get(draft).refused(404, "not_found")
	saved := ana.put(draft, drafted(unfinished)).want(200)
	for _, want := range []string{"/name", "/steps/0/id", "/colour"} {
		if !strings.Contains(fmt.Sprint(saved["faults"]), want) {
			t.Errorf("no fault at %s in %v", want, saved["faults"])
		}
	}
	if got := ana.get(draft).want(200); fmt.Sprint(got["definition"]) != fmt.Sprint(map[string]any(unfinished)) && got.child("definition").text("colour") != "red" {
		t.Errorf("kept %v", got["definition"])
	}
	w := ana.get(path).want(200)
	if w.number("version") != "1" || w.text("next_fire_at") != before.text("next_fire_at") || w.child("draft").text("updated_by") != "ana" || w.child("draft").number("based_on") != "1" {
		t.Errorf("the workflow became %v", w)
	}
	ana.post(draft+"/publish", nil).refused(422, "validation_failed").at("/colour", "unknown_field")
	ana.get(draft+"/plan").refused(422, "validation_failed")
	ana.post(draft+"/runs", nil).refused(422, "validation_failed").at("/steps/0/id", "pattern")

	for name, w := range map[string]object{
		"a cycle":          example(func(w object) { w["steps"].(list)[0].(object)["depends_on"] = list{"note"} }),
		"a secret":         example(func(w object) { w["steps"].(list)[1].(object)["config"] = object{"message": "{{ vars.nobody }}"} }),
		"a long time":      example(func(w object) { w["timeout"] = "99999999999h" }),
		"no such calendar": example(func(w object) { w["triggers"].(list)[0].(object)["calendar"] = "nowhere" }),
	} {
		saved := ana.put(draft, drafted(w)).want(200)
		if len(saved.items("faults")) == 0 && name != "no such calendar" { // that is looked up where it is used
			t.Errorf("%s: no fault", name)
		}
		ana.post(draft+"/publish", nil).want(422)
	}
	if n := in.sql(`select count(*) from workflow_versions`); n != 1 {
		t.Errorf("%d versions", n)
	}
}

func TestPublishADraft(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, before := ana.create(example())
	draft := path + "/draft"
	later := example(func(w object) {
		w["name"] = "Later"
		w["triggers"].(list)[0].(object)["cron"] = "30 9 * * MON-FRI"
		w["enabled"] = true
	})
	etag := ana.put(draft, drafted(later)).header.Get("ETag")
	fires := ana.get(draft + "/plan").want(200).items("fires")
	if len(fires) != 1 || fires[0].text("trigger") != "morning" || fmt.Sprint(fires[0]["before"]) == fmt.Sprint(fires[0]["after"]) {
		t.Fatalf("moved %v", fires)
	}
	if first := fires[0]["before"].([]any)[0]; first != before.text("next_fire_at") {
		t.Errorf("the next fire is %v, and the plan says %v", before.text("next_fire_at"), first)
	}
	a := ana.post(draft+"/publish", nil, header("If-Match", etag))
	w := a.want(200)
	if w.number("version") != "2" || w.text("name") != "Later" || w["draft"] != nil || a.header.Get("ETag") == "" || w.text("next_fire_at") != fires[0]["after"].([]any)[0] {
		t.Errorf("published %v", w)
	}
	ana.get(draft).refused(404, "not_found")
	ana.post(draft+"/publish", nil).refused(404, "not_found")
	if v := ana.get(path + "/versions").want(200).items("items"); len(v) != 2 || v[0].text("created_by") != "ana" {
		t.Errorf("versions %v", v)
	}
	ana.put(draft, drafted(later)).want(200)
	if fires := ana.get(draft + "/plan").want(200).items("fires"); len(fires) != 0 {
		t.Errorf("nothing changed, and these move: %v", fires)
	}
	if w := ana.post(draft+"/publish", nil).want(200); w.number("version") != "2" || w["draft"] != nil {
		t.Errorf("nothing changed, and it became %v", w)
	}
}

// Two people cannot overwrite each other, whichever way a draft goes.
func TestDraftsOfTwoPeople(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("first"))
	draft := path + "/draft"
	none := func(r *http.Request) { r.Header.Set("If-None-Match", "*") }
	first := ana.put(draft, drafted(logOnly("ana's")), none)
	first.want(200)
	ana.put(draft, drafted(logOnly("bob's")), none).refused(412, "changed_meanwhile")
	old := header("If-Match", first.header.Get("ETag"))
	ana.put(draft, drafted(logOnly("ana's again")), old).want(200)
	ana.put(draft, drafted(logOnly("bob's")), old).refused(412, "changed_meanwhile")
	ana.post(draft+"/publish", nil, old).refused(412, "changed_meanwhile")
	ana.post(draft+"/runs", nil, old).refused(412, "changed_meanwhile")
	ana.delete(draft, old).refused(412, "changed_meanwhile")
	now := header("If-Match", ana.get(draft).header.Get("ETag"))
	ana.delete(draft, now).want(204)
	ana.put(draft, drafted(logOnly("ana's")), now).refused(412, "changed_meanwhile")
	ana.put(draft, drafted(logOnly("a new one")), none).want(200)
	ana.delete(draft, old).refused(412, "changed_meanwhile") // no two drafts ever have the same ETag
	ana.put(draft, drafted(logOnly("x")), header("If-None-Match", `"1"`)).want(422)
	if ana.delete(draft).want(204); ana.get(path).want(200)["draft"] != nil {
		t.Error("the draft is still there")
	}
}

// What is saved at once leaves the draft alone, which then has to be looked at again before it can be published.
func TestADraftThatAVersionOvertook(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("first"))
	draft := path + "/draft"
	ana.put(draft, drafted(logOnly("mine"))).want(200)
	ana.put(path, logOnly("of a program")).want(200)
	if d := ana.get(draft).want(200); d.number("based_on") != "1" || d.number("version") != "2" || d.child("definition").text("name") != "mine" {
		t.Errorf("the draft is %v", d)
	}
	if d := ana.put(draft, drafted(logOnly("mine too"))).want(200); d.number("based_on") != "1" {
		t.Errorf("going on with it, it is based on %v", d["based_on"])
	}
	ana.post(draft+"/publish", nil).refused(409, "draft_outdated")
	ana.put(draft, object{"definition": logOnly("x"), "based_on": 3}).refused(422, "validation_failed").at("/based_on", "unknown_version")
	ana.put(draft, object{"definition": logOnly("x"), "based_on": -1}).want(422)
	ana.put(draft, object{"definition": logOnly("seen"), "based_on": 2}).want(200)
	if w := ana.post(draft+"/publish", nil).want(200); w.number("version") != "3" || w.text("name") != "seen" {
		t.Errorf("published %v", w)
	}
}

// A program that reads all workflows and writes them back, as an export and an import do, neither sees nor moves drafts.
func TestProgramsDoNotTouchDrafts(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("published"))
	ana.put(path+"/draft", drafted(logOnly("next"))).want(200)
	ana.post("/workflows/drafts", drafted(logOnly("never"))).want(201)
	all := ana.get("/workflows").want(200).items("items")
	if len(all) != 1 || all[0].text("name") != "published" {
		t.Fatalf("listed %v", all)
	}
	read := ana.get(path)
	ana.send("PUT", path, raw(read.body), header("If-Match", read.header.Get("ETag"))).want(200)
	if d := ana.get(path + "/draft").want(200); d.child("definition").text("name") != "next" || d.number("based_on") != "1" || d.number("version") != "1" {
		t.Errorf("the draft became %v", d)
	}
}

// A workflow may be nothing but a draft: nothing of it runs, whatever else is done with it.
func TestAWorkflowThatWasNeverPublished(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	created := ana.post("/workflows/drafts", drafted(unfinished))
	d := created.want(201)
	path := "/workflows/" + d.text("workflow_id")
	if created.header.Get("Location") != "/api/v1"+path+"/draft" || created.header.Get("ETag") == "" || d.number("version") != "0" || d.number("based_on") != "0" {
		t.Errorf("%v %v", created.header, d)
	}
	ana.put(path+"/draft", drafted(example())).want(200)
	w := ana.get("/workflows?unpublished=true").want(200).items("items")[0]
	if w.number("version") != "0" || w.text("name") != "Daily exchange rate" || w["next_fire_at"] != nil || len(w.items("steps")) != 0 || w.child("draft") == nil {
		t.Errorf("listed as %v", w)
	}
	ana.post(path+"/runs", nil).refused(409, "not_published")
	ana.post(path+"/disable", nil).want(200)
	ana.post(path+"/enable", nil).want(200)
	if n := in.sql(`select count(*) from triggers`); n != 0 {
		t.Errorf("%d triggers are armed", n)
	}
	if v := ana.get(path + "/versions").want(200).items("items"); len(v) != 0 {
		t.Errorf("versions %v", v)
	}
	caller := logOnly("caller", func(w object) {
		w["steps"] = list{object{"id": "run", "action": "run_workflow", "config": object{"workflow": "Daily exchange rate"}}}
	})
	ana.post("/workflows", caller).refused(422, "validation_failed").at("/steps/0/config/workflow", "unknown_workflow")
	run := ana.post(path+"/draft/runs", nil).want(202)
	ana.post("/runs/"+run.text("id")+"/rerun", object{"version": "current"}).refused(409, "not_published")

	if w := ana.post(path+"/draft/publish", nil).want(200); w.number("version") != "1" || w.text("next_fire_at") == "" {
		t.Errorf("published as %v", w)
	}
	ana.post(path+"/runs", nil).want(202)
	if v := ana.get(path + "/versions").want(200).items("items"); len(v) != 1 {
		t.Errorf("versions %v", v)
	}
	ana.post("/workflows", caller).want(201)

	other := "/workflows/" + ana.post("/workflows/drafts", drafted(object{})).want(201).text("workflow_id")
	ana.delete(other + "/draft").want(204)
	ana.get(other).refused(404, "not_found")
	saved := "/workflows/" + ana.post("/workflows/drafts", drafted(logOnly("typed"))).want(201).text("workflow_id")
	if w := ana.put(saved, logOnly("saved")).want(200); w.number("version") != "1" || w.child("draft").number("based_on") != "0" {
		t.Errorf("saved at once, it is %v", w)
	}
}

func TestBadDrafts(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("first"))
	draft := path + "/draft"
	for body, status := range map[string]int{
		``: 400, `{}`: 422, `{"definition": []}`: 422, `{"definition": null}`: 422, `{"definition": "name: x"}`: 422,
		`{"definition": {"a": 1, "a": 2}}`: 400, `{"definition": {"a": "\u0000"}}`: 422, `{"definition": {"a": 1e999}}`: 422,
		`{"definition": {}, "faults": []}`: 422, `{"definition": {}, "based_on": "1"}`: 422, `{"definition": {}, "based_on": 99999999999}`: 422,
	} {
		ana.send("PUT", draft, raw(body)).want(status)
		ana.send("POST", "/workflows/drafts", raw(body)).want(status)
	}
	for _, definition := range []string{
		`{}`, `{"steps": {}}`, `{"steps": [null, 1, "x", {}]}`, `{"name": 1, "triggers": [[]], "steps": [{"config": []}]}`,
		`{"name": {"deep": [[[]]]}, "enabled": "yes", "id": 5, "draft": {}}`, `{"name": "` + strings.Repeat("ñ", 300) + `"}`,
	} {
		saved := ana.send("PUT", draft, raw(`{"definition": `+definition+`}`)).want(200)
		if len(saved.items("faults")) == 0 {
			t.Errorf("%s has no fault", definition)
		}
		ana.post(draft+"/publish", nil).want(422)
		ana.post(draft+"/runs", nil).want(422)
		ana.send("POST", "/workflows/drafts", raw(`{"definition": `+definition+`}`)).want(201)
	}
	ana.get("/workflows?unpublished=true").want(200)
	ana.put(draft, drafted(example()), header("If-Match", "nonsense")).refused(412, "changed_meanwhile")
	ana.get("/runs?drafts=maybe").want(422)
	bob := in.user("bob")
	for _, a := range []answer{
		bob.get(draft), bob.put(draft, drafted(object{})), bob.delete(draft), bob.get(draft + "/plan"), bob.post(draft+"/publish", nil),
		bob.post(draft+"/runs", nil), bob.post("/workflows/drafts", object{"definition": object{}, "project_id": ana.get("/auth/me").want(200).items("projects")[0].text("id")}),
	} {
		a.refused(404, "not_found")
	}
}
