package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/oidctest"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/redistest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// clockAhead is the machine's clock, moved forward by hand.
type clockAhead struct {
	clock.System
	by atomic.Int64
}

func (c *clockAhead) Now() time.Time { return c.System.Now().Add(time.Duration(c.by.Load())) }

// toNextMinute makes a minute begin, for what is counted by the minute.
func (c *clockAhead) toNextMinute() {
	now := c.Now()
	c.advance(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
}

func (c *clockAhead) advance(d time.Duration) { c.by.Add(int64(d)) }

// installation is an API with a database and a Redis of its own, listening on a port of its own.
type installation struct {
	t        *testing.T
	url      string
	db       *postgres.DB
	redis    *local.Redis
	queue    *queue.Client
	clock    *clockAhead
	registry *prometheus.Registry
	cfg      api.Config
	issuer   *oidctest.Server // that people log in with; nil unless it went abroad
	log      *bytes.Buffer    // what it logs; read it after stop
	stop     func()           // ends it the way a signal does, and waits
}

// install starts an installation in which nobody has registered yet.
func install(t *testing.T, change ...func(*api.Config)) *installation {
	t.Helper()
	in := &installation{t: t, redis: redistest.Start(t), clock: &clockAhead{}, registry: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(in.log, nil))
	var err error
	if in.db, err = postgres.Open(t.Context(), pgtest.DB(t), postgres.Options{Application: "test", Conns: 8}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.db.Close)
	if in.queue, err = queue.Open(queue.Config{URL: in.redis.URL, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.queue.Close() })
	cfg := api.Config{SecretKey: "a key that is long enough for tests", Registration: "open"}
	for _, f := range change {
		f(&cfg)
	}
	in.cfg = cfg
	in.url, in.stop = in.serve(in.registry)
	return in
}

// serve starts an API on the installation's databases, and answers where it is and how it ends.
func (in *installation) serve(registry *prometheus.Registry) (url string, stop func()) {
	in.t.Helper()
	role, err := api.New(in.cfg, api.Deps{
		DB: in.db, Queue: in.queue, Clock: in.clock, Log: slog.New(slog.NewTextHandler(in.log, nil)), Health: &telemetry.Health{}, Registry: registry,
		Version: "test", PasswordCost: bcrypt.MinCost,
	})
	if err != nil {
		in.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		in.t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- role.Serve(context.Background(), ctx, listener) }()
	stop = sync.OnceFunc(func() {
		end()
		if err := <-served; err != nil {
			in.t.Errorf("the API ended with: %v", err)
		}
	})
	in.t.Cleanup(stop)
	return "http://" + listener.Addr().String(), stop
}

// sql changes or counts what no operation can; it answers the first column of the first row.
func (in *installation) sql(statement string, args ...any) (n int64) {
	in.t.Helper()
	err := in.db.QueryRow(in.t.Context(), statement, args...).Scan(&n)
	if err != nil && err != pgx.ErrNoRows { //nolint:errorlint // Scan answers the very value
		in.t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// client is somebody who calls the API. It holds each answer against openapi.yaml.
type client struct {
	in    *installation
	http  *http.Client
	token string    // sent as a bearer token when not empty
	me    object    // what register answered
	asked *sync.Map // the operations that it called with success
}

// nobody is a client who has not logged in. It keeps cookies like a browser when browser is true.
func (in *installation) nobody(browser bool) *client {
	transport := &http.Transport{}
	in.t.Cleanup(transport.CloseIdleConnections)
	c := &client{in: in, asked: &sync.Map{}, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if browser {
		jar, err := cookiejar.New(nil)
		if err != nil {
			in.t.Fatal(err)
		}
		c.http.Jar = jar
	}
	return c
}

const password = "correct horse battery"

// user registers somebody and logs in with a bearer token. The first one is the administrator.
func (in *installation) user(name string) *client {
	in.t.Helper()
	c := in.nobody(false)
	c.me = c.post("/auth/register", object{"email": name + "@example.org", "username": name, "password": password}).want(201)
	c.token = c.login(name + "@example.org").want(200).text("access_token")
	return c
}

func (c *client) login(email string) answer {
	c.in.t.Helper()
	return c.post("/auth/login", object{"email": email, "password": password})
}

// object is a JSON object.
type object map[string]any

type list []any

// with changes a request before it is sent.
type with = func(*http.Request)

func header(name, value string) with { return func(r *http.Request) { r.Header.Set(name, value) } }

func cookie(name, value string) with {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

func (c *client) get(path string, w ...with) answer {
	c.in.t.Helper()
	return c.send("GET", path, nil, w...)
}

func (c *client) post(path string, body any, w ...with) answer {
	c.in.t.Helper()
	return c.send("POST", path, body, w...)
}

func (c *client) put(path string, body any, w ...with) answer {
	c.in.t.Helper()
	return c.send("PUT", path, body, w...)
}

func (c *client) delete(path string, w ...with) answer {
	c.in.t.Helper()
	return c.send("DELETE", path, nil, w...)
}

// raw is a body that is sent as it stands.
type raw string

// send makes a request below /api/v1. A body that is not raw is sent as JSON.
func (c *client) send(method, path string, body any, w ...with) answer {
	c.in.t.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case raw:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(b); err != nil {
			c.in.t.Fatal(err)
		}
	}
	if body != nil {
		w = append([]with{header("Content-Type", "application/json")}, w...)
	}
	a := c.fetch(method, "/api/v1"+path, text, w...)
	c.check(a)
	return a
}

// fetch makes a request to any path and does not look at the answer.
func (c *client) fetch(method, path string, body []byte, w ...with) answer {
	c.in.t.Helper()
	req, err := http.NewRequestWithContext(c.in.t.Context(), method, c.in.url+path, bytes.NewReader(body))
	if err != nil {
		c.in.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, f := range w {
		f(req)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.in.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.in.t.Fatal(err)
	}
	return answer{t: c.in.t, req: req, sent: body, status: resp.StatusCode, header: resp.Header, body: text, cookies: resp.Cookies()}
}

// cookieValue is the cookie that a browser holds for the API.
func (c *client) cookieValue(name string) string {
	u, _ := url.Parse(c.in.url + "/api/v1/auth/refresh")
	for _, k := range c.http.Jar.Cookies(u) {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

// answer is what came back.
type answer struct {
	t       *testing.T
	req     *http.Request
	sent    []byte
	status  int
	header  http.Header
	body    []byte
	cookies []*http.Cookie
}

// want fails the test unless the status is the one; it answers the body.
func (a answer) want(status int) object {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s %s: %d, want %d\nsent: %.500s\ngot: %.2000s", a.req.Method, a.req.URL, a.status, status, a.sent, a.body)
	}
	return a.json()
}

func (a answer) json() object {
	if len(a.body) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.UseNumber()
	var v object
	if err := decoder.Decode(&v); err != nil {
		return nil
	}
	return v
}

// refused fails the test unless the answer is a problem with the status and the code, and returns it.
func (a answer) refused(status int, code string) answer {
	a.t.Helper()
	if got := a.want(status).text("code"); got != code {
		a.t.Errorf("%s %s: code %q, want %q\n%s", a.req.Method, a.req.URL, got, code, a.body)
	}
	return a
}

// at fails the test unless one of the problem's errors points there, with that code.
func (a answer) at(pointer, code string) answer {
	a.t.Helper()
	for _, e := range a.json().items("errors") {
		if e.text("pointer") == pointer && e.text("code") == code {
			return a
		}
	}
	a.t.Errorf("%s %s: no error %q at %q in %s", a.req.Method, a.req.URL, code, pointer, a.body)
	return a
}

// eventually asks again until ok, or until there is no hope.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// example is a workflow with a step that calls and one that logs.
func example(change ...func(object)) object {
	w := object{
		"name": "Daily exchange rate",
		"triggers": list{object{
			"id": "morning", "type": "schedule", "cron": "0 9 * * MON-FRI", "timezone": "Europe/Madrid",
		}},
		"steps": list{
			object{
				"id": "fetch", "name": "Fetch the rate", "action": "http_endpoint",
				"config": object{"url": "https://api.example.com/rates?base={{ inputs.base ?? \"EUR\" }}"},
				"retry":  object{"attempts": 4, "backoff": "exponential", "initial": "1s", "max": "1m", "on": list{"timeout", "5xx", "429"}},
			},
			object{
				"id": "note", "action": "log_message", "depends_on": list{"fetch"}, "if": "steps.fetch.status == 200",
				"config": object{"message": "1 EUR = {{ steps.fetch.body.usd }} USD", "level": "info"},
			},
		},
	}
	for _, f := range change {
		f(w)
	}
	return w
}

// logOnly is the smallest workflow that there is.
func logOnly(name string, change ...func(object)) object {
	w := object{"name": name, "steps": list{object{"id": "say", "action": "log_message", "config": object{"message": "hello"}}}}
	for _, c := range change {
		c(w)
	}
	return w
}

// create makes a workflow and answers its path below /api/v1.
func (c *client) create(w object) (path string, created object) {
	c.in.t.Helper()
	created = c.post("/workflows", w).want(201)
	return "/workflows/" + created.text("id"), created
}

func lines(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprint(&b, line(i))
	}
	return b.String()
}

// text is a member that is a string; empty when it is none.
func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// number is a member that is a number, as it was written.
func (o object) number(name string) string {
	n, _ := o[name].(json.Number)
	return n.String()
}

// child is a member that is an object.
func (o object) child(name string) object {
	m, _ := o[name].(map[string]any)
	return m
}

// items is a member that is a list of objects.
func (o object) items(name string) []object {
	l, _ := o[name].([]any)
	objects := make([]object, len(l))
	for i, v := range l {
		m, _ := v.(map[string]any)
		objects[i] = m
	}
	return objects
}
