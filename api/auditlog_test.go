package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
)

// Operations that change nothing of what the audit log is about, and why.
var unaudited = map[string]string{
	"startRun":         "a run says by itself who or what started it, and thousands may start in a second",
	"runDraft":         "a run says by itself who started it",
	"testStep":         "a test says by itself who made it, touches no run and is forgotten",
	"saveDraft":        "an editor saves every few seconds: who begins a draft or goes on with another's is noted once",
	"refresh":          "a session goes on; only a token that is used twice is noted",
	"validateWorkflow": "changes nothing",
	"previewSchedule":  "changes nothing",
	"previewBackfill":  "changes nothing",
	"lookAtInvitation": "changes nothing",
	"startSSO":         "only begins: what comes of it is noted when they come back (TestWaysInAreNoted)",
	"linkIdentity":     "only begins, likewise",
}

// What has to be done first so that an operation has something to change.
var auditedCalls = map[string]func(p place, who *client) call{
	"enableWorkflow": func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		p.owner.post(path+"/disable", nil).want(200)
		return call{path: path + "/enable"}
	},
	"unmuteWorkflow": func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		p.owner.put(path+"/mute", object{"for": "2h"}).want(200)
		return call{path: path + "/mute"}
	},
	"resumeBackfill": func(p place, who *client) call {
		c := ofBackfill("")(p, who)
		p.owner.post(c.path+"/pause", nil).want(200)
		return call{path: c.path + "/resume"}
	},
}

// Every operation of the contract that is no GET is called, with success, and leaves an entry, unless it stands in the list of
// those that need none, with the reason. What the entry says of who did it, from where and to what is looked at too.
func TestEveryChangeLeavesAnEntry(t *testing.T) {
	office := openPostOffice(t)
	in := goAbroad(t, office.serves)
	root := in.user("root")
	mine := in.place("owner")
	known := audit.Actions()
	for name, op := range operations() {
		if strings.HasPrefix(name, "GET ") && !strings.HasPrefix(op.OperationID, "export") {
			continue
		}
		t.Run(op.OperationID, func(t *testing.T) {
			make, ok := auditedCalls[op.OperationID]
			if !ok {
				make = calls[op.OperationID]
			}
			who := mine.owner
			permission, _ := op.Extensions["x-permission"].(string)
			if permission == "administrator" {
				who = root
			}
			c := make(mine, who)
			method, _, _ := strings.Cut(name, " ")
			a := who.send(method, c.path, c.body, c.with...)
			if a.status >= 300 {
				t.Fatalf("%d: %s", a.status, a.body)
			}
			if op.OperationID == "forgotPassword" { // whether anybody has the address is found out after the answer
				eventually(t, "the link is noted", func() bool {
					return in.sql(`select count(*) from audit_entries where request_id = $1`, a.header.Get("X-Request-Id")) > 0
				})
			}
			rows, err := in.db.Query(t.Context(), `
				select action, actor_kind, actor_name, address, object_id, coalesce(before, ''), coalesce(after, ''), seal is not null
				  from audit_entries where request_id = $1`, a.header.Get("X-Request-Id"))
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			n := 0
			for ; rows.Next(); n++ {
				var action, kind, actor, address, id, before, after string
				var sealed bool
				if err := rows.Scan(&action, &kind, &actor, &address, &id, &before, &after, &sealed); err != nil {
					t.Fatal(err)
				}
				t.Logf("%s by %s %q of %s: %s → %s", action, kind, actor, id, before, after)
				if !slices.Contains(known, audit.Action(action)) || address != "127.0.0.1" || !sealed {
					t.Errorf("%s from %q, sealed %v", action, address, sealed)
				}
				if actor == "" && kind != "nobody" || permission != "public" && kind != "user" {
					t.Errorf("done by %s %q", kind, actor)
				}
				if id == "" && !strings.HasPrefix(action, "audit.") {
					t.Error("nothing is named that it was done to")
				}
				for _, secret := range []string{password, "another value", "a value that nobody reads", "$2a$"} {
					if strings.Contains(before+after, secret) && !strings.HasPrefix(action, "variable.") {
						t.Errorf("it holds %q: %s %s", secret, before, after)
					}
				}
			}
			switch reason, free := unaudited[op.OperationID]; {
			case n == 0 && !free:
				t.Errorf("%s leaves no entry: note the change, or give the reason in unaudited", name)
			case n > 0 && free:
				t.Errorf("%s leaves an entry and needs no reason any more (%s)", name, reason)
			}
		})
	}
	for id := range unaudited {
		if !slices.ContainsFunc(slices.Collect(maps.Values(operations())), func(op *openapi3.Operation) bool { return op.OperationID == id }) {
			t.Errorf("unaudited names %s, which is not there", id)
		}
	}
	if r := in.verified(root); r["ok"] != true {
		t.Errorf("the chain: %v", r)
	}
}

