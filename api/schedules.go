package api

import (
	"context"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

const (
	defaultFires = 20
	// foresight is how far clock changes are looked for.
	foresightYears = 2
)

// PreviewSchedule implements the contract.
func (s *server) PreviewSchedule(_ context.Context, req oas.PreviewScheduleRequestObject) (oas.PreviewScheduleResponseObject, error) {
	b := req.Body
	from := s.clock.Now()
	if b.From != nil {
		from = b.From.UTC()
	}
	if from.Year() < 1970 || from.Year() > 2200 {
		return nil, fault.At("/from", "range", "the year must be from 1970 to 2200")
	}
	spec, err := specOf(*b, from)
	if err != nil {
		return nil, err
	}
	compiled, err := schedule.Compile(spec)
	if err != nil {
		return nil, err
	}
	count := defaultFires
	if b.Count != nil {
		count = int(*b.Count)
	}
	lang := language(req.Params.AcceptLanguage)
	out := oas.PreviewSchedule200JSONResponse{
		Description: compiled.Describe(lang), Fires: []oas.Fire{}, Anomalies: []oas.Anomaly{},
	}
	for _, f := range compiled.Fires(from, count) {
		out.Fires = append(out.Fires, oas.Fire{At: wire.At(f.At), Local: f.Local, Note: f.Note})
	}
	for _, a := range compiled.Anomalies(from, from.AddDate(foresightYears, 0, 0)) {
		out.Anomalies = append(out.Anomalies, oas.Anomaly{At: wire.At(a.At), Kind: oas.AnomalyKind(a.Kind), Effect: a.Explain(lang)})
	}
	return out, nil
}

func specOf(b oas.PreviewRequest, from time.Time) (schedule.Spec, error) {
	spec := schedule.Spec{}
	if b.Cron != nil {
		spec.Cron = *b.Cron
	}
	if b.Timezone != nil {
		spec.Timezone = *b.Timezone
	}
	if b.Every != nil {
		every, err := workflow.ParseDuration(*b.Every)
		if err != nil {
			return spec, fault.At("/every", "duration", "%s", err)
		}
		spec.Every, spec.Anchor = time.Duration(every), from
	}
	if b.At != nil {
		spec.At = b.At.UTC()
	}
	if b.Gap != nil {
		spec.Gap = string(*b.Gap)
	}
	if b.OverlapHour != nil {
		spec.OverlapHour = string(*b.OverlapHour)
	}
	if b.StartsAt != nil {
		spec.StartsAt = b.StartsAt.UTC()
	}
	if b.EndsAt != nil {
		spec.EndsAt = b.EndsAt.UTC()
	}
	return spec, nil
}

// ListOccurrences implements the contract.
func (s *server) ListOccurrences(ctx context.Context, req oas.ListOccurrencesRequestObject) (oas.ListOccurrencesResponseObject, error) {
	if _, err := (postgres.Workflows{Q: s.db}).Get(ctx, httpx.Principal(ctx).Where(account.WorkflowRead), req.Id); err != nil {
		return nil, err
	}
	p := req.Params
	before, err := fireCursor(p.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(p.Limit)
	filter := postgres.LedgerFilter{WorkflowID: req.Id, From: p.From.Pointer(), To: p.To.Pointer(), Before: before, Limit: limit + 1}
	if p.Trigger != nil {
		filter.Trigger = *p.Trigger
	}
	if p.Outcome != nil {
		filter.Outcome = string(*p.Outcome)
	}
	rows, err := postgres.Occurrences{Q: s.db}.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	rows, cursor := next(rows, limit, func(r postgres.LedgerRow) *string {
		return encodeCursor(r.FireAt.UTC().Format(time.RFC3339Nano), r.TriggerID.String())
	})
	page := oas.ListOccurrences200JSONResponse{Items: make([]oas.Occurrence, len(rows)), NextCursor: cursor}
	for i, r := range rows {
		page.Items[i] = oas.Occurrence{
			TriggerId: r.TriggerKey, FireAt: wire.At(r.FireAt), Until: wire.Maybe(r.UntilAt), Count: int32(r.Count), //nolint:gosec // bounded
			Outcome: oas.OccurrenceOutcome(r.Outcome), Reason: r.Reason, RunId: r.RunID, RecordedAt: wire.At(r.RecordedAt),
		}
	}
	return page, nil
}
