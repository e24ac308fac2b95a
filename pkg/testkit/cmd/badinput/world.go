package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"golang.org/x/sync/errgroup"
)

const (
	prefix   = "/api/v1"
	password = "correct horse battery staple" //nolint:gosec // of an installation that is thrown away
	// together is how many requests are on their way at once.
	together = 8
	// patience is for one answer; a stream is left as soon as it has begun.
	patience = 30 * time.Second
)

// operation is one of the contract.
type operation struct {
	id, method, path string
	def              *openapi3.Operation
	params           openapi3.Parameters
	body             bool
}

// world is an installation in which there is one of each thing.
type world struct {
	base       string
	client     *http.Client
	judge      *judge
	hook       string // the path of a webhook
	token      string
	since      time.Time         // when it was got
	things     map[string]string // $name: id
	operations []operation
}

// settle registers two people, makes one of each thing, and reads the contract.
func settle(ctx context.Context, base string, j *judge) (*world, error) {
	w := &world{base: base, judge: j, things: map[string]string{}, client: &http.Client{ //nolint:forbidigo // the program's own address
		Transport: &http.Transport{MaxIdleConnsPerHost: together, DialContext: (&net.Dialer{}).DialContext},
	}}
	if err := w.people(ctx); err != nil {
		return nil, err
	}
	for _, thing := range []struct{ name, method, path, body string }{
		{"", "PUT", "/secrets/hook_key?project_id=$project", `{"value": "a key of a webhook that nobody knows"}`},
		{"target", "POST", "/workflows", `{"name": "Target", "steps": [{"id": "say", "action": "log_message", "config": {"message": "hello"}}]}`},
		{"calendar", "POST", "/calendars", `{"name": "Holidays", "dates": ["2026-12-25"]}`},
		{"workflow", "POST", "/workflows", schedules},
		{"events", "POST", "/workflows", events},
		{"", "POST", "/workflows/$events/enable", ``},
		{"", "PUT", "/workflows/$workflow/draft", `{"definition": ` + schedules + `, "based_on": 1}`},
		{"run", "POST", "/workflows/$target/runs", `{}`},
		{"backfill", "POST", "/workflows/$workflow/triggers/morning/backfills", `{"from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z"}`},
		{"channel", "POST", "/alert-channels", `{"name": "Alarm", "action": "http_endpoint", "config": {"url": "http://127.0.0.1:9/"}}`},
		{"rule", "POST", "/alert-rules", `{"name": "All", "on": ["failure"], "channels": ["$channel"]}`},
		{"steptest", "POST", "/step-tests", samples["testStep"][0]},
		{"question", "POST", "/workflows", `{"name": "Asks", "steps": [{"id": "ask", "action": "approval", "config": {"message": "Go on?"}}]}`},
		{"", "POST", "/workflows/$question/runs", `{}`},
		{"", "PUT", "/variables/known?project_id=$project", `{"value": 1}`},
	} {
		a, err := w.must(ctx, thing.method, thing.path, thing.body)
		if err != nil {
			return nil, err
		}
		if thing.name != "" {
			w.things["$"+thing.name], _ = a["id"].(string)
		}
	}
	if err := w.deliver(ctx); err != nil {
		return nil, err
	}
	if err := w.asked(ctx); err != nil {
		return nil, err
	}
	return w, w.contract(ctx)
}

// deliver sends something to the webhook, and remembers both.
func (w *world) deliver(ctx context.Context) error {
	created, err := w.must(ctx, "GET", "/workflows/$events", "")
	if err != nil {
		return err
	}
	triggers, _ := created["triggers"].([]any)
	for _, t := range triggers {
		if trigger, _ := t.(map[string]any); trigger["id"] == "hook" {
			address, _ := trigger["url"].(string)
			u, err := url.Parse(address)
			if err != nil {
				return fmt.Errorf("read the webhook's address: %w", err)
			}
			w.hook = u.Path
		}
	}
	a, err := w.send(ctx, request{operation: "hook", method: "POST", path: w.hook, body: []byte(`{"id": "first", "x": 2}`), nobody: true})
	if err != nil {
		return err
	}
	var delivery struct {
		ID string `json:"delivery_id"`
	}
	if err := json.Unmarshal(a.body, &delivery); err != nil || delivery.ID == "" {
		return fmt.Errorf("the webhook did not take what was sent: %d %s", a.status, a.body)
	}
	w.things["$delivery"] = delivery.ID
	return nil
}

