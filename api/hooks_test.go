package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
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
	if err != nil || "http://"+u.Host != c.in.url && u.Host != publicHost {
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
	in.clock.toNextMinute()
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
	_, instead := ana.hooked(func(o object) { o["overlap"] = "cancel_running" })
	old := in.deliver(instead, `{}`).want(202).text("run_id")
	in.deliver(instead, `{}`).want(202)
	if r := ana.get("/runs/" + old).want(200); r.text("status") != "cancelled" || r.text("reason") != "a newer run of its trigger was due" {
		t.Errorf("the run that makes way: %v", r)
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
