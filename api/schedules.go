package api

import (
	"context"
	"time"

	"github.com/google/uuid"

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
func (s *server) PreviewSchedule(ctx context.Context, req oas.PreviewScheduleRequestObject) (oas.PreviewScheduleResponseObject, error) {
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
	if err := compiled.CheckPace(s.dispatch.MinInterval); err != nil {
		return nil, err
	}
	jitter, err := jitterOf(b.Jitter)
	if err != nil {
		return nil, err
	}
	off, err := s.daysOff(ctx, *b)
	if err != nil {
		return nil, err
	}
	count := defaultFires
	if b.Count != nil {
		count = int(*b.Count)
	}
	lang := language(req.Params.AcceptLanguage)
	out := oas.PreviewSchedule200JSONResponse{Description: compiled.Describe(lang), Anomalies: []oas.Anomaly{}}
	out.Fires, out.Excluded = preview(compiled, from, count, off, jitter)
	for _, a := range compiled.Anomalies(from, from.AddDate(foresightYears, 0, 0)) {
		out.Anomalies = append(out.Anomalies, oas.Anomaly{At: wire.At(a.At), Kind: oas.AnomalyKind(a.Kind), Effect: a.Explain(lang)})
	}
	return out, nil
}

// preview lists the next fires that are not excluded, and the dates up to the last of them that are. Without an id the
// delay of jitter is not known, so that each fire says by when its run begins.
func preview(s *schedule.Schedule, from time.Time, count int, off schedule.DaysOff, jitter time.Duration) ([]oas.Fire, []oas.ExcludedDate) {
	fires, excluded := []oas.Fire{}, []oas.ExcludedDate{}
	skipped := func(date, calendar string) {
		d := oas.ExcludedDate{Date: date}
		if calendar != "" {
			d.Calendar = &calendar
		}
		if n := len(excluded); n < schedule.MaxDates && (n == 0 || excluded[n-1].Date != date) {
			excluded = append(excluded, d)
		}
	}
	for t := s.NextRunning(from, off, skipped); !t.IsZero() && len(fires) < count; {
		fire := fireOf(s.Show(t))
		if window := s.JitterWindow(t, jitter); window > 0 {
			by := wire.At(t.Add(window))
			fire.StartsBy = &by
		}
		if fires = append(fires, fire); len(fires) < count {
			t = s.NextRunning(t, off, skipped)
		}
	}
	return fires, excluded
}

func fireOf(f schedule.Fire) oas.Fire {
	return oas.Fire{At: wire.At(f.At), Local: f.Local, Note: f.Note}
}

func jitterOf(text *string) (time.Duration, error) {
	if text == nil {
		return 0, nil
	}
	jitter, err := workflow.ParseDuration(*text)
	if err != nil {
		return 0, fault.At("/jitter", "duration", "%s", err)
	}
	if time.Duration(jitter) > schedule.MaxJitter {
		return 0, fault.At("/jitter", "too_long", "the jitter is longer than an hour")
	}
	return time.Duration(jitter), nil
}

// daysOff are the dates that a preview leaves out.
func (s *server) daysOff(ctx context.Context, b oas.PreviewRequest) (schedule.DaysOff, error) {
	var t workflow.Trigger
	if b.ExcludedDates != nil {
		t.ExcludedDates = *b.ExcludedDates
	}
	if err := schedule.CheckDates(t.ExcludedDates, schedule.MaxDates); err != nil {
		return schedule.DaysOff{}, fault.Under("/excluded_dates", err)
	}
	if b.Calendar == nil {
		return t.DaysOff(nil), nil
	}
	project, err := projectOr(httpx.Principal(ctx), b.ProjectId)
	if err != nil {
		return schedule.DaysOff{}, err
	}
	t.Calendar = *b.Calendar
	key := postgres.CalendarKey{ProjectID: project, Name: t.Calendar}
	if err := httpx.Principal(ctx).May(account.WorkflowRead, project); err != nil {
		return schedule.DaysOff{}, err
	}
	dates, err := postgres.Calendars{Q: s.db}.Dates(ctx, []postgres.CalendarKey{key})
	if err != nil {
		return schedule.DaysOff{}, err
	}
	list, ok := dates[key]
	if !ok {
		return schedule.DaysOff{}, fault.At("/calendar", "unknown_calendar", "the project has no calendar %q", t.Calendar)
	}
	return t.DaysOff(list), nil
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
	briefs, err := s.runsOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		page.Items[i] = occurrenceOf(r)
		if r.RunID != nil {
			page.Items[i].Run = briefs[*r.RunID]
		}
	}
	return page, nil
}

// runsOf says how the runs of a page of the ledger went. Those that are not kept any more are missing.
func (s *server) runsOf(ctx context.Context, rows []postgres.LedgerRow) (map[uuid.UUID]*oas.RunBrief, error) {
	var ids []uuid.UUID
	for _, r := range rows {
		if r.RunID != nil {
			ids = append(ids, *r.RunID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	runs, err := postgres.Runs{Q: s.db}.Some(ctx, httpx.Principal(ctx).Where(account.RunRead), ids)
	if err != nil {
		return nil, err
	}
	briefs := make(map[uuid.UUID]*oas.RunBrief, len(runs))
	for _, r := range runs {
		briefs[r.ID] = &oas.RunBrief{
			Id: r.ID, Status: oas.RunStatus(r.Status), CreatedAt: wire.At(r.CreatedAt), StartedAt: wire.Maybe(r.StartedAt),
			FinishedAt: wire.Maybe(r.FinishedAt),
		}
	}
	return briefs, nil
}

func occurrenceOf(r postgres.LedgerRow) oas.Occurrence {
	return oas.Occurrence{
		TriggerId: r.TriggerKey, FireAt: wire.At(r.FireAt), Until: wire.Maybe(r.UntilAt), Count: int32(r.Count), //nolint:gosec // bounded
		Outcome: oas.OccurrenceOutcome(r.Outcome), Code: r.Code, Reason: r.Reason, RunId: r.RunID, RecordedAt: wire.At(r.RecordedAt),
	}
}
