package worker_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/redistest"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// patience bounds how long a test waits for something that has to happen.
const patience = 30 * time.Second

// bench is an installation whose HTTP calls end in the test.
type bench struct {
	t       *testing.T
	db      *postgres.DB
	queue   *queue.Client
	service *dispatch.Service
	who     account.Principal
	target  *target
	log     *slog.Logger
	server  *local.Redis
	// registry gets the metrics of the worker that is started next; nil for none.
	registry *prometheus.Registry
}

// target answers the calls of http_endpoint steps.
type target struct {
	mu     sync.Mutex
	calls  []egress.Request
	rules  []egress.Rules // that each call and each connection obeyed
	answer func(ctx context.Context, n int, req egress.Request) (*egress.Response, error)
}

func (s *target) Do(ctx context.Context, req egress.Request) (*egress.Response, error) {
	s.mu.Lock()
	s.calls = append(s.calls, req)
	n := len(s.calls)
	s.obeyed(ctx)
	s.mu.Unlock()
	return s.answer(ctx, n, req)
}

// obeyed notes the rules of a call; without any it would not have come here.
func (s *target) obeyed(ctx context.Context) {
	rules, _ := egress.RulesOf(ctx)
	s.rules = append(s.rules, rules)
}

func (s *target) Dial(ctx context.Context, _ string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.obeyed(ctx)
	return nil, errors.New("nobody is there")
}

func (s *target) TLS(string) *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }

// called lists the URLs that were called.
func (s *target) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, c := range s.calls {
		list = append(list, strings.TrimPrefix(c.URL, "http://target"))
	}
	return list
}

