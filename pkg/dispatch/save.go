package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Create stores a new workflow and plans its triggers. Errors: an invalid definition, a project that is not the
// caller's to write.
func (s *Service) Create(ctx context.Context, who account.Principal, project uuid.UUID, def workflow.Definition, enabled bool) (postgres.WorkflowRow, error) {
	if err := workflow.Validate(def); err != nil {
		return postgres.WorkflowRow{}, err
	}
	if !who.Can(account.WorkflowWrite, project) {
		return postgres.WorkflowRow{}, postgres.ErrNotFound
	}
	id, err := uuid.NewV7()
	if err != nil {
		return postgres.WorkflowRow{}, fmt.Errorf("make a workflow id: %w", err)
	}
	row := postgres.WorkflowRow{ID: id, ProjectID: project, Enabled: enabled, Version: 1, Definition: def}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := (postgres.Workflows{Q: q}).Insert(ctx, row, who.User.ID); err != nil {
			return err
		}
		if err := s.plan(ctx, q, row); err != nil {
			return err
		}
		row, err = postgres.Workflows{Q: q}.Get(ctx, []uuid.UUID{project}, id)
		return err
	})
	return row, err
}

// Replace saves a definition as a new version; one that changes nothing makes none. enabled nil leaves that as it is.
// revision 0 saves whatever stands there; another is refused (Precondition) when somebody saved in between.
func (s *Service) Replace(ctx context.Context, who account.Principal, id uuid.UUID, def workflow.Definition, enabled *bool, revision int) (postgres.WorkflowRow, error) {
	if err := workflow.Validate(def); err != nil {
		return postgres.WorkflowRow{}, err
	}
	return s.change(ctx, who, id, revision, func(q postgres.Querier, row *postgres.WorkflowRow) error {
		if enabled != nil {
			row.Enabled = *enabled
		}
		same, err := sameJSON(row.Definition, def)
		if err != nil || same {
			return err
		}
		row.Version++
		row.Definition = def
		return postgres.Workflows{Q: q}.InsertVersion(ctx, *row, who.User.ID)
	})
}

// SetEnabled lets a workflow's triggers fire, or keeps them from it.
func (s *Service) SetEnabled(ctx context.Context, who account.Principal, id uuid.UUID, enabled bool) (postgres.WorkflowRow, error) {
	return s.change(ctx, who, id, 0, func(_ postgres.Querier, row *postgres.WorkflowRow) error {
		row.Enabled = enabled
		return nil
	})
}

// change locks a workflow, lets edit change it, and stores and plans what came out of it.
func (s *Service) change(ctx context.Context, who account.Principal, id uuid.UUID, revision int, edit func(postgres.Querier, *postgres.WorkflowRow) error) (postgres.WorkflowRow, error) {
	projects := who.Where(account.WorkflowWrite)
	var row postgres.WorkflowRow
	err := s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		workflows := postgres.Workflows{Q: q}
		if row, err = lock(ctx, workflows, projects, id, revision); err != nil {
			return err
		}
		before := row
		if err := edit(q, &row); err != nil {
			return err
		}
		if row.Version == before.Version && row.Enabled == before.Enabled {
			return nil
		}
		if err := workflows.Update(ctx, row); err != nil {
			return err
		}
		if err := s.plan(ctx, q, row); err != nil {
			return err
		}
		row, err = workflows.Get(ctx, projects, id)
		return err
	})
	return row, err
}

func lock(ctx context.Context, workflows postgres.Workflows, projects []uuid.UUID, id uuid.UUID, revision int) (postgres.WorkflowRow, error) {
	row, err := workflows.Lock(ctx, projects, id)
	if err == nil && revision != 0 && revision != row.Revision {
		return row, fault.New(fault.Precondition, "changed_meanwhile", "Somebody else saved this workflow in between; load it again")
	}
	return row, err
}

// Delete hides a workflow, ends its plan and cancels the runs that have not finished.
func (s *Service) Delete(ctx context.Context, who account.Principal, id uuid.UUID, revision int) error {
	var live []uuid.UUID
	reason := "the workflow was deleted by " + who.User.Username
	err := s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		workflows := postgres.Workflows{Q: q}
		row, err := lock(ctx, workflows, who.Where(account.WorkflowWrite), id, revision)
		if err != nil {
			return err
		}
		if err := workflows.Delete(ctx, id); err != nil {
			return err
		}
		row.Enabled, row.Definition.Triggers = false, nil
		if err := s.plan(ctx, q, row); err != nil {
			return err
		}
		if live, err = (postgres.Live{Q: q}).OfWorkflow(ctx, id); err != nil {
			return err
		}
		// Asked for in the same transaction, so that nothing can come between; carried out after it.
		_, err = postgres.Live{Q: q}.AskCancel(ctx, live, reason)
		return err
	})
	if err != nil {
		return err
	}
	return s.CancelRuns(ctx, live, reason)
}

