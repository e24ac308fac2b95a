package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

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
	in.join(project, guest, account.Viewer)
	if w := guest.get(path).want(200); w.items("triggers")[0]["url"] != nil {
		t.Errorf("a viewer sees %v", w.items("triggers")[0]["url"])
	}
	guest.get("/deliveries/" + delivery).want(200)
	guest.post("/deliveries/"+delivery+"/replay", nil).refused(403, "role_forbids")
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

// While PostgreSQL is away nothing is accepted, and the sender is told to try again.
func TestAWebhookWithoutItsDatabase(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	_, hook := ana.hooked()
	in.deliver(hook, `{}`).want(202)
	back := in.cutOff()
	for _, path := range []string{hook, "/hooks/" + strings.Repeat("a", 32)} {
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
