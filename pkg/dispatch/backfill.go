package dispatch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// Defaults and limits of a backfill.
const (
	DefaultBackfill     = 1000
	MaxBackfill         = 10_000
	DefaultBackfillRuns = 5 // under way at once, where that is allowed
	MaxBackfillRuns     = 50
	MaxBackfillPeriod   = 10 * 366 * 24 * time.Hour
)

// BackfillRequest is what somebody wants to run after all.
type BackfillRequest struct {
	From        time.Time        `json:"from"` // included, as To is
	To          time.Time        `json:"to"`
	Overlap     schedule.Overlap `json:"overlap"`     // OverlapQueueAll or OverlapAllow
	Concurrency int              `json:"concurrency"` // with OverlapAllow
	Limit       int              `json:"limit"`       // a period with more fires is refused
}

// BackfillPlan is what would run.
type BackfillPlan struct {
	Schedule *schedule.Schedule
	Trigger  postgres.TriggerRow
	Fires    []time.Time
	Excluded int // dates of the period that are left out
}

// PlanBackfill finds the fires of a trigger in a period. Errors: not found; a period that is none, or that has more fires
// than the limit.
func (s *Service) PlanBackfill(ctx context.Context, who account.Principal, workflowID uuid.UUID, key string, r BackfillRequest) (BackfillPlan, error) {
	head, err := s.head(ctx, who, workflowID)
	if err != nil {
		return BackfillPlan{}, err
	}
	return planBackfill(ctx, s.db, head.ID, key, r)
}

func planBackfill(ctx context.Context, q postgres.Querier, workflowID uuid.UUID, key string, r BackfillRequest) (BackfillPlan, error) {
	now, err := postgres.Now(ctx, q)
	if err != nil {
		return BackfillPlan{}, err
	}
	switch {
	case r.To.Before(r.From):
		return BackfillPlan{}, fault.At("/to", "range", "to lies before from")
	case r.To.After(now):
		return BackfillPlan{}, fault.At("/to", "range", "to lies in the future: a backfill is for the past; it is %s now", now.Format(time.RFC3339))
	case r.To.Sub(r.From) > MaxBackfillPeriod:
		return BackfillPlan{}, fault.At("/from", "range", "the period is longer than ten years")
	}
	t, err := postgres.Triggers{Q: q}.Find(ctx, workflowID, key)
	if err != nil {
		return BackfillPlan{}, err
	}
	if t.RemovedAt != nil {
		return BackfillPlan{}, postgres.ErrNotFound
	}
	if !t.Spec.Timed() {
		return BackfillPlan{}, fault.New(fault.Conflict, "no_schedule", "A trigger of the type %s has no fires that can be made up for", t.Spec.Type)
	}
	compiled, err := schedule.Compile(t.Spec.Spec(t.AnchorAt))
	if err != nil {
		return BackfillPlan{}, err
	}
	calendar := postgres.CalendarKey{ProjectID: t.ProjectID, Name: t.Spec.Calendar}
	dates, err := postgres.Calendars{Q: q}.Dates(ctx, []postgres.CalendarKey{calendar})
	if err != nil {
		return BackfillPlan{}, err
	}
	p := BackfillPlan{Schedule: compiled, Trigger: t}
	off := t.Spec.DaysOff(dates[calendar])
	last := compiled.Date(r.To)
	skipped := func(date, _ string) {
		if date <= last {
			p.Excluded++
		}
	}
	for fire := compiled.NextRunning(r.From.Add(-time.Nanosecond), off, skipped); !fire.IsZero() && !fire.After(r.To); fire = compiled.NextRunning(fire, off, skipped) {
		if len(p.Fires) == MaxBackfill {
			return p, fault.At("/from", "too_many", "the period has more than %d fires: choose a shorter one", MaxBackfill)
		}
		p.Fires = append(p.Fires, fire)
	}
	if n := len(p.Fires); n > r.Limit {
		return p, fault.At("/limit", "too_many", "the period has %d fires, and the limit is %d: choose a shorter period or a limit up to %d", n, r.Limit, MaxBackfill)
	}
	return p, nil
}

// StartBackfill stores a backfill; the scheduler begins its runs. idempotency is the caller's idempotency key: a second
// call with it answers the backfill of the first. Errors: those of PlanBackfill; a period without fires.
func (s *Service) StartBackfill(ctx context.Context, who account.Principal, workflowID uuid.UUID, key string, r BackfillRequest, idempotency string) (postgres.BackfillRow, error) {
	head, err := s.head(ctx, who, workflowID)
	if err != nil {
		return postgres.BackfillRow{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return postgres.BackfillRow{}, fmt.Errorf("make a backfill id: %w", err)
	}
	request, err := json.Marshal([]any{head.ID, key, r})
	if err != nil {
		return postgres.BackfillRow{}, fmt.Errorf("encode the request: %w", err)
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if idempotency != "" {
			hash := sha256.Sum256(append([]byte("backfill"), request...))
			first, err := postgres.Keys{Q: q}.Reserve(ctx, who.User.ID, idempotency, hash[:], id)
			if err != nil || first != id {
				id = first
				return err
			}
		}
		return s.insertBackfill(ctx, q, id, who, head.ID, key, r)
	})
	if err != nil {
		return postgres.BackfillRow{}, err
	}
	return postgres.Backfills{Q: s.db}.Get(ctx, who.Where(account.RunStart), id)
}