func answer(status int, body string) *egress.Response {
	return &egress.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

func ok(context.Context, int, egress.Request) (*egress.Response, error) {
	return answer(200, `{"ok":true}`), nil
}

func newBench(t *testing.T) *bench {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := postgres.Open(t.Context(), pgtest.DB(t), postgres.Options{Application: "test", Conns: 10, Keyed: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	server := redistest.Start(t)
	q, err := queue.Open(queue.Config{URL: server.URL, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	b := &bench{t: t, db: db, queue: q, service: dispatch.New(db, q, clock.System{}, log), target: &target{answer: ok}, log: log, server: server}
	if b.service.Secrets, err = secret.NewKeyring("a key that is long enough for tests", ""); err != nil {
		t.Fatal(err)
	}
	u := account.User{ID: uuid.New(), Email: "ana@example.com", Username: "ana"}
	session := uuid.New()
	err = db.InTx(t.Context(), func(q postgres.Querier) error {
		if u, err = (postgres.Users{Q: q}).Register(t.Context(), u, "none"); err != nil {
			return err
		}
		return postgres.Sessions{Q: q}.Begin(t.Context(), session, u.ID, []byte("hash"), time.Hour, "", "")
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.who, err = (postgres.Users{Q: db}).Principal(t.Context(), u.ID, session); err != nil {
		t.Fatal(err)
	}
	return b
}

// work runs a worker until the test ends or the returned functions are called: drain asks it to finish, abandon makes it
// give back what it has.
func (b *bench) work(change ...func(*worker.Config)) (drain, abandon func()) {
	b.t.Helper()
	cfg := worker.Config{Concurrency: 20, Beat: 50 * time.Millisecond, Secrets: b.service.Secrets, PublicURL: "https://orq.example.com"}
	for _, f := range change {
		f(&cfg)
	}
	w, err := worker.New(cfg, b.db, b.queue, b.target, clock.System{}, b.log, b.metrics())
	if err != nil {
		b.t.Fatal(err)
	}
	return b.serve(w.Run)
}

// schedule runs a scheduler in the same way. A worker is given up after lostAfter of silence.
func (b *bench) schedule(lostAfter time.Duration, change ...func(*scheduler.Config)) {
	b.t.Helper()
	b.scheduleUntil(lostAfter, change...)
}

// scheduleUntil is schedule for a scheduler that goes away before the test ends.
func (b *bench) scheduleUntil(lostAfter time.Duration, change ...func(*scheduler.Config)) (abandon func()) {
	b.t.Helper()
	cfg := scheduler.Config{
		Batch: 100, LostAfter: lostAfter, EnqueueGrace: 5 * time.Second, MaxCrashes: 3, Overtime: time.Minute, CancelAfter: time.Minute,
	}
	for _, f := range change {
		f(&cfg)
	}
	s := scheduler.New(cfg, b.db, b.queue, clock.System{}, b.log, nil)
	_, abandon = b.serve(s.Run)
	return abandon
}

func (b *bench) serve(role func(ctx, stop context.Context) error) (drain, abandon func()) {
	ctx, cancel := context.WithCancel(context.Background())
	stop, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- role(ctx, stop) }()
	var once sync.Once
	wait := func() {
		once.Do(func() {
			if err := <-done; err != nil {
				b.t.Errorf("the role ended with %v", err)
			}
		})
	}
	drain = func() { end(); wait() }
	abandon = func() { end(); cancel(); wait() }
	b.t.Cleanup(abandon)
	return drain, abandon
}

func (b *bench) create(def workflow.Definition) postgres.WorkflowRow {
	b.t.Helper()
	if def.Name == "" {
		def.Name = b.t.Name()
	}
	home, _ := b.who.Home()
	row, err := b.service.Create(b.t.Context(), b.who, home, def, true)
	if err != nil {
		b.t.Fatal(err)
	}
	return row
}

func (b *bench) start(wf postgres.WorkflowRow, inputs map[string]any) uuid.UUID {
	b.t.Helper()
	row, err := b.service.Start(b.t.Context(), b.who, wf.ID, inputs, "")
	if err != nil {
		b.t.Fatal(err)
	}
	return row.ID
}

func (b *bench) get(id uuid.UUID) postgres.RunRow {
	b.t.Helper()
	row, err := postgres.Runs{Q: b.db}.Get(b.t.Context(), b.who.Where(account.RunRead), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return row
}

// metrics is where a worker counts. An interface that holds a nil pointer would not be nil.
func (b *bench) metrics() prometheus.Registerer {
	if b.registry == nil {
		return nil
	}
	return b.registry
}

// counted is the sum of a metric of the worker that counts into the registry.
func (b *bench) counted(name string) (sum float64) {
	b.t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// eventually asks again until ok, or until there is no hope.
func (b *bench) eventually(what string, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("not in time: %s", what)
		}
		<-tick.C
	}
}

// until waits until a run is in a status.
func (b *bench) until(id uuid.UUID, status run.Status) postgres.RunRow {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		row := b.get(id)
		if row.Status == status {
			return row
		}
		if row.Status.Finished() || time.Now().After(deadline) {
			b.t.Fatalf("the run is %s (%v), want %s; log: %q", row.Status, deref(row.Reason), status, b.messages(id))
		}
		<-tick.C
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// attempts writes the attempts of a run's steps: step, number, status and failure class.
func (b *bench) attempts(id uuid.UUID) []string {
	b.t.Helper()
	rows, err := postgres.Runs{Q: b.db}.Steps(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	var list []string
	for _, r := range rows {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %d %s %s", r.Step, r.Attempt, r.Status, deref(r.Class))))
	}
	return list
}

// messages are the log's lines from info on; what is debug may change.
func (b *bench) messages(id uuid.UUID) []string {
	b.t.Helper()
	rows, err := postgres.Runs{Q: b.db}.Logs(b.t.Context(), id, "", 0, 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var list []string
	for i, r := range rows {
		if r.Seq != i+1 {
			b.t.Errorf("log line %d has the number %d", i+1, r.Seq)
		}
		if r.Level != "debug" {
			list = append(list, r.Message)
		}
	}
	return list
}

func (b *bench) same(want, got []string) {
	b.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Error(diff)
	}
}

func call(id, path string, after ...string) workflow.Step {
	config, _ := json.Marshal(workflow.HTTPConfig{URL: "http://target" + path})
	return workflow.Step{ID: id, Action: workflow.ActionHTTP, Config: config, DependsOn: after}
}

func note(id, message string, after ...string) workflow.Step {
	config, _ := json.Marshal(workflow.LogConfig{Message: message})
	return workflow.Step{ID: id, Action: workflow.ActionLog, Config: config, DependsOn: after}
}

func retry(step workflow.Step, r workflow.Retry) workflow.Step {
	step.Retry = &r
	return step
}

var rerunFailed = dispatch.Rerun{From: dispatch.FromFailed}

// flushRedis makes Redis forget everything.
func (b *bench) flushRedis() {
	b.t.Helper()
	opt, err := redis.ParseURL(b.server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	client := redis.NewClient(opt)
	defer client.Close()
	if err := client.FlushAll(b.t.Context()).Err(); err != nil {
		b.t.Fatal(err)
	}
}