// asked waits for the question of a step.
func (w *world) asked(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := w.must(ctx, "GET", "/approvals?pending=true", "")
		if err != nil {
			return err
		}
		if items, _ := list["items"].([]any); len(items) > 0 {
			question, _ := items[0].(map[string]any)
			w.things["$approval"], _ = question["id"].(string)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the question: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// people registers an administrator, who is logged in, and a member of the project.
func (w *world) people(ctx context.Context) error {
	for _, name := range []string{"ana", "eve"} {
		u, err := w.must(ctx, "POST", "/auth/register", fmt.Sprintf(`{"email": "%s@example.org", "username": "%s", "password": "%s"}`, name, name, password))
		if err != nil {
			return err
		}
		w.things["$"+name], _ = u["id"].(string)
	}
	if err := w.login(ctx); err != nil {
		return err
	}
	me, err := w.must(ctx, "GET", "/auth/me", "")
	if err != nil {
		return err
	}
	projects, _ := me["projects"].([]any)
	if len(projects) == 0 {
		return errors.New("the administrator has no project")
	}
	project, _ := projects[0].(map[string]any)
	w.things["$project"], _ = project["id"].(string)
	return w.join(ctx)
}

// join makes the second person a member of the first one's project.
func (w *world) join(ctx context.Context) error {
	made, err := w.must(ctx, "POST", "/projects/$project/invitations", `{"role": "viewer"}`)
	if err != nil {
		return err
	}
	link, _ := made["url"].(string)
	_, token, _ := strings.Cut(link, "#")
	mine := w.token
	eve, err := w.must(ctx, "POST", "/auth/login", fmt.Sprintf(`{"email": "eve@example.org", "password": "%s"}`, password))
	if err != nil {
		return err
	}
	w.token, _ = eve["access_token"].(string)
	_, err = w.must(ctx, "POST", "/invitations/accept", fmt.Sprintf(`{"token": "%s"}`, token))
	w.token = mine
	return err
}

// login logs the administrator in, unless that was just done: an access token lives ten minutes.
func (w *world) login(ctx context.Context) error {
	if time.Since(w.since) < 5*time.Minute { //nolint:forbidigo // the token's life is real time
		return nil
	}
	a, err := w.must(ctx, "POST", "/auth/login", fmt.Sprintf(`{"email": "ana@example.org", "password": "%s"}`, password))
	w.token, _ = a["access_token"].(string)
	w.since = time.Now() //nolint:forbidigo // as above
	return err
}

// must sends what has to succeed, and answers its JSON.
func (w *world) must(ctx context.Context, method, path, body string) (map[string]any, error) {
	a, err := w.send(ctx, request{operation: "settle", method: method, path: prefix + w.fill(path), body: []byte(w.fill(body))})
	if err != nil {
		return nil, err
	}
	if a.status >= 300 {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, a.status, a.body)
	}
	o := map[string]any{}
	if len(a.body) == 0 {
		return o, nil
	}
	if err := json.Unmarshal(a.body, &o); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return o, nil
}

// fill puts the ids in the place of their names, the longest names first.
func (w *world) fill(s string) string {
	names := slices.SortedFunc(maps.Keys(w.things), func(a, b string) int { return len(b) - len(a) })
	for _, name := range names {
		s = strings.ReplaceAll(s, name, w.things[name])
	}
	return s
}

// contract reads the operations from the program itself.
func (w *world) contract(ctx context.Context) error {
	a, err := w.send(ctx, request{operation: "contract", method: "GET", path: prefix + "/openapi.json"})
	if err != nil {
		return err
	}
	doc, err := openapi3.NewLoader().LoadFromData(a.body)
	if err != nil {
		return fmt.Errorf("read the contract: %w", err)
	}
	var missing []string
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		for method, op := range item.Operations() {
			o := operation{op.OperationID, method, path, op, append(slices.Clone(item.Parameters), op.Parameters...), op.RequestBody != nil}
			if o.body && len(samples[o.id]) == 0 {
				missing = append(missing, o.id)
			}
			w.operations = append(w.operations, o)
		}
	}
	slices.SortFunc(w.operations, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("no sample for %s", strings.Join(missing, ", "))
	}
	return nil
}

// request is what is sent.
type request struct {
	operation, method, path string // the path as it is written in the request, below the host
	body                    []byte
	headers                 map[string]string // besides the usual ones; an empty one is left away
	nobody                  bool              // without the token
	secret                  string
}

// send sends a request and has its answer judged. Its error is that there was no answer.
func (w *world) send(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var body io.Reader
	if len(r.body) > 0 {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, w.base, body)
	if err != nil {
		return answer{}, fmt.Errorf("make the request %s %s: %w", r.method, r.path, err)
	}
	req.URL.Opaque = r.path // as it is, also when it is no path
	req.URL.RawQuery = ""
	// Each request comes from an address of its own, as behind a proxy, so that no limit of an address hides what is behind it.
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", rand.IntN(256), rand.IntN(256))) //nolint:gosec // any will do
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" && !r.nobody {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	for name, value := range r.headers {
		if value == "" {
			req.Header.Del(name)
		} else {
			req.Header[http.CanonicalHeaderKey(name)] = []string{value}
		}
	}
	resp, err := w.client.Do(req)
	if err != nil {
		if strings.Contains(err.Error(), "invalid header") { // the client does not send it either
			return answer{}, nil
		}
		return answer{}, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	defer resp.Body.Close()
	a := answer{
		operation: r.operation, status: resp.StatusCode, secret: r.secret,
		request: fmt.Sprintf("%s %.300s %.300q %.600s", r.method, r.path, r.headers, r.body),
	}
	a.kind, _, _ = strings.Cut(resp.Header.Get("Content-Type"), ";")
	if a.kind != "text/event-stream" {
		if a.body, err = io.ReadAll(resp.Body); err != nil {
			return answer{}, fmt.Errorf("read the answer to %s %s: %w", r.method, r.path, err)
		}
	}
	w.judge.look(a)
	return a, nil
}

// all sends many requests, several at a time.
func (w *world) all(ctx context.Context, requests []request) error {
	if err := w.login(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for _, r := range requests {
		group.Go(func() error {
			_, err := w.send(ctx, r)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}