// plan brings the workflow's trigger rows in line with its definition. A trigger whose schedule did not change keeps its
// plan; one that did is planned from now on, and the fire that was planned is recorded as superseded.
func (s *Service) plan(ctx context.Context, q postgres.Querier, row postgres.WorkflowRow) error {
	now, err := postgres.Now(ctx, q)
	if err != nil {
		return err
	}
	triggers := postgres.Triggers{Q: q}
	existing, err := triggers.Lock(ctx, row.ID)
	if err != nil {
		return err
	}
	byKey := make(map[string]postgres.TriggerRow, len(existing))
	for _, t := range existing {
		byKey[t.Key] = t
	}
	var superseded []postgres.OccurrenceRow
	for i, spec := range row.Definition.Triggers {
		old, known := byKey[spec.ID]
		delete(byKey, spec.ID)
		t, err := planTrigger(row, spec, old, known, now)
		if err != nil {
			return fault.Under(fmt.Sprintf("/triggers/%d", i), err)
		}
		superseded = append(superseded, supersede(old, t, row.Version)...)
		if err := triggers.Save(ctx, t); err != nil {
			return err
		}
	}
	for _, gone := range byKey {
		if gone.RemovedAt != nil {
			continue
		}
		t := gone
		t.Enabled, t.NextFireAt, t.RemovedAt = false, nil, &now
		superseded = append(superseded, supersede(gone, t, row.Version)...)
		if err := triggers.Save(ctx, t); err != nil {
			return err
		}
	}
	_, err = postgres.Occurrences{Q: q}.Insert(ctx, superseded)
	return err
}

func planTrigger(row postgres.WorkflowRow, spec workflow.Trigger, old postgres.TriggerRow, known bool, now time.Time) (postgres.TriggerRow, error) {
	t := old
	if !known {
		id, err := uuid.NewV7()
		if err != nil {
			return t, fmt.Errorf("make a trigger id: %w", err)
		}
		t = postgres.TriggerRow{ID: id, WorkflowID: row.ID, ProjectID: row.ProjectID, Key: spec.ID}
	}
	keep := known && old.RemovedAt == nil && sameSchedule(old.Spec, spec) && old.NextFireAt != nil
	t.Version, t.Spec, t.Enabled, t.RemovedAt = row.Version, spec, row.Enabled && spec.IsEnabled(), nil
	if keep {
		return t, nil
	}
	if !known || old.RemovedAt != nil || old.Spec.Every != spec.Every {
		t.AnchorAt = now
	}
	t.NextFireAt = nil
	compiled, err := schedule.Compile(spec.Spec(t.AnchorAt))
	if err != nil {
		return t, err
	}
	next := compiled.Next(now)
	if next.IsZero() && !known || next.IsZero() && !sameSchedule(old.Spec, spec) {
		return t, fault.At(neverPointer(spec), "never_fires", "it has no fire after now; choose a later instant")
	}
	// One that is not enabled is planned when it is: nothing can be missed before the first time.
	if t.Enabled && !next.IsZero() {
		t.NextFireAt = &next
	}
	return t, nil
}

func neverPointer(spec workflow.Trigger) string {
	switch {
	case spec.At != nil:
		return "/at"
	case spec.EndsAt != nil:
		return "/ends_at"
	}
	return "/cron"
}

// sameSchedule tells whether two specs fire at the same instants.
func sameSchedule(a, b workflow.Trigger) bool {
	anchor := time.Unix(0, 0).UTC()
	x, y := a.Spec(anchor), b.Spec(anchor)
	return x.Cron == y.Cron && x.Timezone == y.Timezone && x.Every == y.Every && x.At.Equal(y.At) && x.Gap == y.Gap &&
		x.OverlapHour == y.OverlapHour && x.StartsAt.Equal(y.StartsAt) && x.EndsAt.Equal(y.EndsAt)
}

// supersede records the fire that was planned and is not any more.
func supersede(old, planned postgres.TriggerRow, version int) []postgres.OccurrenceRow {
	if old.NextFireAt == nil || !old.Enabled || (planned.NextFireAt != nil && planned.NextFireAt.Equal(*old.NextFireAt)) {
		return nil
	}
	reason := fmt.Sprintf("changed in version %d", version)
	if planned.RemovedAt != nil {
		reason = "the trigger was removed"
	}
	return []postgres.OccurrenceRow{{
		TriggerID: old.ID, WorkflowID: old.WorkflowID, FireAt: *old.NextFireAt, Outcome: postgres.OutcomeSuperseded, Reason: &reason,
	}}
}

// sameJSON tells whether two definitions are written the same way.
func sameJSON(a, b workflow.Definition) (bool, error) {
	x, err := canonical(a)
	if err != nil {
		return false, err
	}
	y, err := canonical(b)
	if err != nil {
		return false, err
	}
	return bytes.Equal(x, y), nil
}

// canonical writes a definition with sorted keys, as the database gives configurations back.
func canonical(d workflow.Definition) ([]byte, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode a definition: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // two long numbers may differ in digits that a float64 does not have
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode a definition: %w", err)
	}
	raw, err = json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a definition: %w", err)
	}
	return raw, nil
}
