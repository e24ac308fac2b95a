package worker_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// hourlyPast is an hour's trigger, and the period of its first n fires of 2025.
func (b *bench) hourlyPast(n int) (postgres.WorkflowRow, dispatch.BackfillRequest, []time.Time) {
	b.t.Helper()
	wf := b.create(workflow.Definition{
		Triggers: []workflow.Trigger{{ID: "hourly", Type: "schedule", Cron: "0 * * * *"}},
		Steps:    []workflow.Step{call("a", "/a")},
	})
	from := time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)
	fires := make([]time.Time, n)
	for i := range fires {
		fires[i] = from.Add(time.Duration(i) * time.Hour)
	}
	return wf, dispatch.BackfillRequest{From: from, To: fires[n-1], Overlap: schedule.OverlapQueueAll, Concurrency: 1, Limit: n}, fires
}

func (b *bench) backfill(wf postgres.WorkflowRow, r dispatch.BackfillRequest) uuid.UUID {
	b.t.Helper()
	row, err := b.service.StartBackfill(b.t.Context(), b.who, wf.ID, "hourly", r, "")
	if err != nil {
		b.t.Fatal(err)
	}
	return row.ID
}

func (b *bench) progress(id uuid.UUID) postgres.BackfillRow {
	b.t.Helper()
	row, err := postgres.Backfills{Q: b.db}.Get(b.t.Context(), b.who.Where(account.RunRead), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return row
}

// backfilled lists the fires of the runs that backfills made, in the order in which they were begun.
func (b *bench) backfilled() (fires []time.Time) {
	b.t.Helper()
	rows, err := b.db.Query(b.t.Context(), `select fire_at from runs where trigger = 'backfill' order by started_at, id`)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at time.Time
		if err := rows.Scan(&at); err != nil {
			b.t.Fatal(err)
		}
		fires = append(fires, at.UTC())
	}
	return fires
}

// told counts the rows of the ledger that say of a fire that a backfill's own run ran it.
func (b *bench) told() (n int) {
	b.t.Helper()
	err := b.db.QueryRow(b.t.Context(), `
		select count(*) from occurrences o join runs r on r.id = o.run_id and r.fire_at = o.fire_at and r.trigger_id = o.trigger_id
		 where o.outcome = 'ran' and o.code = 'backfill' and o.reason = 'backfilled by ana' and o.count = 1`).Scan(&n)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// crowd answers calls, and knows how many were under way at once at most. It tells when the n-th call has come.
type crowd struct {
	mu        sync.Mutex
	now, most int
	come      chan struct{}
	nth       int
}

func (c *crowd) answer(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
	c.count(1)
	defer c.count(-1)
	if n == c.nth {
		close(c.come)
	}
	return answer(200, `{}`), nil
}

func (c *crowd) count(by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += by
	c.most = max(c.most, c.now)
}

// A scheduler that is gone in the middle of a backfill leaves it to the next one: each fire still becomes one run, and the
// ledger tells of each.
func TestABackfillSurvivesItsScheduler(t *testing.T) {
	for _, c := range []struct {
		name        string
		overlap     schedule.Overlap
		concurrency int
		fires       int
	}{
		{"one run after the other", schedule.OverlapQueueAll, 1, 30},
		{"several at once", schedule.OverlapAllow, 5, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			guests := &crowd{come: make(chan struct{}), nth: c.fires / 3}
			b.target.answer = guests.answer
			wf, period, fires := b.hourlyPast(c.fires)
			period.Overlap, period.Concurrency = c.overlap, c.concurrency
			b.work()
			abandon := b.scheduleUntil(time.Minute)
			id := b.backfill(wf, period)
			<-guests.come
			abandon()
			if row := b.progress(id); row.State != postgres.BackfillRunning || row.Total != c.fires {
				t.Fatalf("in the middle it is %s, with %d fires", row.State, row.Total)
			}
			b.schedule(time.Minute) // two go on at once
			b.schedule(time.Minute)
			b.eventually("the backfill is done", func() bool { return b.progress(id).State == postgres.BackfillDone })

			row := b.progress(id)
			if row.Succeeded != c.fires || row.Failed+row.Cancelled+row.Started != 0 || row.EndedAt == nil {
				t.Errorf("it is done with %+v", row)
			}
			got := b.backfilled()
			if c.concurrency > 1 {
				slices.SortFunc(got, time.Time.Compare)
			}
			if !slices.EqualFunc(got, fires, time.Time.Equal) {
				t.Errorf("%d runs for %d fires, or in another order: %v", len(got), len(fires), got)
			}
			if n := b.told(); n != c.fires {
				t.Errorf("the ledger tells of %d fires, want %d", n, c.fires)
			}
			if most := guests.most; most > c.concurrency {
				t.Errorf("%d runs were under way at once, want at most %d", most, c.concurrency)
			}
		})
	}
}

