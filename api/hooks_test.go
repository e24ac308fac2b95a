package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// hooked makes a workflow with a webhook trigger, and answers the path of its address.
func (c *client) hooked(change ...func(object)) (path, hook string) {
	c.in.t.Helper()
	trigger := object{"id": "hook", "type": "webhook"}
	for _, f := range change {
		f(trigger)
	}
	path, w := c.create(logOnly("hooked", func(w object) { w["triggers"] = list{trigger} }))
	return path, c.addressOf(w)
}

// addressOf is the path of the first trigger's address.
func (c *client) addressOf(w object) string {
	c.in.t.Helper()
	u, err := url.Parse(w.items("triggers")[0].text("url"))
	if err != nil || "http://"+u.Host != c.in.url {
		c.in.t.Fatalf("the address is %v, %v", u, err)
	}
	return u.Path
}

// deliver sends something to an address.
func (in *installation) deliver(hook, body string, w ...with) answer {
	in.t.Helper()
	return in.nobody(false).fetch("POST", hook, []byte(body), append([]with{header("Content-Type", "application/json")}, w...)...)
}

// inputs are those of a run.
func (c *client) inputs(run string) object {
	c.in.t.Helper()
	return c.get("/runs/" + run).want(200).child("inputs")
}

func TestAWebhookStartsARun(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, hook := ana.hooked(func(o object) { o["inputs"] = object{"fixed": 1, "body": "of the trigger"} })
	if token := strings.TrimPrefix(hook, "/hooks/"); len(token) < 26 {
		t.Errorf("the address can be guessed: %s", token)
	}
	a := in.deliver(hook+"?a=1&b=x&b=y", `{"id": 12345678901234567, "nested": {"ñ": [null]}}`,
		header("X-Event", "push"), header("Authorization", "Basic c2VjcmV0"), cookie("orq_session", "secret"), header("X-Hub-Signature-256", "sha256=00"))
	got := a.want(202)
	if got.text("verdict") != "accepted" || got.text("run_id") == "" || got.text("delivery_id") == "" || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("answered %s", a.body)
	}
	r := ana.get("/runs/" + got.text("run_id")).want(200)
	if r.text("trigger") != "webhook" || r.text("trigger_id") != "hook" || "/workflows/"+r.text("workflow_id") != path {
		t.Errorf("the run is %v", r)
	}
	inputs := r.child("inputs")
	if inputs.number("fixed") != "1" || inputs.child("body").number("id") != "12345678901234567" {
		t.Errorf("inputs %v", inputs)
	}
	headers, query := inputs.child("headers"), inputs.child("query")
	if headers.text("x-event") != "push" || headers["authorization"] != nil || headers["cookie"] != nil || headers["x-hub-signature-256"] != nil {
		t.Errorf("headers %v", headers)
	}
	if query.text("a") != "1" || fmt.Sprint(query["b"]) != "[x y]" {
		t.Errorf("query %v", query)
	}
	d := ana.get("/deliveries/" + got.text("delivery_id")).want(200)
	if d.text("body") != `{"id": 12345678901234567, "nested": {"ñ": [null]}}` || d.text("run_id") != got.text("run_id") || d.text("address") != "127.0.0.1" {
		t.Errorf("the delivery is %v", d)
	}
	for _, secret := range []string{"c2VjcmV0", "orq_session"} {
		if n := in.sql(`select count(*) from deliveries where headers::text like '%' || $1 || '%'`, secret); n != 0 {
			t.Errorf("%s is stored", secret)
		}
	}
}

