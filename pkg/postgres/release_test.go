package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// yard is a database in which runs wait for their turn.
type yard struct {
	t    *testing.T
	db   *postgres.DB
	live postgres.Live
	name map[uuid.UUID]string // of runs
}

func newYard(t *testing.T) *yard {
	db := open(t, postgres.Options{Keyed: true})
	return &yard{t: t, db: db, live: postgres.Live{Q: db}, name: map[uuid.UUID]string{}}
}

func (y *yard) project() uuid.UUID {
	y.t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := y.db.Exec(y.t.Context(), `insert into projects (id, name) values ($1, 'p')`, id)
	must(y.t, err)
	return id
}

func (y *yard) workflow(project uuid.UUID, queue string, most *int) uuid.UUID {
	y.t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := y.db.Exec(y.t.Context(), `insert into workflows (id, project_id, name, enabled, version, queue, max_concurrent)
		values ($1, $2, 'w', true, 1, $3, $4)`, id, project, queue, most)
	must(y.t, err)
	return id
}

// arrive makes a run for which there is no room; trigger is for one that waits for the earlier runs of its trigger.
func (y *yard) arrive(name string, project, workflow uuid.UUID, trigger *uuid.UUID) uuid.UUID {
	y.t.Helper()
	id := uuid.Must(uuid.NewV7())
	y.name[id] = name
	_, err := postgres.Runs{Q: y.db}.Insert(y.t.Context(), []postgres.NewRun{{
		ID: id, ProjectID: project, WorkflowID: workflow, Version: 1, Trigger: run.Manual, TriggerID: trigger, Blocked: trigger != nil,
	}}, nil)
	must(y.t, err)
	return id
}

// release opens gates and releases up to room runs of the queue; it answers their names, sorted.
func (y *yard) release(queue string, room int) []string {
	y.t.Helper()
	for opened := int64(1); opened > 0; {
		var err error
		opened, err = y.live.OpenGates(y.t.Context())
		must(y.t, err)
	}
	released, err := y.live.Release(y.t.Context(), queue, uuid.Nil, room)
	must(y.t, err)
	names := []string{}
	for _, r := range released {
		names = append(names, y.name[r.ID])
	}
	slices.Sort(names)
	return names
}

// finish lets a worker take a released run and end it.
func (y *yard) finish(id uuid.UUID) {
	y.t.Helper()
	claimed, err := y.live.Claim(y.t.Context(), "w", []run.Ticket{{ID: id}})
	must(y.t, err)
	if len(claimed) != 1 {
		y.t.Fatalf("%s was not to be had", y.name[id])
	}
	_, err = y.live.Write(y.t.Context(), "w", []postgres.Record{{RunID: id, Attempt: 1, Outcome: postgres.Finish, Status: run.Succeeded}})
	must(y.t, err)
}

func (y *yard) same(got []string, want ...string) {
	y.t.Helper()
	if !slices.Equal(got, want) {
		y.t.Errorf("released %v, want %v", got, want)
	}
}

// However much a project has waiting, the others come in between.
func TestProjectsTakeTurns(t *testing.T) {
	y := newYard(t)
	a, b, c := y.project(), y.project(), y.project()
	wa, wb, wc := y.workflow(a, run.DefaultQueue, nil), y.workflow(b, run.DefaultQueue, nil), y.workflow(c, run.DefaultQueue, nil)
	for _, name := range []string{"a1", "a2", "a3", "a4"} {
		y.arrive(name, a, wa, nil)
	}
	y.arrive("b1", b, wb, nil)
	y.arrive("b2", b, wb, nil)
	y.arrive("c1", c, wc, nil)
	y.same(y.release(run.DefaultQueue, 3), "a1", "b1", "c1")
	y.same(y.release(run.DefaultQueue, 3), "a2", "a3", "b2")
	y.same(y.release(run.DefaultQueue, 3), "a4")
	y.same(y.release(run.DefaultQueue, 3))
}

func TestQueuesAreApart(t *testing.T) {
	y := newYard(t)
	p := y.project()
	y.arrive("urgent", p, y.workflow(p, run.CriticalQueue, nil), nil)
	y.arrive("sometime", p, y.workflow(p, run.BulkQueue, nil), nil)
	y.same(y.release(run.DefaultQueue, 9))
	y.same(y.release(run.CriticalQueue, 9), "urgent")
	y.same(y.release(run.BulkQueue, 9), "sometime")
}

// A project with a limit has no more than that in workers' hands, in all queues together.
func TestAProjectsLimit(t *testing.T) {
	y := newYard(t)
	p := y.project()
	_, err := y.db.Exec(t.Context(), `update projects set max_concurrent = 2 where id = $1`, p)
	must(t, err)
	first := y.arrive("1", p, y.workflow(p, run.CriticalQueue, nil), nil)
	w := y.workflow(p, run.DefaultQueue, nil)
	for _, name := range []string{"2", "3", "4"} {
		y.arrive(name, p, w, nil)
	}
	y.same(y.release(run.CriticalQueue, 9), "1")
	y.same(y.release(run.DefaultQueue, 9), "2")
	y.same(y.release(run.DefaultQueue, 9))
	y.finish(first)
	y.same(y.release(run.DefaultQueue, 9), "3")
}

