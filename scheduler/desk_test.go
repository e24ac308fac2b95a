package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// nowhere is a queue that takes nothing: runs are made, and nobody works on them.
type nowhere struct{}

func (nowhere) Room(context.Context) map[string]int { return map[string]int{run.DefaultQueue: 1000} }

func (nowhere) Enqueue(_ context.Context, tickets []run.Ticket, _ []run.Change) []run.Ticket {
	return tickets
}

func (nowhere) Forget(context.Context, []run.Ticket) {}

func (nowhere) Cancel(context.Context, []uuid.UUID) {}

func (nowhere) Announce(context.Context, []run.Change) {}

// desk is a database with one user, and a ticker that ticks when it is told to.
type desk struct {
	t       *testing.T
	db      *postgres.DB
	log     *slog.Logger
	service *dispatch.Service
	who     account.Principal
	ticker  *ticker
	storage int // bytes that projects may store
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db, err := postgres.Open(t.Context(), pgtest.DB(t), postgres.Options{Application: "test", Conns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	d := &desk{t: t, db: db, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	d.service = dispatch.New(db, nowhere{}, clock.System{}, d.log)
	d.ticker = &ticker{db: db, service: d.service, log: d.log, batch: 100, metrics: newMetrics(nil, db, nil, d.log)}
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

// exec changes what no operation can.
func (d *desk) exec(sql string, args ...any) {
	d.t.Helper()
	_, err := d.db.Exec(d.t.Context(), sql, args...)
	d.must(err)
}

func withTrigger(t workflow.Trigger) workflow.Definition {
	t.ID, t.Type = "t", workflow.TriggerSchedule
	return workflow.Definition{Name: "w", Triggers: []workflow.Trigger{t}, Steps: []workflow.Step{
		{ID: "n", Action: workflow.ActionLog, Config: json.RawMessage(`{"message":"m"}`)},
	}}
}

// create makes a workflow with one trigger.
func (d *desk) create(t workflow.Trigger) uuid.UUID {
	d.t.Helper()
	home, _ := d.who.Home()
	row, err := d.service.Create(d.t.Context(), d.who, home, withTrigger(t), true)
	d.must(err)
	return row.ID
}

// enable switches a workflow on or off.
func (d *desk) enable(workflow uuid.UUID, on bool) {
	d.t.Helper()
	_, err := d.service.SetEnabled(d.t.Context(), d.who, workflow, on)
	d.must(err)
}

func (d *desk) trigger(workflow uuid.UUID) postgres.TriggerRow {
	d.t.Helper()
	row, err := postgres.Triggers{Q: d.db}.Find(d.t.Context(), workflow, "t")
	d.must(err)
	return row
}

// tick lets the ticker decide about all that is due.
func (d *desk) tick() {
	d.t.Helper()
	_, err := d.ticker.step(d.t.Context())
	d.must(err)
}

// pass lets time pass with nobody there: all that is stored becomes so much older. It has to be a multiple of the time
// between two fires.
func (d *desk) pass(by time.Duration) {
	d.t.Helper()
	d.exec(`update triggers set next_fire_at = next_fire_at - $1::interval, due_at = due_at - $1::interval,
		decided_at = decided_at - $1::interval, created_at = created_at - $1::interval, anchor_at = anchor_at - $1::interval`, by)
	d.exec(`update trigger_pauses set off_at = off_at - $1::interval, on_at = on_at - $1::interval`, by)
	// In two leaps, since one row may come to where another still is.
	for _, leap := range []time.Duration{200 * 365 * 24 * time.Hour, by - 200*365*24*time.Hour} {
		d.exec(`update occurrences set fire_at = fire_at - $1::interval, until_at = until_at - $1::interval`, leap)
	}
	d.exec(`update runs set fire_at = fire_at - $1::interval`, by)
}

// end ends all runs that have not ended.
func (d *desk) end(status run.Status) {
	d.t.Helper()
	d.exec(`update runs set status = $1, finished_at = now() where id in (select id from run_live)`, string(status))
	d.exec(`delete from run_live`)
}

// rows is the ledger of a workflow, the oldest first.
func (d *desk) rows(workflow uuid.UUID) []postgres.LedgerRow {
	d.t.Helper()
	rows, err := postgres.Occurrences{Q: d.db}.List(d.t.Context(), postgres.LedgerFilter{WorkflowID: workflow, Limit: 1000})
	d.must(err)
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows
}

// told is the ledger as text, without what depends on when the test runs: the outcome, of how many fires, the code.
func (d *desk) told(workflow uuid.UUID) (lines []string) {
	d.t.Helper()
	for _, r := range d.rows(workflow) {
		line := r.Outcome
		if r.Count > 1 {
			line += fmt.Sprintf(" ×%d", r.Count)
		}
		if r.Code != nil {
			line += " " + *r.Code
		}
		lines = append(lines, line)
	}
	return lines
}

func (d *desk) same(want, got []string) {
	d.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Error(diff)
	}
}

func (d *desk) count(sql string, args ...any) (n int) {
	d.t.Helper()
	d.must(d.db.QueryRow(d.t.Context(), sql, args...).Scan(&n))
	return n
}

func reasonOf(r postgres.LedgerRow) string {
	if r.Reason == nil {
		return ""
	}
	return *r.Reason
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not say %q", text, p)
		}
	}
}
