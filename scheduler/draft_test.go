package scheduler

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/alert"
	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// draft keeps def as the workflow's draft, and answers its revision.
func (d *desk) draft(id uuid.UUID, def workflow.Definition) int {
	d.t.Helper()
	raw, err := json.Marshal(def)
	d.must(err)
	row, err := d.service.SaveDraft(d.t.Context(), d.who, id, dispatch.NewDraft{Definition: raw, Name: def.Name})
	d.must(err)
	return row.Revision
}

// Deliveries that were tried on a draft, and failed, are no failures of the trigger.
func TestRunsOfDraftsStopNoTrigger(t *testing.T) {
	d := newDesk(t)
	def := named("w", workflow.Trigger{ID: "t", Type: workflow.TriggerWebhook, PauseAfterFailures: 1})
	id := d.save(def)
	row := d.trigger(id)
	fresh, err := dispatch.NewRunID()
	d.must(err)
	done, err := d.service.Deliver(t.Context(), dispatch.Delivery{
		Hook: postgres.Addressed{Version: row.Version, Spec: row.Spec},
		DeliveryRow: postgres.DeliveryRow{
			ID: fresh, ProjectID: row.ProjectID, WorkflowID: id, TriggerID: row.ID, Verdict: postgres.VerdictAccepted, Method: "POST",
			Headers: json.RawMessage(`{}`), Address: "127.0.0.1",
		},
	})
	d.must(err)
	d.finish(*done.RunID, run.Succeeded, `{}`)
	inputs := func(postgres.DeliveryRow, postgres.TriggerRow) (json.RawMessage, error) { return nil, nil }
	tried, err := d.service.Replay(t.Context(), d.who, *done.RunID, dispatch.Replayed{Draft: &def, Revision: d.draft(id, def), Inputs: inputs})
	d.must(err)
	d.finish(tried.ID, run.Failed, `{}`)
	g := &guard{db: d.db, log: d.log}
	_, err = g.step(t.Context())
	d.must(err)
	if row := d.trigger(id); !row.Enabled {
		t.Errorf("a run of a draft stopped it: %s", *row.PausedReason)
	}
	again, err := d.service.Replay(t.Context(), d.who, *done.RunID, dispatch.Replayed{Inputs: inputs})
	d.must(err)
	d.finish(again.ID, run.Failed, `{}`)
	_, err = g.step(t.Context())
	d.must(err)
	if row := d.trigger(id); row.Enabled {
		t.Error("a run of the workflow that failed did not stop it")
	}
}

// What runs of drafts ran is kept while one of them is there, or while the draft is still that; then it goes.
func TestWhatDraftsRanIsForgotten(t *testing.T) {
	d := newDesk(t)
	def := named("w", workflow.Trigger{ID: "t", Type: workflow.TriggerWebhook})
	id := d.save(def)
	try := func(name string) uuid.UUID {
		def.Name = name
		row, err := d.service.RunDraft(t.Context(), d.who, id, def, d.draft(id, def), nil, "")
		d.must(err)
		return row.ID
	}
	first, second := try("first"), try("second")
	if first == second {
		t.Fatal("two runs have one id")
	}
	j := &janitor{db: d.db, log: d.log}
	kept := func() int {
		_, err := j.step(t.Context())
		d.must(err)
		return d.count(`select count(*) from workflow_versions where version < 0`)
	}
	d.exec(`update workflow_versions set created_at = now() - interval '2 days' where version < 0`)
	if n := kept(); n != 2 {
		t.Fatalf("%d are kept while their runs are there", n)
	}
	d.exec(`delete from runs`)
	if n := kept(); n != 1 {
		t.Errorf("%d are kept of a draft that is still the second", n)
	}
	d.must(d.service.Discard(t.Context(), d.who, id, 0))
	if n := kept(); n != 0 {
		t.Errorf("%d are kept of nothing", n)
	}
	if n := d.count(`select count(*) from workflow_versions`); n != 1 {
		t.Errorf("%d versions are left", n)
	}
}

// Whoever tries a draft sees how it went; nobody else is told, and a draft that succeeds ends no failure.
func TestRunsOfDraftsAreNotTold(t *testing.T) {
	d := newDesk(t)
	d.rule(nil, alert.Failure, alert.Recovery, alert.Held)
	def := named("Import")
	id := d.save(def)
	try := func(status run.Status) {
		row, err := d.service.RunDraft(t.Context(), d.who, id, def, d.draft(id, def), nil, "")
		d.must(err)
		d.finish(row.ID, status, `{}`)
		d.alert()
	}
	try(run.Failed)
	d.same(nil, d.alerts())
	d.ends(id, run.Failed)
	d.alert()
	try(run.Succeeded)
	d.same([]string{"failure | out | Import failed"}, d.alerts())
}
