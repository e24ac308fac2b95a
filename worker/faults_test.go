package worker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// hangOnce makes the n-th call hang until its worker lets go; it tells when that call has come.
func hangOnce(nth int) (func(context.Context, int, egress.Request) (*egress.Response, error), <-chan struct{}) {
	hanging := make(chan struct{})
	return func(ctx context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == nth {
			close(hanging)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return answer(200, `{}`), nil
	}, hanging
}

func threeCalls() workflow.Definition {
	return workflow.Definition{Steps: []workflow.Step{call("a", "/a"), call("b", "/b", "a"), call("c", "/c", "b")}}
}

// A run whose worker died goes on at the first step that had not finished; finished ones are not repeated. The death is
// made here by claiming for a worker that does not exist, after the first step was recorded.
func TestADeadWorkersRunGoesOnElsewhere(t *testing.T) {
	b := newBench(t)
	id := b.start(b.create(threeCalls()), nil)
	live := postgres.Live{Q: b.db}
	claimed, err := live.Claim(t.Context(), "the dead", []run.Ticket{{ID: id}})
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	now := time.Now()
	_, err = live.Write(t.Context(), "the dead", []postgres.Record{{RunID: id, Attempt: 1, Outcome: postgres.Continue, Steps: []postgres.StepRow{
		{Step: "a", Attempt: 1, Status: run.Succeeded, StartedAt: &now, FinishedAt: &now},
		{Step: "b", Attempt: 1, Status: run.Running, StartedAt: &now},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	b.work()
	b.schedule(100 * time.Millisecond)
	b.until(id, run.Succeeded)
	b.same([]string{"/b", "/c"}, b.target.called())
	b.same([]string{"a 1 succeeded", "b 1 failed worker_lost", "b 2 succeeded", "c 1 succeeded"}, b.attempts(id))
}

// A worker that was only frozen finds its run gone when it wakes: what it has to say is dropped.
func TestAZombiesWordIsDropped(t *testing.T) {
	b := newBench(t)
	id := b.start(b.create(threeCalls()), nil)
	live := postgres.Live{Q: b.db}
	if claimed, err := live.Claim(t.Context(), "frozen", []run.Ticket{{ID: id}}); err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %v, %v", claimed, err)
	}
	b.work()
	b.schedule(100 * time.Millisecond)
	b.until(id, run.Succeeded)
	written, err := live.Write(t.Context(), "frozen", []postgres.Record{{
		RunID: id, Attempt: 1, Outcome: postgres.Finish, Status: run.Failed, Steps: []postgres.StepRow{{Step: "a", Attempt: 9, Status: run.Failed}},
	}})
	if err != nil || len(written) != 0 {
		t.Errorf("written %v, %v", written, err)
	}
	if row := b.get(id); row.Status != run.Succeeded || len(b.attempts(id)) != 3 {
		t.Errorf("the run is %s, its attempts %v", row.Status, b.attempts(id))
	}
}

// A run that kills its workers is not tried for ever.
func TestARunThatKillsItsWorkersFails(t *testing.T) {
	b := newBench(t)
	id := b.start(b.create(threeCalls()), nil)
	b.schedule(50 * time.Millisecond)
	live := postgres.Live{Q: b.db}
	deadline := time.Now().Add(patience)
	for attempt := 0; attempt < 3; {
		claimed, err := live.Claim(t.Context(), "doomed", []run.Ticket{{ID: id, Attempt: attempt}})
		if err != nil {
			t.Fatal(err)
		}
		attempt += len(claimed)
		if time.Now().After(deadline) {
			t.Fatalf("it was taken %d times", attempt)
		}
	}
	row := b.until(id, run.Failed)
	if want := "worker_lost: 3 workers in a row were lost while they had this run; its log says which"; deref(row.Reason) != want {
		t.Errorf("reason %q, want %q", deref(row.Reason), want)
	}
	story := b.messages(id)
	if len(story) != 3 {
		t.Fatalf("the log has %d lines, want one for each worker: %q", len(story), story)
	}
	for i, want := range []string{"the 1st that this run lost", "the 2nd that this run lost", "the run is not tried again"} {
		if !strings.HasPrefix(story[i], "worker doomed was lost") || !strings.Contains(story[i], want) {
			t.Errorf("line %d is %q, want %q in it", i+1, story[i], want)
		}
	}
}

// Workers that are lost while a run gets on are not its doing: a long one outlives more of them than one that kills them may.
func TestARunThatGetsOnOutlivesItsWorkers(t *testing.T) {
	b := newBench(t)
	var steps []workflow.Step
	for i := range 5 {
		after := []string{fmt.Sprintf("s%d", i-1)}
		steps = append(steps, note(fmt.Sprintf("s%d", i), "on", after[:min(i, 1)]...))
	}
	id := b.start(b.create(workflow.Definition{Steps: steps}), nil)
	live, runs := postgres.Live{Q: b.db}, postgres.Runs{Q: b.db}
	attempt := 0
	for i := range 5 {
		claimed, err := live.Claim(t.Context(), "doomed", []run.Ticket{{ID: id, Attempt: attempt}})
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claim %d: %v, %v", i, claimed, err)
		}
		attempt++
		now := time.Now()
		step := postgres.StepRow{RunID: id, Step: fmt.Sprintf("s%d", i), Attempt: 1, Status: run.Succeeded, StartedAt: &now, FinishedAt: &now}
		if err := runs.InsertSteps(t.Context(), []postgres.StepRow{step}); err != nil {
			t.Fatal(err)
		}
		b.exec(`update run_live set beat_at = now() - interval '1 hour', enqueued_at = now() where id = $1`, id)
		lost, err := live.TakeLost(t.Context(), time.Second, 10)
		if err != nil || len(lost) != 1 || lost[0].Crashes != 1 {
			t.Fatalf("loss %d: %+v, %v", i, lost, err)
		}
	}
	b.work()
	b.schedule(50 * time.Millisecond)
	b.until(id, run.Succeeded)
}

// A worker that is asked to stop finishes what it has.
func TestDrainFinishes(t *testing.T) {
	b := newBench(t)
	arrived, proceed := make(chan struct{}), make(chan struct{})
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 1 {
			close(arrived)
			<-proceed
		}
		return answer(200, `{}`), nil
	}
	drain, _ := b.work()
	id := b.start(b.create(threeCalls()), nil)
	<-arrived
	go close(proceed)
	drain()
	if row := b.get(id); row.Status != run.Succeeded {
		t.Errorf("the run is %s after the drain", row.Status)
	}
}

// When there is no more time it gives back what it has, and another goes on.
func TestAnAbandonedRunGoesBack(t *testing.T) {
	b := newBench(t)
	answerer, hanging := hangOnce(2)
	b.target.answer = answerer
	_, abandon := b.work()
	id := b.start(b.create(threeCalls()), nil)
	<-hanging
	abandon()
	if row := b.get(id); row.Status != run.Queued {
		t.Fatalf("the run is %s after it was given back", row.Status)
	}
	b.work()
	b.schedule(time.Minute)
	b.until(id, run.Succeeded)
	b.same([]string{"/a", "/b", "/b", "/c"}, b.target.called())
}

func TestCancelOfARunningRunEndsIt(t *testing.T) {
	b := newBench(t)
	answerer, hanging := hangOnce(2)
	b.target.answer = answerer
	b.work()
	id := b.start(b.create(threeCalls()), nil)
	<-hanging
	if _, err := b.service.Cancel(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	row := b.until(id, run.Cancelled)
	if row.FinishedAt == nil || deref(row.Reason) != "cancelled by ana" {
		t.Errorf("finished at %v because of %q", row.FinishedAt, deref(row.Reason))
	}
	b.same([]string{"a 1 succeeded", "b 1 cancelled", "c 0 cancelled"}, b.attempts(id))
}

func TestCancelOfAQueuedRunEndsItAtOnce(t *testing.T) {
	b := newBench(t)
	id := b.start(b.create(threeCalls()), nil)
	row, err := b.service.Cancel(t.Context(), b.who, id)
	if err != nil || row.Status != run.Cancelled || deref(row.Reason) != "cancelled by ana" {
		t.Fatalf("the run is %s (%q), %v", row.Status, deref(row.Reason), err)
	}
	depths, err := b.queue.Depths()
	if err != nil || depths[run.DefaultQueue].Pending != 0 {
		t.Errorf("the queue shows %+v, %v", depths, err)
	}
}

// What succeeded in an earlier run is taken over by a rerun from its failed step.
func TestRerunFromTheFailedStep(t *testing.T) {
	b := newBench(t)
	b.target.answer = func(_ context.Context, n int, _ egress.Request) (*egress.Response, error) {
		if n == 2 {
			return answer(500, `{}`), nil
		}
		return answer(200, `{"n":1}`), nil
	}
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		call("a", "/a"), call("b", "/b?n={{ steps.a.body.n }}", "a"), note("c", "{{ steps.a.body.n }}", "b"),
	}}), nil)
	b.until(id, run.Failed)
	again, err := b.service.Rerun(t.Context(), b.who, id, rerunFailed)
	if err != nil {
		t.Fatal(err)
	}
	row := b.until(again.ID, run.Succeeded)
	if row.RerunOf == nil || *row.RerunOf != id {
		t.Errorf("it is a rerun of %v", row.RerunOf)
	}
	b.same([]string{"/a", "/b?n=1", "/b?n=1"}, b.target.called())
	b.same([]string{"1"}, b.messages(again.ID))
}

