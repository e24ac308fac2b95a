package dispatch_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// spoken is a queue that notes what it is told. down makes it refuse tickets.
type spoken struct {
	mu        sync.Mutex
	down      bool
	enqueued  []run.Ticket
	forgotten []run.Ticket
	cancelled []uuid.UUID
}

func (s *spoken) Enqueue(_ context.Context, tickets []run.Ticket, _ []run.Change) []run.Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return tickets
	}
	s.enqueued = append(s.enqueued, tickets...)
	return nil
}

func (s *spoken) Room(context.Context) map[string]int { return map[string]int{run.DefaultQueue: 1000} }

func (s *spoken) Forget(_ context.Context, tickets []run.Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgotten = append(s.forgotten, tickets...)
}

func (s *spoken) Cancel(_ context.Context, ids []uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancelled = append(s.cancelled, ids...)
}

func (s *spoken) Announce(context.Context, []run.Change) {}

type desk struct {
	t       *testing.T
	db      *postgres.DB
	queue   *spoken
	service *dispatch.Service
	who     account.Principal
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db, err := postgres.Open(t.Context(), pgtest.DB(t), postgres.Options{Application: "test", Conns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	d := &desk{t: t, db: db, queue: &spoken{}}
	d.service = dispatch.New(db, d.queue, clock.System{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	u, session := account.User{ID: uuid.New(), Email: "ana@example.com", Username: "ana"}, uuid.New()
	d.must(db.InTx(t.Context(), func(q postgres.Querier) (err error) {
		if u, err = (postgres.Users{Q: q}).Register(t.Context(), u, "none"); err != nil {
			return err
		}
		return postgres.Sessions{Q: q}.Begin(t.Context(), session, u.ID, []byte("hash"), time.Hour, "", "")
	}))
	d.who, err = postgres.Users{Q: db}.Principal(t.Context(), u.ID, session)
	d.must(err)
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func definition(triggers ...workflow.Trigger) workflow.Definition {
	return workflow.Definition{Name: "w", Triggers: triggers, Steps: []workflow.Step{
		{ID: "n", Action: workflow.ActionLog, Config: json.RawMessage(`{"message":"m"}`)},
	}}
}

func daily(expression string) workflow.Trigger {
	return workflow.Trigger{ID: "t", Type: workflow.TriggerSchedule, Cron: expression}
}

func (d *desk) create(def workflow.Definition, enabled bool) postgres.WorkflowRow {
	d.t.Helper()
	home, _ := d.who.Home()
	row, err := d.service.Create(d.t.Context(), d.who, home, def, enabled)
	d.must(err)
	return row
}

func (d *desk) trigger(wf uuid.UUID) postgres.TriggerRow {
	d.t.Helper()
	list, err := postgres.Triggers{Q: d.db}.Of(d.t.Context(), wf)
	d.must(err)
	if len(list) != 1 {
		d.t.Fatalf("%d triggers", len(list))
	}
	return list[0]
}

func (d *desk) ledger(wf uuid.UUID) []string {
	d.t.Helper()
	rows, err := postgres.Occurrences{Q: d.db}.List(d.t.Context(), postgres.LedgerFilter{WorkflowID: wf, Limit: 100})
	d.must(err)
	var list []string
	for _, r := range rows {
		list = append(list, r.Outcome+": "+*r.Reason)
	}
	return list
}

// An edit that leaves the schedule alone leaves the plan alone; one that changes it says what is not going to happen.
func TestAnEditTakesEffectAtOnce(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(daily("0 9 * * *")), true)
	planned := d.trigger(wf.ID)

	renamed := definition(daily("0 9 * * *"))
	renamed.Name = "another name"
	row, err := d.service.Replace(t.Context(), d.who, wf.ID, renamed, nil, 0)
	d.must(err)
	if after := d.trigger(wf.ID); row.Version != 2 || after.Version != 2 || !after.NextFireAt.Equal(*planned.NextFireAt) || len(d.ledger(wf.ID)) != 0 {
		t.Errorf("after a new name: version %d, plan %v, ledger %v", row.Version, after.NextFireAt, d.ledger(wf.ID))
	}

	_, err = d.service.Replace(t.Context(), d.who, wf.ID, definition(daily("30 9 * * *")), nil, 0)
	d.must(err)
	if after := d.trigger(wf.ID); after.NextFireAt.Minute() != 30 || after.ID != planned.ID {
		t.Errorf("after a new time: plan %v", after.NextFireAt)
	}
	if diff := cmp.Diff([]string{"superseded: changed in version 3"}, d.ledger(wf.ID)); diff != "" {
		t.Error(diff)
	}

	_, err = d.service.Replace(t.Context(), d.who, wf.ID, definition(), nil, 0)
	d.must(err)
	if after := d.trigger(wf.ID); after.Enabled || after.NextFireAt != nil || after.RemovedAt == nil {
		t.Errorf("after it was taken out: %+v", after)
	}
	if n := len(d.ledger(wf.ID)); n != 2 {
		t.Errorf("the ledger: %v", d.ledger(wf.ID))
	}
}

func TestSavingNothingNewMakesNoVersion(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(daily("0 9 * * *")), true)
	row, err := d.service.Replace(t.Context(), d.who, wf.ID, definition(daily("0 9 * * *")), nil, wf.Revision)
	d.must(err)
	if row.Version != 1 || row.Revision != wf.Revision {
		t.Errorf("version %d, revision %d", row.Version, row.Revision)
	}
}

// Two numbers that a float64 cannot tell apart are two numbers.
func TestEveryDigitCounts(t *testing.T) {
	d := newDesk(t)
	trigger := daily("0 9 * * *")
	trigger.Inputs = json.RawMessage(`{"account":12345678901234567}`)
	wf := d.create(definition(trigger), true)
	trigger.Inputs = json.RawMessage(`{"account":12345678901234568}`)
	row, err := d.service.Replace(t.Context(), d.who, wf.ID, definition(trigger), nil, 0)
	d.must(err)
	if row.Version != 2 {
		t.Errorf("version %d: the change was lost", row.Version)
	}
}

func TestSomebodyElseSavedInBetween(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(), true)
	changed := definition()
	changed.Description = "mine"
	_, err := d.service.Replace(t.Context(), d.who, wf.ID, changed, nil, wf.Revision)
	d.must(err)
	changed.Description = "yours"
	if _, err = d.service.Replace(t.Context(), d.who, wf.ID, changed, nil, wf.Revision); !fault.Is(err, fault.Precondition) {
		t.Errorf("the second save: %v", err)
	}
}

// A workflow that is switched off keeps its plan, so that what it missed is known when it is switched on again. One that
// was never on has missed nothing.
func TestSwitchingOffAndOn(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(daily("0 9 * * *")), true)
	planned := d.trigger(wf.ID)
	_, err := d.service.SetEnabled(t.Context(), d.who, wf.ID, false)
	d.must(err)
	if off := d.trigger(wf.ID); off.Enabled || !off.NextFireAt.Equal(*planned.NextFireAt) {
		t.Errorf("off: %+v", off)
	}
	_, err = d.service.SetEnabled(t.Context(), d.who, wf.ID, true)
	d.must(err)
	if on := d.trigger(wf.ID); !on.Enabled || !on.NextFireAt.Equal(*planned.NextFireAt) {
		t.Errorf("on again: %+v", on)
	}
	never := d.create(definition(daily("0 9 * * *")), false)
	if off := d.trigger(never.ID); off.Enabled || off.NextFireAt != nil {
		t.Errorf("never on: %+v", off)
	}
	_, err = d.service.SetEnabled(t.Context(), d.who, never.ID, true)
	d.must(err)
	if on := d.trigger(never.ID); on.NextFireAt == nil || !on.NextFireAt.After(time.Now()) {
		t.Errorf("on for the first time: %+v", on)
	}
}

func TestAnInstantThatHasPassedIsRefused(t *testing.T) {
	d := newDesk(t)
	past := time.Now().Add(-time.Hour)
	home, _ := d.who.Home()
	_, err := d.service.Create(t.Context(), d.who, home, definition(workflow.Trigger{ID: "t", Type: workflow.TriggerSchedule, At: &past}), true)
	if f, ok := fault.Of(err); !ok || f.Fields[0].Pointer != "/triggers/0/at" {
		t.Errorf("a fire in the past: %v", err)
	}
}

// With the queue away a run is taken all the same, and marked for the dispatcher.
func TestARunIsTakenWithoutTheQueue(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(), true)
	d.queue.down = true
	row, err := d.service.Start(t.Context(), d.who, wf.ID, nil, "")
	d.must(err)
	due, err := postgres.Live{Q: d.db}.Release(t.Context(), run.DefaultQueue, uuid.Nil, 10)
	d.must(err)
	if len(due) != 1 || due[0].ID != row.ID {
		t.Errorf("the dispatcher finds %v, want %s", due, row.ID)
	}
}

