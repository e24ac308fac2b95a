package action

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

// canary is a secret that must not be seen.
const canary = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"

// lab makes attempts of steps against counterparts on this machine.
type lab struct {
	t      *testing.T
	client *egress.Client
	set    Set
	log    []string
	again  int

	certificate *tls.Config
}

func newLab(t *testing.T) *lab {
	t.Helper()
	// The certificate that httptest's servers have is for 127.0.0.1.
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(certified.Close)
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	client, err := egress.New(egress.Config{Allow: []string{"127.0.0.1"}, RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &lab{t: t, client: client, set: New(client, nil, nil), certificate: certified.TLS}
}

// run makes one attempt of a step, with env's roots and the canary as secrets.token.
func (l *lab) run(action string, config any, env expr.Env) Result {
	l.t.Helper()
	raw, err := json.Marshal(config)
	if err != nil {
		l.t.Fatal(err)
	}
	runner, err := l.set[action].Prepare(raw)
	if err != nil {
		l.t.Fatal(err)
	}
	full := expr.Env{"secrets": map[string]any{"token": canary}}
	for root, v := range env {
		full[root] = v
	}
	call := Call{
		RunID: uuid.UUID{1}, Step: "s", Attempt: 1, Env: full, Secrets: secret.NewRedactor(canary),
		Log:   func(_, message string) { l.log = append(l.log, message) },
		Again: func(context.Context) error { l.again++; return nil },
	}
	return runner.Run(l.t.Context(), call)
}

// serve is a counterpart; its URL is what config holds as {{ vars.url }}.
func (l *lab) serve(handle http.HandlerFunc) expr.Env {
	l.t.Helper()
	s := httptest.NewServer(handle)
	l.t.Cleanup(s.Close)
	return expr.Env{"vars": map[string]any{"url": s.URL}}
}

type object = map[string]any

func (l *lab) good(r Result) object {
	l.t.Helper()
	if r.Failure != nil {
		l.t.Fatalf("it failed: %s (%s)", r.Failure.Message, r.Failure.Class)
	}
	raw, err := json.Marshal(r.Output)
	if err != nil {
		l.t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(raw, &out); err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *lab) bad(r Result, class, message string) *Failure {
	l.t.Helper()
	if r.Failure == nil || r.Failure.Class != class || !strings.Contains(r.Failure.Message, message) {
		l.t.Fatalf("it ended with %+v, want %s and %q", r.Failure, class, message)
	}
	if strings.Contains(r.Failure.Message, canary) {
		l.t.Errorf("the failure holds the secret: %s", r.Failure.Message)
	}
	return r.Failure
}

func TestWaysToSayWhoCalls(t *testing.T) {
	l := newLab(t)
	var got *http.Request
	env := l.serve(func(_ http.ResponseWriter, r *http.Request) { got = r })
	for _, c := range []struct {
		auth object
		seen func() string
		want string
	}{
		{object{"type": "bearer", "token": "{{ secrets.token }}"}, func() string { return got.Header.Get("Authorization") }, "Bearer " + canary},
		{object{"type": "basic", "username": "ana", "password": "{{ secrets.token }}"}, func() string {
			user, password, _ := got.BasicAuth()
			return user + ":" + password
		}, "ana:" + canary},
		{object{"type": "api_key", "header": "X-Api-Key", "value": "{{ secrets.token }}"}, func() string { return got.Header.Get("X-Api-Key") }, canary},
		{object{"type": "api_key", "query": "key", "value": "{{ secrets.token }}"}, func() string { return got.URL.Query().Get("key") + got.URL.Query().Get("a") }, canary + "b"},
	} {
		l.good(l.run("http_endpoint", object{"url": "{{ vars.url }}/x?a=b", "auth": c.auth}, env))
		if c.seen() != c.want {
			t.Errorf("%v: %q", c.auth, c.seen())
		}
	}
	l.bad(l.run("http_endpoint", object{"url": "{{ vars.url }}", "auth": object{"type": "bearer", "token": "{{ inputs.none }}"}}, env), "config", "secret is empty")
	for _, line := range l.log {
		if strings.Contains(line, canary) {
			t.Errorf("logged %s", line)
		}
	}
}

// An answer of a good status may still be none.
func TestAnswersThatSayOtherwise(t *testing.T) {
	l := newLab(t)
	env := l.serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, r.URL.Query().Get("say"))
	})
	ask := func(say, expect string) Result {
		return l.run("http_endpoint", object{"url": "{{ vars.url }}", "query": object{"say": say}, "expect_body": expect}, env)
	}
	l.good(ask(`{"ok": true}`, "body.ok"))
	l.good(ask(`{"ok": true}`, `{{ status == 200 && headers["content-type"] startsWith "application" && vars.url != nil }}`))
	r := ask(`{"ok": false, "why": "busy"}`, "body.ok == true")
	l.bad(r, "unexpected_body", "the answer is not what expect_body says: body.ok == true")
	if r.Output.(object)["body"].(object)["why"] != "busy" {
		t.Errorf("the answer is lost: %v", r.Output)
	}
	l.bad(ask(`{"ok": 1}`, "body.ok"), "unexpected_body", "must give true or false")
	l.bad(ask(`[]`, "body[0] > 1"), "unexpected_body", "")
}

