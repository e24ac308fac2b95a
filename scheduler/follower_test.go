package scheduler

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// named makes a workflow with triggers, of any type.
func named(name string, triggers ...workflow.Trigger) workflow.Definition {
	def := withTrigger(workflow.Trigger{})
	def.Name, def.Triggers = name, triggers
	return def
}

// after is a trigger that waits for a workflow.
func after(name, on string) workflow.Trigger {
	return workflow.Trigger{ID: "t", Type: workflow.TriggerAfter, Workflow: name, On: on}
}

func (d *desk) save(def workflow.Definition) uuid.UUID {
	d.t.Helper()
	home, _ := d.who.Home()
	row, err := d.service.Create(d.t.Context(), d.who, home, def, true)
	d.must(err)
	return row.ID
}

// start starts a run.
func (d *desk) start(workflow uuid.UUID) uuid.UUID {
	d.t.Helper()
	row, err := d.service.Start(d.t.Context(), d.who, workflow, nil, "")
	d.must(err)
	return row.ID
}

// finish ends a run as a worker does; its step had the output.
func (d *desk) finish(id uuid.UUID, status run.Status, output string) {
	d.t.Helper()
	live := postgres.Live{Q: d.db}
	claimed, err := live.Claim(d.t.Context(), "test", []run.Ticket{{ID: id, Queue: run.DefaultQueue}})
	d.must(err)
	now := time.Now()
	steps := []postgres.StepRow{{RunID: id, Step: "n", Attempt: 1, Status: status, StartedAt: &now, FinishedAt: &now, Output: json.RawMessage(output)}}
	written, err := live.Write(d.t.Context(), "test", []postgres.Record{{
		RunID: id, Attempt: claimed[0].Attempt, Steps: steps, Outcome: postgres.Finish, Status: status, Reason: "so it was",
	}})
	if _, ok := written[id]; err != nil || !ok {
		d.t.Fatalf("finish: %v, %v", written, err)
	}
}

func (d *desk) follower() *follower {
	return &follower{db: d.db, service: d.service, log: d.log, wake: make(chan struct{}, 1)}
}

// follow lets the runs after ended ones be made.
func (d *desk) follow() {
	d.t.Helper()
	_, err := d.follower().step(d.t.Context())
	d.must(err)
}

