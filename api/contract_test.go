package api_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

type contractT struct {
	doc    *openapi3.T
	router routers.Router
}

// contract is openapi.yaml, read strictly: an answer may not hold anything that its schema does not name.
var contract = sync.OnceValue(func() contractT {
	source, err := os.ReadFile("openapi.yaml")
	if err != nil {
		panic(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(source)
	if err != nil {
		panic(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		panic(err)
	}
	// Of 3.1 the contract uses lists of types and schemas without one; the library's own validator knows both, if told.
	doc.OpenAPI = "3.0.3"
	no := false
	for name, schema := range doc.Components.Schemas {
		s := schema.Value
		// A run is a summary and more, so neither part can be closed.
		if s.Type.Is("object") && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil && name != "RunSummary" {
			s.AdditionalProperties.Has = &no
		}
		for _, property := range s.Properties {
			property.Value.Nullable = property.Value.Nullable || property.Value.Type == nil
		}
		for _, part := range s.AllOf {
			for _, property := range part.Value.Properties {
				property.Value.Nullable = property.Value.Nullable || property.Value.Type == nil
			}
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		panic(err)
	}
	return contractT{doc, router}
})

// check holds an answer against the contract. One to a request that the contract does not know must be a problem.
func (c *client) check(a answer) {
	c.in.t.Helper()
	if a.status >= 500 {
		c.in.t.Errorf("%s %s: %d\nsent: %.500q\ngot: %s", a.req.Method, a.req.URL, a.status, a.sent, a.body)
	}
	if a.status >= 400 {
		if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
			c.in.t.Errorf("%s %s: %d as %q, want application/problem+json", a.req.Method, a.req.URL, a.status, kind)
		}
		problem := a.json()
		err := contract().doc.Components.Schemas["Problem"].Value.VisitJSON(map[string]any(problem))
		if err != nil || problem.number("status") != strconv.Itoa(a.status) || problem.text("title") != http.StatusText(a.status) {
			c.in.t.Errorf("%s %s: no problem: %v\n%s", a.req.Method, a.req.URL, err, a.body)
		}
		if bytes.Contains(a.body, []byte(password)) {
			c.in.t.Errorf("%s %s: the answer holds the password: %s", a.req.Method, a.req.URL, a.body)
		}
	}
	route, params, err := contract().router.FindRoute(a.req)
	if err != nil {
		if a.status < 400 {
			c.in.t.Errorf("%s %s: %d, but the contract does not know it", a.req.Method, a.req.URL, a.status)
		}
		return
	}
	if a.status < 400 {
		c.asked.Store(route.Operation.OperationID, true)
	}
	err = openapi3filter.ValidateResponse(c.in.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: a.req, PathParams: params, Route: route},
		Status:                 a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{
			MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeResponseBody: a.status >= 400,
		},
	})
	if err != nil {
		c.in.t.Errorf("%s %s: the answer is not what the contract says: %v\n%.2000s", a.req.Method, a.req.URL, short(err), a.body)
	}
}

func short(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\nSchema:")
	return text
}

// operations lists the contract's operations.
func operations() map[string]*openapi3.Operation {
	all := map[string]*openapi3.Operation{}
	for path, item := range contract().doc.Paths.Map() {
		for method, op := range item.Operations() {
			all[method+" "+path] = op
		}
	}
	return all
}

// What other programs were promised: the operation, the status of success, and members that its answer always has.
var promised = map[string]struct {
	status  string
	members string
}{
	"POST /runs/{id}/resolve":                           {"202", "id status"},
	"GET /hosts":                                        {"200", "items"},
	"PUT /hosts/{host}":                                 {"200", "host max_concurrent per_second burst failures closed_until reason"},
	"DELETE /hosts/{host}":                              {"204", ""},
	"POST /auth/register":                               {"201", "id email username role"},
	"POST /auth/login":                                  {"200", "access_token token_type expires_in"},
	"POST /auth/refresh":                                {"200", "access_token token_type expires_in"},
	"POST /auth/logout":                                 {"204", ""},
	"GET /auth/me":                                      {"200", "id email username role projects"},
	"POST /workflows":                                   {"201", "id version name enabled triggers steps created_at updated_at next_fire_at"},
	"GET /workflows":                                    {"200", "items next_cursor"},
	"GET /workflows/{id}":                               {"200", "id version name enabled triggers steps created_at updated_at next_fire_at"},
	"PUT /workflows/{id}":                               {"200", "id version name enabled triggers steps created_at updated_at next_fire_at"},
	"DELETE /workflows/{id}":                            {"204", ""},
	"POST /workflows/{id}/enable":                       {"200", "id version enabled"},
	"POST /workflows/{id}/disable":                      {"200", "id version enabled"},
	"POST /workflows/{id}/runs":                         {"202", "id status"},
	"GET /runs":                                         {"200", "items next_cursor"},
	"GET /runs/{id}":                                    {"200", "id workflow_id version status reason trigger inputs created_at started_at finished_at steps"},
	"GET /runs/{id}/logs":                               {"200", "items next_cursor"},
	"POST /runs/{id}/cancel":                            {"202", "id status"},
	"POST /runs/{id}/rerun":                             {"202", "id status"},
	"POST /schedules/preview":                           {"200", "description fires anomalies"},
	"GET /workflows/{id}/occurrences":                   {"200", "items next_cursor"},
	"POST /workflows/{id}/triggers/{trigger}/backfills": {"201", "id state total done failed"},
	"POST /workflows/{id}/triggers/{trigger}/backfills/preview": {"200", "total fires"},
	"GET /workflows/{id}/triggers/{trigger}/explain":            {"200", "expected answer text fire_at before after"},
	"schema StepRun":    {"", "id action status attempts output error"},
	"schema Attempt":    {"", "number status started_at finished_at error"},
	"schema LogLine":    {"", "seq at step attempt level message"},
	"schema Fire":       {"", "at local note"},
	"schema Anomaly":    {"", "at kind effect"},
	"schema Occurrence": {"", "fire_at outcome reason run_id"},
	"schema RunSummary": {"", "id workflow_id version status reason cancel_requested_at trigger created_at started_at finished_at"},
}

func TestTheContractKeepsWhatWasPromised(t *testing.T) {
	all := operations()
	for name, want := range promised {
		var schema *openapi3.Schema
		if component, isSchema := strings.CutPrefix(name, "schema "); isSchema {
			schema = contract().doc.Components.Schemas[component].Value
		} else {
			op := all[name]
			if op == nil || op.Responses.Value(want.status) == nil {
				t.Errorf("%s does not answer %s", name, want.status)
				continue
			}
			if media := op.Responses.Value(want.status).Value.Content.Get("application/json"); media != nil {
				schema = media.Schema.Value
			}
		}
		for _, member := range strings.Fields(want.members) {
			if schema == nil || !slices.Contains(required(schema), member) {
				t.Errorf("%s: %q is not required in its answer", name, member)
			}
		}
	}
	enum := func(name string) (words []string) {
		for _, v := range contract().doc.Components.Schemas[name].Value.Enum {
			words = append(words, v.(string))
		}
		return words
	}
	statuses := []string{"queued", "running", "waiting", "held", "succeeded", "failed", "cancelled"}
	if got := enum("RunStatus"); !slices.Equal(got, statuses) {
		t.Errorf("run statuses are %v", got)
	}
	if got := enum("StepStatus"); !slices.Equal(got, append(statuses, "skipped")) {
		t.Errorf("step statuses are %v", got)
	}
}

func required(s *openapi3.Schema) []string {
	names := slices.Clone(s.Required)
	for _, part := range s.AllOf {
		names = append(names, required(part.Value)...)
	}
	return names
}

// Every operation is made here once with success, in the order in which somebody comes to need it; each answer is held
// against the contract by the client.
func TestTheWholeContract(t *testing.T) {
	in := goAbroad(t, openPostOffice(t).serves)
	ana := in.nobody(true)
	ana.get("/system").want(200)
	ana.post("/auth/register", object{"email": "ana@example.org", "username": "ana", "password": password}).want(201)
	ana.login("ana@example.org").want(200)
	ana.post("/auth/refresh", nil).want(200)
	ana.get("/auth/me").want(200)
	in.tourOfPeople(ana)

	ana.post("/workflows/validate", example()).want(204)
	ana.post("/schedules/preview", object{"cron": "0 9 * * *", "timezone": "Europe/Madrid"}).want(200)
	path, _ := ana.create(example())
	ana.get("/workflows").want(200)
	ana.get(path).want(200)
	ana.put(path, example(func(w object) { w["name"] = "Hourly exchange rate" })).want(200)
	ana.get(path + "/versions").want(200)
	ana.get(path + "/versions/1").want(200)
	ana.post(path+"/disable", nil).want(200)
	ana.post(path+"/enable", nil).want(200)
	ana.get(path + "/occurrences").want(200)

	holidays := object{"name": "holidays", "dates": list{"2026-12-25"}}
	calendar := "/calendars/" + ana.post("/calendars", holidays).want(201).text("id")
	ana.get("/calendars").want(200)
	ana.get(calendar).want(200)
	ana.put(calendar, holidays).want(200)
	ana.delete(calendar).want(204)

	ana.put("/secrets/token", object{"value": "a value that nobody reads"}).want(200)
	ana.get("/secrets").want(200)
	ana.delete("/secrets/token").want(204)
	ana.put("/variables/base", object{"value": "EUR"}).want(200)
	ana.get("/variables").want(200)
	ana.delete("/variables/base").want(204)

	morning := path + "/triggers/morning"
	ana.get(morning + "/explain?at=2026-11-23T09:00").want(200)
	period := object{"from": "2026-01-05T00:00:00Z", "to": "2026-01-09T23:00:00Z"}
	ana.post(morning+"/backfills/preview", period).want(200)
	backfill := "/backfills/" + ana.post(morning+"/backfills", period).want(201).text("id")
	ana.get(morning + "/backfills").want(200)
	ana.get(backfill).want(200)
	ana.post(backfill+"/pause", nil).want(200)
	ana.post(backfill+"/resume", nil).want(200)
	ana.post(backfill+"/cancel", nil).want(200)

	hooked, hook := ana.hooked()
	delivery := "/deliveries/" + in.deliver(hook, `{}`).want(202).text("delivery_id")
	ana.get(hooked + "/triggers/hook/deliveries").want(200)
	ana.get(delivery).want(200)
	ana.post(delivery+"/replay", nil).want(202)
	ana.post(hooked+"/triggers/hook/rotate-url", nil).want(200)

	draft := path + "/draft"
	ana.put(draft, object{"definition": example()}).want(200)
	ana.get(draft).want(200)
	ana.get(draft + "/plan").want(200)
	ana.post(draft+"/runs", object{"inputs": object{"base": "USD"}}).want(202)
	ana.post(draft+"/publish", nil).want(200)
	ana.delete("/workflows/" + ana.post("/workflows/drafts", object{"definition": object{}}).want(201).text("workflow_id") + "/draft").want(204)

	test := ana.post("/step-tests", object{"step": object{"id": "a", "action": "log_message", "config": object{"message": "m"}}}).want(202)
	ana.get("/step-tests/" + test.text("id")).want(200)
	ana.get("/auth/sessions").want(200)
	ana.tourOfIdentities()
	made := ana.post("/auth/tokens", object{"name": "ci", "scopes": []string{"run.read"}}).want(201)
	ana.get("/auth/tokens").want(200)
	ana.delete("/auth/tokens/" + made.child("api_token").text("id")).want(204)

	run := ana.post(path+"/runs", object{"inputs": object{"base": "USD"}}).want(202)
	ana.get("/runs").want(200)
	ana.get("/runs/" + run.text("id")).want(200)
	ana.get("/runs/" + run.text("id") + "/logs").want(200)
	ana.get("/runs/" + run.text("id") + "/children").want(200)
	ana.post("/runs/"+run.text("id")+"/cancel", nil).want(202)
	ana.post("/runs/"+run.text("id")+"/rerun", nil).want(202)
	held := ana.post(path+"/runs", nil).want(202).text("id")
	in.work(held).holds("fetch", "the worker was lost while GET https://api.example.com/rates was under way; did it happen?")
	ana.post("/runs/"+held+"/resolve", object{"step": "fetch", "decision": "succeeded", "output": object{"status": 200}}).want(202)
	question, _ := ana.asks(path, "May it go on?")
	ana.get("/approvals").want(200)
	ana.get(question).want(200)
	ana.post(question+"/decide", object{"decision": "approve"}).want(200)
	_, asking := ana.asks(path, "And this one?")
	link := approvalLink(t, asking)
	ana.get(link).want(200)
	ana.post(link, object{"decision": "reject", "name": "Eva"}).want(200)
	ana.put("/hosts/api.example.com", object{"max_concurrent": 5, "per_second": 0.5}).want(200)
	ana.get("/hosts").want(200)
	ana.delete("/hosts/api.example.com").want(204)
	ana.get("/actions").want(200)
	ana.get("/alert-channel-types").want(200)
	alarm := object{"name": "hook", "action": "http_endpoint", "config": object{"url": "https://example.com/alerts"}}
	channel := ana.post("/alert-channels", alarm).want(201).text("id")
	ana.get("/alert-channels").want(200)
	ana.get("/alert-channels/" + channel).want(200)
	ana.put("/alert-channels/"+channel, alarm).want(200)
	told := ana.post("/alert-channels/"+channel+"/test", object{}).want(202).text("id")
	ana.get("/alerts").want(200)
	ana.get("/alerts/" + told).want(200)
	in.sql(`with failed as (update alert_deliveries set state = 'failed' where alert_id = $1) select 0`, told)
	ana.post("/alerts/"+told+"/retry", nil).want(200)
	onFailure := object{"name": "failures", "on": list{"failure"}, "channels": list{channel}}
	rule := "/alert-rules/" + ana.post("/alert-rules", onFailure).want(201).text("id")
	ana.get("/alert-rules").want(200)
	ana.get(rule).want(200)
	ana.put(rule, onFailure).want(200)
	ana.delete(rule).want(204)
	ana.delete("/alert-channels/" + channel).want(204)
	ana.put(path+"/mute", object{"for": "1h"}).want(200)
	ana.get(path + "/mute").want(200)
	ana.delete(path + "/mute").want(204)
	ana.get("/queues").want(200)
	ana.get("/workers").want(200)
	ana.get("/stats").want(200)
	ana.get("/overview").want(200)
	ana.put("/queues/bulk", object{"max_concurrent": 5}).want(200)
	ana.post("/queues/bulk/pause", nil).want(200)
	ana.post("/queues/bulk/resume", nil).want(200)
	home := ana.get("/auth/me").want(200).items("projects")[0].text("id")
	ana.put("/projects/"+home+"/limits", object{"max_concurrent": nil}).want(200)
	ana.put("/projects/"+home+"/egress", object{"only": list{"*.example.com"}}).want(200)
	ana.put("/projects/"+home+"/egress/allow", object{"allow": list{"10.1.0.0/16"}}).want(200)
	ana.get("/projects/" + home + "/egress").want(200)
	ana.get("/installation/projects").want(200)
	ana.put("/projects/"+home+"/quota", object{"workflows": 500, "runs_per_minute": 500, "concurrent_runs": nil, "storage": nil}).want(200)
	ana.get("/projects/" + home + "/quota").want(200)
	listen(t, ana, "runs", "").until("retry")
	ana.delete(path).want(204)
	session := ana.get("/auth/sessions").want(200).items("items")[0].text("id")
	ana.delete("/auth/sessions/" + session).want(204)
	ana.post("/auth/logout", nil).want(204)

	ana.asked.Store("streamEvents", true) // listen failed the test if it did not answer 200
	for name, op := range operations() {
		if _, called := ana.asked.Load(op.OperationID); !called {
			t.Errorf("%s (%s) was not called", name, op.OperationID)
		}
	}
}

// tourOfPeople makes the operations about projects, members and accounts.
func (in *installation) tourOfPeople(ana *client) {
	ana.get("/projects").want(200)
	project := "/projects/" + ana.post("/projects", object{"name": "Payments"}).want(201).text("id")
	ana.get(project).want(200)
	ana.put(project, object{"name": "Payments and more"}).want(200)
	token := func(url string) string { _, token, _ := strings.Cut(url, "#"); return token }
	withdrawn := ana.post(project+"/invitations", object{"role": "viewer", "email": "x@example.org"}).want(201).child("invitation").text("id")
	ana.get(project + "/invitations").want(200)
	ana.delete(project + "/invitations/" + withdrawn).want(204)
	link := token(ana.post(project+"/invitations", object{"role": "operator"}).want(201).text("url"))
	ana.post("/invitations/look", object{"token": link}).want(200)
	ben := in.user("ben")
	ana.asked.Store("acceptInvitation", ben.post("/invitations/accept", object{"token": link}).want(200) != nil)
	id := ben.me.text("id")
	ana.get(project + "/members").want(200)
	ana.put(project+"/members/"+id, object{"role": "owner"}).want(200)
	ana.post(project+"/leave", nil).want(204)
	ben.put(project+"/members/"+id, object{"role": "owner"}).want(200)
	ben.post(project+"/invitations", object{"role": "owner"}).want(201)
	ben.delete(project+"/members/"+id).refused(409, "last_owner")
	ben.delete(project).want(204)
	second := ana.post("/projects", object{"name": "Second"}).want(201).text("id")
	in.join(second, ben, "viewer")
	ana.delete("/projects/" + second + "/members/" + id).want(204)
	ana.delete("/projects/" + second).want(204)

	ana.get(project+"/audit").refused(404, "not_found") // it is gone
	third := "/projects/" + ana.post("/projects", object{"name": "Third"}).want(201).text("id")
	ana.get(third + "/audit").want(200)
	ana.get(third + "/audit/export").want(200)
	ana.get("/audit").want(200)
	ana.get("/audit/export?format=csv").want(200)
	ana.post("/audit/verification", nil).want(200)

	account := ana.post("/invitations", object{}).want(201).child("invitation").text("id")
	ana.get("/invitations").want(200)
	ana.delete("/invitations/" + account).want(204)
	ana.get("/users").want(200)
	user := "/users/" + id
	ana.post(user+"/disable", nil).want(200)
	ana.post(user+"/enable", nil).want(200)
	ana.put(user+"/role", object{"role": "member"}).want(200)
	ana.delete(user + "/sessions").want(204)
	reset := token(ana.post(user+"/password-reset", nil).want(201).text("url"))
	ana.post("/auth/password/reset", object{"token": reset, "password": password}).want(204)
	ana.post("/auth/password/forgot", object{"email": "nobody@example.org"}).want(202)
	ana.put("/auth/password", object{"current_password": password, "password": password}).want(204)
	ana.delete("/auth/sessions").want(204)
}

const nobodysID = "0190c0de-0000-7000-8000-000000000000"

// Whoever adds an operation says who may call it; nobody may, unless it says so.
func TestNobodyIsRefused(t *testing.T) {
	in := install(t)
	nobody := in.nobody(false)
	public := []string{
		"getSystem", "register", "login", "refresh", "logout", "forgotPassword", "resetPassword", "lookAtInvitation", "getAsked", "decideAsked",
		"startSSO", "finishSSO",
	}
	for name, op := range operations() {
		permission, _ := op.Extensions["x-permission"].(string)
		if permission == "" {
			t.Errorf("%s has no x-permission", name)
		}
		if slices.Contains(public, op.OperationID) != (permission == "public") {
			t.Errorf("%s: x-permission is %q", name, permission)
		}
		if permission == "public" {
			continue
		}
		method, path, _ := strings.Cut(name, " ")
		path = strings.NewReplacer("{id}", nobodysID, "{version}", "1", "{host}", "api.example.com", "{trigger}", "morning", "{queue}", "bulk", "{name}", "token", "{user}", nobodysID, "{invitation}", nobodysID, "{provider}", "oidc").Replace(path)
		for who, w := range map[string]with{
			"nobody":               func(*http.Request) {},
			"a forged token":       header("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
			"another scheme":       header("Authorization", "Basic YW5hOnBhc3N3b3Jk"),
			"a cookie of nonsense": cookie("orq_session", "nonsense"),
		} {
			a := nobody.send(method, path, nil, w)
			if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s by %s: %d", name, who, a.status)
			}
		}
	}
}
