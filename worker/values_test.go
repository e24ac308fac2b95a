package worker_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// keep stores a secret in ana's project.
func (b *bench) keep(name, value string) {
	b.t.Helper()
	home, _ := b.who.Home()
	if _, err := b.service.PutSecret(b.t.Context(), b.who, home, dispatch.Secret{Name: name, Value: &value}); err != nil {
		b.t.Fatal(err)
	}
}

// vary stores a variable in ana's project.
func (b *bench) vary(name, value string) {
	b.t.Helper()
	home, _ := b.who.Home()
	in := dispatch.Variable{Name: name, Value: json.RawMessage(value)}
	if _, err := b.service.PutVariable(b.t.Context(), b.who, home, in); err != nil {
		b.t.Fatal(err)
	}
}

// exec does with the database what nobody else does.
func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
}

func callWith(id string, c workflow.HTTPConfig, after ...string) workflow.Step {
	config, _ := json.Marshal(c)
	return workflow.Step{ID: id, Action: workflow.ActionHTTP, Config: config, DependsOn: after}
}

// A step gets what it names, as it is when the attempt begins; nothing that a run writes shows a secret.
func TestStepsGetWhatTheyName(t *testing.T) {
	b := newBench(t)
	b.keep("token", "first-value-of-it")
	b.vary("base", `{"currency": "EUR", "id": 9007199254740993}`)
	b.target.answer = func(_ context.Context, n int, req egress.Request) (*egress.Response, error) {
		if n == 1 {
			b.keep("token", "second-value-of-it")
			return answer(503, `busy with `+req.Header.Get("Authorization")), nil
		}
		return answer(200, `{"echo":"`+req.Header.Get("Authorization")+`"}`), nil
	}
	b.work()
	b.schedule(time.Minute)
	step := callWith("fetch", workflow.HTTPConfig{
		URL: "http://target/{{ vars.base.currency }}/{{ vars.base.id }}", Headers: map[string]string{"Authorization": "Bearer {{ secrets.token }}"},
	})
	step.If = `secrets.token startsWith "first" && vars.base.currency == "EUR"`
	wf := b.create(workflow.Definition{Steps: []workflow.Step{
		retry(step, workflow.Retry{Attempts: 2, Backoff: "fixed", Initial: workflow.Duration(10 * time.Millisecond)}),
		note("note", "it said {{ steps.fetch.body.echo }}", "fetch"),
	}})
	id := b.start(wf, nil)
	b.until(id, run.Succeeded)
	b.same([]string{"/EUR/9007199254740993", "/EUR/9007199254740993"}, b.target.called())
	for i, want := range []string{"Bearer first-value-of-it", "Bearer second-value-of-it"} {
		if got := b.target.calls[i].Header.Get("Authorization"); got != want {
			t.Errorf("attempt %d sent %q", i+1, got)
		}
	}
	said := b.messages(id)
	if !strings.HasPrefix(said[0], "HTTP 503 Service Unavailable: busy with Bearer ***; attempt 2 of 2") || said[1] != "it said Bearer ***" {
		t.Errorf("it logged %q", said)
	}
	row, err := postgres.Secrets{Q: b.db}.Get(t.Context(), wf.ProjectID, "token")
	if err != nil || row.UsedAt == nil {
		t.Errorf("it does not count as used: %+v, %v", row, err)
	}
}

func TestStepsThatCannotHaveWhatTheyName(t *testing.T) {
	b := newBench(t)
	b.keep("token", "some value")
	b.vary("base", `1`)
	b.work()
	use := func(source string) postgres.WorkflowRow {
		step := note("note", source)
		step.Retry = &workflow.Retry{Attempts: 3}
		return b.create(workflow.Definition{Name: source, Steps: []workflow.Step{step}})
	}
	fails := func(id uuid.UUID, why string) {
		t.Helper()
		row := b.until(id, run.Failed)
		if !strings.Contains(deref(row.Reason), why) {
			t.Errorf("reason %q, want %q", deref(row.Reason), why)
		}
		b.same([]string{"note 1 failed config"}, b.attempts(id))
	}
	secretly, variably := use("{{ secrets.token }}"), use("{{ vars.base }}")
	b.exec(`delete from secrets`)
	b.exec(`delete from variables`)
	fails(b.start(secretly, nil), "the secret token is not there any more")
	fails(b.start(variably, nil), "the variable base is not there any more")

	other, err := secret.NewKeyring("another key that is long enough for tests", "")
	if err != nil {
		t.Fatal(err)
	}
	ours := b.service.Secrets
	b.service.Secrets = other
	b.keep("token", "some value")
	b.service.Secrets = ours
	fails(b.start(secretly, nil), "sealed with another ORQ_SECRET_KEY")
}