// Paused, it begins no more; cancelled, it ends what is under way, and nothing is left.
func TestABackfillIsPausedAndCancelled(t *testing.T) {
	b := newBench(t)
	answerer, hanging := hangOnce(3)
	b.target.answer = answerer
	wf, period, _ := b.hourlyPast(10)
	b.work()
	b.schedule(time.Minute)
	id := b.backfill(wf, period)
	<-hanging
	if _, err := b.service.PauseBackfill(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	b.eventually("two runs are counted", func() bool { row := b.progress(id); return row.Succeeded == 2 && row.Started == 1 })
	live, err := postgres.Backfills{Q: b.db}.LiveRuns(t.Context(), id)
	if err != nil || len(live) != 1 {
		t.Fatalf("under way: %v, %v", live, err)
	}
	if row, err := b.service.CancelBackfill(t.Context(), b.who, id); err != nil || row.State != postgres.BackfillCancelled {
		t.Fatalf("%+v, %v", row, err)
	}
	if row := b.until(live[0], run.Cancelled); deref(row.Reason) != "the backfill was cancelled by ana" {
		t.Errorf("the run ended because %q", deref(row.Reason))
	}
	b.eventually("the cancelled run is counted", func() bool { return b.progress(id).Cancelled == 1 })
	if n := len(b.backfilled()); n != 3 {
		t.Errorf("%d runs, want 3", n)
	}
}

// A paused backfill goes on where it stopped.
func TestAResumedBackfillGoesOn(t *testing.T) {
	b := newBench(t)
	wf, period, fires := b.hourlyPast(5)
	id := b.backfill(wf, period)
	if _, err := b.service.PauseBackfill(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	b.work()
	b.schedule(time.Minute)
	b.eventually("the backfill is at rest", func() bool {
		var busy bool
		if err := b.db.QueryRow(t.Context(), `select busy from backfills where id = $1`, id).Scan(&busy); err != nil {
			t.Fatal(err)
		}
		return !busy
	})
	if n := len(b.backfilled()); n != 0 {
		t.Errorf("%d runs although it was paused", n)
	}
	if _, err := b.service.ResumeBackfill(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	b.eventually("the backfill is done", func() bool { return b.progress(id).State == postgres.BackfillDone })
	if got := b.backfilled(); !slices.EqualFunc(got, fires, time.Time.Equal) {
		t.Errorf("runs for %v", got)
	}
}

// What the ledger said of a fire stays to be read after a backfill ran it, and the others of the same row keep theirs. A
// fire that ran keeps its own run.
func TestABackfillRewritesTheLedger(t *testing.T) {
	b := newBench(t)
	wf, period, fires := b.hourlyPast(6)
	trigger, err := postgres.Triggers{Q: b.db}.Find(t.Context(), wf.ID, "hourly")
	if err != nil {
		t.Fatal(err)
	}
	code, reason, ran := postgres.CodeMissed, "missed", uuid.New()
	_, err = postgres.Occurrences{Q: b.db}.Insert(t.Context(), []postgres.OccurrenceRow{
		{TriggerID: trigger.ID, WorkflowID: wf.ID, FireAt: fires[0], Count: 1, Outcome: postgres.OutcomeRan, RunID: &ran},
		{TriggerID: trigger.ID, WorkflowID: wf.ID, FireAt: fires[1], UntilAt: &fires[5], Count: 5, Outcome: postgres.OutcomeSkipped, Code: &code, Reason: &reason},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.work()
	b.schedule(time.Minute)
	period.To = fires[2] // the one that ran, and the first two of the row for five
	id := b.backfill(wf, period)
	b.eventually("the backfill is done", func() bool { return b.progress(id).State == postgres.BackfillDone })

	rows, err := postgres.Occurrences{Q: b.db}.List(t.Context(), postgres.LedgerFilter{WorkflowID: wf.ID, To: ptr(fires[5].Add(time.Hour)), Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		line := fmt.Sprintf("%s %s ×%d %s", r.FireAt.UTC().Format("15:04"), r.Outcome, r.Count, deref(r.Reason))
		if r.UntilAt != nil {
			line += " until " + r.UntilAt.UTC().Format("15:04")
		}
		if r.RunID != nil && *r.RunID == ran {
			line += "its own run"
		}
		got = append(got, line)
	}
	b.same([]string{
		"03:00 skipped ×3 missed until 05:00",
		"02:00 ran ×1 backfilled by ana; before: skipped (missed)",
		"01:00 ran ×1 backfilled by ana; before: skipped (missed)",
		"00:00 ran ×1 its own run",
	}, got)
	if n := len(b.backfilled()); n != 3 {
		t.Errorf("%d runs, want 3", n)
	}
}

func ptr[T any](v T) *T { return &v }
