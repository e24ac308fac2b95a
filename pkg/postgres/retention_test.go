package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// past makes a run of some time ago that ended, with a step and a log line.
func (y *yard) past(ago string, project, workflow uuid.UUID, status run.Status) uuid.UUID {
	y.t.Helper()
	var id uuid.UUID
	random := strings.ReplaceAll(uuid.NewString(), "-", "")[12:]
	must(y.t, y.db.QueryRow(y.t.Context(), `select overlay(replace(first_id_at(now() - $1::interval)::text, '-', '') placing $2 from 13)::uuid`,
		ago, random).Scan(&id))
	for _, sql := range []string{
		`insert into runs (id, project_id, workflow_id, version, trigger, status, created_at) values ($1, $2, $3, 1, 'manual', $4, now() - $5::interval)`,
		`insert into step_runs (run_id, step, attempt, status) select $1, 's', 1, 'succeeded' where $2::uuid is not null and $3::uuid is not null and $4 <> '' and $5 <> ''`,
		`insert into run_logs (run_id, seq, at, step, attempt, level, message)
		 select $1, 1, now(), 's', 1, 'info', 'm' where $2::uuid is not null and $3::uuid is not null and $4 <> '' and $5 <> ''`,
		`insert into unsuccessful_runs (project_id, id, status) select $2, $1, $4 where $3::uuid is not null and $4 <> 'succeeded' and $5 <> ''`,
	} {
		_, err := y.db.Exec(y.t.Context(), sql, id, project, workflow, string(status), ago)
		must(y.t, err)
	}
	return id
}

func (y *yard) count(table string) (n int) {
	y.t.Helper()
	must(y.t, y.db.QueryRow(y.t.Context(), `select count(*) from `+table).Scan(&n))
	return n
}

// Weeks are made ahead, once, and rows that came before their week was made move into it.
func TestWeeksAreMadeAhead(t *testing.T) {
	y := newYard(t)
	keep := postgres.Retention{Q: y.db}
	p := y.project()
	id := y.past("-100 days", p, y.workflow(p, run.DefaultQueue, nil), run.Succeeded) // in a hundred days
	if n := y.count("runs_other"); n != 1 {
		t.Fatalf("%d rows without a week", n)
	}
	made, err := keep.MakeWeeks(t.Context(), 20)
	must(t, err)
	if made == 0 || y.count("runs_other") != 0 || y.count("run_logs_other") != 0 {
		t.Errorf("made %d weeks; left over are %d runs", made, y.count("runs_other"))
	}
	if _, err := (postgres.Runs{Q: y.db}).Get(t.Context(), []uuid.UUID{p}, id); err != nil {
		t.Errorf("the run is gone: %v", err)
	}
	if made, err := keep.MakeWeeks(t.Context(), 20); err != nil || made != 0 {
		t.Errorf("made again: %d, %v", made, err)
	}
}

// A week that is past its time goes as a whole, unless something of it has not finished.
func TestOldWeeksGo(t *testing.T) {
	y := newYard(t)
	keep := postgres.Retention{Q: y.db}
	p := y.project()
	w := y.workflow(p, run.DefaultQueue, nil)
	for _, days := range []string{"60 days", "40 days"} {
		_, err := y.db.Exec(t.Context(), `select make_week(now() - $1::interval)`, days)
		must(t, err)
	}
	unfinished := y.past("60 days", p, w, run.Queued)
	_, err := y.db.Exec(t.Context(), `insert into run_live (id, project_id, workflow_id) values ($1, $2, $3)`, unfinished, p, w)
	must(t, err)
	y.past("40 days", p, w, run.Succeeded)
	y.past("0 days", p, w, run.Succeeded)
	if dropped, err := keep.DropWeeks(t.Context(), 90*24*time.Hour); err != nil || dropped != 0 {
		t.Errorf("dropped before its time: %d, %v", dropped, err)
	}
	dropped, err := keep.DropWeeks(t.Context(), 30*24*time.Hour)
	must(t, err)
	if dropped != 4 || y.count("runs") != 2 || y.count("step_runs") != 2 || y.count("run_logs") != 2 {
		t.Errorf("dropped %d partitions; %d runs remain", dropped, y.count("runs"))
	}
}

// What a workflow keeps for a shorter time goes before the others, by how it ended.
func TestRunsGoByTheirEnd(t *testing.T) {
	y := newYard(t)
	keep := postgres.Retention{Q: y.db}
	p := y.project()
	short, long := y.workflow(p, run.DefaultQueue, nil), y.workflow(p, run.DefaultQueue, nil)
	_, err := y.db.Exec(t.Context(), `update workflows set keep_succeeded = '1 day' where id = $1`, short)
	must(t, err)
	y.past("2 days", p, short, run.Succeeded)
	failed := y.past("2 days", p, short, run.Failed)
	y.past("2 days", p, long, run.Succeeded)
	y.past("1 hour", p, short, run.Succeeded)
	_, err = y.db.Exec(t.Context(), `insert into deliveries (id, project_id, workflow_id, trigger_id, verdict, run_id, method, headers, size, address)
		select id, project_id, workflow_id, gen_random_uuid(), 'accepted', id, 'POST', '{}', 0, '' from runs`)
	must(t, err)
	gone, err := keep.DropRuns(t.Context(), postgres.Old{}, 100)
	must(t, err)
	if n := y.count("deliveries"); n != 3 {
		t.Errorf("%d deliveries remain of those runs", n)
	}
	if gone != 1 || y.count("runs") != 3 || y.count("run_logs") != 3 {
		t.Errorf("%d gone, %d remain", gone, y.count("runs"))
	}
	gone, err = keep.DropRuns(t.Context(), postgres.Old{Failed: 24 * time.Hour}, 100)
	must(t, err)
	if gone != 1 || y.count("runs") != 2 || y.count("unsuccessful_runs") != 0 {
		t.Errorf("%d failed ones gone, %d remain", gone, y.count("runs"))
	}
	if _, err := (postgres.Runs{Q: y.db}).Get(t.Context(), []uuid.UUID{p}, failed); err == nil {
		t.Error("the failed run is still there")
	}
	gone, err = keep.DropRuns(t.Context(), postgres.Old{Succeeded: 24 * time.Hour}, 100)
	must(t, err)
	if gone != 1 || y.count("runs") != 1 {
		t.Errorf("%d succeeded ones gone, %d remain", gone, y.count("runs"))
	}
}