func TestPages(t *testing.T) {
	l := newLab(t)
	var asked []string
	env := l.serve(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		page := len(asked)
		if page < 3 {
			w.Header().Set("Link", fmt.Sprintf(`</first>; rel="first", </items?page=%d>; rel=next; title="<x>"`, page+1))
		}
		fmt.Fprintf(w, `{"items": [{"n": %d}, {"n": %d}], "next": %q}`, 2*page-1, 2*page, map[bool]string{true: fmt.Sprintf("/items?page=%d", page+1)}[page < 3])
	})
	config := object{
		"url": "{{ vars.url }}/items", "auth": object{"type": "bearer", "token": "{{ secrets.token }}"},
		"paginate": object{"next": "next_link", "collect": "body.items"},
	}
	for _, next := range []string{"next_link", "body.next", `page < 3 ? vars.url + "/items?page=" + string(page + 1) : nil`} {
		asked, l.again = nil, 0
		config["paginate"].(object)["next"] = next
		out := l.good(l.run("http_endpoint", config, env))
		want := []string{"/items Bearer " + canary, "/items?page=2 Bearer " + canary, "/items?page=3 Bearer " + canary}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("%s: %s", next, diff)
		}
		if len(out["body"].([]any)) != 6 || out["pages"] != 3.0 || out["truncated"] != nil || l.again != 2 {
			t.Errorf("%s: %v after %d turns", next, out, l.again)
		}
	}
	asked = nil
	config["paginate"].(object)["max_pages"] = 2
	if out := l.good(l.run("http_endpoint", config, env)); len(out["body"].([]any)) != 4 || out["truncated"] != true {
		t.Errorf("two pages: %v", out)
	}
	for next, message := range map[string]string{
		`"http://other.example.com/"`: "page 1: the next page is on another host, other.example.com",
		"page":                        "page 1: next gives no URL",
		`"http://a b/"`:               "page 1: next gives what is no URL",
	} {
		asked = nil
		config["paginate"].(object)["next"] = next
		l.bad(l.run("http_endpoint", config, env), "unexpected_body", message)
	}
	asked = nil
	config["paginate"] = object{"next": "next_link", "collect": "status"}
	l.bad(l.run("http_endpoint", config, env), "unexpected_body", "page 1: collect gives no list")
}

// A page that fails fails the step; items that are too many are left out, and that is said.
func TestPagesThatEndEarly(t *testing.T) {
	l := newLab(t)
	n := 0
	env := l.serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if n++; n == 3 && r.URL.Path == "/broken" {
			http.Error(w, "sorry, "+canary, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `["%s"]`, strings.Repeat("x", 90<<10))
	})
	config := object{"url": "{{ vars.url }}/broken", "paginate": object{"next": `"?p=" + string(page)`, "collect": "body"}}
	l.bad(l.run("http_endpoint", config, env), "503", "page 3: HTTP 503 Service Unavailable: sorry, ***")
	config["url"] = "{{ vars.url }}/long"
	out := l.good(l.run("http_endpoint", config, env))
	if len(out["body"].([]any)) != 2 || out["pages"] != 3.0 || out["truncated"] != true {
		t.Errorf("%d items, %v pages, truncated %v", len(out["body"].([]any)), out["pages"], out["truncated"])
	}
}
