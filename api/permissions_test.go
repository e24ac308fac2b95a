package api_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

var update = flag.Bool("update", false, "write docs/permissions.md anew")

const permissionsPage = "../docs/permissions.md"

// place is a project with somebody who owns it.
type place struct {
	in    *installation
	id    string
	owner *client
}

func (in *installation) place(name string) place {
	in.t.Helper()
	owner := in.user(name)
	return place{in, owner.get("/auth/me").want(200).items("projects")[0].text("id"), owner}
}

// join gives somebody a role in a project, or another.
func (in *installation) join(project string, who *client, role account.ProjectRole) {
	in.t.Helper()
	in.sql(`insert into project_members (project_id, user_id, role) values ($1, $2, $3)
		on conflict (project_id, user_id) do update set role = excluded.role returning 0`, project, who.me.text("id"), role)
	in.clock.advance(callerLife)
}

// invite makes a link to the place, and answers its token.
func (p place) invite(role account.ProjectRole, change ...func(object)) (token string) {
	p.in.t.Helper()
	body := object{"role": role}
	for _, f := range change {
		f(body)
	}
	_, token, _ = strings.Cut(p.owner.post("/projects/"+p.id+"/invitations", body).want(201).text("url"), "#")
	return token
}

// root is an administrator.
func (in *installation) root() *client {
	in.t.Helper()
	c := in.nobody(false)
	c.token = c.login("root@example.org").want(200).text("access_token")
	return c
}

// resetToken is that of a link that an administrator makes for somebody.
func (in *installation) resetToken(name string) (token string) {
	in.t.Helper()
	var id string
	root := in.root()
	for _, u := range root.get("/users?q=" + name + "@").want(200).items("items") {
		id = u.text("id")
	}
	_, token, _ = strings.Cut(root.post("/users/"+id+"/password-reset", nil).want(201).text("url"), "#")
	return token
}

// person is somebody who tries every operation.
type person struct {
	name string
	*client
	role account.ProjectRole // in the project; empty when they are no member
	// scopes are those of the API token that they come with; nil: they are logged in.
	scopes []account.Permission
}

