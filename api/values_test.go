package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

const canary = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"

// using makes the example's first step send a header.
func using(header string) func(object) {
	return func(w object) {
		w["steps"].(list)[0].(object)["config"].(object)["headers"] = object{"Authorization": header}
	}
}

func TestSecretsAreWrittenAndNeverRead(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	a := ana.put("/secrets/rates_token", object{"value": canary, "description": "Of the bank"})
	s := a.want(200)
	if s.text("name") != "rates_token" || s.text("description") != "Of the bank" || s.text("updated_by") != "ana" || s["last_used_at"] != nil {
		t.Errorf("stored %v", s)
	}
	path, _ := ana.create(example(using("Bearer {{ secrets.rates_token }}")))
	listed := ana.get("/secrets")
	one := listed.want(200).items("items")[0]
	if users := one.items("used_by"); len(users) != 1 || "/workflows/"+users[0].text("id") != path || one.number("used_by_count") != "1" {
		t.Errorf("used by %v", one["used_by"])
	}
	// Only what it is for changes; the value stays.
	if s = ana.put("/secrets/rates_token", object{"description": "Of another bank"}).want(200); s.text("description") != "Of another bank" {
		t.Errorf("described %v", s)
	}
	for _, answer := range []string{string(a.body), string(listed.body), string(ana.get(path).body)} {
		if strings.Contains(answer, canary) {
			t.Errorf("an answer holds the value: %s", answer)
		}
	}
	if n := in.sql(`select count(*) from secrets where position($1::bytea in sealed) > 0`, []byte(canary)); n != 0 {
		t.Error("the database holds the value")
	}

	ana.delete("/secrets/rates_token").refused(409, "secret_in_use")
	ana.put(path, example()).want(200)
	ana.delete("/secrets/rates_token").want(204)
	ana.delete("/secrets/rates_token").refused(404, "not_found")
	in.stop()
	if strings.Contains(in.log.String(), canary) {
		t.Error("the log holds the value")
	}
}

func TestVariables(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for i, value := range []any{"text", 9007199254740993, 1.5, true, nil, list{1, object{"a": "b"}}, object{}} {
		name := fmt.Sprintf("/variables/v%d", i)
		v := ana.put(name, object{"value": value}).want(200)
		if got, want := fmt.Sprint(v["value"]), fmt.Sprint(value); got != want && got != strings.ReplaceAll(want, "object", "map") {
			t.Errorf("stored %s as %s", want, got)
		}
	}
	page := ana.get("/variables?limit=5").want(200)
	rest := ana.get("/variables?limit=5&cursor=" + page.text("next_cursor")).want(200)
	if len(page.items("items")) != 5 || len(rest.items("items")) != 2 || rest.items("items")[1].text("name") != "v6" || rest["next_cursor"] != nil {
		t.Errorf("listed %v, then %v", page, rest)
	}
	path, _ := ana.create(example(using("{{ vars.v0 }}")))
	ana.delete("/variables/v0").refused(409, "variable_in_use")
	ana.delete(path).want(204)
	ana.delete("/variables/v0").want(204)
	ana.delete("/variables/v0").refused(404, "not_found")
}

func TestValuesThatAreRefused(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for _, c := range []struct {
		path          string
		body          any
		pointer, code string
	}{
		{"/secrets/a", object{}, "/value", "required"},
		{"/secrets/a", object{"value": ""}, "/value", "minLength"},
		{"/secrets/a", object{"value": strings.Repeat("ñ", 40<<10)}, "/value", "size"},
		{"/secrets/a", object{"value": strings.Repeat("x", 64<<10+1)}, "/value", "maxLength"},
		{"/secrets/a", object{"value": list{canary}}, "/value", "type"},
		{"/secrets/a", object{"value": nil}, "/value", "nullable"},
		{"/secrets/a", object{"value": canary + "\x00"}, "/value", "nul_character"},
		{"/secrets/a", object{"value": "x", "note": canary}, "/note", "unknown_field"},
		{"/variables/a", object{}, "/value", "required"},
		{"/variables/a", object{"value": strings.Repeat("x", 64<<10)}, "/value", "size"},
	} {
		a := ana.put(c.path, c.body)
		a.want(422)
		a.at(c.pointer, c.code)
		if strings.Contains(string(a.body), canary) {
			t.Errorf("the answer holds the value: %s", a.body)
		}
	}
	for _, name := range []string{"9a", "a-b", "a.b", "%C3%B1", strings.Repeat("x", 65), "a%20b", "%00"} {
		for _, kind := range []string{"/secrets/", "/variables/"} {
			if a := ana.put(kind+name, object{"value": "x"}); a.status < 400 || a.status >= 500 {
				t.Errorf("%s: %d", kind+name, a.status)
			}
		}
	}
	in.sql(`with many as (insert into variables (project_id, name, value) select id, 'v' || n, '1' from projects, generate_series(1, 500) n returning 1) select count(*) from many`)
	ana.put("/variables/v501", object{"value": 1}).refused(409, "too_many_values")
	ana.put("/variables/v500", object{"value": 2}).want(200)
	ana.get("/secrets?cursor=bm8").refused(400, "bad_cursor")
}

