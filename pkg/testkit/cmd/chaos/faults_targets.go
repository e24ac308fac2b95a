package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// hostile is a workflow that does harm.
type hostile struct {
	target
	workflow string
}

// bad is a run that is to end in a certain way.
type bad struct {
	target
	run     string
	started time.Time
}

// startBad starts a run of a workflow that does harm.
func (t *trial) startBad(ctx context.Context, workflow string, as target) (bad, error) {
	status, body, err := t.client.do(ctx, http.MethodPost, "/workflows/"+workflow+"/runs", object{}, "")
	if err != nil {
		return bad{}, err
	}
	if status != http.StatusAccepted {
		return bad{}, fmt.Errorf("start a run: %d %s", status, body)
	}
	id, err := idIn(body)
	t.injected++
	return bad{target: as, run: id, started: time.Now()}, err
}

// runAnswer is what the API says of a run.
type runAnswer struct {
	Status     string
	FinishedAt *time.Time `json:"finished_at"`
	Steps      []struct {
		ID       string
		Output   json.RawMessage
		Attempts []struct{ Error string } // "" for null
	}
}

// awaitBad looks at a run until it has ended, and at how; within is the time it has for that.
func (t *trial) awaitBad(ctx context.Context, b bad, within time.Duration) error {
	deadline := b.started.Add(within)
	var last runAnswer
	for {
		status, body, err := t.client.do(ctx, http.MethodGet, "/runs/"+b.run, nil, "")
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("read a run: %d %s", status, body)
		}
		last = runAnswer{}
		if err := json.Unmarshal(body, &last); err != nil {
			return fmt.Errorf("read a run: %w", err)
		}
		if last.FinishedAt != nil {
			break
		}
		if time.Now().After(deadline) {
			t.problem("%s: the run %s has not ended after %s", b.path, b.run, within)
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	if last.Status != b.status {
		t.problem("%s: the run %s %s instead of %s", b.path, b.run, last.Status, b.status)
	}
	for _, s := range last.Steps {
		if s.ID != "bad" || len(s.Attempts) == 0 {
			continue
		}
		failure := s.Attempts[len(s.Attempts)-1].Error
		if !strings.Contains(failure, b.says) {
			t.problem("%s: the failure of run %s is %q, which does not say %q", b.path, b.run, failure, b.says)
		}
		if b.cut && !strings.Contains(string(s.Output), `"truncated":true`) {
			t.problem("%s: the output of run %s does not say that it was cut", b.path, b.run)
		}
	}
	return nil
}

const targetTimeout = 3 * time.Second

// prepareTargets makes the workflows that call the targets.
func prepareTargets(ctx context.Context, t *trial) error {
	for _, x := range targets() {
		bad := object{"id": "bad", "action": "http_endpoint", "config": object{"url": t.sink.url + x.path}, "timeout": targetTimeout.String()}
		id, err := t.client.create(ctx, object{"name": x.path, "steps": []object{bad}})
		if err != nil {
			return err
		}
		t.hostile = append(t.hostile, hostile{target: x, workflow: id})
	}
	return nil
}

// callTargets starts runs that call each of the targets, all at once, and looks at how they end.
func callTargets(ctx context.Context, t *trial) error {
	mended := t.broken()
	defer mended()
	t.injected = 0
	for range pick(t.form, 3, 1) {
		if err := t.doHarm(ctx, pick(t.form, 20, 5), targetTimeout+5*time.Second); err != nil {
			return err
		}
	}
	if n := t.sink.trespasses.Load(); n > 0 {
		t.problem("%d requests came through to an address that is not allowed", n)
	}
	return nil
}

// doHarm starts each of the hostile workflows n times and looks at how the runs end.
func (t *trial) doHarm(ctx context.Context, n int, within time.Duration) error {
	var all []bad
	for range n {
		for _, h := range t.hostile {
			b, err := t.startBad(ctx, h.workflow, h.target)
			if err != nil {
				return err
			}
			all = append(all, b)
		}
	}
	for _, b := range all {
		if err := t.awaitBad(ctx, b, within); err != nil {
			return err
		}
	}
	return nil
}

// mostMemory is what a worker may take, in bytes.
const mostMemory = 512 << 20

func memoryWasBounded(t *trial, _ repeats) {
	peak := t.peak("worker")
	t.note("worker_peak_mib", int(peak>>20))
	if peak > mostMemory {
		t.problem("a worker took %d MiB", peak>>20)
	}
}

// preparePanic makes the workflow whose action panics, after it saw that a normal build refuses it.
func preparePanic(ctx context.Context, t *trial) error {
	definition := object{"name": "panic", "steps": []object{{"id": "bad", "action": "panic"}}}
	normal, err := t.start(ctx, t.others.normal, "api")
	if err != nil {
		return err
	}
	tagged := t.running("api")[0]
	address := t.addressOf(tagged)
	t.dropAPI(tagged)
	status, body, err := t.client.do(ctx, http.MethodPost, "/workflows", definition, "")
	if err != nil {
		return err
	}
	if status != http.StatusUnprocessableEntity {
		t.problem("a normal build answers %d to a workflow with the action panic: %s", status, body)
	}
	t.kill(normal)
	t.addAPI(tagged, address)
	id, err := t.client.create(ctx, definition)
	t.hostile = []hostile{{workflow: id, target: target{path: "panic", status: "failed", says: "internal error"}}}
	return err
}

func panicAction(ctx context.Context, t *trial) error {
	mended := t.broken()
	defer mended()
	t.injected = 0
	return t.doHarm(ctx, pick(t.form, 200, 40), 10*time.Second)
}