func (s *Service) insertBackfill(ctx context.Context, q postgres.Querier, id uuid.UUID, who account.Principal, workflowID uuid.UUID, key string, r BackfillRequest) error {
	// Saves wait meanwhile: one that takes the trigger out ends its backfills, this one too.
	row, err := postgres.Workflows{Q: q}.Lock(ctx, who.Where(account.RunStart), workflowID)
	if err != nil {
		return err
	}
	p, err := planBackfill(ctx, q, workflowID, key, r)
	if err != nil {
		return err
	}
	if len(p.Fires) == 0 {
		return fault.At("/from", "no_fires", "no fire of the trigger lies in the period, or all are excluded")
	}
	if err := leaveToBackfill(ctx, q, p, r.To, who.User.Username); err != nil {
		return err
	}
	b := postgres.NewBackfill{
		ID: id, Trigger: p.Trigger, From: r.From, To: r.To, Overlap: string(r.Overlap), Concurrency: r.Concurrency,
		Inputs: p.Trigger.Spec.Inputs, CreatedBy: who.User.ID, Fires: p.Fires,
	}
	if err := (postgres.Backfills{Q: q}).Insert(ctx, b); err != nil {
		return err
	}
	return postgres.Note(ctx, q, audit.Change{
		Action: audit.BackfillStart, Project: row.ProjectID, Object: audit.Of(id, row.Definition.Name+" / "+key),
		After: audit.Data{"from": r.From, "to": r.To, "fires": len(p.Fires), "overlap": r.Overlap, "concurrency": r.Concurrency},
	})
}

// leaveToBackfill takes fires of the period that are still to be decided about from the ticker, which would run them, or
// some of them, as missed ones: the ledger says that they did not run, and the trigger goes on after the period.
func leaveToBackfill(ctx context.Context, q postgres.Querier, p BackfillPlan, to time.Time, by string) error {
	triggers := postgres.Triggers{Q: q}
	locked, err := triggers.LockSome(ctx, []uuid.UUID{p.Trigger.ID})
	if err != nil {
		return err
	}
	t := locked[0]
	if t.NextFireAt == nil || t.NextFireAt.After(to) {
		return nil
	}
	code, reason := postgres.CodeMissed, "missed; left to a backfill by "+by
	rows, err := settle(ctx, q, t, to, postgres.OccurrenceRow{Outcome: postgres.OutcomeSkipped, Code: &code, Reason: &reason})
	if err != nil || len(rows) == 0 {
		return err
	}
	if _, err := (postgres.Occurrences{Q: q}).Insert(ctx, rows); err != nil {
		return err
	}
	step := postgres.Step{Decided: &to}
	if next := p.Schedule.Next(to); !next.IsZero() {
		due := p.Schedule.Start(next, time.Duration(t.Spec.Jitter), t.ID.String())
		step.Next, step.Due = &next, &due
	}
	return triggers.Advance(ctx, map[uuid.UUID]postgres.Step{t.ID: step})
}

// PauseBackfill begins no more runs of a backfill.
func (s *Service) PauseBackfill(ctx context.Context, who account.Principal, id uuid.UUID) (postgres.BackfillRow, error) {
	return s.setBackfill(ctx, who, account.RunStart, id, postgres.BackfillPaused, "paused by "+who.User.Username)
}

// ResumeBackfill goes on with a paused backfill.
func (s *Service) ResumeBackfill(ctx context.Context, who account.Principal, id uuid.UUID) (postgres.BackfillRow, error) {
	return s.setBackfill(ctx, who, account.RunStart, id, postgres.BackfillRunning, "")
}

// CancelBackfill begins no more runs of a backfill, and cancels those under way.
func (s *Service) CancelBackfill(ctx context.Context, who account.Principal, id uuid.UUID) (postgres.BackfillRow, error) {
	reason := "the backfill was cancelled by " + who.User.Username
	if _, err := s.setBackfill(ctx, who, account.RunCancel, id, postgres.BackfillCancelled, reason); err != nil {
		return postgres.BackfillRow{}, err
	}
	backfills := postgres.Backfills{Q: s.db}
	live, err := backfills.LiveRuns(ctx, id)
	if err != nil {
		return postgres.BackfillRow{}, err
	}
	if err := s.CancelRuns(ctx, live, reason); err != nil {
		return postgres.BackfillRow{}, err
	}
	return backfills.Get(ctx, who.Where(account.RunCancel), id)
}

var backfillActions = map[postgres.BackfillState]audit.Action{
	postgres.BackfillPaused: audit.BackfillPause, postgres.BackfillRunning: audit.BackfillResume, postgres.BackfillCancelled: audit.BackfillCancel,
}

// setBackfill brings a backfill into another state. One that has ended is a conflict; one that is there already stays.
func (s *Service) setBackfill(ctx context.Context, who account.Principal, permission account.Permission, id uuid.UUID, state postgres.BackfillState, reason string) (postgres.BackfillRow, error) {
	projects := who.Where(permission)
	err := s.db.InTx(ctx, func(q postgres.Querier) error {
		backfills := postgres.Backfills{Q: q}
		now, err := backfills.LockState(ctx, projects, id)
		switch {
		case err != nil:
			return err
		case now == state:
			return nil
		case now.Ended():
			return fault.New(fault.Conflict, "backfill_ended", "The backfill has ended already: %s", now)
		}
		if err := backfills.SetState(ctx, id, state, reason); err != nil {
			return err
		}
		row, err := backfills.Get(ctx, projects, id)
		if err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: backfillActions[state], Project: row.ProjectID, Object: audit.Of(id, row.TriggerKey),
			Before: audit.Data{"state": now}, After: audit.Data{"state": state},
		})
	})
	if err != nil {
		return postgres.BackfillRow{}, err
	}
	return postgres.Backfills{Q: s.db}.Get(ctx, projects, id)
}