// A definition is held to the names that are there, wherever it is checked.
func TestDefinitionsNameValuesThatAreThere(t *testing.T) {
	in := install(t)
	ana, bob := in.user("ana"), in.user("bob")
	bob.put("/secrets/rates_token", object{"value": canary}).want(200) // another project's
	ana.put("/secrets/rates_tokem", object{"value": canary}).want(200)
	wrong := example(using("Bearer {{ secrets.rates_token }} {{ vars.nothing }}"))
	step := wrong["steps"].(list)[0]
	path, _ := ana.create(example())
	for _, c := range []struct {
		a       answer
		pointer string
	}{
		{ana.post("/workflows", wrong), "/steps/0/config/headers/Authorization"},
		{ana.put(path, wrong), "/steps/0/config/headers/Authorization"},
		{ana.post("/workflows/validate", wrong), "/steps/0/config/headers/Authorization"},
		{ana.post("/step-tests", object{"step": step}), "/step/config/headers/Authorization"},
	} {
		c.a.want(422)
		c.a.at(c.pointer, "unknown_secret")
		c.a.at(c.pointer, "unknown_variable")
		if !strings.Contains(string(c.a.body), "did you mean rates_tokem?") {
			t.Errorf("no hint: %s", c.a.body)
		}
	}
	a := ana.post("/workflows", example(using("{{ secrets[inputs.which] }}")))
	a.want(422)
	a.at("/steps/0/config/headers/Authorization", "dynamic_name")
	ana.put("/secrets/rates_token", object{"value": canary}).want(200)
	ana.put("/variables/nothing", object{"value": 1}).want(200)
	ana.post("/workflows/validate", wrong).want(204)
	ana.post("/step-tests", object{"step": step}).want(202)
	ana.put(path, wrong).want(200)
}

// Secrets and variables are their project's; what may be done with them goes by role.
func TestRolesAndValues(t *testing.T) {
	in := install(t)
	owner, guest := in.user("owner"), in.user("guest")
	project := owner.put("/secrets/token", object{"value": canary}).want(200).text("project_id")
	owner.put("/variables/base", object{"value": 1}).want(200)
	owner.put("/secrets/spare", object{"value": canary}).want(200)
	there := "?project_id=" + project
	guest.get("/secrets"+there).refused(404, "not_found")
	for _, c := range []struct {
		role                        account.ProjectRole
		names, read, write, secrets int
	}{
		{"", 404, 404, 404, 404},
		{account.Viewer, 403, 200, 403, 403},
		{account.Operator, 403, 200, 403, 403},
		{account.Editor, 200, 200, 200, 403},
		{account.Admin, 200, 200, 200, 200},
		{account.Owner, 200, 200, 200, 200},
	} {
		if c.role != "" {
			in.join(project, guest, c.role)
		}
		guest.get("/secrets" + there).want(c.names)
		guest.get("/variables" + there).want(c.read)
		guest.put("/variables/base"+there, object{"value": 2}).want(c.write)
		guest.put("/secrets/token"+there, object{"value": "other"}).want(c.secrets)
		if c.secrets != 200 {
			guest.delete("/secrets/token" + there).want(c.secrets)
		}
		if c.write != 200 {
			guest.delete("/variables/base" + there).want(c.write)
		}
	}
}