// runsOf are the runs of a workflow, the oldest first.
func (d *desk) runsOf(workflow uuid.UUID) []postgres.RunRow {
	d.t.Helper()
	home, _ := d.who.Home()
	list, err := postgres.Runs{Q: d.db}.List(d.t.Context(), postgres.RunFilter{Projects: []uuid.UUID{home}, WorkflowID: &workflow, Limit: 1000})
	d.must(err)
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

func TestARunAfterAnother(t *testing.T) {
	d := newDesk(t)
	first := d.save(named("first"))
	well, badly, either := d.save(named("well", after("first", ""))), d.save(named("badly", after("first", "failure"))), d.save(named("either", after(first.String(), "any")))
	ok := d.start(first)
	d.finish(ok, run.Succeeded, `{"total": 12345678901234567}`)
	d.follow()
	if n := len(d.runsOf(badly)); n != 0 {
		t.Errorf("%d runs after a failure that was none", n)
	}
	next := d.runsOf(well)
	if len(next) != 1 || next[0].Trigger != run.After || next[0].Cause == nil || *next[0].Cause != ok || *next[0].TriggerKey != "t" {
		t.Fatalf("after it ran %+v", next)
	}
	has(t, string(next[0].Inputs), ok.String(), `"status": "succeeded"`, `"workflow": "first"`, `12345678901234567`, `"outputs_cut": false`)
	d.same([]string{"ran after"}, d.told(well))
	has(t, reasonOf(d.rows(well)[0]), "of first succeeded")

	d.finish(d.start(first), run.Failed, `{"secret": "not for others"}`)
	cancelled := d.start(first)
	_, err := d.service.Cancel(t.Context(), d.who, cancelled)
	d.must(err)
	d.follow()
	if w, b, e := len(d.runsOf(well)), len(d.runsOf(badly)), len(d.runsOf(either)); w != 1 || b != 1 || e != 3 {
		t.Errorf("after a success, a failure and a cancellation ran %d, %d and %d", w, b, e)
	}
	failed := string(d.runsOf(badly)[0].Inputs)
	has(t, failed, `"reason": "so it was"`)
	if strings.Contains(failed, "not for others") {
		t.Errorf("the output of a step that failed is handed on: %s", failed)
	}
	d.follow()
	if n := d.count(`select count(*) from runs where trigger = 'after'`); n != 5 {
		t.Errorf("looked at again, there are %d runs", n)
	}
}

// Outputs that inputs have no room for are left out, and it is said.
func TestOutputsThatAreTooLargeToHandOn(t *testing.T) {
	d := newDesk(t)
	first := d.save(named("first"))
	then := d.save(named("then", after("first", "")))
	d.finish(d.start(first), run.Succeeded, `"`+strings.Repeat("x", mostOutputs)+`"`)
	d.follow()
	next := d.runsOf(then)
	if len(next) != 1 || len(next[0].Inputs) > 1000 {
		t.Fatalf("%d runs", len(next))
	}
	has(t, string(next[0].Inputs), `"outputs_cut": true`, `"outputs": {}`)
}

// Many ends at once, several schedulers, and one of them dies on the way: each end has one run.
func TestEachEndHasOneRun(t *testing.T) {
	d := newDesk(t)
	first := d.save(named("first"))
	then := d.save(named("then", after("first", "any")))
	const n = 300
	for range n {
		d.finish(d.start(first), run.Succeeded, `{}`)
	}
	died := errors.New("killed")
	err := d.db.InTx(t.Context(), func(q postgres.Querier) error {
		fires, err := postgres.AfterFires{Q: q}.Take(t.Context(), followBatch)
		d.must(err)
		if _, err := d.follower().follow(t.Context(), q, fires); err != nil {
			return err
		}
		return died
	})
	if !errors.Is(err, died) {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 5 {
				if _, err := d.follower().step(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if runs, causes := d.count(`select count(*) from runs where workflow_id = $1`, then), d.count(`select count(distinct cause) from runs where workflow_id = $1`, then); runs != n || causes != n {
		t.Errorf("%d runs of %d causes, want %d", runs, causes, n)
	}
	if rows := d.count(`select count(*) from occurrences where workflow_id = $1 and outcome = 'ran'`, then); rows != n {
		t.Errorf("the ledger has %d rows", rows)
	}
}

func TestATriggerThatIsOffFollowsNothing(t *testing.T) {
	d := newDesk(t)
	first := d.save(named("first"))
	then := d.save(named("then", after("first", "")))
	d.enable(then, false)
	d.finish(d.start(first), run.Succeeded, `{}`)
	if n := d.count(`select count(*) from after_fires`); n != 0 {
		t.Errorf("%d ends are noted for a trigger that is off", n)
	}
	d.enable(then, true)
	d.finish(d.start(first), run.Succeeded, `{}`)
	d.enable(then, false) // before anybody followed
	d.follow()
	d.same([]string{"skipped disabled"}, d.told(then))
	has(t, reasonOf(d.rows(then)[0]), "ended, but it was disabled by ana")
	if n := len(d.runsOf(then)); n != 0 {
		t.Errorf("%d runs", n)
	}
	one := after("first", "")
	one.Overlap = "skip"
	busy := d.save(named("busy", one))
	d.finish(d.start(first), run.Succeeded, `{}`)
	d.finish(d.start(first), run.Succeeded, `{}`)
	d.follow()
	d.same([]string{"ran after", "skipped overlap"}, d.told(busy))
}

// Workflows that would run after each other for ever are refused with their names, and so are chains without end.
func TestRingsAndLongChains(t *testing.T) {
	d := newDesk(t)
	refused := func(err error, code string, parts ...string) {
		t.Helper()
		f, ok := fault.Of(err)
		if !ok || len(f.Fields) != 1 || f.Fields[0].Code != code || f.Fields[0].Pointer != "/triggers/0/workflow" {
			t.Fatalf("%v, want %s", err, code)
		}
		has(t, f.Fields[0].Message, parts...)
	}
	replace := func(id uuid.UUID, def workflow.Definition) error {
		_, err := d.service.Replace(t.Context(), d.who, id, def, nil, 0)
		return err
	}
	a := d.save(named("a"))
	d.save(named("b", after("a", "")))
	d.save(named("c", after("b", "")))
	refused(replace(a, named("a", after("c", ""))), "cycle", "a → b → c → a")
	refused(replace(a, named("a", after("a", ""))), "cycle", "after itself")
	d.save(named("twin"))
	d.save(named("twin"))
	refused(replace(a, named("a", after("twin", ""))), "ambiguous")

	// A name that was found stays with its workflow.
	d.must(replace(a, named("renamed")))
	c := d.save(named("d", after("c", "")))
	d.must(replace(c, named("d is another", after("c", ""))))
	row, err := postgres.Triggers{Q: d.db}.Find(t.Context(), c, "t")
	d.must(err)
	if row.AfterWorkflow == nil {
		t.Error("the trigger lost its workflow")
	}

	d.save(named("0"))
	for i := 1; i <= workflow.MaxChain; i++ {
		d.save(named(fmt.Sprint(i), after(fmt.Sprint(i-1), "")))
	}
	home, _ := d.who.Home()
	_, err = d.service.Create(t.Context(), d.who, home, named("too far", after(fmt.Sprint(workflow.MaxChain), "")), true)
	refused(err, "chain_too_long", "at most 21")

	// Whatever makes runs follow each other, there is an end.
	first := d.save(named("first"))
	then := d.save(named("then", after("first", "")))
	id := d.start(first)
	d.exec(`with recursive n as (select $1::uuid as id, 0 as i union all select gen_random_uuid(), i + 1 from n where i < 25),
		chain as (select id, lead(id) over (order by i) as cause from n),
		made as (insert into runs (id, project_id, workflow_id, version, trigger, status, cause, created_at)
		    select c.id, r.project_id, r.workflow_id, 1, 'manual', 'succeeded', c.cause, now() from chain c, runs r where r.id = $1 and c.id <> $1)
		update runs set cause = (select cause from chain where id = $1) where id = $1`, id)
	d.finish(id, run.Succeeded, `{}`)
	d.follow()
	d.same([]string{"skipped chain"}, d.told(then))
}

// Two people who each save half of a ring at the same time: one of them is refused, and nobody waits for ever.
func TestARingMadeByTwoAtOnce(t *testing.T) {
	d := newDesk(t)
	for round := range 5 {
		a, b := fmt.Sprint("a", round), fmt.Sprint("b", round)
		ids := []uuid.UUID{d.save(named(a)), d.save(named(b))}
		defs := []workflow.Definition{named(a, after(b, "")), named(b, after(a, ""))}
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i := range ids {
			wg.Go(func() { _, errs[i] = d.service.Replace(t.Context(), d.who, ids[i], defs[i], nil, 0) })
		}
		wg.Wait()
		refused := 0
		for _, err := range errs {
			if f, ok := fault.Of(err); ok && len(f.Fields) == 1 && f.Fields[0].Code == "cycle" {
				refused++
			} else if err != nil {
				t.Errorf("refused with %v", err)
			}
		}
		if refused != 1 {
			t.Errorf("%d of two are refused", refused)
		}
	}
}