// Every operation of the contract is tried here by every role, on what is in their project and on what is in another. What
// must be answered follows from x-permission alone:
//
//   - who is not logged in gets 401,
//   - what is in another project, or in a project that one is no member of, is not there (404),
//   - a member whose role does not carry the permission is told so (403), as is an API token without the scope,
//   - everybody else succeeds, on something that nobody has used up before.
//
// An operation that has no entry in calls fails the test. The matrix, which -v prints, is docs/permissions.md; to write it
// anew: go test ./api -run WhoMayDoWhat -update
func TestWhoMayDoWhat(t *testing.T) {
	office := openPostOffice(t)
	in := goAbroad(t, office.serves)
	root := in.user("root") // the first one is the administrator
	mine, foreign := in.place("owner"), in.place("far")
	people := []person{{name: "owner", client: mine.owner, role: account.Owner}}
	for _, role := range []account.ProjectRole{account.Admin, account.Editor, account.Operator, account.Viewer} {
		who := in.user(string(role))
		in.join(mine.id, who, role)
		people = append(people, person{name: string(role), client: who, role: role})
	}
	people = append(people,
		person{name: "token", client: mine.owner.withToken(account.Viewer.Permissions()...), role: account.Owner, scopes: account.Viewer.Permissions()},
		person{name: "administrator", client: root}, person{name: "other", client: in.user("other")}, person{name: "nobody", client: in.nobody(false)})
	slices.Reverse(people) // those who may come last, and find what the others must not have changed
	var rows []matrixRow
	for _, name := range slices.Sorted(maps.Keys(operations())) {
		op := operations()[name]
		make, ok := calls[op.OperationID]
		if !ok {
			t.Errorf("%s (%s) has no entry in calls", name, op.OperationID)
			continue
		}
		rows = append(rows, try(t, name, op, make, mine, foreign, people))
	}
	page := matrix(rows)
	t.Logf("\n%s", page)
	if *update {
		if err := os.WriteFile(permissionsPage, []byte(page), 0o644); err != nil { //nolint:gosec // it is for everybody
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(permissionsPage); err != nil || !bytes.Equal(got, []byte(page)) {
		t.Errorf("docs/permissions.md is old (%v); run: go test ./api -run WhoMayDoWhat -update", err)
	}
}

type matrixRow struct {
	name, permission string
	answers          map[string]string // by person, "foreign" for what is in another project
}

// try lets everybody call an operation, and answers how it went.
func try(t *testing.T, name string, op *openapi3.Operation, make func(place, *client) call, mine, foreign place, people []person) matrixRow {
	t.Helper()
	permission, _ := op.Extensions["x-permission"].(string)
	row := matrixRow{name: name, permission: permission, answers: map[string]string{}}
	ofProject := account.Permission(permission).IsOfProject()
	untouched := make(mine, mine.owner)
	for _, who := range people {
		want := wanted(permission, who)
		if who.scopes != nil && peopleOnly(name) {
			want = 403
		}
		c := untouched
		if want == 200 && who.name != "owner" {
			c = make(mine, who.client)
		}
		if want == 401 {
			c.with = nil // what others log in with
		}
		if permission == "session" && who.scopes != nil {
			c.with = nil // their own token, nobody's session
		}
		got := c.by(who.client, name)
		row.answers[who.name] = got
		if got != answerOf(want) {
			t.Errorf("%s (%s) by %s: %s, want %s", name, permission, who.name, got, answerOf(want))
		}
	}
	if !ofProject {
		return row
	}
	theirs := make(foreign, foreign.owner)
	for _, who := range people {
		want := 404
		switch {
		case who.name == "nobody":
			want = 401
		case who.out(permission), who.scopes != nil && peopleOnly(name):
			want = 403 // whatever it is about
		}
		got := theirs.by(who.client, name)
		if got != answerOf(want) {
			t.Errorf("%s (%s) by %s in another project: %s, want %d", name, permission, who.name, got, want)
		}
		if who.name == "owner" {
			row.answers["foreign"] = got
		}
	}
	if got := theirs.by(foreign.owner, name); got != yes {
		t.Errorf("%s (%s) by whose it is, after others tried: %s", name, permission, got)
	}
	return row
}

// wanted is the status that somebody must get on what is in the project; 200 stands for any success.
func wanted(permission string, who person) int {
	switch {
	case permission == "public":
		return 200
	case who.name == "nobody":
		return 401
	case permission == "session" && who.scopes != nil:
		return 403
	case permission == "self", permission == "session":
		return 200
	case permission == "administrator":
		if who.name == "administrator" {
			return 200
		}
		return 403
	case who.role == "":
		return 404
	case !who.role.Allows(account.Permission(permission)), who.out(permission):
		return 403
	}
	return 200
}

// out tells that they come with a token that has not the scope.
func (p person) out(permission string) bool {
	return p.scopes != nil && !slices.Contains(p.scopes, account.Permission(permission))
}

const yes = "✓"

func answerOf(status int) string {
	if status < 400 {
		return yes
	}
	return strconv.Itoa(status)
}

// by makes the call and answers how it went.
func (c call) by(who *client, operation string) string {
	who.in.t.Helper()
	method, _, _ := strings.Cut(operation, " ")
	if strings.HasPrefix(c.path, "/events") {
		return who.opens(c.path)
	}
	a := who.send(method, c.path, c.body, c.with...)
	if a.status == http.StatusUnprocessableEntity || a.status == http.StatusConflict {
		who.in.t.Errorf("%s %s: %s", method, c.path, a.body)
	}
	return answerOf(a.status)
}

// opens begins a stream, and hangs up.
func (c *client) opens(path string) string {
	c.in.t.Helper()
	ctx, hangUp := context.WithCancel(c.in.t.Context())
	defer hangUp()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.in.url+"/api/v1"+path, nil)
	if err != nil {
		c.in.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		c.in.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return answerOf(resp.StatusCode)
}

const matrixHead = `# Who may do what

Every operation of the API with what each role gets for it. This page is written by the test that tries all of them (` + "`TestWhoMayDoWhat`" + `), and
held to it: ` + "`go test ./api -run WhoMayDoWhat -update`" + ` writes it anew.

- The roles of a project are owner, admin, editor, operator and viewer; ✓ is success on what is in the project.
- *Token* is an API token of the owner with the scopes of a viewer.
- *Administrator* is an administrator of the installation who is no member of the project, *other* somebody else with an account, *nobody* who is not logged in.
- *Elsewhere* is what every one of them gets for what is in a project of others: it is not there. A member whose role does not suffice is told so (403).
- Of the permissions, ` + "`public`" + ` is for everybody, ` + "`self`" + ` for who is logged in and about their own things, ` + "`session`" + ` the same but for API tokens, ` + "`administrator`" + ` for those who look after the installation.
`

// matrix writes the page.
func matrix(rows []matrixRow) string {
	var b strings.Builder
	b.WriteString(matrixHead)
	b.WriteString("\n| role | permissions in its project |\n|---|---|\n")
	for _, role := range []account.ProjectRole{account.Owner, account.Admin, account.Editor, account.Operator, account.Viewer} {
		var words []string
		for _, p := range role.Permissions() {
			words = append(words, "`"+string(p)+"`")
		}
		fmt.Fprintf(&b, "| %s | %s |\n", role, strings.Join(words, ", "))
	}
	columns := []string{"owner", "admin", "editor", "operator", "viewer", "token", "administrator", "other", "nobody", "foreign"}
	b.WriteString("\n| operation | permission | " + strings.Replace(strings.Join(columns, " | "), "foreign", "elsewhere", 1) + " |\n|---|---|" + strings.Repeat(":-:|", len(columns)) + "\n")
	slices.SortStableFunc(rows, func(a, b matrixRow) int {
		_, x, _ := strings.Cut(a.name, " ")
		_, y, _ := strings.Cut(b.name, " ")
		return strings.Compare(x, y)
	})
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | `%s` |", r.name, r.permission)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", r.answers[c])
		}
		b.WriteString("\n")
	}
	return b.String()
}
