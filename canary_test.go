package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/crypto/bcrypt"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/redistest"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// The canaries: one that may stand anywhere in a request, and one with everything that encodings differ about.
const (
	plainCanary = "sk_canary_4eC39HqLyjWDarjtT1zdp7dc8XvBqN2mRwKo"
	oddCanary   = `q7!canary "odd" +/=&<b>\%41 größe 🔑 0123456789abcdefghij`
	installKey  = "a key that is long enough for tests"
)

// aviary is an installation with all roles, of which everything that is written down can be read.
type aviary struct {
	t        *testing.T
	db       *postgres.DB
	redisURL string
	url      string
	token    string
	answers  bytes.Buffer // all that the API said
	log      *lockedBuffer
	stop     func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func newAviary(t *testing.T) *aviary {
	t.Helper()
	a := &aviary{t: t, redisURL: redistest.URL(t), log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	a.db, err = postgres.Open(t.Context(), pgtest.DB(t), postgres.Options{Application: "test", Conns: 12, Keyed: true})
	must(err)
	t.Cleanup(a.db.Close)
	q, err := queue.Open(queue.Config{URL: a.redisURL, Retention: time.Hour, Log: log})
	must(err)
	t.Cleanup(func() { _ = q.Close() })
	ring, err := secret.NewKeyring(installKey, "")
	must(err)
	client, err := egress.New(egress.Config{Allow: []string{"127.0.0.1"}})
	must(err)
	t.Cleanup(client.Close)
	server, err := api.New(api.Config{SecretKey: installKey, Registration: "open"}, api.Deps{
		DB: a.db, Queue: q, Clock: clock.System{}, Log: log, Health: &telemetry.Health{}, Registry: prometheus.NewRegistry(), Version: "test", PasswordCost: bcrypt.MinCost,
	})
	must(err)
	work, err := worker.New(worker.Config{Concurrency: 10, Beat: 100 * time.Millisecond, HostFailures: 20, HostCooldown: time.Second, Secrets: ring}, a.db, q, client, clock.System{}, log, nil)
	must(err)
	plan := scheduler.New(scheduler.Config{
		Batch: 100, LostAfter: time.Minute, EnqueueGrace: 5 * time.Second, MaxCrashes: 3, Overtime: time.Minute, CancelAfter: time.Minute,
	}, a.db, q, clock.System{}, log, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	a.url = "http://" + listener.Addr().String() + "/api/v1"
	stop, end := context.WithCancel(context.Background())
	var roles sync.WaitGroup
	for _, serve := range []func() error{
		func() error { return server.Serve(context.Background(), stop, listener) },
		func() error { return work.Run(context.Background(), stop) },
		func() error { return plan.Run(context.Background(), stop) },
	} {
		roles.Go(func() {
			if err := serve(); err != nil {
				t.Errorf("a role ended with %v", err)
			}
		})
	}
	a.stop = sync.OnceFunc(func() { end(); roles.Wait() })
	t.Cleanup(a.stop)
	return a
}

// ask calls the API and keeps what it says.
func (a *aviary) ask(method, path string, body any, want int) map[string]any {
	a.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, bytes.NewReader(raw))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		a.t.Fatalf("%s %s: %d, want %d (%v): %s", method, path, resp.StatusCode, want, err, said)
	}
	a.answers.Write(said)
	var v map[string]any
	_ = json.Unmarshal(said, &v) // an answer without a body has none
	return v
}

// until asks for a thing until its status is one of those in which it has ended.
func (a *aviary) until(path string) map[string]any {
	a.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		v := a.ask("GET", path, nil, 200)
		switch v["status"] {
		case "succeeded", "failed", "cancelled", "skipped":
			return v
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("%s is %v", path, v["status"])
		}
		<-tick.C
	}
}

// traces are what must not be found of a value: pieces of it, long enough to be no accident, in each encoding.
func traces(value string) map[string]string {
	const piece = 16
	found := map[string]string{}
	add := func(how, text string) {
		for i := 0; i+piece <= len(text); i += 4 {
			found[text[i:i+piece]] = how
		}
	}
	plain, _ := json.Marshal(value)
	add("as it is", value)
	add("in JSON", strings.Trim(string(plain), `"`))
	add("in a query", url.QueryEscape(value))
	add("in a path", url.PathEscape(value))
	for offset := range 3 {
		padded := append(bytes.Repeat([]byte("x"), offset), value...)
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			add("in base64", e.EncodeToString(padded)[4:])
		}
	}
	return found
}

// clean fails the test when a text holds a trace of a canary.
func (a *aviary) clean(where, text string) {
	a.t.Helper()
	for _, canary := range []string{plainCanary, oddCanary} {
		for trace, how := range traces(canary) {
			if at := strings.Index(text, trace); at >= 0 {
				a.t.Errorf("%s holds %.20q %s: …%s…", where, canary, how, text[max(0, at-150):min(len(text), at+100)])
				break
			}
		}
	}
}