// However many send the same key at once, there is one run.
func TestOneRunPerIdempotencyKey(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(), true)
	ids := make(chan uuid.UUID, 20)
	for range cap(ids) {
		go func() {
			row, err := d.service.Start(context.WithoutCancel(t.Context()), d.who, wf.ID, map[string]any{"a": 1}, "key")
			if err != nil {
				t.Error(err)
			}
			ids <- row.ID
		}()
	}
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first {
			t.Errorf("another run: %s and %s", first, id)
		}
	}
	_, err := d.service.Start(t.Context(), d.who, wf.ID, map[string]any{"a": 2}, "key")
	if f, ok := fault.Of(err); !ok || f.Code != "idempotency_key_reused" {
		t.Errorf("the key for something else: %v", err)
	}
	if n := len(d.queue.enqueued); n != 1 {
		t.Errorf("%d tickets for one run", n)
	}
}

func TestDeletingCancelsWhatRuns(t *testing.T) {
	d := newDesk(t)
	wf := d.create(definition(daily("0 9 * * *")), true)
	queued, err := d.service.Start(t.Context(), d.who, wf.ID, nil, "")
	d.must(err)
	running, err := d.service.Start(t.Context(), d.who, wf.ID, nil, "")
	d.must(err)
	claimed, err := postgres.Live{Q: d.db}.Claim(t.Context(), "w", []run.Ticket{{ID: running.ID}})
	d.must(err)
	if len(claimed) != 1 {
		t.Fatal("not claimed")
	}
	d.must(d.service.Delete(t.Context(), d.who, wf.ID, 0))
	row, err := postgres.Runs{Q: d.db}.Get(t.Context(), d.who.Where(account.RunRead), queued.ID)
	d.must(err)
	if row.Status != run.Cancelled || *row.Reason != "the workflow was deleted by ana" {
		t.Errorf("the queued run is %s (%s)", row.Status, *row.Reason)
	}
	if diff := cmp.Diff([]uuid.UUID{running.ID}, d.queue.cancelled); diff != "" {
		t.Error("the running one's worker:", diff)
	}
	if len(d.queue.forgotten) != 1 || d.queue.forgotten[0].ID != queued.ID {
		t.Errorf("forgotten: %v", d.queue.forgotten)
	}
	if trigger := d.trigger(wf.ID); trigger.Enabled || trigger.RemovedAt == nil {
		t.Errorf("its trigger: %+v", trigger)
	}
}
