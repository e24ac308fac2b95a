package worker_test

import (
	"encoding/json"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// A run of a draft does what the draft said when it was started, although it has changed, was published or is gone by the time
// that a worker comes to it.
func TestADraftRunsAsItWas(t *testing.T) {
	b := newBench(t)
	wf := b.create(workflow.Definition{Steps: []workflow.Step{call("a", "/published")}})
	save := func(def workflow.Definition) int {
		t.Helper()
		def.Name = wf.Definition.Name
		raw, err := json.Marshal(def)
		if err != nil {
			t.Fatal(err)
		}
		row, err := b.service.SaveDraft(t.Context(), b.who, wf.ID, dispatch.NewDraft{Definition: raw, Name: def.Name})
		if err != nil {
			t.Fatal(err)
		}
		return row.Revision
	}
	draft := workflow.Definition{Name: wf.Definition.Name, Steps: []workflow.Step{call("a", "/first"), call("b", "/second", "a")}}
	tried, err := b.service.RunDraft(t.Context(), b.who, wf.ID, draft, save(draft), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	later := workflow.Definition{Name: wf.Definition.Name, Steps: []workflow.Step{call("a", "/later")}}
	if _, err := b.service.Publish(t.Context(), b.who, wf.ID, later, nil, save(later)); err != nil {
		t.Fatal(err)
	}
	b.work()
	b.until(tried.ID, run.Succeeded)
	b.same([]string{"/first", "/second"}, b.target.called())

	again, err := b.service.Rerun(t.Context(), b.who, tried.ID, dispatch.Rerun{From: "b"})
	if err != nil {
		t.Fatal(err)
	}
	b.until(again.ID, run.Succeeded)
	b.same([]string{"/first", "/second", "/second"}, b.target.called())
	b.until(b.start(wf, nil), run.Succeeded)
	b.same([]string{"/first", "/second", "/second", "/later"}, b.target.called())
}