// tables is everything that the database keeps.
func (a *aviary) tables() map[string]string {
	a.t.Helper()
	all := map[string]string{}
	rows, err := a.db.Query(a.t.Context(), `select table_name from information_schema.tables where table_schema = 'public'`)
	if err != nil {
		a.t.Fatal(err)
	}
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			a.t.Fatal(err)
		}
		names = append(names, name)
	}
	if len(names) < 20 {
		a.t.Fatalf("only %d tables", len(names))
	}
	for _, name := range names {
		// Bytes are written as they are as far as they are text.
		var text string
		err := a.db.QueryRow(a.t.Context(), `select coalesce(string_agg(t::text || coalesce(row_to_json(t)::text, ''), E'\n'), '') from `+name+` t`).Scan(&text)
		if err != nil {
			a.t.Fatal(err)
		}
		all[name] = text
	}
	var sealed []byte
	if err := a.db.QueryRow(a.t.Context(), `select string_agg(sealed, '') from secrets`).Scan(&sealed); err != nil {
		a.t.Fatal(err)
	}
	all["secrets.sealed"] = string(sealed)
	return all
}

// cache is everything that Redis keeps.
func (a *aviary) cache() string {
	a.t.Helper()
	options, err := redis.ParseURL(a.redisURL)
	if err != nil {
		a.t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	ctx := a.t.Context()
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil || len(keys) == 0 {
		a.t.Fatalf("%d keys in Redis: %v", len(keys), err)
	}
	var all strings.Builder
	for _, key := range keys {
		fmt.Fprintln(&all, key)
		switch client.Type(ctx, key).Val() {
		case "string":
			fmt.Fprintln(&all, client.Get(ctx, key).Val())
		case "hash":
			fmt.Fprintln(&all, client.HGetAll(ctx, key).Val())
		case "list":
			fmt.Fprintln(&all, client.LRange(ctx, key, 0, -1).Val())
		case "set":
			fmt.Fprintln(&all, client.SMembers(ctx, key).Val())
		case "zset":
			fmt.Fprintln(&all, client.ZRange(ctx, key, 0, -1).Val())
		case "stream":
			fmt.Fprintln(&all, client.XRange(ctx, key, "-", "+").Val())
		}
	}
	return all.String()
}

// parrot repeats what it is told in every encoding, with the status that the path says.
func parrot(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told := map[string]string{"path": r.URL.Path, "uri": r.RequestURI, "body": string(body)}
		for name, values := range r.Header {
			told[name] = strings.Join(values, ",")
		}
		all := map[string]any{}
		for name, v := range told {
			nested, _ := json.Marshal(v)
			all[name] = []any{v, url.QueryEscape(v), url.PathEscape(v), base64.StdEncoding.EncodeToString([]byte(v)), base64.URLEncoding.EncodeToString([]byte("a" + v)), string(nested)}
			all["key "+v] = 1
		}
		said, _ := json.Marshal(all)
		switch {
		case strings.HasPrefix(r.URL.Path, "/away"):
			w.Header().Set("Location", "ftp://"+plainCanary+"/"+url.PathEscape(oddCanary))
			w.WriteHeader(302)
		case strings.HasPrefix(r.URL.Path, "/long"):
			fmt.Fprint(w, strings.Repeat("x", 1<<20-20)+plainCanary+strings.Repeat("y", 100))
		case strings.HasPrefix(r.URL.Path, "/bad"):
			w.WriteHeader(503)
			w.Write(said)
		case strings.HasPrefix(r.URL.Path, "/text"):
			fmt.Fprintf(w, "%s\n%s", told["body"], said)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.Write(said)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

type obj = map[string]any

// A run uses secrets in every place, against a target that repeats them in every encoding. Afterwards nothing that was
// written down, anywhere, holds a trace of them.
func TestNoTraceOfASecretIsWrittenDown(t *testing.T) {
	a := newAviary(t)
	a.ask("POST", "/auth/register", obj{"email": "ana@example.org", "username": "ana", "password": "correct horse battery"}, 201)
	a.token, _ = a.ask("POST", "/auth/login", obj{"email": "ana@example.org", "password": "correct horse battery"}, 200)["access_token"].(string)
	a.answers.Reset()
	a.ask("PUT", "/secrets/token", obj{"value": plainCanary}, 200)
	a.ask("PUT", "/secrets/odd", obj{"value": oddCanary}, 200)
	a.ask("PUT", "/variables/base", obj{"value": parrot(t)}, 200)

	call := func(id, path string, more obj) obj {
		config := obj{
			"url": "{{ vars.base }}" + path, "query": obj{"odd": "{{ secrets.odd }}", "token": "{{ secrets.token }}"},
			"auth": obj{"type": "basic", "username": "user", "password": "{{ secrets.token }}"}, "headers": obj{"X-Token": "{{ secrets.token }}", "X-Odd": "{{ urlEncode(secrets.odd) }}"},
		}
		for k, v := range more {
			config[k] = v
		}
		return obj{"id": id, "action": "http_endpoint", "config": config, "on_error": "continue", "timeout": "5s"}
	}
	post := func(form string, body any) obj { return obj{"method": "POST", "body": obj{form: body}} }
	steps := []obj{
		call("path", "/x/{{ secrets.token }}/{{ secrets.odd }}", nil),
		call("json", "/x", post("json", obj{"a": []string{"{{ secrets.odd }}"}, "b": "{{ secrets.token }}"})),
		call("form", "/x", post("form", obj{"a": "{{ secrets.odd }}"})),
		call("text", "/text", post("text", "{{ secrets.odd }} {{ toBase64(secrets.odd) }} {{ toBase64(\"x\" + secrets.token) }}")),
		call("refused", "/bad", post("text", "{{ secrets.odd }} {{ secrets.token }}")),
		call("away", "/away", nil), call("long", "/long", nil),
		call("rule", "/x", obj{"expect_body": "int(secrets.token) > 1"}),
		call("nowhere", "", obj{"url": "http://127.0.0.1:1/{{ secrets.token }}"}),
		call("nonsense", "", obj{"url": "{{ secrets.odd }}"}), call("nonsense2", "", obj{"url": "http://{{ secrets.odd }}/"}), call("nonsense3", "", obj{"url": "http://{{ secrets.token }}:{{ secrets.token }}/"}),
		call("host", "", obj{"url": "http://{{ secrets.token }}/"}),
		{"id": "number", "action": "log_message", "config": obj{"message": "{{ int(secrets.token) }}{{ date(secrets.odd) }}"}, "on_error": "continue"},
		{"id": "decide", "action": "log_message", "config": obj{"message": "x"}, "if": "date(secrets.odd)", "on_error": "continue"},
		{"id": "slack", "action": "slack", "config": obj{"webhook_url": "{{ vars.base }}/bad/{{ secrets.token }}", "text": "{{ secrets.odd }}"}, "on_error": "continue"},
		{"id": "mail", "action": "send_email", "on_error": "continue", "config": obj{
			"host": "127.0.0.1", "port": 1, "username": "u", "password": "{{ secrets.token }}", "from": "a@b.c", "to": []string{"{{ secrets.odd }}"}, "subject": "{{ secrets.odd }}", "text": "{{ secrets.token }}",
		}},
		{"id": "log", "action": "log_message", "depends_on": []string{"json", "path"}, "config": obj{
			"message": "{{ secrets.token }} {{ secrets.odd }} {{ toJSON(secrets.odd) }} {{ urlEncode(secrets.odd) }} {{ toJSON(steps.json) }} {{ toBase64(\"ab\" + secrets.odd) }}",
		}},
	}
	for i := range steps[:13] {
		steps[i]["retry"] = obj{"attempts": 2, "initial": "10ms", "on": []string{"503", "connection"}}
	}
	workflow := a.ask("POST", "/workflows", obj{"name": "canary", "steps": steps}, 201)["id"].(string)
	run := a.ask("POST", "/workflows/"+workflow+"/runs", nil, 202)["id"].(string)
	ended := a.until("/runs/" + run)
	statuses := map[any]int{}
	for _, s := range ended["steps"].([]any) {
		statuses[s.(obj)["status"]]++
	}
	if ended["status"] != "succeeded" || statuses["succeeded"] < 6 || statuses["failed"] < 9 {
		t.Errorf("the run %v, its steps %v", ended["status"], statuses)
	}
	for _, i := range []int{0, 3, 4, 13, 15} {
		step := obj{}
		for k, v := range steps[i] {
			if k != "retry" && k != "on_error" && k != "depends_on" {
				step[k] = v
			}
		}
		a.until("/step-tests/" + a.ask("POST", "/step-tests", obj{"step": step}, 202)["id"].(string))
	}
	for _, path := range []string{
		"/runs", "/runs/" + run, "/runs/" + run + "/logs", "/workflows", "/workflows/" + workflow, "/workflows/" + workflow + "/versions", "/secrets", "/variables",
		"/audit?limit=200", "/audit/export", "/audit/export?format=csv", "/hosts", "/overview", "/workers", "/queues", "/stats",
	} {
		a.ask("GET", path, nil, 200)
	}
	a.clean("the API", a.answers.String())
	for name, text := range a.tables() {
		a.clean("the table "+name, text)
	}
	a.clean("Redis", a.cache())
	a.stop()
	a.clean("the log", a.log.b.String())
	if !strings.Contains(a.answers.String(), secret.Hidden) {
		t.Error("nothing was hidden: the secrets were not used")
	}
}
