package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/hostile"
)

// of is a parameter in the path: the id of what there is, for an operation that does not take it away.
func (w *world) of(o operation, param string) string {
	if unsent[o.id] {
		return uuid.NewString()
	}
	if strings.Contains(o.path, "/deliveries") || strings.HasSuffix(o.path, "/rotate-url") {
		switch param {
		case "trigger":
			return "hook"
		case "id":
			if strings.HasPrefix(o.path, "/workflows/") {
				return w.fill("$events")
			}
		}
	}
	known := map[string]string{
		"/deliveries/{id}": "$delivery", "/approvals/{id}": "$approval", "/step-tests/{id}": "$steptest", "/workflows/{id}": "$workflow", "/runs/{id}": "$run", "/backfills/{id}": "$backfill", "/calendars/{id}": "$calendar", "/projects/{id}": "$project",
		"/alert-channels/{id}": "$channel", "/alert-rules/{id}": "$rule", "user": "$eve", "trigger": "morning", "version": "1", "queue": "bulk",
		"host": "api.example.com", "name": "known",
	}
	value, ok := known[param]
	if !ok {
		for path, thing := range known {
			if strings.HasPrefix(o.path+"/", path+"/") && param == "id" {
				value, ok = thing, true
			}
		}
	}
	if !ok {
		return uuid.NewString()
	}
	return w.fill(value)
}

