package api_test

import (
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

func TestTryAStep(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	step := object{
		"id": "tell", "action": "http_endpoint", "depends_on": list{"fetch"},
		"config": object{"url": "https://example.com/{{ steps.fetch.body.id }}"},
	}
	ask := object{"step": step, "inputs": object{"a": 1}, "steps": object{"fetch": object{"body": object{"id": 7}}}}
	a := ana.post("/step-tests", ask)
	test := a.want(202)
	if a.header.Get("Location") != "/api/v1/step-tests/"+test.text("id") || test.text("status") != "queued" || test.text("created_by") != "ana" {
		t.Errorf("asked for %v", test)
	}
	in.sql(`update step_tests set status = 'failed', class = '503', error = 'HTTP 503', output = '{"status": 503}', started_at = now(),
		finished_at = now(), logs = '[{"at": "2026-11-23T09:00:00.000Z", "level": "debug", "message": "m"}]' returning 0`)
	got := ana.get("/step-tests/" + test.text("id")).want(200)
	if got.text("status") != "failed" || got.text("class") != "503" || got.items("logs")[0].text("message") != "m" {
		t.Errorf("it went %v", got)
	}
	// A test belongs to its project.
	bob := in.user("bob")
	bob.get("/step-tests/"+test.text("id")).refused(404, "not_found")
	bob.post("/step-tests", object{"step": step, "project_id": test.text("project_id")}).refused(404, "not_found")
	// Who may look may not call anything.
	in.join(test.text("project_id"), bob, account.Viewer)
	bob.post("/step-tests", object{"step": step, "project_id": test.text("project_id")}).refused(403, "role_forbids")
}

func TestStepsThatCannotBeTried(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	step := func(more object) object {
		s := object{"id": "a", "action": "log_message", "config": object{"message": "m"}}
		for k, v := range more {
			s[k] = v
		}
		return s
	}
	for _, c := range []struct {
		ask           object
		pointer, code string
	}{
		{object{}, "/step", "required"},
		{object{"step": step(object{"action": "nothing"})}, "/step/action", "action"},
		{object{"step": step(object{"config": object{"message": "{{ steps.before.x }}"}})}, "/step/config", "unknown_step"},
		{object{"step": step(nil), "steps": object{"1x": object{}}}, "/steps/1x", ""},
		{object{"step": step(object{"timeout": "99999999999h"})}, "/step/timeout", "duration"},
		{object{"step": step(nil), "inputs": object{"a": strings.Repeat("x", 300<<10)}}, "/inputs", "too_large"},
		{object{"step": step(nil), "workflow_id": "00000000-0000-4000-8000-000000000000"}, "/workflow_id", "unknown_value"},
	} {
		problem := ana.post("/step-tests", c.ask).want(422)
		field := problem.items("errors")[0]
		if field.text("pointer") != c.pointer || c.code != "" && field.text("code") != c.code {
			t.Errorf("%v: %v", c.ask, problem)
		}
	}
}

func TestTestsOfStepsAreBounded(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	ask := object{"step": object{"id": "a", "action": "log_message", "config": object{"message": "m"}}}
	var last string
	for range 5 {
		last = ana.post("/step-tests", ask).want(202).text("id")
	}
	ana.post("/step-tests", ask).refused(429, "too_many_tests")
	// What no worker takes is given up, and so is what a worker that died had.
	in.sql(`update step_tests set created_at = now() - interval '3 minutes' where id = $1 returning 0`, last)
	if got := ana.get("/step-tests/" + last).want(200); got.text("status") != "failed" || got.text("class") != "no_worker" {
		t.Errorf("it went %v", got)
	}
	next := ana.post("/step-tests", ask).want(202).text("id")
	in.sql(`update step_tests set status = 'running', started_at = now() - interval '5 minutes' where id = $1 returning 0`, next)
	if got := ana.get("/step-tests/" + next).want(200); got.text("status") != "failed" || got.text("class") != "worker_lost" {
		t.Errorf("it went %v", got)
	}
	ana.post("/step-tests", ask).want(202)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	phone := in.nobody(false)
	phone.token = phone.login(ana.me.text("email")).want(200).text("access_token")
	list := ana.get("/auth/sessions").want(200).items("items")
	var other string
	for _, s := range list {
		if s["current"] == false {
			other = s.text("id")
		}
	}
	if len(list) != 2 || other == "" {
		t.Fatalf("listed %v", list)
	}
	in.user("bob").delete("/auth/sessions/"+other).refused(404, "not_found")
	ana.delete("/auth/sessions/" + other).want(204)
	phone.get("/auth/me").refused(401, "unauthorized")
	ana.get("/auth/me").want(200)
	if list = ana.get("/auth/sessions").want(200).items("items"); len(list) != 1 {
		t.Errorf("left are %v", list)
	}
}
