package api

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// extras are what people want to know of workflows besides their definitions.
type extras struct {
	plans  map[string]postgres.TriggerRow     // by workflow and key
	dates  map[postgres.CalendarKey][]string  // of the calendars that triggers name
	recent map[uuid.UUID][]postgres.RecentRun // by workflow
	event  map[uuid.UUID]eventExtras          // of triggers that wait for events
	drafts map[uuid.UUID]postgres.DraftBrief  // by workflow
}

// workflows dresses rows with what people want to know besides the definition: when the triggers fire next, and how the
// last runs went. It takes a handful of queries, and one more if there are calendars, however many rows there are.
func (s *server) workflows(ctx context.Context, rows []postgres.WorkflowRow, lang string) ([]oas.Workflow, error) {
	items := make([]oas.Workflow, len(rows))
	if len(rows) == 0 {
		return items, nil
	}
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	triggers, err := postgres.Triggers{Q: s.db}.Of(ctx, ids...)
	if err != nil {
		return nil, err
	}
	x := extras{plans: make(map[string]postgres.TriggerRow, len(triggers))}
	var calendars []postgres.CalendarKey
	for _, t := range triggers {
		x.plans[t.WorkflowID.String()+t.Key] = t
		if t.Spec.Calendar != "" {
			calendars = append(calendars, postgres.CalendarKey{ProjectID: t.ProjectID, Name: t.Spec.Calendar})
		}
	}
	if x.dates, err = (postgres.Calendars{Q: s.db}).Dates(ctx, calendars); err != nil {
		return nil, err
	}
	if x.event, err = s.eventExtras(ctx, triggers); err != nil {
		return nil, err
	}
	if x.recent, err = (postgres.Workflows{Q: s.db}).RecentRuns(ctx, ids, recentRuns); err != nil {
		return nil, err
	}
	if x.drafts, err = (postgres.Drafts{Q: s.db}).Of(ctx, ids); err != nil {
		return nil, err
	}
	for i, r := range rows {
		if items[i], err = x.dress(r, lang); err != nil {
			return nil, fmt.Errorf("show workflow %s: %w", r.ID, err)
		}
	}
	return items, nil
}

func (x extras) dress(r postgres.WorkflowRow, lang string) (oas.Workflow, error) {
	w := oas.Workflow{}
	if err := recode(r.Definition, &w); err != nil {
		return w, err
	}
	w.Id, w.ProjectId, w.Version, w.Enabled = r.ID, r.ProjectID, int32(r.Version), r.Enabled //nolint:gosec // counts saves
	w.CreatedAt, w.UpdatedAt = wire.At(r.CreatedAt), wire.At(r.UpdatedAt)
	w.RecentRuns = []oas.RunBrief{}
	if d, ok := x.drafts[r.ID]; ok {
		w.Draft = &oas.DraftBrief{BasedOn: int32(d.BasedOn), UpdatedAt: wire.At(d.UpdatedAt), UpdatedBy: d.UpdatedBy} //nolint:gosec // counts saves
	}
	if w.Triggers == nil {
		w.Triggers = []oas.Trigger{}
	}
	for i, t := range r.Definition.Triggers {
		out := &w.Triggers[i]
		x.dressTrigger(out, t, x.plans[r.ID.String()+t.ID], lang)
		if out.NextFireAt != nil && (w.NextFireAt == nil || out.NextFireAt.Before(w.NextFireAt.Time)) {
			w.NextFireAt = out.NextFireAt
		}
	}
	for _, b := range x.recent[r.ID] {
		w.RecentRuns = append(w.RecentRuns, oas.RunBrief{
			Id: b.ID, Status: oas.RunStatus(b.Status), CreatedAt: wire.At(b.CreatedAt), StartedAt: wire.Maybe(b.StartedAt),
			FinishedAt: wire.Maybe(b.FinishedAt),
		})
	}
	return w, nil
}

// dressTrigger says a trigger's schedule in words, and when it runs next. A schedule that was valid when it was saved and
// is not any more has no words.
func (x extras) dressTrigger(out *oas.Trigger, t workflow.Trigger, plan postgres.TriggerRow, lang string) {
	out.Enabled, out.PausedReason = t.IsEnabled(), plan.PausedReason
	if !t.Timed() {
		x.event[plan.ID].dress(out, t, plan, lang)
		return
	}
	compiled, err := schedule.Compile(t.Spec(plan.AnchorAt))
	if err != nil {
		return
	}
	out.Description = compiled.Describe(lang)
	if !plan.Enabled || plan.NextFireAt == nil {
		return
	}
	off := t.DaysOff(x.dates[postgres.CalendarKey{ProjectID: plan.ProjectID, Name: t.Calendar}])
	if next := compiled.NextRunning(plan.NextFireAt.Add(-1), off, nil); !next.IsZero() {
		at := wire.At(next)
		out.NextFireAt = &at
	}
}
