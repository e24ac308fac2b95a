package api_test

import (
	"strings"
	"testing"
)

// alarm makes a channel, and answers its id.
func (c *client) alarm(name string) string {
	c.in.t.Helper()
	return c.post("/alert-channels", object{"name": name, "action": "http_endpoint", "config": object{"url": "https://example.com/alerts"}}).want(201).text("id")
}

func TestChannels(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	slack := object{"name": "Team", "action": "slack", "config": object{"webhook_url": "{{ secrets.slack }}"}}
	ana.post("/alert-channels", slack).refused(422, "validation_failed").at("/config/webhook_url", "unknown_secret")
	ana.put("/secrets/slack", object{"value": canary}).want(200)
	made := ana.post("/alert-channels", slack).want(201)
	path := "/alert-channels/" + made.text("id")
	ana.post("/alert-channels", slack).refused(409, "name_taken")
	ana.delete("/secrets/slack").refused(409, "secret_in_use")
	if got := ana.get("/alert-channels").want(200).items("items"); len(got) != 1 || got[0].text("name") != "Team" {
		t.Errorf("listed %v", got)
	}
	changed := ana.put(path, object{"name": "Team", "action": "http_endpoint", "config": object{"url": "https://example.com"}}).want(200)
	if changed.text("action") != "http_endpoint" {
		t.Errorf("changed to %v", changed)
	}
	ana.delete("/secrets/slack").want(204)

	for _, c := range []answer{eve.get(path), eve.put(path, slack), eve.delete(path), eve.post(path+"/test", object{})} {
		c.refused(404, "not_found")
	}
	rule := ana.post("/alert-rules", object{"name": "r", "on": list{"failure"}, "channels": list{made.text("id")}}).want(201)
	ana.delete(path).refused(409, "channel_in_use")
	ana.delete("/alert-rules/" + rule.text("id")).want(204)
	ana.delete(path).want(204)
	ana.get(path).refused(404, "not_found")
}

func TestChannelsAndRulesThatAreRefused(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	channel, hers := ana.alarm("a"), eve.alarm("b")
	path, _ := eve.create(example())
	foreign := strings.TrimPrefix(path, "/workflows/")
	rule := func(change object) object {
		r := object{"name": "r", "on": list{"failure"}, "channels": list{channel}}
		for k, v := range change {
			r[k] = v
		}
		return r
	}
	for _, c := range []struct {
		change   object
		at, code string
	}{
		{object{"channels": list{hers}}, "/channels/0", "unknown_channel"},
		{object{"workflows": list{foreign}}, "/workflows/0", "unknown_workflow"},
		{object{"on": list{"recovery"}}, "/on", "required"},
		{object{"on": list{"late_start"}}, "/start_within", "range"},
		{object{"start_within": "5m"}, "/start_within", "not_wanted"},
		{object{"repeat": "5s"}, "/repeat", "range"},
		{object{"timezone": "Mars/Olympus"}, "/timezone", "timezone_unknown"},
		{object{"quiet": object{"days": list{"mon"}, "from": "25:00", "to": "07:00"}}, "/quiet/from", "time"},
	} {
		ana.post("/alert-rules", rule(c.change)).refused(422, "validation_failed").at(c.at, c.code)
	}
	for _, config := range []any{object{"url": "https://example.com", "paginate": object{"next": "nil", "collect": "body"}}, object{"url": 5}, object{"url": "{{ steps.a }}"}, object{}} {
		a := ana.post("/alert-channels", object{"name": "x", "action": "http_endpoint", "config": config})
		if a.status != 422 {
			t.Errorf("%v: %d %s", config, a.status, a.body)
		}
	}
	ana.post("/alert-channels", object{"name": "x", "action": "wait", "config": object{}}).refused(422, "validation_failed").at("/action", "action")
	ana.put(path+"/mute", object{"for": "1h"}).refused(404, "not_found")
	own, _ := ana.create(example())
	ana.put(own+"/mute", object{"for": "1s"}).refused(422, "validation_failed").at("/for", "range")
}

func TestRules(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	path, wf := ana.create(example())
	other, _ := ana.create(example(func(w object) { w["name"] = "another" }))
	spec := object{
		"name": "Nights", "on": list{"failure", "late_finish", "recovery"}, "after_failures": 3, "finish_within": "90m", "channels": list{ana.alarm("a")},
		"workflows": list{wf.text("id")}, "repeat": "0s", "language": "es", "timezone": "Europe/Madrid",
		"quiet": object{"days": list{"sat", "sun"}, "from": "22:00", "to": "07:00", "drop": true},
	}
	made := ana.post("/alert-rules", spec).want(201)
	if made.text("finish_within") != "1h30m" || made.text("repeat") != "0s" || made["start_within"] != nil || made["enabled"] != true {
		t.Errorf("made %v", made)
	}
	rule := "/alert-rules/" + made.text("id")
	ana.put(rule, map[string]any(made)).want(200) // what is read can be written
	about := func(workflow string) int {
		return len(ana.get("/alert-rules?workflow_id=" + strings.TrimPrefix(workflow, "/workflows/")).want(200).items("items"))
	}
	if about(path) != 1 || about(other) != 0 {
		t.Errorf("%d rules are about it, %d about the other", about(path), about(other))
	}
	eve.get(rule).refused(404, "not_found")
	eve.delete(rule).refused(404, "not_found")
	if n := len(eve.get("/alert-rules?workflow_id=" + wf.text("id")).want(200).items("items")); n != 0 {
		t.Errorf("eve sees %d", n)
	}
}

