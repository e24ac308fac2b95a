package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// killThroughout starts a workflow that has everything, 30 steps with branches, a list, a wait, an approval and a fallback,
// and kills workers at five random points of it.
func killThroughout(ctx context.Context, t *trial) error {
	items := pick(t.form, 1000, 200)
	call := object{"url": t.sink.url + "/slow?for=300ms"}
	if _, err := t.client.create(ctx, object{
		"name": "one item", "steps": []object{{"id": "call", "action": "http_endpoint", "config": call}},
	}); err != nil {
		return err
	}
	id, err := t.client.create(ctx, everything(call, items))
	if err != nil {
		return err
	}
	status, body, err := t.client.do(ctx, http.MethodPost, "/workflows/"+id+"/runs", object{"inputs": object{"branch": "left"}}, "")
	if err != nil || status != http.StatusAccepted {
		return fmt.Errorf("start the run: %d %s %w", status, body, err)
	}
	if t.whole, err = idIn(body); err != nil {
		return err
	}
	t.items = items
	mended := t.broken()
	defer mended()
	t.injected = 0
	for range 5 {
		if err := pause(ctx, time.Second+rand.N(pick(t.form, 5*time.Second, 2*time.Second))); err != nil { //nolint:gosec // which instant hides nothing
			return err
		}
		if err := t.approve(ctx); err != nil {
			return err
		}
		p, err := t.busiestWorker(ctx)
		if err != nil {
			return err
		}
		t.injected++
		t.lost = append(t.lost, time.Now())
		t.kill(p)
		if _, err := t.start(ctx, t.normal, "worker"); err != nil {
			return err
		}
	}
	for { // until it is done
		if err := t.approve(ctx); err != nil {
			return err
		}
		status, body, err := t.client.do(ctx, http.MethodGet, "/runs/"+t.whole, nil, "")
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("look at the run: %d %s %w", status, body, err)
		}
		var r struct {
			FinishedAt *time.Time `json:"finished_at"`
		}
		if err := json.Unmarshal(body, &r); err != nil {
			return fmt.Errorf("look at the run: %w", err)
		}
		if r.FinishedAt != nil {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// everything is the definition.
func everything(call object, items int) object {
	step := func(id, action string, config object, after ...string) object {
		s := object{"id": id, "action": action, "config": config}
		if len(after) > 0 {
			s["depends_on"] = after
		}
		return s
	}
	steps := []object{step("begin", "http_endpoint", call)}
	last := "begin"
	for i := range 10 { // a row
		id := fmt.Sprintf("row%d", i)
		steps = append(steps, step(id, "http_endpoint", call, last))
		last = id
	}
	var fan []string
	for i := range 10 { // beside each other
		id := fmt.Sprintf("beside%d", i)
		steps = append(steps, step(id, "http_endpoint", call, last))
		fan = append(fan, id)
	}
	left, right := step("left", "log_message", object{"message": "left"}, fan...), step("right", "http_endpoint", call, fan...)
	left["if"], right["if"] = `inputs.branch == "left"`, `inputs.branch == "right"`
	broken := step("broken", "http_endpoint", object{"url": call["url"], "expect_status": []string{"418"}}, "left", "right")
	broken["on_error"], broken["fallback"] = "fallback", "mend"
	return object{
		"name": "everything", "outputs": object{"sum": "{{ steps.sum }}"},
		"steps": append(steps,
			left, right, broken,
			step("mend", "http_endpoint", call),
			step("rest", "wait", object{"duration": "3s"}, "broken"),
			step("ask", "approval", object{"message": "Go on?"}, "broken"),
			step("all", "run_workflow", object{
				"workflow": "one item", "for_each": fmt.Sprintf("{{ 1..%d }}", items), "concurrency": 50,
				"inputs": object{"item": "{{ each.item }}"},
			}, "rest", "ask"),
			step("sum", "transform", object{"value": "{{ steps.all.succeeded }}"}, "all"),
			step("end", "http_endpoint", call, "sum"),
		),
	}
}

// approve answers what is asked.
func (t *trial) approve(ctx context.Context) error {
	status, body, err := t.client.do(ctx, http.MethodGet, "/approvals?pending=true", nil, "")
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("list approvals: %d %s %w", status, body, err)
	}
	var list struct {
		Items []struct{ ID string }
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("list approvals: %w", err)
	}
	for _, item := range list.Items {
		if status, body, err = t.client.do(ctx, http.MethodPost, "/approvals/"+item.ID+"/decide", object{"decision": "approve"}, ""); err != nil || status != http.StatusOK {
			return fmt.Errorf("approve: %d %s %w", status, body, err)
		}
	}
	return nil
}

// theWholeEndedRight holds the run and its items against what they should have become.
func theWholeEndedRight(t *trial, r repeats) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := t.admin(ctx)
	if err != nil {
		t.problem("reach the database: %v", err)
		return
	}
	defer db.Close(context.WithoutCancel(ctx))
	var status, output string
	var steps, skipped, children, distinct, succeeded int
	err = db.QueryRow(ctx, `
		select r.status, coalesce(r.output ->> 'sum', ''),
		       (select count(distinct step) from step_runs s where s.run_id = r.id and s.status = 'succeeded'),
		       (select count(*) from step_runs s where s.run_id = r.id and s.status = 'skipped'),
		       (select count(*) from runs c where c.parent_id = r.id),
		       (select count(distinct c.inputs ->> 'item') from runs c where c.parent_id = r.id),
		       (select count(*) from runs c where c.parent_id = r.id and c.status = 'succeeded')
		  from runs r where r.id = $1`, t.whole).Scan(&status, &output, &steps, &skipped, &children, &distinct, &succeeded)
	if err != nil {
		t.problem("look at the run: %v", err)
		return
	}
	t.note("steps", steps)
	t.note("items", children)
	if status != "succeeded" || output != fmt.Sprint(t.items) || skipped != 1 {
		t.problem("the run %s, left %q, and skipped %d steps", status, output, skipped)
	}
	if children != t.items || distinct != t.items || succeeded != t.items {
		t.problem("of %d items there are %d runs, of %d different ones, of which %d succeeded", t.items, children, distinct, succeeded)
	}
	someWereUnderWay(t, r)
}