// Of a workflow with a limit the next run begins when one has ended; other workflows of the project go on meanwhile.
func TestAWorkflowsLimit(t *testing.T) {
	y := newYard(t)
	p, two := y.project(), 2
	limited, free := y.workflow(p, run.DefaultQueue, &two), y.workflow(p, run.DefaultQueue, nil)
	first := y.arrive("1", p, limited, nil)
	for _, name := range []string{"2", "3", "4"} {
		y.arrive(name, p, limited, nil)
	}
	y.arrive("free", p, free, nil)
	y.same(y.release(run.DefaultQueue, 9), "1", "2", "free")
	y.same(y.release(run.DefaultQueue, 9))
	y.finish(first)
	y.same(y.release(run.DefaultQueue, 9), "3")
	_, err := y.db.Exec(t.Context(), `update workflows set max_concurrent = null where id = $1`, limited)
	must(t, err)
	y.same(y.release(run.DefaultQueue, 9), "4")
}

// Blocked runs of a trigger go one after the other, and then through the gate of their workflow.
func TestATriggersGate(t *testing.T) {
	y := newYard(t)
	p, one := y.project(), 1
	w := y.workflow(p, run.DefaultQueue, &one)
	trigger := uuid.Must(uuid.NewV7())
	_, err := y.db.Exec(t.Context(), `insert into triggers (id, workflow_id, project_id, key, version, spec, anchor_at, enabled)
		values ($1, $2, $3, 't', 1, '{}', now(), true)`, trigger, w, p)
	must(t, err)
	manual := y.arrive("manual", p, w, nil)
	first := y.arrive("first", p, w, &trigger)
	y.arrive("second", p, w, &trigger)
	y.same(y.release(run.DefaultQueue, 9), "manual")
	y.same(y.release(run.DefaultQueue, 9))
	y.finish(manual)
	y.same(y.release(run.DefaultQueue, 9), "first")
	y.same(y.release(run.DefaultQueue, 9))
	y.finish(first)
	y.same(y.release(run.DefaultQueue, 9), "second")
}

// What the queue lost comes again, and what was released without Redis can be taken from the database, but not from a
// queue that is paused.
func TestReleasedRunsAreNotForgotten(t *testing.T) {
	y := newYard(t)
	p := y.project()
	id := y.arrive("1", p, y.workflow(p, run.DefaultQueue, nil), nil)
	y.same(y.release(run.DefaultQueue, 9), "1")
	if again, err := y.live.Retake(t.Context(), time.Hour, 9); err != nil || len(again) != 0 {
		t.Errorf("handed out again within its grace: %v, %v", again, err)
	}
	_, err := y.db.Exec(t.Context(), `update run_live set enqueued_at = now() - interval '2 hours'`)
	must(t, err)
	if again, err := y.live.Retake(t.Context(), time.Hour, 9); err != nil || len(again) != 1 || again[0].ID != id {
		t.Errorf("handed out again: %v, %v", again, err)
	}
	queues := postgres.Queues{Q: y.db}
	must(t, queues.Pause(t.Context(), run.DefaultQueue, "ana"))
	if claimed, err := y.live.ClaimReleased(t.Context(), "w", 9); err != nil || len(claimed) != 0 {
		t.Errorf("taken from a paused queue: %v, %v", claimed, err)
	}
	must(t, queues.Resume(t.Context(), run.DefaultQueue))
	if claimed, err := y.live.ClaimReleased(t.Context(), "w", 9); err != nil || len(claimed) != 1 {
		t.Errorf("taken: %v, %v", claimed, err)
	}
}

// Where nothing was decided about a project, what holds for the installation does.
func TestTheInstallationsLimitOfProjects(t *testing.T) {
	y := newYard(t)
	y.live.Concurrent = 1
	p, own := y.project(), y.project()
	_, err := y.db.Exec(t.Context(), `update projects set max_concurrent = 2 where id = $1`, own)
	must(t, err)
	w, other := y.workflow(p, run.DefaultQueue, nil), y.workflow(own, run.DefaultQueue, nil)
	first := y.arrive("1", p, w, nil)
	y.arrive("2", p, w, nil)
	for _, name := range []string{"a", "b", "c"} {
		y.arrive(name, own, other, nil)
	}
	y.same(y.release(run.DefaultQueue, 9), "1", "a", "b")
	y.same(y.release(run.DefaultQueue, 9))
	y.finish(first)
	y.same(y.release(run.DefaultQueue, 9), "2")
}
