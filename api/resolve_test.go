package api_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// holds leaves the run to a person, as a worker does that finds a step of which nobody knows whether it happened.
func (w *worker) holds(step, why string) {
	w.in.t.Helper()
	class := run.FailureUnknown
	row := attempt(step, 1, run.Held, "", why)
	row.FinishedAt, row.Class = nil, &class
	w.record(postgres.Record{Steps: []postgres.StepRow{row}, Outcome: postgres.Hold, Reason: "step " + step + ": " + why})
}

const lostWhile = "the worker was lost while POST https://api.example.com/pay was under way; did it happen?"

// held makes a run that waits for a decision about its step fetch.
func (c *client) held(path string) (id string) {
	c.in.t.Helper()
	id = c.post(path+"/runs", nil).want(202).text("id")
	c.in.work(id).holds("fetch", lostWhile)
	return id
}

func TestAHeldRunSaysWhatItWaitsFor(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := ana.held(path)
	r := ana.get("/runs/" + id).want(200)
	if r.text("status") != "held" || r.text("reason") != "step fetch: "+lostWhile {
		t.Errorf("the run: %v", r)
	}
	if step := r.items("steps")[0]; step.text("status") != "held" || step.text("error") != lostWhile || step["finished_at"] != nil {
		t.Errorf("its step: %v", step)
	}
	if list := ana.get("/runs?status=held").want(200).items("items"); len(list) != 1 || list[0].text("id") != id {
		t.Errorf("the list of held runs: %v", list)
	}
}

// Each decision, and what stands in the run after it.
func TestDecideAboutAHeldRun(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	for _, c := range []struct {
		decision object
		step     string
		said     string
	}{
		{object{"decision": "succeeded", "output": object{"id": 9007199254740993}, "note": "asked the bank"}, "succeeded", "decided by ana: it happened (asked the bank)"},
		{object{"decision": "succeeded"}, "succeeded", "decided by ana: it happened"},
		{object{"decision": "failed"}, "failed", "decided by ana: it did not happen, and is not made again"},
		{object{"decision": "retry"}, "failed", "decided by ana: make it again"},
	} {
		id := ana.held(path)
		c.decision["step"] = "fetch"
		r := ana.post("/runs/"+id+"/resolve", c.decision).want(202)
		step := r.items("steps")[0]
		if r.text("status") != "queued" || r["reason"] != nil || step.text("status") != c.step || step.text("error") != c.said {
			t.Errorf("%v: %v", c.decision, r)
		}
		if c.decision["output"] != nil && step.child("output").number("id") != "9007199254740993" {
			t.Errorf("its output is %v", step["output"])
		}
		lines := ana.get("/runs/" + id + "/logs").want(200).items("items")
		if len(lines) != 1 || lines[0].text("message") != c.said || lines[0].text("step") != "fetch" {
			t.Errorf("%v: the log is %v", c.decision, lines)
		}
		ana.post("/runs/"+id+"/resolve", c.decision).refused(409, "run_not_held")
	}
}

func TestDecisionsThatAreRefused(t *testing.T) {
	in := install(t)
	ana, bob := in.user("ana"), in.user("bob")
	path, _ := ana.create(example())
	resolve := "/runs/" + ana.held(path) + "/resolve"
	for pointer, body := range map[string]object{
		"/step":     {"step": "note", "decision": "retry"},
		"/output":   {"step": "fetch", "decision": "failed", "output": "x"},
		"/decision": {"step": "fetch", "decision": "perhaps"},
	} {
		a := ana.post(resolve, body)
		a.want(422)
		if !strings.Contains(string(a.body), `"`+pointer+`"`) {
			t.Errorf("%v: %s", body, a.body)
		}
	}
	large := ana.post(resolve, object{"step": "fetch", "decision": "succeeded", "output": strings.Repeat("x", 257<<10)})
	large.want(422)
	large.at("/output", "too_large")
	ana.post(resolve, object{"step": "fetch", "decision": "succeeded", "output": "a\x00b"}).want(422)
	for _, body := range []any{nil, object{}, object{"step": "fetch"}, object{"step": "fetch", "decision": "retry", "why": "x"}} {
		if a := ana.post(resolve, body); a.status != 422 && a.status != 400 {
			t.Errorf("%v: %d", body, a.status)
		}
	}
	bob.post(resolve, object{"step": "fetch", "decision": "retry"}).refused(404, "not_found")
	queued := ana.post(path+"/runs", nil).want(202).text("id")
	ana.post("/runs/"+queued+"/resolve", object{"step": "fetch", "decision": "retry"}).refused(409, "run_not_held")
}

// Of several people who decide at once one does.
func TestOneDecisionCounts(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := ana.held(path)
	var mu sync.Mutex
	answers := map[int]int{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a := ana.post("/runs/"+id+"/resolve", object{"step": "fetch", "decision": []string{"succeeded", "failed", "retry"}[i%3]})
			mu.Lock()
			answers[a.status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if answers[202] != 1 || answers[409] != 7 {
		t.Errorf("answers: %v", answers)
	}
}

func TestCancelAHeldRun(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := ana.held(path)
	r := ana.post("/runs/"+id+"/cancel", nil).want(202)
	if step := r.items("steps")[0]; r.text("status") != "cancelled" || step.text("status") != "cancelled" {
		t.Errorf("%v", r)
	}
	ana.post("/runs/"+id+"/resolve", object{"step": "fetch", "decision": "retry"}).refused(409, "run_not_held")
}

// As long as a worker has not carried it out, one sees that a run is to end.
func TestACancellationShows(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	id := ana.post(path+"/runs", nil).want(202).text("id")
	w := in.work(id)
	r := ana.post("/runs/"+id+"/cancel", nil).want(202)
	if r.text("status") != "running" || r.text("reason") != "cancelled by ana" || r.text("cancel_requested_at") == "" {
		t.Errorf("while it is pending: %v", r)
	}
	w.ends(run.Cancelled, "cancelled by ana")
	if r := ana.get("/runs/" + id).want(200); r["cancel_requested_at"] != nil {
		t.Errorf("afterwards: %v", r)
	}
}
