package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

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
		{"GET", ping, "fine", "ping"},
		{"POST", ping + "/start", "started", "start"},
		{"HEAD", ping, "fine", "ping"},
		{"POST", ping + "/log", "fine", "log"},
		{"GET", ping + "/0", "fine", "ping"},
		{"GET", ping + "/137", "fine", "fail"},
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
