package scheduler

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// A webhook stops by itself as a schedule does: its fires are its deliveries.
func TestAWebhookStopsAfterFailures(t *testing.T) {
	d := newDesk(t)
	id := d.save(named("w", workflow.Trigger{ID: "t", Type: workflow.TriggerWebhook, PauseAfterFailures: 2}))
	deliver := func() error {
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
		if err == nil {
			d.finish(*done.RunID, run.Failed, `{}`)
		}
		return err
	}
	g := &guard{db: d.db, log: d.log}
	look := func() postgres.TriggerRow {
		_, err := g.step(t.Context())
		d.must(err)
		return d.trigger(id)
	}
	d.must(deliver())
	if row := look(); !row.Enabled {
		t.Fatalf("it stopped after one failure: %v", row.PausedReason)
	}
	d.must(deliver())
	row := look()
	if row.Enabled || row.PausedReason == nil {
		t.Fatal("it goes on after two failures")
	}
	has(t, *row.PausedReason, "paused after 2 failed runs")
	if err := deliver(); !errors.Is(err, dispatch.ErrChanged) {
		t.Errorf("a delivery to a trigger that has stopped: %v", err)
	}
	d.enable(id, false)
	d.enable(id, true)
	if row := look(); !row.Enabled {
		t.Error("switched on again, the failures before count")
	}
}