// verified is what a verification finds.
func (in *installation) verified(root *client) object {
	in.t.Helper()
	a := root.post("/audit/verification", nil)
	a.want(200)
	lines := strings.Split(strings.TrimSpace(string(a.body)), "\n")
	var report object
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &report); err != nil {
		in.t.Fatal(err)
	}
	return report
}

// noted lists the newest entries of an action, as the administrator sees them.
func noted(root *client, action string) []object {
	root.in.t.Helper()
	return root.get("/audit?action=" + action).want(200).items("items")
}

func TestAnEntrySaysWhoDidWhatFromWhereAndWhatChanged(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana := in.place("ana")
	path, created := ana.owner.create(example())
	changed := example(func(o object) { o["name"] = "Weekly exchange rate" })
	a := ana.owner.put(path, changed, header("X-Forwarded-For", "192.0.2.7"))
	a.want(200)
	list := noted(root, "workflow.update")
	if len(list) != 1 {
		t.Fatalf("%d entries", len(list))
	}
	e := list[0]
	if e.child("actor").text("name") != "ana" || e.child("actor").text("kind") != "user" || e.child("actor").text("id") != ana.owner.me.text("id") || e.child("actor").text("session_id") == "" ||
		e.text("address") != "192.0.2.7" || e.text("request_id") != a.header.Get("X-Request-Id") || e.text("project_id") != ana.id || e.text("project_name") != "ana" {
		t.Errorf("who and from where: %v", e)
	}
	if e.child("object").text("id") != created.text("id") || e.child("object").text("kind") != "workflow" || e.child("object").text("name") != "Weekly exchange rate" {
		t.Errorf("what: %v", e.child("object"))
	}
	if fmt.Sprint(e.child("before")) != "map[name:Daily exchange rate version:1]" || fmt.Sprint(e.child("after")) != "map[changed:[/name] name:Weekly exchange rate version:2]" {
		t.Errorf("before and after: %v, %v", e.child("before"), e.child("after"))
	}
	ana.owner.put(path, changed).want(200)
	if n := len(noted(root, "workflow.update")); n != 1 {
		t.Errorf("saving the same again is an entry: %d", n)
	}
	// A program is named by its token, whose user answers for it.
	program := ana.owner.withToken(account.WorkflowWrite, account.WorkflowRead)
	program.post(path+"/disable", nil).want(200)
	e = noted(root, "workflow.disable")[0]
	if e.child("actor").text("token_id") == "" || e.child("actor").text("name") != "ana" || e.child("actor")["session_id"] != nil {
		t.Errorf("a program: %v", e.child("actor"))
	}
}

// What was refused changed nothing, and leaves nothing.
func TestWhatIsRefusedLeavesNoEntry(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana := in.place("ana")
	path, _ := ana.owner.create(example())
	size := in.sql(`select count(*) from audit_entries`)
	root.put(path, example()).refused(404, "not_found")
	ana.owner.put(path, object{"name": "x", "steps": list{}}).want(422)
	ana.owner.put(path, example(), header("If-Match", `"99"`)).want(412)
	ana.owner.delete("/secrets/nothing?project_id="+ana.id).refused(404, "not_found")
	ana.owner.delete("/projects/"+ana.id+"/members/"+ana.owner.me.text("id")).refused(409, "last_owner")
	if now := in.sql(`select count(*) from audit_entries`); now != size {
		t.Errorf("%d entries more", now-size)
	}
}

