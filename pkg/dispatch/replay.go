package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Replayed is by what a delivery is run once more.
type Replayed struct {
	Draft    *workflow.Definition // the draft, which has the Revision; nil: the workflow's current version
	Revision int
	Inputs   func(postgres.DeliveryRow, postgres.TriggerRow) (json.RawMessage, error) // reads the delivery for a trigger
}

// Replay runs a delivery once more. Errors: not found; a delivery that was refused, of which not everything is kept.
func (s *Service) Replay(ctx context.Context, who account.Principal, id uuid.UUID, by Replayed) (postgres.RunRow, error) {
	old, err := postgres.Deliveries{Q: s.db}.Get(ctx, who.Where(account.RunStart), id)
	if err != nil {
		return postgres.RunRow{}, err
	}
	if old.Verdict == postgres.VerdictRefused {
		return postgres.RunRow{}, fault.New(fault.Conflict, "delivery_refused", "The delivery was refused: there is nothing to run")
	}
	trigger, err := postgres.Triggers{Q: s.db}.ByID(ctx, old.TriggerID)
	if err != nil {
		return postgres.RunRow{}, err
	}
	var head postgres.Head
	if by.Draft == nil {
		head, err = s.head(ctx, who, old.WorkflowID)
	} else {
		head, err = s.keepDraft(ctx, who, old.WorkflowID, *by.Draft, by.Revision)
		if i := slices.IndexFunc(by.Draft.Triggers, func(t workflow.Trigger) bool { return t.ID == trigger.Key && t.Type == trigger.Spec.Type }); i >= 0 {
			trigger.Spec = by.Draft.Triggers[i]
		}
	}
	if err != nil {
		return postgres.RunRow{}, err
	}
	raw, err := by.Inputs(old, trigger)
	if err != nil {
		return postgres.RunRow{}, err
	}
	fresh, err := newRun(head, head.Version, run.Webhook, who, raw)
	if err != nil {
		return postgres.RunRow{}, err
	}
	again := old
	again.ID, again.Verdict, again.RunID, again.ReplayOf, again.ReplayedBy = fresh.ID, postgres.VerdictAccepted, &fresh.ID, &old.ID, &who.User.Username
	again.Code, again.Reason = nil, nil
	note, err := audit.NewEntry(ctx, audit.Change{
		Action: audit.DeliveryReplay, Project: old.ProjectID, Object: audit.Of(old.ID, head.Name+" / "+trigger.Key),
		After: audit.Data{"run_id": fresh.ID, "version": head.Version},
	})
	if err != nil {
		return postgres.RunRow{}, fmt.Errorf("note a replay: %w", err)
	}
	done, err := s.Deliver(ctx, Delivery{DeliveryRow: again, Inputs: raw, Replay: true, Hook: postgres.Addressed{Version: head.Version}, Note: &note})
	if err != nil {
		return postgres.RunRow{}, err
	}
	return postgres.Runs{Q: s.db}.Get(ctx, who.Where(account.RunStart), *done.RunID)
}
