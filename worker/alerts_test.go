package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/scheduler"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// channel makes a channel.
func (b *bench) channel(name, action, config string) uuid.UUID {
	b.t.Helper()
	home, _ := b.who.Home()
	row, err := b.service.CreateChannel(b.t.Context(), b.who, home, alert.Channel{Name: name, Action: action, Config: json.RawMessage(config)})
	if err != nil {
		b.t.Fatal(err)
	}
	return row.ID
}

// rule makes a rule about failures and their ends.
func (b *bench) rule(channels ...uuid.UUID) {
	b.t.Helper()
	home, _ := b.who.Home()
	_, err := b.service.CreateRule(b.t.Context(), b.who, home, alert.Rule{
		Name: "All", Enabled: true, On: []alert.Kind{alert.Failure, alert.Storage, alert.Recovery}, Channels: channels,
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// alerts are the messages, the oldest first.
func (b *bench) alerts() []postgres.AlertRow {
	b.t.Helper()
	home, _ := b.who.Home()
	list, err := postgres.Alerts{Q: b.db}.List(b.t.Context(), postgres.AlertFilter{Projects: []uuid.UUID{home}, Limit: 100})
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

// delivered waits until no message is on its way any more.
func (b *bench) delivered(n int) []postgres.AlertRow {
	b.t.Helper()
	var list []postgres.AlertRow
	b.eventually("the alerts arrive", func() bool {
		list = b.alerts()
		return len(list) >= n && !slices.ContainsFunc(list, func(a postgres.AlertRow) bool {
			return slices.ContainsFunc(a.Deliveries, func(d postgres.AlertDelivery) bool {
				return d.State == postgres.DeliveryWaiting || d.State == postgres.DeliverySending
			})
		})
	})
	return list
}

// broken is a workflow whose step fails until it is mended.
func (b *bench) broken() (wf postgres.WorkflowRow, mend func()) {
	var mended sync.Once
	well := make(chan struct{})
	b.target.answer = func(_ context.Context, _ int, req egress.Request) (*egress.Response, error) {
		select {
		case <-well:
		default:
			if req.URL == "http://target/data" {
				return answer(500, `{"error":"out of order"}`), nil
			}
		}
		return answer(200, `{"ok":true}`), nil
	}
	return b.create(workflow.Definition{Name: "Import", Steps: []workflow.Step{call("fetch", "/data")}}), func() { mended.Do(func() { close(well) }) }
}

// sent are the bodies of the calls to an address.
func (b *bench) sent(part string) (bodies []string) {
	b.target.mu.Lock()
	defer b.target.mu.Unlock()
	for _, c := range b.target.calls {
		if strings.Contains(c.URL, part) {
			bodies = append(bodies, string(c.Body))
		}
	}
	return bodies
}

// What is about the project as a whole leads to its page.
func TestAnAlertAboutStorageLeadsToTheProject(t *testing.T) {
	b := newBench(t)
	b.rule(b.channel("hook", workflow.ActionHTTP, `{"url":"http://target/hook"}`))
	home, _ := b.who.Home()
	// It was weighed just now, and is not again while the test lasts.
	b.exec(`insert into project_storage (project_id, bytes, measured_at) values ($1, 90000000, now() + interval '1 hour')`, home)
	b.work(func(c *worker.Config) { c.PublicURL = "https://orq.example.com" })
	b.schedule(time.Minute, func(c *scheduler.Config) { c.Quota = quota.Quota{Storage: 100 * quota.Megabyte} })
	list := b.delivered(1)
	if list[0].Title != "The project ana is running out of storage" {
		t.Errorf("it says %q", list[0].Title)
	}
	if bodies := b.sent("/hook"); len(bodies) != 1 || !strings.Contains(bodies[0], "https://orq.example.com/projects/"+home.String()) {
		t.Errorf("sent was %q", bodies)
	}
}

func TestAlertsReachEverySender(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"slack", "discord", "teams"} {
		b.keep(name, "http://target/"+name)
	}
	b.keep("bot", "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11")
	b.rule(
		b.channel("hook", workflow.ActionHTTP, `{"url":"http://target/hook","headers":{"X-Kind":"{{ inputs.kind }}"}}`),
		b.channel("slack", workflow.ActionSlack, `{"webhook_url":"{{ secrets.slack }}"}`),
		b.channel("discord", workflow.ActionDiscord, `{"webhook_url":"{{ secrets.discord }}"}`),
		b.channel("teams", workflow.ActionTeams, `{"webhook_url":"{{ secrets.teams }}"}`),
		b.channel("telegram", workflow.ActionTelegram, `{"bot_token":"{{ secrets.bot }}","chat_id":"42"}`),
	)
	wf, mend := b.broken()
	b.work(func(c *worker.Config) { c.PublicURL = "https://orq.example.com" })
	b.schedule(time.Minute)
	id := b.start(wf, nil)
	b.until(id, run.Failed)
	b.delivered(1)
	link := "https://orq.example.com/runs/" + id.String()
	for _, where := range []string{"/hook", "/slack", "/discord", "/teams", "api.telegram.org"} {
		bodies := b.sent(where)
		if len(bodies) != 1 {
			t.Errorf("%s was called %d times", where, len(bodies))
			continue
		}
		for _, want := range []string{"Import failed", "fetch", "500", link} {
			if !strings.Contains(bodies[0], want) {
				t.Errorf("%s got %s, without %q", where, bodies[0], want)
			}
		}
	}
	var hook struct {
		Kind, Title, Workflow, Step string
		RunID                       uuid.UUID `json:"run_id"`
		Count                       int
	}
	if err := json.Unmarshal([]byte(b.sent("/hook")[0]), &hook); err != nil || hook.Kind != "failure" || hook.RunID != id || hook.Step != "fetch" || hook.Count != 1 {
		t.Errorf("%+v, %v", hook, err)
	}
	mend()
	b.until(b.start(wf, nil), run.Succeeded)
	b.delivered(2)
	if bodies := b.sent("/hook"); len(bodies) != 2 || !strings.Contains(bodies[1], "Import succeeded again") {
		t.Errorf("%q", bodies)
	}
}

// letterbox keeps mails.
type letterbox struct {
	mu    sync.Mutex
	mails []string
}

func (l *letterbox) NewSession(*smtp.Conn) (smtp.Session, error) { return l, nil }
func (*letterbox) Mail(string, *smtp.MailOptions) error          { return nil }
func (*letterbox) Rcpt(string, *smtp.RcptOptions) error          { return nil }
func (*letterbox) Reset()                                        {}
func (*letterbox) Logout() error                                 { return nil }
func (l *letterbox) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mails = append(l.mails, string(raw))
	return err
}

func TestAnAlertByMail(t *testing.T) {
	b := newBench(t)
	box := &letterbox{}
	server := smtp.NewServer(box)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	b.rule(b.channel("mail", workflow.ActionEmail, `{"host":"127.0.0.1","port":`+port+`,"tls":"none","from":"orq@example.com","to":["ana@example.com"]}`))
	client, err := egress.New(egress.Config{Allow: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w, err := worker.New(worker.Config{Concurrency: 5, Beat: 50 * time.Millisecond, PublicURL: "https://orq.example.com"}, b.db, b.queue, client, clock.System{}, b.log, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.serve(w.Run)
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Name: "Importación", Steps: []workflow.Step{{
		ID: "fetch", Action: workflow.ActionHTTP, Config: json.RawMessage(`{"url":"http://127.0.0.1:1/"}`),
	}}}), nil)
	b.until(id, run.Failed)
	list := b.delivered(1)
	if list[0].Deliveries[0].State != postgres.DeliverySent {
		t.Fatalf("%+v", list[0].Deliveries)
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(box.mails) != 1 {
		t.Fatalf("%d mails", len(box.mails))
	}
	m, err := mail.ReadMessage(strings.NewReader(box.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil || !strings.Contains(strings.ReplaceAll(string(body), "=\r\n", ""), "https://orq.example.com/runs/"+id.String()) {
		t.Errorf("%s (%v)", body, err)
	}
	if to := m.Header.Get("To"); !strings.Contains(to, "ana@example.com") || m.Header.Get("Subject") == "" {
		t.Errorf("%+v", m.Header)
	}
}

func TestAnAlertThatIsNotTaken(t *testing.T) {
	b := newBench(t)
	b.keep("hook", "http://target/s3cr3t-path")
	b.rule(b.channel("slack", workflow.ActionSlack, `{"webhook_url":"{{ secrets.hook }}"}`))
	var mu sync.Mutex
	statuses := []int{503, 404}
	b.target.answer = func(_ context.Context, _ int, req egress.Request) (*egress.Response, error) {
		if !strings.Contains(req.URL, "s3cr3t") {
			return answer(500, `{}`), nil
		}
		mu.Lock()
		defer mu.Unlock()
		status := statuses[0]
		statuses = statuses[1:]
		return answer(status, `no such hook: http://target/s3cr3t-path`), nil
	}
	wf := b.create(workflow.Definition{Name: "Import", Steps: []workflow.Step{call("fetch", "/data")}})
	b.work()
	b.schedule(time.Minute)
	b.until(b.start(wf, nil), run.Failed)
	b.eventually("the first attempt fails", func() bool {
		list := b.alerts()
		return len(list) == 1 && len(list[0].Deliveries[0].Tries) == 1
	})
	first := b.alerts()[0].Deliveries[0]
	if first.State != postgres.DeliveryWaiting || first.Tries[0].Class != "503" || time.Until(first.DueAt) < time.Second {
		t.Errorf("%+v", first)
	}
	b.exec(`update alert_deliveries set due_at = now()`)
	last := b.delivered(1)[0].Deliveries[0]
	if last.State != postgres.DeliveryFailed || last.Attempts != 2 || len(last.Tries) != 2 || last.Tries[1].Class != "404" {
		t.Fatalf("%+v", last)
	}
	for _, try := range last.Tries {
		if strings.Contains(try.Error, "s3cr3t") {
			t.Errorf("a secret is shown: %s", try.Error)
		}
	}
	if n := len(b.alerts()); n != 1 {
		t.Errorf("%d alerts: one that is not taken alerts nobody", n)
	}

	mu.Lock()
	statuses = []int{200}
	mu.Unlock()
	if err := b.service.RetryAlert(t.Context(), b.who, b.alerts()[0].ID); err != nil {
		t.Fatal(err)
	}
	if again := b.delivered(1)[0].Deliveries[0]; again.State != postgres.DeliverySent || again.SentAt == nil {
		t.Errorf("%+v", again)
	}
	if err := b.service.RetryAlert(t.Context(), b.who, b.alerts()[0].ID); err == nil {
		t.Error("what was sent is sent again")
	}
}

func TestAChannelIsTried(t *testing.T) {
	b := newBench(t)
	id := b.channel("hook", workflow.ActionHTTP, `{"url":"http://target/hook"}`)
	b.work()
	if _, err := b.service.TestChannel(t.Context(), b.who, id, "es"); err != nil {
		t.Fatal(err)
	}
	if got := b.delivered(1)[0]; got.Kind != "test" || got.Deliveries[0].State != postgres.DeliverySent || !strings.Contains(b.sent("/hook")[0], "Prueba del canal hook") {
		t.Errorf("%+v", got)
	}
	b.target.answer = func(context.Context, int, egress.Request) (*egress.Response, error) {
		return nil, errors.New("unreachable")
	}
	if _, err := b.service.TestChannel(t.Context(), b.who, id, "en"); err != nil {
		t.Fatal(err)
	}
	if got := b.delivered(2)[1].Deliveries[0]; got.State != postgres.DeliveryFailed || got.Attempts != 1 || got.Tries[0].Error == "" {
		t.Errorf("%+v", got) // somebody waits: it is not tried again
	}
}

// The scheduler dies before it says what it made of a failure, then after that; a worker dies with the message in hand, before
// it sent it. There is one message, and it is sent once.
func TestOneAlertWhoeverIsKilled(t *testing.T) {
	b := newBench(t)
	b.rule(b.channel("hook", workflow.ActionHTTP, `{"url":"http://target/hook"}`))
	wf, _ := b.broken()
	drain, _ := b.work()
	id := b.start(wf, nil)
	b.until(id, run.Failed)
	drain()

	dies := errors.New("killed")
	err := b.db.InTx(t.Context(), func(q postgres.Querier) error {
		if news, err := (postgres.AlertNews{Q: q}).Take(t.Context(), 10); err != nil || len(news) != 1 {
			t.Errorf("news %v, %v", news, err)
		}
		return dies
	})
	if !errors.Is(err, dies) {
		t.Fatal(err)
	}
	abandon := b.scheduleUntil(time.Minute)
	b.eventually("the message is made", func() bool { return len(b.alerts()) == 1 })
	abandon()
	b.schedule(time.Minute)
	claimed, err := postgres.Alerts{Q: b.db}.Claim(t.Context(), "the dead", time.Minute, 10)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	b.work()
	if again, err := (postgres.Alerts{Q: b.db}).Claim(t.Context(), "another", time.Minute, 10); err != nil || len(again) != 0 {
		t.Fatalf("taken from a worker that has it: %v, %v", again, err)
	}
	b.exec(`update alert_deliveries set due_at = now()`) // the dead has had its time
	list := b.delivered(1)
	if len(list) != 1 || len(b.sent("/hook")) != 1 {
		t.Fatalf("%d messages, sent %d times", len(list), len(b.sent("/hook")))
	}
	d := list[0].Deliveries[0]
	if d.State != postgres.DeliverySent || d.Attempts != 2 || len(d.Tries) != 1 || d.Tries[0].Class != run.FailureWorkerLost {
		t.Errorf("%+v", d)
	}
	if err := (postgres.Alerts{Q: b.db}).Finish(t.Context(), "the dead", claimed[0], postgres.DeliveryResult{Failed: &postgres.DeliveryTry{Error: "late"}}); err != nil {
		t.Fatal(err)
	}
	if d := b.alerts()[0].Deliveries[0]; d.State != postgres.DeliverySent {
		t.Errorf("a zombie's word counted: %+v", d)
	}
}

// A worker dies after it sent a message, before that was noted: it is sent again, with the same key, so that whoever gets it can
// tell.
func TestAnAlertThatMayHaveArrived(t *testing.T) {
	b := newBench(t)
	b.rule(b.channel("hook", workflow.ActionHTTP, `{"url":"http://target/hook"}`))
	arrived := make(chan struct{}, 2)
	b.target.answer = func(ctx context.Context, _ int, req egress.Request) (*egress.Response, error) {
		if req.URL != "http://target/hook" {
			return answer(500, `{}`), nil
		}
		arrived <- struct{}{}
		if len(b.sent("/hook")) == 1 {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return answer(200, `{}`), nil
	}
	wf := b.create(workflow.Definition{Name: "Import", Steps: []workflow.Step{call("fetch", "/data")}})
	_, abandon := b.work()
	b.schedule(time.Minute)
	b.until(b.start(wf, nil), run.Failed)
	<-arrived
	abandon()
	b.exec(`update alert_deliveries set due_at = now()`)
	b.work()
	d := b.delivered(1)[0].Deliveries[0]
	if d.State != postgres.DeliverySent || len(d.Tries) != 1 || d.Tries[0].Class != run.FailureWorkerLost {
		t.Errorf("%+v", d)
	}
	b.target.mu.Lock()
	defer b.target.mu.Unlock()
	keys := map[string]int{}
	for _, c := range b.target.calls {
		if c.URL == "http://target/hook" {
			keys[c.Header.Get("Idempotency-Key")]++
		}
	}
	for key, n := range keys {
		if key == "" || n != 2 || len(keys) != 1 {
			t.Errorf("keys %v", keys)
		}
	}
}