// The log of a project is for its owners and admins, and shows nothing of other projects; that of the installation is for
// administrators.
func TestWhoReadsTheAuditLog(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana, ben := in.place("ana"), in.place("ben")
	ana.owner.create(example())
	ben.owner.create(example())
	for _, e := range ana.owner.get("/projects/" + ana.id + "/audit?limit=200").want(200).items("items") {
		if e.text("project_id") != ana.id {
			t.Errorf("an entry of elsewhere: %v", e)
		}
	}
	ana.owner.get("/projects/"+ben.id+"/audit").refused(404, "not_found")
	ana.owner.get("/audit").refused(403, "administrators_only")
	if n := len(root.get("/audit?project_id=" + ben.id).want(200).items("items")); n != 1 {
		t.Errorf("%d entries of ben's project", n)
	}
	text := string(ana.owner.get("/projects/" + ana.id + "/audit/export?format=csv").body)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 3 || strings.Contains(text, ben.id) { // the head, the workflow, and the export itself
		t.Errorf("%v: %s", err, text)
	}
}

func TestTheAuditLogIsFilteredAndPaged(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana := in.place("ana")
	var paths []string
	for range 5 {
		path, _ := ana.owner.create(example())
		paths = append(paths, path)
	}
	ana.owner.delete(paths[2]).want(204)
	count := func(query string) int { return len(root.get("/audit?" + query).want(200).items("items")) }
	id := strings.TrimPrefix(paths[2], "/workflows/")
	for query, want := range map[string]int{
		"action=workflow.create": 5, "action=workflow": 6, "object=" + id: 2, "actor=" + ana.owner.me.text("id") + "&action=session": 1,
		"action=workflow.create&project_id=" + ana.id: 5, "from=2100-01-01T00:00:00Z": 0, "to=2001-01-01T00:00:00Z": 0, "action=nothing.such": 0,
		"from=2001-01-01T00:00:00Z&to=2100-01-01T00:00:00Z&action=workflow": 6,
	} {
		if got := count(query); got != want {
			t.Errorf("%s: %d entries, want %d", query, got, want)
		}
	}
	var numbers []string
	cursor := ""
	for {
		page := root.get("/audit?limit=3&cursor=" + cursor).want(200)
		for _, e := range page.items("items") {
			numbers = append(numbers, e.number("number"))
		}
		if cursor = page.text("next_cursor"); cursor == "" {
			break
		}
	}
	if int64(len(numbers)) != in.sql(`select number from audit_head`) || numbers[len(numbers)-1] != "1" {
		t.Errorf("paged %v", numbers)
	}
	for _, bad := range []string{"cursor=nonsense", "cursor=LTE", "actor=x", "action=DROP", "from=yesterday", "limit=0", "project_id=1"} {
		if a := root.get("/audit?" + bad); a.status != 422 && a.status != 400 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
}

// Who guesses passwords cannot fill the disk: of an address one a minute is noted, and how many more there were.
func TestFailedLoginsAreNotedByTheMinute(t *testing.T) {
	in := install(t)
	root := in.user("root")
	in.user("ana")
	guess := func(email, address string) {
		in.nobody(false).post("/auth/login", object{"email": email, "password": "a wrong password"}, header("X-Forwarded-For", address)).refused(401, "bad_credentials")
	}
	in.clock.toNextMinute()
	for range 5 {
		guess("ana@example.org", "192.0.2.7")
	}
	guess("correct horse battery@example.org", "192.0.2.8")
	list := noted(root, "session.refuse")
	if len(list) != 2 || list[1].text("address") != "192.0.2.7" || list[1].child("object").text("name") != "ana" || list[1].child("actor").text("kind") != "nobody" {
		t.Fatalf("%v", list)
	}
	if text := fmt.Sprint(list[0]); strings.Contains(text, "correct horse") {
		t.Errorf("what somebody typed is kept: %s", text)
	}
	in.clock.toNextMinute()
	for i := range 60 {
		guess(fmt.Sprintf("nobody%d@example.org", i), fmt.Sprintf("198.51.100.%d", i))
	}
	if list = noted(root, "session.refuse&limit=200"); len(list) != 2+1+20 {
		t.Errorf("%d entries, want the two, what more came from the first address, and 20 addresses", len(list))
	}
	if more := list[20]; more.child("after").number("more") != "4" || more.text("address") != "192.0.2.7" {
		t.Errorf("how many more: %v", more)
	}
	in.clock.toNextMinute()
	guess("ana@example.org", "192.0.2.9")
	if more := noted(root, "session.refuse&limit=200")[1]; more.child("after").number("more") != "40" || more.text("address") != "" {
		t.Errorf("from addresses beyond the 20: %v", more)
	}
	guess("ana@example.org", "192.0.2.9")
	in.stop()
	if n := in.sql(`select count(*) from audit_entries where after like '%"more":1,%' and address = '192.0.2.9'`); n != 1 {
		t.Errorf("%d entries of what was counted when the process ended", n)
	}
}

// An export that breaks off looks like one: whoever takes it home must not believe that it is whole.
func TestAnExportThatBreaksOffIsNoWholeOne(t *testing.T) {
	in := install(t)
	root := in.user("root")
	in.sql(`with more as (
		insert into audit_entries (number, at, actor_kind, actor_name, address, request_id, action, object_id, object_name, before, previous, hash)
		select 1000 + g, now(), 'system', '', '', '', 'audit.cut', '', md5(g::text), case when g = 4000 then '{' else '{}' end, '', '' from generate_series(1, 5000) g)
		select 0`)
	for _, encoding := range []string{"identity", "gzip"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, in.url+"/api/v1/audit/export", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+root.token)
		req.Header.Set("Accept-Encoding", encoding)
		resp, err := root.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil {
			t.Errorf("%s: %d bytes came to an orderly end", encoding, len(body))
		}
	}
}

