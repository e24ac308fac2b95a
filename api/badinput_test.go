package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is sent, the answer is a problem that says what is wrong, and nothing is stored.
func TestBadBodies(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	asJSON := "application/json"
	for _, c := range []struct {
		what, kind, body string
		status           int
		code             string
	}{
		{"no body", asJSON, ``, 400, "body_missing"},
		{"no JSON", asJSON, `hello`, 400, "json_syntax"},
		{"half of it", asJSON, `{"name": "x"`, 400, "json_syntax"},
		{"something after it", asJSON, `{"name": "x"} {}`, 400, "json_trailing"},
		{"a comma too many", asJSON, `{"name": "x",}`, 400, "json_syntax"},
		{"a comment", asJSON, `{"name": "x" /* y */}`, 400, "json_syntax"},
		{"a byte order mark", asJSON, "\ufeff{}", 400, "json_syntax"},
		{"a key twice", asJSON, `{"name": "x", "name": "y"}`, 400, "json_duplicate_key"},
		{"a key twice, further down", asJSON, `{"name": "x", "steps": [{"id": "a", "config": {"k": 1, "k": 2}}]}`, 400, "json_duplicate_key"},
		{"65 levels", asJSON, strings.Repeat("[", 65) + strings.Repeat("]", 65), 400, "json_depth"},
		{"a million levels", asJSON, strings.Repeat("[", 1_000_000), 400, "json_depth"},
		{"null", asJSON, `null`, 422, "validation_failed"},
		{"a list", asJSON, `[]`, 422, "validation_failed"},
		{"a text", asJSON, `"x"`, 422, "validation_failed"},
		{"invalid UTF-8", asJSON, "{\"name\": \"\xff\"}", 400, "json_utf8"},
		{"UTF-16", asJSON, "\xff\xfe{\x00}\x00", 400, "json_utf8"},
		{"NUL in a text", asJSON, `{"name": "a\u0000b"}`, 422, "validation_failed"},
		{"NUL in a key", asJSON, `{"a\u0000b": 1}`, 422, "validation_failed"},
		{"a number without end", asJSON, `{"name": 1e999}`, 422, "validation_failed"},
		{"a number of nothing", asJSON, `{"name": 1e-999}`, 422, "validation_failed"},
		{"a number of a thousand digits", asJSON, `{"name": ` + strings.Repeat("9", 1000) + `}`, 422, "validation_failed"},
		{"NaN", asJSON, `{"name": NaN}`, 400, "json_syntax"},
		{"XML", "application/xml", `<name>x</name>`, 415, "media_type"},
		{"a form", "application/x-www-form-urlencoded", `name=x`, 415, "media_type"},
		{"a form with files", "multipart/form-data; boundary=b", "--b--", 415, "media_type"},
		{"text", "text/plain", `{"name": "x"}`, 415, "media_type"},
		{"no type", "", `{"name": "x"}`, 415, "media_type"},
		{"a type that is none", "application/json; charset", `{"name": "x"}`, 415, "media_type"},
		{"more than 1 MiB", asJSON, `{"name": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "body_too_large"},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, path := range []string{"/workflows", "/schedules/preview"} {
				a := ana.send("POST", path, raw(c.body), header("Content-Type", c.kind))
				a.t = t
				a.refused(c.status, c.code)
			}
		})
	}
	zipped := ana.send("POST", "/workflows", raw("\x1f\x8b"), header("Content-Encoding", "gzip"))
	zipped.refused(415, "content_encoding")
	if n := in.sql(`select count(*) from workflows`); n != 0 {
		t.Errorf("%d workflows were stored", n)
	}
}

// A lone surrogate is no character. Decoders put U+FFFD in its place; either way it is stored and read without harm.
func TestLoneSurrogates(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	a := ana.send("POST", "/workflows", raw(`{"name": "a\ud800b", "steps": [{"id": "s", "action": "log_message", "config": {"message": "\udfff\ud800"}}]}`))
	if w := a.want(201); w.text("name") != "a\ufffdb" {
		t.Errorf("stored as %q", w.text("name"))
	}
	ana.get("/workflows").want(200)
}

func TestBadPathsAndMethods(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("x"))
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nothing", 404, ""},
		{"POST", "/nothing", 404, ""},
		{"GET", "/", 404, ""},
		{"GET", "//workflows", 404, ""},
		{"GET", "/workflows/", 404, ""},
		{"GET", "/workflows/x", 404, ""},
		{"GET", "/workflows/" + strings.Repeat("x", 5000), 404, ""},
		{"GET", "/workflows/%00", 404, ""},
		{"GET", "/workflows/%ff", 404, ""},
		{"GET", "/workflows/..%2f..%2fetc%2fpasswd", 404, ""},
		{"GET", "/workflows/{0190c0de-0000-7000-8000-000000000000}", 404, ""},
		{"GET", "/workflows/urn:uuid:0190c0de-0000-7000-8000-000000000000", 404, ""},
		{"GET", "/runs/0190c0de00007000800000000000000", 404, ""},
		{"GET", "/runs/1/logs", 404, ""},
		{"POST", "/runs/1/cancel", 404, ""},
		{"PATCH", path, 405, "GET, PUT, DELETE"},
		{"DELETE", "/workflows", 405, "GET, POST"},
		{"GET", "/auth/login", 405, "POST"},
		{"HEAD", "/auth/me", 405, "GET"},
		{"PUT", "/runs", 405, "GET"},
		{"BREW", "/runs", 405, "GET"},
	} {
		a := ana.fetch(c.method, "/api/v1"+c.path, nil)
		if a.status != c.status || a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q\n%s", c.method, c.path, a.status, a.header.Get("Allow"), c.status, c.allow, a.body)
		}
		if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
			t.Errorf("%s %s: %s", c.method, c.path, kind)
		}
	}
	// A body where none belongs is not ignored: somebody means something by it.
	ana.send("POST", path+"/enable", raw(`{"for": "a while"}`)).refused(400, "body_unexpected")
	for _, query := range []string{"q=%00", "q=%ff", "q=" + strings.Repeat("x", 201), "enabled=perhaps", "project_id=1"} {
		if a := ana.get("/workflows?" + query); a.status != 422 {
			t.Errorf("?%s: %d", query, a.status)
		}
	}
	ana.get("/workflows?q=%zz").refused(400, "query_syntax")
	ana.get("/workflows?q=a;b").refused(400, "query_syntax")
}

// value draws JSON of the kind that people who look for holes send: names that mean something here, with values of any
// type, and now and then a workflow that is nearly right.
func value(t *rapid.T, depth int) any {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(rapid.SampledFrom([]string{"0", "-1", "1.5", "1e300", "9007199254740993", "-0", "2147483648", "1E-300"}).Draw(t, "number"))
	case 3, 4, 5, 6:
		return rapid.OneOf(
			rapid.SampledFrom([]string{
				"", "http_endpoint", "log_message", "schedule", "0 9 * * MON-FRI", "* * * * * *", "@daily", "0 0 29 2 *", "0 0 31 2 *",
				"Europe/Madrid", "UTC", "90s", "1h30m", "0s", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
				"{{ inputs.x }}", "{{", "{{ steps.a.body }}", "a", "b", "skip", "all", "first", "GET", "https://a.b",
				"\u0000", "😀", "*/0 * * * *", "0-59/7 1,2 L * ?", "0 0 * * 5#3", "0 0 15W * *",
			}),
			rapid.String(),
		).Draw(t, "text")
	case 7:
		n := rapid.IntRange(0, 3).Draw(t, "n")
		list := make([]any, n)
		for i := range list {
			list[i] = value(t, depth-1)
		}
		return list
	}
	names := rapid.SampledFrom([]string{
		"name", "description", "timeout", "enabled", "triggers", "steps", "id", "type", "cron", "every", "at", "timezone", "gap",
		"overlap", "overlap_hour", "missed", "catch_up_window", "catch_up_limit", "grace", "starts_at", "ends_at", "inputs",
		"action", "config", "depends_on", "if", "retry", "attempts", "on", "url", "method", "body", "json", "message", "level",
		"from", "count", "x", "",
	})
	o := map[string]any{}
	for range rapid.IntRange(0, 5).Draw(t, "n") {
		o[names.Draw(t, "name")] = value(t, depth-1)
	}
	return o
}

// nearly is a definition of which one member is replaced by anything.
func nearly(t *rapid.T) any {
	w := example()
	places := []map[string]any{w, w["triggers"].(list)[0].(object), w["steps"].(list)[0].(object), w["steps"].(list)[1].(object)}
	place := rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(t, "place")
	names := []string{
		"name", "description", "timeout", "triggers", "steps", "id", "cron", "every", "at", "timezone", "gap", "overlap", "missed",
		"catch_up_window", "catch_up_limit", "grace", "starts_at", "ends_at", "inputs", "action", "config", "depends_on", "if", "retry", "on_error",
	}
	places[place][rapid.SampledFrom(names).Draw(t, "member")] = value(t, 3)
	return w
}

func TestNoBodyBreaksTheServer(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	rapid.Check(t, func(r *rapid.T) {
		var body any
		if rapid.Bool().Draw(r, "nearly right") {
			body = nearly(r)
		} else {
			body = value(r, 4)
		}
		text, err := json.Marshal(body)
		if err != nil {
			r.Skip("no JSON")
		}
		for _, path := range []string{"/workflows", "/schedules/preview"} {
			// The client holds the answer against the contract, and reports any status from 500 on.
			if a := ana.send("POST", path, raw(text)); a.status >= 500 {
				r.Fatalf("%s: %d for %s", path, a.status, text)
			}
		}
	})
	for page := range ana.pages("/workflows", 50) {
		for _, w := range page { // what was accepted can be read, saved again and run
			path := "/workflows/" + w.text("id")
			if a := ana.send("PUT", path, raw(ana.get(path).body)); a.want(200).number("version") != "1" {
				t.Errorf("sent back unchanged: %s", a.body)
			}
			ana.post(path+"/runs", nil).want(202)
		}
	}
}

func TestMadeUpMethodsAreOneSeries(t *testing.T) {
	in := install(t)
	nobody := in.nobody(false)
	for i := range 5 {
		nobody.fetch(fmt.Sprintf("BREW%d", i), "/api/v1/system", nil)
	}
	families, err := in.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	others := 0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "method" && strings.HasPrefix(l.GetValue(), "BREW") {
					t.Errorf("%s has a series of its own for %s", f.GetName(), l.GetValue())
				}
				if l.GetValue() == "other" {
					others++
				}
			}
		}
	}
	if others != 1 {
		t.Errorf("%d series for methods that do not exist, want 1", others)
	}
}
