package api_test

import (
	"testing"
)

func TestRulesForOutgoingCalls(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana := in.user("ana")
	home := "/projects/" + ana.get("/auth/me").want(200).items("projects")[0].text("id") + "/egress"
	rules := ana.get(home).want(200)
	if len(rules["allow"].([]any)) != 0 || len(rules["only"].([]any)) != 0 {
		t.Errorf("at first: %v", rules)
	}
	rules = ana.put(home, object{"only": list{" API.example.com ", "*.example.org", "203.0.113.0/24", "api.example.com"}}).want(200)
	if got := rules["only"].([]any); len(got) != 3 || got[0] != "api.example.com" {
		t.Errorf("stored: %v", got)
	}
	// Every entry that is none is pointed at.
	ana.put(home, object{"only": list{"good.example.com", "https://x.example.com", "*", "10.0.0.0/99", ""}}).
		refused(422, "validation_failed").at("/only/1", "egress_entry").at("/only/2", "egress_entry").at("/only/3", "egress_entry").at("/only/4", "egress_entry")
	// What is not public is an administrator's to allow, who need not be a member.
	ana.put(home+"/allow", object{"allow": list{"10.0.0.0/8"}}).refused(403, "administrators_only")
	root.put(home+"/allow", object{"allow": list{"10.1.0.0/16", "intranet.example:8080"}}).want(200)
	root.put(home+"/allow", object{"allow": list{"10.1.0.0/16", "::/x"}}).refused(422, "validation_failed").at("/allow/1", "egress_entry")
	root.get(home).refused(404, "not_found")
	rules = ana.get(home).want(200)
	if len(rules["allow"].([]any)) != 2 || len(rules["only"].([]any)) != 3 {
		t.Errorf("both lists: %v", rules)
	}
	root.put("/projects/0190c0de-0000-7000-8000-000000000000/egress/allow", object{"allow": list{}}).refused(404, "not_found")
}

func TestAdministratorsListAllProjects(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana, bob := in.user("ana"), in.user("bob")
	made := ana.post("/projects", object{"name": "Billing"}).want(201).text("id")
	root.put("/projects/"+made+"/egress/allow", object{"allow": list{"10.1.0.0/16"}}).want(200)
	page := root.get("/installation/projects?limit=3").want(200)
	if n := len(page.items("items")); n != 3 {
		t.Fatalf("%d projects on the first page", n)
	}
	rest := root.get("/installation/projects?limit=3&cursor=" + page.text("next_cursor")).want(200)
	if n := len(rest.items("items")); n != 1 {
		t.Errorf("%d projects on the second page", n)
	}
	for _, q := range []string{"BILL", "bill"} {
		found := root.get("/installation/projects?q=" + q).want(200).items("items")
		if len(found) != 1 || found[0].text("id") != made || found[0]["owners"].([]any)[0] != "ana" || found[0]["egress_allow"].([]any)[0] != "10.1.0.0/16" {
			t.Errorf("%s: %v", q, found)
		}
	}
	if found := root.get("/installation/projects?q=ana").want(200).items("items"); len(found) != 2 {
		t.Errorf("ana owns %d projects", len(found))
	}
	bob.get("/installation/projects").refused(403, "administrators_only")
}