// A person's edits of a draft are noted when they begin, and when they go on with what somebody else wrote.
func TestWhoWritesADraftIsNotedOnce(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana := in.place("ana")
	ben := in.user("ben")
	in.join(ana.id, ben, account.Editor)
	path, _ := ana.owner.create(example())
	for _, who := range []*client{ana.owner, ana.owner, ana.owner, ben, ben, ana.owner} {
		who.put(path+"/draft", drafted(example())).want(200)
	}
	var names []string
	for _, e := range noted(root, "draft.begin") {
		names = append(names, e.child("actor").text("name"))
	}
	if got := strings.Join(names, " "); got != "ana ben ana" {
		t.Errorf("noted of %s", got)
	}
}

// Somebody who has the database changes the log, and an administrator sees it.
func TestAnAdministratorVerifies(t *testing.T) {
	in := install(t)
	root := in.user("root")
	if r := in.verified(root); r["ok"] != true || r["seals_checked"] != true || fmt.Sprint(r["sealed_through"]) != fmt.Sprint(r["entries"]) {
		t.Errorf("%v", r)
	}
	if _, err := in.db.Exec(t.Context(), `alter table audit_entries disable trigger all`); err != nil {
		t.Fatal(err)
	}
	in.sql(`update audit_entries set actor_name = 'eva' where number = 2 returning number`)
	r := in.verified(root)
	if broken, _ := r["broken"].(map[string]any); r["ok"] != false || broken["problem"] != "altered" || fmt.Sprint(broken["number"]) != "2" {
		t.Errorf("%v", r)
	}
	if e := noted(root, "audit.verify")[0]; e.child("after").number("broken") != "2" {
		t.Errorf("%v", e)
	}
}

// The whole export can be verified by whoever has it.
func TestTheExportIsTheChain(t *testing.T) {
	in := install(t)
	root := in.user("root")
	ana := in.place("ana")
	ana.owner.create(example())
	a := root.get("/audit/export")
	a.want(200)
	if a.header.Get("Content-Disposition") != `attachment; filename="audit.jsonl"` {
		t.Errorf("headers %v", a.header)
	}
	v := audit.NewVerifier(nil)
	for line := range strings.Lines(string(a.body)) {
		e, err := audit.Parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		v.Add(e)
	}
	if r := v.End(nil); !r.OK || r.Entries != in.sql(`select number from audit_head`) {
		t.Errorf("%+v, %+v", r, r.Broken)
	}
}
