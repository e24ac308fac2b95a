package worker_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

func configured(id, action string, config any, after ...string) workflow.Step {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return workflow.Step{ID: id, Action: action, Config: raw, DependsOn: after}
}

func wait(id, duration string, after ...string) workflow.Step {
	return configured(id, workflow.ActionWait, workflow.WaitConfig{Duration: duration}, after...)
}

// A step that waits keeps no worker, goes on on another one, and waits until the instant it first said.
func TestAWaitKeepsNoWorker(t *testing.T) {
	b := newBench(t)
	drain, _ := b.work()
	b.schedule(time.Minute)
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		call("before", "/before"), wait("rest", "1500ms", "before"), note("after", "waited until {{ steps.rest.until }}", "rest"),
	}}), nil)
	row := b.until(id, run.Waiting)
	if reason := deref(row.Reason); !strings.HasPrefix(reason, "waits until 20") {
		t.Errorf("the reason is %q", reason)
	}
	drain()
	b.same([]string{"before 1 succeeded", "rest 1 waiting"}, b.attempts(id))
	b.work()
	b.until(id, run.Succeeded)
	b.same([]string{"after 1 succeeded", "before 1 succeeded", "rest 1 succeeded"}, b.attempts(id))
	b.same([]string{"/before"}, b.target.called())
	lines := b.messages(id)
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "waits until ") || !strings.HasPrefix(lines[1], "waited until 20") {
		t.Errorf("the log is %q", lines)
	}
}

func TestWhatCannotBeWaitedFor(t *testing.T) {
	b := newBench(t)
	b.work()
	wf := b.create(workflow.Definition{Steps: []workflow.Step{
		configured("rest", workflow.ActionWait, workflow.WaitConfig{Until: "{{ inputs.at }}"}),
	}})
	b.until(b.start(wf, map[string]any{"at": "2020-01-01T00:00:00Z"}), run.Succeeded) // it has passed
	row := b.until(b.start(wf, map[string]any{"at": "tomorrow"}), run.Failed)
	if want := `step rest failed: "tomorrow" is no instant: want one as in 2026-12-24T18:00:00+01:00`; deref(row.Reason) != want {
		t.Errorf("the reason is %q", deref(row.Reason))
	}
}

// A run that waits is cancelled at once, and so is its step.
func TestAWaitIsCancelled(t *testing.T) {
	b := newBench(t)
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{wait("rest", "1h"), note("after", "x", "rest")}}), nil)
	b.until(id, run.Waiting)
	if _, err := b.service.Cancel(t.Context(), b.who, id); err != nil {
		t.Fatal(err)
	}
	b.until(id, run.Cancelled)
	b.same([]string{"rest 1 cancelled"}, b.attempts(id))
}

// Beside a step that waits the others go on.
func TestOthersGoOnBesideAWait(t *testing.T) {
	b := newBench(t)
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{wait("rest", "1h"), call("a", "/a"), call("b", "/b", "a")}}), nil)
	b.until(id, run.Waiting)
	b.same([]string{"a 1 succeeded", "b 1 succeeded", "rest 1 waiting"}, b.attempts(id))
}

func TestTransformMakesValues(t *testing.T) {
	b := newBench(t)
	b.work()
	id := b.start(b.create(workflow.Definition{Steps: []workflow.Step{
		configured("make", workflow.ActionTransform, map[string]any{"value": map[string]any{
			"total": "{{ sum(inputs.prices) }}", "text": "{{ len(inputs.prices) }} prices", "kept": 7,
		}}),
		note("say", "{{ steps.make.total + 1 }} for {{ steps.make.text }}, {{ steps.make.kept }}", "make"),
	}}), map[string]any{"prices": []any{1, 2, 3.5}})
	b.until(id, run.Succeeded)
	b.same([]string{"7.5 for 3 prices, 7"}, b.messages(id))
}
