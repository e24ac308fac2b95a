package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// counts sums the counts of the last day by status: of a workflow, or of the whole project.
func (y *yard) counts(project uuid.UUID, workflow *uuid.UUID) map[run.Status]int64 {
	y.t.Helper()
	now := time.Now()
	list, err := postgres.Stats{Q: y.db}.Counts(y.t.Context(), postgres.CountFilter{
		Projects: []uuid.UUID{project}, WorkflowID: workflow, From: now.Add(-25 * time.Hour), To: now.Add(time.Hour), Unit: "day", Zone: "Europe/Madrid",
	})
	must(y.t, err)
	by := map[run.Status]int64{}
	for _, c := range list {
		by[c.Status] += c.N
	}
	return by
}

// Whoever ends a run counts it: a worker, and everybody who ends one that no worker has.
func TestEveryEndCounts(t *testing.T) {
	y := newYard(t)
	p := y.project()
	a, b := y.workflow(p, run.DefaultQueue, nil), y.workflow(p, run.DefaultQueue, nil)
	for range 3 {
		id := y.arrive("worked", p, a, nil)
		y.release(run.DefaultQueue, 10)
		y.finish(id)
	}
	ended, err := y.live.End(t.Context(), []uuid.UUID{y.arrive("x", p, b, nil), y.arrive("y", p, b, nil), uuid.New()}, run.Cancelled, "why")
	must(t, err)
	if len(ended) != 2 {
		t.Fatalf("ended %d", len(ended))
	}
	if got := y.counts(p, nil); got[run.Succeeded] != 3 || got[run.Cancelled] != 2 || len(got) != 2 {
		t.Errorf("the project: %v", got)
	}
	if got := y.counts(p, &a); got[run.Succeeded] != 3 || len(got) != 1 {
		t.Errorf("a: %v", got)
	}
	if got := y.counts(p, &b); got[run.Cancelled] != 2 || len(got) != 1 {
		t.Errorf("b: %v", got)
	}
	if n := y.count("run_counts where bucket = -1 and status = 'cancelled'"); n != 2 {
		t.Errorf("%d rows of runs that never began", n)
	}
	if got := y.counts(y.project(), &a); len(got) != 0 {
		t.Errorf("somebody else sees %v", got)
	}
}

// Joining the counts of several connections changes no sum, and what is too old is forgotten.
func TestCountsAreJoined(t *testing.T) {
	y := newYard(t)
	keep := postgres.Retention{Q: y.db}
	p := y.project()
	w := y.workflow(p, run.DefaultQueue, nil)
	_, err := y.db.Exec(t.Context(), `
		insert into run_counts select $1, $2, date_trunc('hour', now()) - h * interval '1 hour', 'failed', 40, writer, 10
		  from generate_series(0, 9) h, generate_series(0, 4) writer`, p, w)
	must(t, err)
	before := y.counts(p, &w)
	taken, err := keep.JoinCounts(t.Context(), 1000)
	must(t, err)
	if taken < 28 || y.counts(p, &w)[run.Failed] != before[run.Failed] || before[run.Failed] != 500 {
		t.Errorf("took %d rows; %v became %v", taken, before, y.counts(p, &w))
	}
	if n := y.count("run_counts where writer <> 0 and hour < now() - interval '3 hours'"); n != 0 {
		t.Errorf("%d rows stand apart", n)
	}
	if taken, err = keep.JoinCounts(t.Context(), 1000); err != nil || taken != 0 {
		t.Errorf("joined again: %d, %v", taken, err)
	}
	gone, err := keep.DropCounts(t.Context(), 5*time.Hour, 1000)
	must(t, err)
	if gone == 0 || y.counts(p, &w)[run.Failed] >= 500 {
		t.Errorf("%d gone", gone)
	}
}

// Runs are found by how long they took, whatever else is asked for.
func TestRunsAreFoundByTheirDuration(t *testing.T) {
	y := newYard(t)
	p := y.project()
	w := y.workflow(p, run.DefaultQueue, nil)
	for _, took := range []string{"50 milliseconds", "3 seconds", "5 seconds", "2 hours"} {
		id := y.past("26 hours", p, w, run.Failed)
		_, err := y.db.Exec(t.Context(), `
			with r as (update runs r set started_at = created_at, finished_at = created_at + $2::interval where id = $1 returning *)
			insert into run_counts select project_id, k, date_trunc('hour', created_at, 'UTC'), status, duration_bucket(started_at, finished_at), 1, 1
			  from r, unnest(array[workflow_id, project_id]) k`, id, took)
		must(t, err)
	}
	y.arrive("unfinished", p, w, nil)
	d := func(d time.Duration) *time.Duration { return &d }
	for _, c := range []struct {
		least, most *time.Duration
		statuses    []run.Status
		want        int
	}{
		{d(3 * time.Second), d(5 * time.Second), nil, 1},
		{d(time.Second), nil, nil, 3},
		{nil, d(time.Second), nil, 1},
		{d(time.Second), nil, []run.Status{run.Failed}, 3},
		{d(time.Second), nil, []run.Status{run.Succeeded}, 0},
		{d(6 * time.Second), d(time.Hour), nil, 0},
	} {
		for _, workflow := range []*uuid.UUID{nil, &w} {
			list, err := postgres.Runs{Q: y.db}.List(t.Context(), postgres.RunFilter{
				Projects: []uuid.UUID{p}, WorkflowID: workflow, Statuses: c.statuses, MinDuration: c.least, MaxDuration: c.most, Limit: 10,
			})
			must(t, err)
			if len(list) != c.want {
				t.Errorf("from %v to %v %v: %d runs, want %d", c.least, c.most, c.statuses, len(list), c.want)
			}
		}
	}
}
