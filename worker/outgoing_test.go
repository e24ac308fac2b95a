package worker_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker"
)

// forward is the machine's clock, moved forward by hand.
type forward struct {
	clock.System
	by *atomic.Int64
}

func (c forward) Now() time.Time { return c.System.Now().Add(time.Duration(c.by.Load())) }

func (b *bench) mayCall(allow, only []string) {
	b.t.Helper()
	home, _ := b.who.Home()
	b.exec(`update projects set egress_allow = $2, egress_only = $3 where id = $1`, home, allow, only)
}

// A project calls what it may and nothing else, and a change counts from the next attempt.
func TestCallsObeyTheProjectsRules(t *testing.T) {
	b := newBench(t)
	hits := atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1); fmt.Fprint(w, "{}") }))
	t.Cleanup(s.Close)
	client, err := egress.New(egress.Config{}) // the installation allows nothing that is not public
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	by := &atomic.Int64{}
	w, err := worker.New(worker.Config{Concurrency: 5, Beat: 50 * time.Millisecond}, b.db, b.queue, client, forward{by: by}, b.log, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.serve(w.Run)
	wf := b.create(workflow.Definition{Steps: []workflow.Step{{
		ID: "call", Action: workflow.ActionHTTP, Config: json.RawMessage(`{"url":"` + s.URL + `"}`),
	}}})
	for i, c := range []struct {
		allow, only []string
		says        string
	}{
		{[]string{}, []string{}, "an administrator can allow it with the setting ORQ_EGRESS_ALLOW=127.0.0.1, or for this project alone"},
		{[]string{"127.0.0.0/8"}, []string{}, ""},
		{[]string{"127.0.0.0/8"}, []string{"*.example.com"}, "127.0.0.1 is not in the list of hosts that this project may call; its owners and admins"},
		{[]string{"127.0.0.0/8"}, []string{"127.0.0.1"}, ""},
		{[]string{}, []string{"127.0.0.1"}, "an administrator can allow it"},
	} {
		b.mayCall(c.allow, c.only)
		by.Add(int64(5 * time.Second)) // what the worker remembers is over
		before := hits.Load()
		id := b.start(wf, nil)
		if c.says == "" {
			b.until(id, run.Succeeded)
			if hits.Load() != before+1 {
				t.Errorf("%d: it was not called", i)
			}
			continue
		}
		b.until(id, run.Failed)
		steps, err := postgres.Runs{Q: b.db}.Steps(t.Context(), id)
		if err != nil || len(steps) == 0 {
			t.Fatal(steps, err)
		}
		if e := steps[0].Error; e == nil || !strings.Contains(*e, c.says) || hits.Load() != before {
			t.Errorf("%d: %+v, want %q", i, steps[0], c.says)
		}
	}
}

// Whatever leaves carries its project's rules: steps of every kind, tests of steps, alerts. Without rules nothing leaves.
func TestEveryCallCarriesItsProjectsRules(t *testing.T) {
	b := newBench(t)
	b.mayCall([]string{"10.0.0.0/8"}, []string{"target", "mail.test"})
	b.keep("hook", "http://target/hook")
	b.keep("bot", "123456789:AAF0000000000000000000000000000000")
	b.work()
	mail := `{"host":"mail.test","port":25,"tls":"none","from":"orq@example.com","to":["ana@example.com"],"subject":"x","text":"x"}`
	b.rule(b.channel("slack", workflow.ActionSlack, `{"webhook_url":"{{ secrets.hook }}"}`))
	b.schedule(time.Minute)
	steps := []workflow.Step{
		{ID: "http", Action: workflow.ActionHTTP, Config: json.RawMessage(`{"url":"http://target/a"}`)},
		{ID: "mail", Action: workflow.ActionEmail, Config: json.RawMessage(mail)},
		{ID: "slack", Action: workflow.ActionSlack, Config: json.RawMessage(`{"webhook_url":"{{ secrets.hook }}","text":"x"}`)},
		{ID: "discord", Action: workflow.ActionDiscord, Config: json.RawMessage(`{"webhook_url":"{{ secrets.hook }}","text":"x"}`)},
		{ID: "teams", Action: workflow.ActionTeams, Config: json.RawMessage(`{"webhook_url":"{{ secrets.hook }}","text":"x"}`)},
		{ID: "telegram", Action: workflow.ActionTelegram, Config: json.RawMessage(`{"bot_token":"{{ secrets.bot }}","chat_id":"1","text":"x"}`)},
	}
	for i := range steps {
		steps[i].OnError = workflow.OnErrorContinue
	}
	steps[0].OnError = ""
	id := b.start(b.create(workflow.Definition{Steps: steps}), nil)
	b.until(id, run.Succeeded)
	b.tried(b.try(steps[0], "", ""))
	wf, _ := b.broken()
	b.until(b.start(wf, nil), run.Failed)
	b.delivered(1)
	b.target.mu.Lock()
	defer b.target.mu.Unlock()
	if len(b.target.rules) < 9 {
		t.Errorf("only %d calls left", len(b.target.rules))
	}
	for i, r := range b.target.rules {
		if !slices.Equal(r.Allow, []string{"10.0.0.0/8"}) || !slices.Equal(r.Only, []string{"target", "mail.test"}) {
			t.Errorf("call %d obeyed %+v", i, r)
		}
	}
}