// path is that of an operation, with a good value for each parameter but those given.
func (w *world) path(o operation, given map[string]string) string {
	path := o.path
	var query []string
	for _, p := range o.params {
		value, isGiven := given[p.Value.Name]
		switch p.Value.In {
		case "path":
			if !isGiven {
				value = w.of(o, p.Value.Name)
			}
			path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", value)
		case "query":
			switch {
			case isGiven:
				query = append(query, p.Value.Name+"="+value)
			case p.Value.Required && p.Value.Name == "project_id":
				query = append(query, p.Value.Name+"="+w.things["$project"])
			case p.Value.Name == "at":
				query = append(query, "at=2026-11-23T09:00")
			case p.Value.Required:
				query = append(query, p.Value.Name+"=runs")
			}
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return prefix + path
}

// grammar sends what is no JSON, and odd JSON, to every operation that takes any.
func (w *world) grammar(ctx context.Context) error {
	var all []request
	for _, o := range w.operations {
		if !o.body {
			continue
		}
		for _, c := range hostile.JSON() {
			all = append(all, request{operation: o.id, method: o.method, path: w.path(o, nil), body: []byte(c.JSON)})
		}
	}
	return w.all(ctx, all)
}

// members replaces each member of each sample.
func (w *world) members(ctx context.Context, short bool) error {
	step := 1
	if short {
		step = 3
	}
	for _, o := range w.operations {
		var all []request
		for _, sample := range samples[o.id] {
			var document any
			if err := json.Unmarshal([]byte(w.fill(sample)), &document); err != nil {
				return fmt.Errorf("the sample of %s: %w", o.id, err)
			}
			bodies := append(mutations(document, step*w.thin(o.id)), json.RawMessage(w.fill(sample)))
			for _, body := range bodies {
				all = append(all, request{operation: o.id, method: o.method, path: w.path(o, nil), body: body, headers: map[string]string{"If-Match": "*"}})
			}
		}
		if err := w.all(ctx, all); err != nil {
			return err
		}
	}
	return nil
}

// thin is how many values are left away where each costs a password's hash, or where the same definition is taken elsewhere.
func (w *world) thin(id string) int {
	switch id {
	case "register", "login", "changePassword", "validateWorkflow", "replaceWorkflow", "createDraft", "saveDraft":
		return 5
	}
	return 1
}

// oddQueries are values that stand in a query or a path as they are.
var oddQueries = []string{
	"", "%00", "%ff", "%zz", "%", "..", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f", ";jsessionid=1", "-1", "0", "1e9", "abc", "9223372036854775808", "1.5", "null", "true",
	"1&limit=2", "%0d%0aSet-Cookie:a=b", "{0190c0de-0000-7000-8000-000000000000}", "0190c0de00007000800000000000000", "0190c0de-0000-7000-8000-000000000000",
	"urn:uuid:0190c0de-0000-7000-8000-000000000000", "2026-13-01T00:00:00Z", "2026-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
	"2026-01-01T00:00:00+99:99", "%27%20or%201=1--", "%e2%80%ae", "a,b,,c", "*", strings.Repeat("x", 300), strings.Repeat("x", 20_000),
}

// parameters replaces each parameter of each operation.
func (w *world) parameters(ctx context.Context, short bool) error {
	var all []request
	for n, o := range w.operations {
		var sample []byte
		if o.body {
			sample = []byte(w.fill(samples[o.id][0]))
		}
		add := func(r request) {
			r.operation, r.method, r.body = o.id, o.method, sample
			r.nobody = r.nobody || unsent[o.id] && !strings.Contains(o.path, "{")
			all = append(all, r)
		}
		for _, p := range o.params {
			if p.Value.In == "header" {
				for _, x := range hostile.Texts() {
					add(request{path: w.path(o, nil), headers: map[string]string{p.Value.Name: strings.Trim(x.Value, " \t")}})
				}
				continue
			}
			for _, value := range oddQueries {
				add(request{path: w.path(o, map[string]string{p.Value.Name: value})})
			}
			for i, x := range hostile.Texts() {
				if len(x.Value) < 5000 && (!short || (i+n)%3 == 0) {
					add(request{path: w.path(o, map[string]string{p.Value.Name: url.PathEscape(x.Value)})})
				}
			}
		}
		add(request{path: w.path(o, nil) + querySeparator(w.path(o, nil)) + "unknown=1"})
		add(request{path: w.path(o, nil) + "/"})
		add(request{path: w.path(o, nil), nobody: true})
	}
	return w.all(ctx, all)
}

func querySeparator(path string) string {
	if strings.Contains(path, "?") {
		return "&"
	}
	return "?"
}

// texts saves every naughty text where people write names, and reads it again: what was taken comes back as it was.
func (w *world) texts(ctx context.Context) error {
	if err := w.login(ctx); err != nil {
		return err
	}
	for _, x := range hostile.Texts() {
		name := x.Value
		if x.What == "decomposed" {
			continue // names are composed, so that two that look the same are the same
		}
		body, err := json.Marshal(map[string]any{
			"name": "text " + name, "description": name, "enabled": false,
			"steps": []any{map[string]any{"id": "a", "name": name, "action": "transform", "config": map[string]any{"value": "x"}}},
		})
		if err != nil {
			return fmt.Errorf("write %s: %w", x.What, err)
		}
		made, err := w.send(ctx, request{operation: "createWorkflow", method: "POST", path: prefix + "/workflows", body: body})
		if err != nil {
			return err
		}
		if made.status != 201 {
			continue
		}
		var first, again struct {
			ID, Name, Description string
			Steps                 []struct{ Name string }
		}
		if err := json.Unmarshal(made.body, &first); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		read, err := w.send(ctx, request{operation: "getWorkflow", method: "GET", path: prefix + "/workflows/" + first.ID})
		if err != nil {
			return err
		}
		if err := json.Unmarshal(read.body, &again); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if strings.TrimSpace(again.Name) != strings.TrimSpace("text "+name) || again.Description != name || again.Steps[0].Name != name {
			w.judge.object("a text that came back otherwise", read)
		}
	}
	return nil
}

// hooks sends all of it to the address of a webhook, which takes anything.
func (w *world) hooks(ctx context.Context) error {
	var all []request
	add := func(r request) {
		r.operation, r.nobody = "hook", true
		if r.method == "" {
			r.method = "POST"
		}
		if r.path == "" {
			r.path = w.hook
		}
		all = append(all, r)
	}
	for _, c := range hostile.JSON() {
		add(request{body: []byte(c.JSON)})
		add(request{body: []byte(c.JSON), headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	}
	for _, kind := range []string{"", "text/plain; charset=utf-16", "multipart/form-data; boundary=b", "application/xml", "a/b/c", "application/json; charset", "image/png"} {
		add(request{body: []byte("\x00\xff{}"), headers: map[string]string{"Content-Type": kind}})
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		add(request{method: method})
	}
	for _, value := range oddQueries {
		add(request{path: w.hook + "?a=" + value, body: []byte(`{"x": 1}`)})
		add(request{path: "/hooks/" + value, body: []byte(`{}`)})
		add(request{path: w.hook + "/" + value, body: []byte(`{}`)})
		add(request{path: "/approve/" + value, method: "GET"})
		add(request{path: prefix + "/approval-links/" + value, method: "GET"})
	}
	return w.all(ctx, all)
}