// A host's name goes through many hands, so that no secret may be one.
func TestASecretIsNoHost(t *testing.T) {
	b := newBench(t)
	b.keep("tenant", "Very-Hidden-Tenant")
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		callWith("fetch", workflow.HTTPConfig{URL: "http://{{ secrets.tenant }}.example.com/"}),
	}}), nil)
	row := b.until(id, run.Failed)
	if !strings.Contains(deref(row.Reason), "a secret cannot be a host's name") || len(b.target.called()) != 0 {
		t.Errorf("reason %q", deref(row.Reason))
	}
}

func TestATriedStepGetsWhatItNames(t *testing.T) {
	b := newBench(t)
	b.keep("token", "some-hidden-value")
	b.vary("path", `"x"`)
	b.target.answer = func(_ context.Context, n int, req egress.Request) (*egress.Response, error) {
		return answer(200+300*(n-1), `{"echo":"`+req.Header.Get("Authorization")+`"}`), nil
	}
	b.work(func(c *worker.Config) { c.LetGo = time.Second })
	step := callWith("a", workflow.HTTPConfig{URL: "http://target/{{ vars.path }}", Headers: map[string]string{"Authorization": "{{ secrets.token }}"}})
	got := b.tried(b.try(step, ``, ``))
	if got.Status != "succeeded" || !strings.Contains(string(got.Output), `"echo": "***"`) {
		t.Errorf("it %s with %s (%s)", got.Status, got.Output, deref(got.Error))
	}
	if sent := b.target.calls[0]; sent.Header.Get("Authorization") != "some-hidden-value" || sent.URL != "http://target/x" {
		t.Errorf("sent %v", sent)
	}
	if got = b.tried(b.try(step, ``, ``)); got.Status != "failed" || !strings.Contains(deref(got.Error), `{"echo":"***"}`) {
		t.Errorf("it %s: %s", got.Status, deref(got.Error))
	}
	if got = b.tried(b.try(note("b", "{{ secrets.nothing }}"), ``, ``)); deref(got.Error) != "the secret nothing is not there any more" {
		t.Errorf("it %s: %s", got.Status, deref(got.Error))
	}
}

// A run that names nothing pays nothing: the tables need not even be there.
func TestRunsWithoutNamesAskForNone(t *testing.T) {
	b := newBench(t)
	b.work()
	b.exec(`drop table secrets, variables`)
	b.until(b.start(b.create(workflow.Definition{Steps: []workflow.Step{call("fetch", "/x"), note("note", "{{ steps.fetch.status }}", "fetch")}}), nil), run.Succeeded)
}

// What one step knows does not come back through another: neither through one beside it that began before, nor through one
// that runs later, on a worker to which nobody told the secret.
func TestNoOtherStepTellsASecret(t *testing.T) {
	b := newBench(t)
	b.keep("token", "first-value-of-it")
	told := make(chan struct{})
	b.target.answer = func(ctx context.Context, _ int, req egress.Request) (*egress.Response, error) {
		if strings.HasSuffix(req.URL, "/tell") {
			close(told)
			return answer(200, "{}"), nil
		}
		select {
		case <-told:
		case <-ctx.Done():
		}
		return answer(200, `{"echo":"first-value-of-it"}`), nil
	}
	drain, _ := b.work()
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		callWith("beside", workflow.HTTPConfig{URL: "http://target/beside"}),
		callWith("tell", workflow.HTTPConfig{URL: "http://target/tell", Headers: map[string]string{"Authorization": "{{ secrets.token }}"}}),
		ask("ask", workflow.ApprovalConfig{Message: "Go on?"}, "beside", "tell"),
		callWith("later", workflow.HTTPConfig{URL: "http://target/later"}, "ask"),
		note("note", "{{ steps.beside.body.echo }}, {{ steps.later.body.echo }}", "later"),
	}}), nil)
	b.until(id, run.Held)
	drain()
	b.work()
	b.decide(b.asked(id).ID, true, "")
	b.until(id, run.Succeeded)
	if said := b.messages(id); said[len(said)-1] != "***, ***" {
		t.Errorf("it logged %q", said)
	}
}