func TestMutingAWorkflow(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	if m := ana.get(path + "/mute").want(200); m["until"] != nil || m["by"] != nil {
		t.Errorf("muted %v", m)
	}
	if m := ana.put(path+"/mute", object{"for": "2h"}).want(200); m.text("by") != "ana" || m["until"] == nil {
		t.Errorf("muted %v", m)
	}
	if m := ana.get(path + "/mute").want(200); m["until"] == nil {
		t.Errorf("muted %v", m)
	}
	ana.delete(path + "/mute").want(204)
	if m := ana.get(path + "/mute").want(200); m["until"] != nil {
		t.Errorf("muted %v", m)
	}
}

func TestTheLogOfAlerts(t *testing.T) {
	in := install(t)
	ana, eve := in.user("ana"), in.user("eve")
	channel := ana.alarm("hook")
	test := "/alert-channels/" + channel + "/test"
	first := ana.post(test, object{"language": "es"}).want(202)
	if first.text("title") != "Prueba del canal hook" || first.text("kind") != "test" || first.items("deliveries")[0].text("state") != "waiting" {
		t.Errorf("made %v", first)
	}
	second := ana.post(test, object{}).want(202)
	in.sql(`with failed as (update alert_deliveries set state = 'failed', attempts = 1,
		tries = '[{"at": "2026-11-25T10:00:00.123456+00:00", "class": "503", "error": "out of order"}]' where alert_id = $1) select 0`, first.text("id"))
	page := ana.get("/alerts?limit=1").want(200)
	if page.items("items")[0].text("id") != second.text("id") {
		t.Errorf("listed %v", page)
	}
	rest := ana.get("/alerts?limit=1&cursor=" + page.text("next_cursor")).want(200)
	if got := rest.items("items"); len(got) != 1 || got[0].items("deliveries")[0].items("tries")[0].text("error") != "out of order" {
		t.Errorf("then %v", rest)
	}
	for query, want := range map[string]int{"state=failed": 1, "state=waiting": 1, "state=sent": 0, "kind=test": 2, "kind=failure": 0, "rule_id=" + channel: 0} {
		if n := len(ana.get("/alerts?" + query).want(200).items("items")); n != want {
			t.Errorf("%s: %d alerts, want %d", query, n, want)
		}
	}
	ana.get("/alerts?kind=nonsense").refused(422, "validation_failed")
	alert := "/alerts/" + first.text("id")
	for _, c := range []answer{eve.get(alert), eve.post(alert+"/retry", nil)} {
		c.refused(404, "not_found")
	}
	if again := ana.post(alert+"/retry", nil).want(200); again.items("deliveries")[0].text("state") != "waiting" {
		t.Errorf("again %v", again)
	}
	ana.post(alert+"/retry", nil).refused(409, "nothing_undelivered")
	if n := len(eve.get("/alerts").want(200).items("items")); n != 0 {
		t.Errorf("eve sees %d", n)
	}
}

// attention is what needs attention, by kind.
func (c *client) attention() map[string]object {
	c.in.t.Helper()
	found := map[string]object{}
	for _, a := range c.get("/overview").want(200).items("attention") {
		found[a.text("kind")] = a
	}
	return found
}

func TestLateHeartbeatsAndAlertsThatDidNotArriveNeedAttention(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	_, wf := ana.create(example(func(w object) { w["triggers"] = list{object{"id": "backup", "type": "heartbeat", "every": "1h"}} }))
	channel := ana.alarm("hook")
	if found := ana.attention(); len(found) != 0 {
		t.Errorf("needs attention: %v", found)
	}
	in.sql(`with late as (update heartbeats set late_since = now(), message = 'disk full') select 0`)
	in.sql(`with told as (insert into alerts (id, project_id, workflow_id, kind, facts, title, text, state)
		select first_id_at(now()), project_id, id, 'heartbeat', '{}', '', '', 'out' from workflows returning id),
		lost as (insert into alert_deliveries (alert_id, channel_id, channel_name, state, tries)
		select id, $1, 'hook', 'failed', '[{"error": "no such hook"}]' from told) select 0`, channel)
	found := ana.attention()
	if late := found["heartbeat"]; late.text("trigger_id") != "backup" || late.text("detail") != "disk full" || late.text("workflow_id") != wf.text("id") {
		t.Errorf("late: %v", late)
	}
	if lost := found["undelivered"]; lost.text("detail") != "hook: no such hook" || lost.number("count") != "1" || lost.text("workflow_id") != wf.text("id") {
		t.Errorf("lost: %v", lost)
	}
	test := ana.post("/alert-channels/"+channel+"/test", object{}).want(202).text("id")
	in.sql(`with sent as (update alert_deliveries set state = 'sent' where alert_id = $1) select 0`, test)
	if lost := ana.attention()["undelivered"]; lost != nil {
		t.Errorf("the channel works again, and still: %v", lost)
	}
}

func TestWhoMayLookAtAlerts(t *testing.T) {
	in := install(t)
	owner, guest := in.user("owner"), in.user("guest")
	channel := "/alert-channels/" + owner.alarm("hook")
	project := owner.get(channel).want(200).text("project_id")
	for _, c := range []struct {
		role        string
		read, write int
	}{{"viewer", 200, 403}, {"operator", 200, 403}, {"editor", 200, 200}, {"admin", 200, 200}} {
		in.sql(`with gone as (delete from project_members where project_id = $1 and user_id = $2) select 0`, project, guest.me.text("id"))
		in.sql(`insert into project_members (project_id, user_id, role) values ($1, $2, $3) returning 0`, project, guest.me.text("id"), c.role)
		in.clock.advance(callerLife)
		guest.get(channel).want(c.read)
		guest.put(channel, object{"name": "hook", "action": "http_endpoint", "config": object{"url": "https://example.com/alerts"}}).want(c.write)
	}
}