func TestBodiesOfWebhooks(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	_, hook := ana.hooked(func(o object) { o["methods"] = list{"POST", "GET"} })
	for _, c := range []struct{ kind, body, want string }{
		{"application/json", `[1, {"a": "b"}]`, `[1 map[a:b]]`},
		{"application/vnd.github+json", `"text"`, `text`},
		{"application/x-www-form-urlencoded", "a=1&b=x+y&b=z", `map[a:1 b:[x y z]]`},
		{"application/x-www-form-urlencoded", `{"curl": "-d"}`, `map[curl:-d]`},
		{"text/plain; charset=utf-8", "hello", "hello"},
		{"", "{ no JSON", "{ no JSON"},
		{"application/json", "", "<nil>"},
	} {
		got := in.deliver(hook, c.body, header("Content-Type", c.kind)).want(202)
		if body := ana.inputs(got.text("run_id"))["body"]; fmt.Sprint(body) != c.want {
			t.Errorf("%s as %q became %v, want %s", c.body, c.kind, body, c.want)
		}
	}
	if got := in.nobody(false).fetch("GET", hook+"?q=1", nil).want(202); ana.inputs(got.text("run_id")).child("query").text("q") != "1" {
		t.Errorf("a GET became %v", got)
	}
	before := in.sql(`select count(*) from runs`)
	in.deliver(hook, `{"a":`).refused(400, "json_syntax")
	in.deliver(hook, `{"a":1,"a":2}`).refused(400, "json_duplicate_key")
	in.deliver(hook, `{"a":"\u0000"}`).refused(422, "validation_failed")
	in.deliver(hook, "\xff\xfe", header("Content-Type", "image/png")).refused(415, "body_not_text")
	in.deliver(hook, "x", header("Content-Encoding", "gzip")).refused(415, "content_encoding")
	in.deliver(hook+"?a=%zz", `{}`).refused(400, "query_syntax")
	in.deliver(hook, `"`+strings.Repeat("x", 1<<20)+`"`).refused(413, "body_too_large")
	if a := in.nobody(false).fetch("PUT", hook, nil); a.refused(405, "method_not_allowed").header.Get("Allow") != "POST, GET" {
		t.Errorf("allowed: %s", a.header.Get("Allow"))
	}
	in.deliver("/hooks/"+strings.Repeat("a", 32), `{}`).refused(404, "no_such_address")
	in.deliver("/hooks/"+strings.Repeat("a", 4000), `{}`).refused(404, "no_such_address")
	if after := in.sql(`select count(*) from runs`); after != before {
		t.Errorf("%d runs of refused requests", after-before)
	}
	// A body that inputs have no room for stays with the delivery.
	large := in.deliver(hook, `{"a":"`+strings.Repeat("x", 300_000)+`"}`).want(202)
	inputs := ana.inputs(large.text("run_id"))
	if inputs["body"] != nil || inputs.child("delivery")["body_omitted"] != true || inputs.child("delivery").number("size") != "300008" {
		t.Errorf("inputs of a large body: %.300v", inputs)
	}
	if d := ana.get("/deliveries/" + large.text("delivery_id")).want(200); len(d.text("body")) != 300_008 || d["complete"] != true {
		t.Errorf("the delivery has %d bytes", len(d.text("body")))
	}
}

