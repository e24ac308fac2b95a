package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

// withToken is a program that comes with an API token of the client's user.
func (c *client) withToken(scopes ...account.Permission) *client {
	c.in.t.Helper()
	t := c.post("/auth/tokens", object{"name": "for a program", "scopes": scopes}).want(201)
	program := c.in.nobody(false)
	program.token, program.me = t.text("token"), c.me
	return program
}

// The scopes of the contract are the permissions there are.
func TestScopesAreThePermissions(t *testing.T) {
	var named []account.Permission
	for _, v := range contract().doc.Components.Schemas["Scope"].Value.Enum {
		named = append(named, account.Permission(v.(string)))
	}
	want := account.Scopes()
	slices.Sort(named)
	slices.Sort(want)
	if !slices.Equal(named, want) {
		t.Errorf("the contract has the scopes %v, want %v", named, want)
	}
}

func TestAnAPIToken(t *testing.T) {
	in := install(t)
	in.user("root")
	ana := in.user("ana")
	home := ana.get("/auth/me").want(200).items("projects")[0].text("id")
	answer := ana.post("/auth/tokens", object{"name": " nightly ", "scopes": []string{"run.read", "run.start"}, "expires_in_days": 1}).want(201)
	token, made := answer.text("token"), answer.child("api_token")
	if !strings.HasPrefix(token, "orq_") || made.text("name") != "nightly" || !strings.HasSuffix(token, made.text("hint")) || made["used_at"] != nil {
		t.Errorf("the token: %v", made)
	}
	path, _ := ana.create(example())
	program := in.nobody(false)
	program.token = token
	run := program.post(path+"/runs", nil).want(202)
	program.get("/runs/" + run.text("id")).want(200)
	program.put(path, example()).refused(403, "scope_missing")
	program.get("/workflows").refused(403, "scope_missing")
	program.get("/auth/tokens").refused(403, "session_only")
	if me := program.get("/auth/me").want(200); me.text("username") != "ana" {
		t.Errorf("it stands for %v", me)
	}
	list := ana.get("/auth/tokens").want(200).items("items")
	if len(list) != 1 || list[0]["token"] != nil || list[0]["used_at"] == nil {
		t.Errorf("the list: %v", list)
	}
	if n := in.sql(`select count(*) from api_tokens where encode(hash, 'escape') like '%' || $1 || '%' or hint = $1`, token); n != 0 {
		t.Error("the token itself is kept")
	}
	for _, wrong := range []string{"orq_", token + "a", token[:len(token)-1], strings.ToUpper(token), "orq_" + strings.Repeat("a", 58)} {
		program.token = wrong
		program.get("/auth/me").refused(401, "unauthorized")
	}
	program.token = token
	ana.post("/auth/tokens", object{"name": "x", "scopes": []string{"administrator"}}).refused(422, "validation_failed")
	ana.post("/auth/tokens", object{"name": "x", "scopes": []string{}}).refused(422, "validation_failed")
	ana.post("/auth/tokens", object{"name": "x", "scopes": []string{"run.read"}, "project_id": "00000000-0000-4000-8000-000000000000"}).refused(422, "validation_failed")
	in.user("ben").delete("/auth/tokens/"+made.text("id")).refused(404, "not_found")

	// One for a project sees no other.
	second := in.user("cyd")
	in.join(second.get("/auth/me").want(200).items("projects")[0].text("id"), ana, account.Owner)
	narrow := ana.post("/auth/tokens", object{"name": "one project", "scopes": []string{"run.read"}, "project_id": home}).want(201)
	program.token = narrow.text("token")
	if n := len(program.get("/auth/me").want(200).items("projects")); n != 1 {
		t.Errorf("it sees %d projects", n)
	}

	ana.delete("/auth/tokens/" + made.text("id")).want(204)
	program.token = token
	program.get("/auth/me").refused(401, "unauthorized")
	program.token = narrow.text("token")
	in.sql(`update api_tokens set expires_at = now() returning 0`)
	in.clock.advance(callerLife)
	program.get("/auth/me").refused(401, "unauthorized")
}

// An administrator's token for less does not open what is outside the contract either.
func TestTheDashboardAsksForTheScope(t *testing.T) {
	in := install(t)
	root := in.user("root")
	for scope, want := range map[account.Permission]int{account.RunRead: 403, account.Administer: 200} {
		if a := root.withToken(scope).fetch("GET", "/monitoring/", nil, html); a.status != want {
			t.Errorf("with %s: %d, want %d", scope, a.status, want)
		}
	}
}

// Whoever is shut out takes their tokens with them.
func TestADisabledUsersTokens(t *testing.T) {
	in := install(t)
	in.user("root")
	ana := in.user("ana")
	program := ana.withToken(account.RunRead)
	program.get("/runs").want(200)
	in.sql(`update users set disabled_at = now() where username = 'ana' returning 0`)
	in.clock.advance(callerLife)
	program.get("/runs").refused(401, "unauthorized")
}
