package worker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// everySecond is a workflow with one call and a trigger that fires each second.
func (b *bench) everySecond(change func(*workflow.Trigger)) (postgres.WorkflowRow, func() postgres.TriggerRow) {
	b.t.Helper()
	trigger := workflow.Trigger{ID: "tick", Type: "schedule", Cron: "* * * * * *"}
	change(&trigger)
	wf := b.create(workflow.Definition{Triggers: []workflow.Trigger{trigger}, Steps: []workflow.Step{call("a", "/a")}})
	return wf, func() postgres.TriggerRow {
		b.t.Helper()
		row, err := postgres.Triggers{Q: b.db}.Find(b.t.Context(), wf.ID, "tick")
		if err != nil {
			b.t.Fatal(err)
		}
		return row
	}
}

func (b *bench) ledger(wf postgres.WorkflowRow) []postgres.LedgerRow {
	b.t.Helper()
	rows, err := postgres.Occurrences{Q: b.db}.List(b.t.Context(), postgres.LedgerFilter{WorkflowID: wf.ID, Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	return rows
}

// A trigger whose calls fail stops by itself, with the scheduler that is running, and goes on when it is enabled again.
func TestATriggerStopsAfterFailuresAndGoesOn(t *testing.T) {
	b := newBench(t)
	var well atomic.Bool
	b.target.answer = func(ctx context.Context, n int, req egress.Request) (*egress.Response, error) {
		if !well.Load() {
			return nil, errors.New("it is ill")
		}
		return ok(ctx, n, req)
	}
	wf, trigger := b.everySecond(func(t *workflow.Trigger) {
		t.PauseAfterFailures, t.Overlap, t.Missed, t.Grace = 2, "allow", "skip", workflow.Duration(time.Second)
	})
	b.work()
	b.schedule(time.Minute)
	b.eventually("the trigger stops", func() bool { return !trigger().Enabled })
	if reason := trigger().PausedReason; reason == nil {
		t.Error("it does not say why")
	}
	b.eventually("the runs have ended", func() bool {
		var live int
		if err := b.db.QueryRow(t.Context(), `select count(*) from run_live`).Scan(&live); err != nil {
			t.Fatal(err)
		}
		return live == 0
	})
	failed := len(b.ledger(wf))
	if failed < 2 {
		t.Errorf("it stopped after %d fires", failed)
	}
	stopped := *trigger().NextFireAt
	well.Store(true)
	b.eventually("fires are missed", func() bool { return time.Now().After(stopped.Add(3 * time.Second)) })
	if n := len(b.ledger(wf)); n != failed {
		t.Errorf("%d rows in the ledger while it is stopped, want %d", n, failed)
	}
	if _, err := b.service.SetEnabled(t.Context(), b.who, wf.ID, true); err != nil {
		t.Fatal(err)
	}
	b.eventually("it runs again", func() bool {
		var n int
		err := b.db.QueryRow(t.Context(), `select count(*) from runs where status = 'succeeded'`).Scan(&n)
		return err == nil && n > 0
	})
	var missed []postgres.LedgerRow
	for _, r := range b.ledger(wf) {
		if r.Code != nil && *r.Code == postgres.CodePaused {
			missed = append(missed, r)
		}
	}
	if len(missed) != 1 || missed[0].Outcome != postgres.OutcomeSkipped || !missed[0].FireAt.Equal(stopped) || missed[0].Count < 2 {
		t.Errorf("of the time in which it was stopped: %+v", missed)
	}
}

// While one run goes on, the fires that find it are one row of the ledger.
func TestARunInTheWayIsOneRow(t *testing.T) {
	b := newBench(t)
	answerer, hanging := hangOnce(1)
	b.target.answer = answerer
	wf, _ := b.everySecond(func(*workflow.Trigger) {})
	b.work()
	b.schedule(time.Minute)
	<-hanging
	b.eventually("four fires are skipped", func() bool {
		rows := b.ledger(wf)
		return len(rows) > 1 && rows[0].Count >= 4
	})
	rows := b.ledger(wf)
	if len(rows) != 2 || rows[0].Outcome != postgres.OutcomeSkipped || *rows[0].Code != postgres.CodeOverlap || *rows[0].RunID != *rows[1].RunID {
		t.Errorf("the ledger: %+v", rows)
	}
}