// sign makes GitHub's signature.
func sign(secret, body string) with {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return header("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func TestSignedWebhooks(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	signed := func(o object) { o["signature"] = object{"scheme": "github", "secret": "github"} }
	ana.post("/workflows", logOnly("w", func(w object) {
		o := object{"id": "hook", "type": "webhook"}
		signed(o)
		w["triggers"] = list{o}
	})).refused(422, "validation_failed").at("/triggers/0/signature/secret", "unknown_secret")
	ana.put("/secrets/github", object{"value": "s3cret"}).want(200)
	path, hook := ana.hooked(signed)
	in.deliver(hook, `{}`).refused(401, "signature_missing")
	in.deliver(hook, `{}`, sign("another", `{}`)).refused(401, "signature_invalid")
	in.deliver(hook, `{} `, sign("s3cret", `{}`)).refused(401, "signature_invalid")
	first := in.deliver(hook, `{}`, sign("s3cret", `{}`), header("X-GitHub-Delivery", "1")).want(202)
	again := in.deliver(hook, `{}`, sign("s3cret", `{}`), header("X-GitHub-Delivery", "1")).want(202)
	if again.text("run_id") != first.text("run_id") || again["duplicate"] != true || again.text("delivery_id") == first.text("delivery_id") {
		t.Errorf("the same request again: %v", again)
	}
	in.deliver(hook, `{}`, sign("s3cret", `{}`), header("X-GitHub-Delivery", "2")).want(202)
	// Another secret counts at once for who signs with it, and soon for nobody else.
	ana.put("/secrets/github", object{"value": "s3cret\nnewer"}).want(200)
	in.deliver(hook, `{}`, sign("newer", `{}`)).want(202)
	ana.put("/secrets/github", object{"value": "newer"}).want(200)
	in.clock.advance(6 * time.Second)
	in.deliver(hook, `{}`, sign("s3cret", `{}`)).refused(401, "signature_invalid")

	refused := func() []object {
		return ana.get(path + "/triggers/hook/deliveries?verdict=refused").want(200).items("items")
	}
	eventually(t, "refused deliveries are listed", func() bool { return len(refused()) == 4 })
	if d := refused()[0]; d.text("code") != "signature_invalid" || d.text("reason") == "" || d["run_id"] != nil {
		t.Errorf("listed as %v", d)
	}
	for range 60 {
		in.deliver(hook, `{}`).refused(401, "signature_missing")
	}
	in.deliver(hook, `{}`, sign("newer", `{}`)).want(202)
	eventually(t, "the list is full", func() bool { return len(refused()) >= 20 })
	if n := len(refused()); n > 20 {
		t.Errorf("%d refused deliveries of a minute are listed", n)
	}
	ana.post("/deliveries/"+refused()[0].text("id")+"/replay", nil).refused(409, "delivery_refused")
}

func TestWhatIsTheSameInTwoDeliveries(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for name, c := range map[string]struct {
		dedupe object
		send   func(hook, key string) answer
	}{
		"by header": {object{"header": "X-Id"}, func(hook, key string) answer { return in.deliver(hook, `{}`, header("X-Id", key)) }},
		"by path":   {object{"json_path": "data[0].id"}, func(hook, key string) answer { return in.deliver(hook, `{"data":[{"id":"`+key+`"}]}`) }},
		"by body":   {object{"body": true}, func(hook, key string) answer { return in.deliver(hook, `{"key":"`+key+`"}`) }},
	} {
		c.dedupe["window"] = "1h"
		path, hook := ana.hooked(func(o object) { o["dedupe"] = c.dedupe })
		first := c.send(hook, "1").want(202).text("run_id")
		if again := c.send(hook, "1").want(202); again.text("run_id") != first || again["duplicate"] != true {
			t.Errorf("%s: again %v", name, again)
		}
		if other := c.send(hook, "2").want(202); other.text("run_id") == first {
			t.Errorf("%s: another %v", name, other)
		}
		in.sql(`with old as (update delivery_keys set expires_at = now() - interval '1 second' returning 0) select count(*) from old`)
		if later := c.send(hook, "1").want(202); later.text("run_id") == first {
			t.Errorf("%s: after the window %v", name, later)
		}
		if n := len(ana.get(path + "/triggers/hook/deliveries").want(200).items("items")); n != 4 {
			t.Errorf("%s: %d deliveries", name, n)
		}
		if n := len(ana.get("/runs?workflow_id=" + strings.TrimPrefix(path, "/workflows/")).want(200).items("items")); n != 3 {
			t.Errorf("%s: %d runs", name, n)
		}
	}
	// Without the key nothing is the same.
	_, hook := ana.hooked(func(o object) { o["dedupe"] = object{"header": "X-Id"} })
	if a, b := in.deliver(hook, `{}`).want(202), in.deliver(hook, `{}`).want(202); a.text("run_id") == b.text("run_id") {
		t.Error("two deliveries without a key are taken for one")
	}
}

// However many arrive at the same time, one of them starts the run.
func TestOneOfManyAtOnce(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	_, hook := ana.hooked(func(o object) { o["dedupe"] = object{"header": "X-Id"} })
	var wg sync.WaitGroup
	var mu sync.Mutex
	runs := map[string]map[string]int{}
	for i := range 200 {
		wg.Go(func() {
			key := fmt.Sprint(i % 10)
			a := in.deliver(hook, `{}`, header("X-Id", key)).json()
			mu.Lock()
			defer mu.Unlock()
			if runs[key] == nil {
				runs[key] = map[string]int{}
			}
			runs[key][a.text("run_id")]++
		})
	}
	wg.Wait()
	if n := in.sql(`select count(*) from runs`); n != 10 {
		t.Errorf("%d runs for 10 keys", n)
	}
	for key, of := range runs {
		for id, n := range of {
			if n != 20 || len(of) != 1 || in.sql(`select count(*) from runs where id = $1`, id) != 1 {
				t.Errorf("key %s: %v", key, of)
			}
		}
	}
	if n := in.sql(`select count(*) from deliveries where verdict = 'duplicate'`); n != 190 {
		t.Errorf("%d duplicates", n)
	}
}

func TestFilteredAndSkippedDeliveries(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, hook := ana.hooked(func(o object) { o["filter"] = `inputs.body.action == "opened" && inputs.headers["x-event"] == "issue"` })
	if a := in.deliver(hook, `{"action":"closed"}`, header("X-Event", "issue")).want(202); a.text("verdict") != "filtered" || a["run_id"] != nil {
		t.Errorf("filtered as %v", a)
	}
	in.deliver(hook, `{"action":"opened"}`, header("X-Event", "issue")).want(202)
	filtered := ana.get(path + "/triggers/hook/deliveries?verdict=filtered").want(200).items("items")
	if len(filtered) != 1 || filtered[0].text("reason") != "the filter is false" {
		t.Errorf("filtered: %v", filtered)
	}
	// A person may want it all the same.
	again := ana.post("/deliveries/"+filtered[0].text("id")+"/replay", nil).want(202)
	if ana.inputs(again.text("id")).child("body").text("action") != "closed" || again.text("trigger") != "webhook" {
		t.Errorf("run again as %v", again)
	}
	newest := ana.get(path + "/triggers/hook/deliveries?limit=1").want(200).items("items")[0]
	if newest.text("replay_of") != filtered[0].text("id") || newest.text("replayed_by") != "ana" || newest.text("run_id") != again.text("id") {
		t.Errorf("the list has %v", newest)
	}

	_, one := ana.hooked(func(o object) { o["overlap"] = "skip" })
	first := in.deliver(one, `{}`).want(202)
	if a := in.deliver(one, `{}`).want(202); a.text("verdict") != "skipped" || a["run_id"] != nil || a.text("reason") == "" {
		t.Errorf("while %s is under way: %v", first.text("run_id"), a)
	}
	_, queued := ana.hooked(func(o object) { o["overlap"] = "queue_one" })
	in.deliver(queued, `{}`).want(202)
	waits := in.deliver(queued, `{}`).want(202)
	if r := ana.get("/runs/" + waits.text("run_id")).want(200); r.text("reason") != "waits for the earlier run of its trigger" {
		t.Errorf("the second run: %v", r)
	}
	if a := in.deliver(queued, `{}`).want(202); a.text("verdict") != "skipped" {
		t.Errorf("the third: %v", a)
	}
}

func TestSwitchedOffAndRotated(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, hook := ana.hooked()
	in.deliver(hook, `{}`).want(202)
	ana.post(path+"/disable", nil).want(200)
	if a := in.deliver(hook, `{}`).refused(503, "trigger_disabled"); a.header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	ana.post(path+"/enable", nil).want(200)
	in.deliver(hook, `{}`).want(202)
	ana.get(path + "/triggers/hook/explain?at=" + url.QueryEscape(time.Now().UTC().Format("2006-01-02T15:04:00Z"))).want(200)

	rotated := ana.addressOf(ana.post(path+"/triggers/hook/rotate-url", object{"keep_old": "1h"}).want(200))
	in.deliver(hook, `{}`).want(202)
	in.deliver(rotated, `{}`).want(202)
	newest := ana.addressOf(ana.post(path+"/triggers/hook/rotate-url", nil).want(200))
	in.clock.advance(6 * time.Second)
	in.deliver(hook, `{}`).refused(404, "no_such_address")
	in.deliver(rotated, `{}`).refused(404, "no_such_address")
	in.deliver(newest, `{}`).want(202)
	ana.post(path+"/triggers/hook/rotate-url", object{"keep_old": "8d"}).refused(422, "validation_failed").at("/keep_old", "too_long")

	// The address survives a save, and a trigger that comes back has it again.
	w := ana.put(path, logOnly("another name", func(w object) { w["triggers"] = list{object{"id": "hook", "type": "webhook"}} })).want(200)
	if ana.addressOf(w) != newest {
		t.Error("a save changed the address")
	}
	if got := in.deliver(newest, `{}`).want(202); ana.get("/runs/"+got.text("run_id")).want(200).number("version") != "2" {
		t.Errorf("it runs %v", got)
	}
	ana.put(path, logOnly("another name")).want(200)
	in.clock.advance(6 * time.Second)
	in.deliver(newest, `{}`).refused(410, "trigger_removed")
	ana.post(path+"/triggers/hook/rotate-url", nil).refused(404, "not_found")
	ana.put(path, logOnly("back", func(w object) { w["triggers"] = list{object{"id": "hook", "type": "webhook"}} })).want(200)
	in.deliver(newest, `{}`).want(202)
	ana.delete(path).want(204)
	in.clock.advance(6 * time.Second)
	in.deliver(newest, `{}`).refused(410, "trigger_removed")
}

func TestOnlyWhoMayStartRunsSeesTheAddress(t *testing.T) {
	in := install(t)
	owner, guest := in.user("owner"), in.user("guest")
	path, hook := owner.hooked()
	delivery := in.deliver(hook, `{}`).want(202).text("delivery_id")
	guest.get("/deliveries/"+delivery).refused(404, "not_found")
	guest.get(path+"/triggers/hook/deliveries").refused(404, "not_found")
	guest.post("/deliveries/"+delivery+"/replay", nil).refused(404, "not_found")
	guest.post(path+"/triggers/hook/rotate-url", nil).refused(404, "not_found")
	project := owner.get(path).want(200).text("project_id")
	in.sql(`insert into project_members (project_id, user_id, role) values ($1, $2, 'viewer') returning 0`, project, guest.me.text("id"))
	in.clock.advance(callerLife)
	if w := guest.get(path).want(200); w.items("triggers")[0]["url"] != nil {
		t.Errorf("a viewer sees %v", w.items("triggers")[0]["url"])
	}
	guest.get("/deliveries/" + delivery).want(200)
	guest.post("/deliveries/"+delivery+"/replay", nil).refused(404, "not_found")
}

// A webhook may answer when the run has ended.
func TestAWebhookThatWaits(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	_, hook := ana.hooked(func(o object) { o["respond"] = object{"wait": "20s"} })
	answered := make(chan answer, 1)
	go func() { answered <- in.deliver(hook, `{}`) }()
	var id string
	eventually(t, "the run is there", func() bool {
		items := ana.get("/runs").want(200).items("items")
		if len(items) == 0 {
			return false
		}
		id = items[0].text("id")
		return true
	})
	w := in.work(id)
	w.record(postgres.Record{Steps: []postgres.StepRow{attempt("say", 1, run.Succeeded, `{"answer":42}`, "")}, Outcome: postgres.Finish, Status: run.Succeeded})
	a := (<-answered).want(200)
	if a.text("status") != "succeeded" || a.text("run_id") != id || a.child("outputs").child("say").number("answer") != "42" {
		t.Errorf("answered %v", a)
	}
	_, hasty := ana.hooked(func(o object) { o["respond"] = object{"wait": "10ms"} })
	if a := in.deliver(hasty, `{}`).want(202); a["status"] != nil || a.text("run_id") == "" {
		t.Errorf("answered %v before the run ended", a)
	}
}

func TestWhatTriggersAreRefused(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for _, c := range []struct {
		trigger       object
		pointer, code string
	}{
		{object{"type": "webhook", "cron": "@daily"}, "/cron", "not_for_type"},
		{object{"type": "schedule", "cron": "@daily", "filter": "true"}, "/filter", "not_for_type"},
		{object{"type": "webhook", "filter": "steps.say.x == 1"}, "/filter", "unknown_name"},
		{object{"type": "webhook", "filter": "inputs.("}, "/filter", "expression_syntax"},
		{object{"type": "webhook", "methods": list{"POST", "POST"}}, "/methods", "duplicate"},
		{object{"type": "webhook", "dedupe": object{}}, "/dedupe", "exclusive"},
		{object{"type": "webhook", "dedupe": object{"json_path": "a..b"}}, "/dedupe/json_path", "json_path"},
		{object{"type": "webhook", "dedupe": object{"body": true, "window": "31d"}}, "/dedupe/window", "too_long"},
		{object{"type": "webhook", "respond": object{"wait": "26s"}}, "/respond/wait", "range"},
		{object{"type": "webhook", "signature": object{"scheme": "github", "secret": "x", "header": "X"}}, "/signature/header", "not_for_scheme"},
		{object{"type": "webhook", "signature": object{"scheme": "hmac", "secret": "x"}}, "/signature/header", "required"},
		{object{"type": "after"}, "/workflow", "required"},
		{object{"type": "after", "workflow": "nobody's"}, "/workflow", "unknown_workflow"},
		{object{"type": "after", "workflow": "w"}, "/workflow", "cycle"},
		{object{"type": "heartbeat"}, "/every", "required"},
		{object{"type": "heartbeat", "every": "1s"}, "/every", "out_of_range"},
		{object{"type": "heartbeat", "cron": "nonsense"}, "/cron", "cron_syntax"},
	} {
		c.trigger["id"] = "t"
		ana.post("/workflows", logOnly("w", func(w object) { w["triggers"] = list{c.trigger} })).
			refused(422, "validation_failed").at("/triggers/0"+c.pointer, c.code)
	}
	path, _ := ana.hooked()
	period := object{"from": "2026-01-05T00:00:00Z", "to": "2026-01-09T23:00:00Z"}
	ana.post(path+"/triggers/hook/backfills", period).refused(409, "no_schedule")
}

func TestWebhooksOfPagesElsewhere(t *testing.T) {
	in := install(t)
	_, hook := in.user("ana").hooked()
	in.deliver(hook, `{}`, header("Origin", "https://shop.example"), header("Sec-Fetch-Site", "cross-site")).want(202)
	if a := in.nobody(false).fetch(http.MethodOptions, hook, nil); a.status != 405 {
		t.Errorf("OPTIONS: %d", a.status)
	}
}

// What GET answers can be sent back: addresses and states are ignored, and nothing changes.
func TestEventTriggersCanBeSentBack(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	ana.put("/secrets/key", object{"value": "x"}).want(200)
	ana.create(logOnly("first"))
	path, _ := ana.create(logOnly("all of them", func(w object) {
		w["triggers"] = list{
			object{
				"id": "hook", "type": "webhook", "methods": list{"PUT"}, "filter": "inputs.body.ok", "dedupe": object{"json_path": "$.a[0]['b c']", "window": "90m"},
				"signature": object{"scheme": "hmac", "secret": "key", "header": "X-Sign", "algorithm": "sha512", "encoding": "base64", "prefix": "v="},
				"respond":   object{"wait": "5s"},
			},
			object{"id": "then", "type": "after", "workflow": "first", "on": "any", "inputs": object{"a": 1}},
			object{"id": "beat", "type": "heartbeat", "cron": "0 3 * * *", "timezone": "Europe/Madrid", "grace": "30m", "on_recovery": true},
		}
	}))
	read := ana.get(path, header("Accept-Language", "es"))
	again := ana.send("PUT", path, raw(read.body), header("Accept-Language", "es"))
	if w := again.want(200); w.number("version") != "1" || string(again.body) != string(read.body) {
		t.Errorf("sent back unchanged it became\n%s\nfrom\n%s", again.body, read.body)
	}
	triggers := read.json().items("triggers")
	if s := triggers[2].child("heartbeat"); s.text("state") != "waiting" || s.text("expected_at") == "" {
		t.Errorf("the heartbeat is %v", s)
	}
	if triggers[1].text("after_workflow_id") == "" || triggers[1].text("description") != "Cuando una ejecución de first termina" {
		t.Errorf("the second is %v", triggers[1])
	}
}

// While PostgreSQL is away nothing is accepted, and the sender is told to try again.
func TestAWebhookWithoutItsDatabase(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	_, hook := ana.hooked()
	in.deliver(hook, `{}`).want(202)
	back := in.cutOff()
	for _, path := range []string{hook, "/hooks/nobody"} {
		if a := in.deliver(path, `{}`); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	back()
	in.deliver(hook, `{}`).want(202)
	if n := in.sql(`select count(*) from runs`); n != 2 {
		t.Errorf("%d runs of 2 that were accepted", n)
	}
}

func TestPings(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, w := ana.create(logOnly("beating", func(w object) {
		w["triggers"] = list{object{"id": "beat", "type": "heartbeat", "every": "1h"}}
	}))
	ping := ana.addressOf(w)
	state := func() object { return ana.get(path).want(200).items("triggers")[0].child("heartbeat") }
	ask := func(method, path string) answer {
		return in.nobody(false).fetch(method, path, []byte("backup done\x00\xff"))
	}
	for _, c := range []struct{ method, path, state, signal string }{
		{"GET", ping, "fine", "ping"}, {"POST", ping + "/start", "started", "start"}, {"HEAD", ping, "fine", "ping"},
		{"POST", ping + "/log", "fine", "log"}, {"GET", ping + "/0", "fine", "ping"}, {"GET", ping + "/137", "fine", "fail"},
	} {
		if a := ask(c.method, c.path); a.status != 200 || c.method != "HEAD" && string(a.body) != "OK" {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
		if s := state(); s.text("state") != c.state || s.text("signal") != c.signal {
			t.Errorf("%s %s: the state is %v", c.method, c.path, s)
		}
	}
	if s := state(); s.text("message") != "backup done" || s.text("last_ping") == "" {
		t.Errorf("the state is %v", s)
	}
	ask("PUT", ping).refused(405, "method_not_allowed")
	ask("GET", ping+"/256").refused(404, "no_such_signal")
	ask("GET", ping+"/nonsense").refused(404, "no_such_signal")
	ask("GET", "/ping/nobody").refused(404, "no_such_address")
	_, hook := ana.hooked()
	ask("GET", strings.Replace(hook, "/hooks/", "/ping/", 1)).refused(404, "no_such_address")
	in.deliver(strings.Replace(ping, "/ping/", "/hooks/", 1), `{}`).refused(404, "no_such_address")
	ana.put(path, logOnly("beating")).want(200)
	ask("GET", ping).refused(410, "trigger_removed")
}

func TestWhyAnEventTriggerRan(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, hook := ana.hooked()
	ana.create(logOnly("first"))
	then, _ := ana.create(logOnly("then", func(w object) { w["triggers"] = list{object{"id": "t", "type": "after", "workflow": "first"}} }))
	explain := func(path, at, lang string) object {
		return ana.get(path+"/explain?at="+url.QueryEscape(at), header("Accept-Language", lang)).want(200)
	}
	now := time.Now().UTC()
	in.deliver(hook, `{}`).want(202)
	if e := explain(path+"/triggers/hook", now.Format(time.RFC3339), "es"); e.text("answer") != "ran" || !strings.Contains(e.text("text"), "1 que se ejecutaron") {
		t.Errorf("explained as %v", e)
	}
	if e := explain(path+"/triggers/hook", now.Add(time.Hour).Format(time.RFC3339), "en"); e.text("answer") != "no_event" {
		t.Errorf("explained as %v", e)
	}
	if e := explain(path+"/triggers/hook", "2020-01-01T00:00:00Z", "en"); e.text("answer") != "before_created" {
		t.Errorf("explained as %v", e)
	}
	if e := explain(then+"/triggers/t", now.Format(time.RFC3339), "en"); e.text("answer") != "before_created" && e.text("answer") != "no_event" {
		t.Errorf("explained as %v", e)
	}
	row := in.triggerOf(then, "t")
	at, code, reason := now.Add(10*time.Minute), postgres.CodeAfter, "run 1 of first succeeded"
	in.ledger(row, postgres.OccurrenceRow{FireAt: at, Outcome: postgres.OutcomeRan, Code: &code, Reason: &reason})
	if e := explain(then+"/triggers/t", at.Format(time.RFC3339), "en"); e.text("answer") != "ran" || !strings.Contains(e.text("text"), "of first succeeded") {
		t.Errorf("explained as %v", e)
	}
}