// Redis may forget everything: what was queued in it comes back from PostgreSQL.
func TestRedisMayForget(t *testing.T) {
	b := newBench(t)
	wf := b.create(workflow.Definition{Steps: []workflow.Step{call("a", "/a")}})
	var ids []uuid.UUID
	for range 20 {
		ids = append(ids, b.start(wf, nil))
	}
	b.flushRedis()
	b.work()
	b.schedule(time.Minute)
	for _, id := range ids {
		b.until(id, run.Succeeded)
	}
	if n := len(b.target.called()); n != 20 {
		t.Errorf("%d calls for 20 runs", n)
	}
}

// Two schedulers and two workers at once: each occurrence of each schedule becomes one run.
func TestOneRunForEachOccurrence(t *testing.T) {
	b := newBench(t)
	const workflows, fires = 20, 5
	begin := time.Now().Add(2 * time.Second).Truncate(time.Second)
	var want []string
	for i := range fires {
		want = append(want, begin.Add(time.Duration(i)*time.Second).UTC().Format(time.RFC3339))
	}
	end := begin.Add((fires - 1) * time.Second)
	for range workflows {
		b.create(workflow.Definition{
			Triggers: []workflow.Trigger{{ID: "tick", Type: "schedule", Cron: "* * * * * *", Overlap: "allow", StartsAt: &begin, EndsAt: &end}},
			Steps:    []workflow.Step{note("n", "x")},
		})
	}
	for range 2 {
		b.schedule(time.Minute)
		b.work()
	}
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var planned, live int
		err := b.db.QueryRow(t.Context(), `select (select count(*) from triggers where next_fire_at is not null), (select count(*) from run_live)`).Scan(&planned, &live)
		if err != nil {
			t.Fatal(err)
		}
		if planned+live == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d triggers are still planned, %d runs live", planned, live)
		}
		<-tick.C
	}
	rows, err := b.db.Query(t.Context(), `select trigger_id, fire_at from runs order by fire_at`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[uuid.UUID][]string{}
	for rows.Next() {
		var trigger uuid.UUID
		var at time.Time
		if err := rows.Scan(&trigger, &at); err != nil {
			t.Fatal(err)
		}
		got[trigger] = append(got[trigger], at.UTC().Format(time.RFC3339))
	}
	if len(got) != workflows {
		t.Errorf("%d triggers ran, want %d", len(got), workflows)
	}
	for trigger, fires := range got {
		if !slices.Equal(fires, want) {
			t.Errorf("trigger %s ran at %v, want %v", trigger, fires, want)
		}
	}
	var ledger int
	if err := b.db.QueryRow(t.Context(), `select count(*) from occurrences where outcome = 'ran' and run_id is not null`).Scan(&ledger); err != nil || ledger != workflows*fires {
		t.Errorf("%d rows in the ledger, want %d (%v)", ledger, workflows*fires, err)
	}
}
