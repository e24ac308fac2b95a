package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// facts are what explains why a trigger did, or did not, run at a time.
type facts struct {
	now      time.Time
	at       time.Time            // the time in question
	trigger  postgres.TriggerRow  // as it is now
	version  *postgres.VersionRow // in force then; nil before there was any
	spec     *workflow.Trigger    // the trigger in that version; nil when it had none
	schedule *schedule.Schedule   // of spec
	absent   *schedule.Absence    // why nothing fires then, or why it fires at another time; nil when it simply fires
	fire     time.Time            // the fire in question; zero when there is none
	row      *postgres.LedgerRow
	pause    *postgres.Pause // the trigger was, or is, off then
	calendar []string        // dates of the calendar that spec names
	runs     []uuid.UUID     // of backfills, for the fire
}

// ExplainFire implements the contract.
func (s *server) ExplainFire(ctx context.Context, req oas.ExplainFireRequestObject) (oas.ExplainFireResponseObject, error) {
	trigger, err := s.trigger(ctx, account.WorkflowRead, req.Id, req.Trigger)
	if err != nil {
		return nil, err
	}
	f := facts{trigger: trigger}
	if f.now, err = postgres.Now(ctx, s.db); err != nil {
		return nil, err
	}
	if !trigger.Spec.Timed() {
		e, err := s.explainEvent(ctx, &f, req.Params.At, language(req.Params.AcceptLanguage))
		return oas.ExplainFire200JSONResponse(e), err
	}
	if err := s.gather(ctx, &f, req.Params.At); err != nil {
		return nil, err
	}
	return oas.ExplainFire200JSONResponse(f.explain(language(req.Params.AcceptLanguage))), nil
}

// gather finds the facts about a time as somebody wrote it.
func (s *server) gather(ctx context.Context, f *facts, text string) error {
	current, err := schedule.Compile(f.trigger.Spec.Spec(f.trigger.AnchorAt))
	if err != nil {
		return err
	}
	wall, local, err := timeOf(text)
	if err != nil {
		return err
	}
	f.at = wall
	if local {
		f.at, _ = current.AtWall(wall)
	}
	if err := s.inForce(ctx, f); err != nil {
		return err
	}
	if f.schedule == nil {
		f.schedule = current // for the zone of the answer
	} else {
		f.findFire(wall, local)
	}
	if err := s.record(ctx, f); err != nil {
		return err
	}
	since := f.about()
	pauses, err := postgres.Pauses{Q: s.db}.Since(ctx, []uuid.UUID{f.trigger.ID}, since)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(pauses[f.trigger.ID], func(p postgres.Pause) bool { return p.Covers(since) }); i >= 0 {
		f.pause = &pauses[f.trigger.ID][i]
	}
	return nil
}

// about is the fire in question, or else the time.
func (f *facts) about() time.Time {
	if f.fire.IsZero() {
		return f.at
	}
	return f.fire
}

// timeOf reads an instant, or a time on the clock of a zone, which is answered as if it were UTC.
func timeOf(text string) (t time.Time, local bool, err error) {
	t, err = time.Parse(time.RFC3339, text)
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if err != nil {
			t, err = time.Parse(layout, text)
			local = err == nil
		}
	}
	if err != nil {
		return t, false, fault.At("at", "date-time", "write an instant, as 2026-11-23T09:00:00Z, or a time in the trigger's zone, as 2026-11-23T09:00")
	}
	if t = t.UTC(); t.Year() < 1970 || t.Year() > 2200 {
		return t, false, fault.At("at", "range", "the year must be from 1970 to 2200")
	}
	return t, local, nil
}

// inForce finds the version of the workflow that was in force at the time, and the trigger in it.
func (s *server) inForce(ctx context.Context, f *facts) error {
	v, err := postgres.Workflows{Q: s.db}.VersionAt(ctx, f.trigger.WorkflowID, earlier(f.at, f.now))
	if errors.Is(err, postgres.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f.version = &v
	i := slices.IndexFunc(v.Definition.Triggers, func(t workflow.Trigger) bool { return t.ID == f.trigger.Key })
	if i < 0 {
		return nil
	}
	spec := v.Definition.Triggers[i]
	anchor := f.trigger.AnchorAt
	if spec.Every != f.trigger.Spec.Every {
		anchor = v.CreatedAt // an interval counts from the save that changed it
	}
	compiled, err := schedule.Compile(spec.Spec(anchor))
	if err != nil {
		return nil //nolint:nilerr // it was valid once; the ledger still knows what became of it
	}
	f.spec, f.schedule = &spec, compiled
	key := postgres.CalendarKey{ProjectID: f.trigger.ProjectID, Name: spec.Calendar}
	dates, err := postgres.Calendars{Q: s.db}.Dates(ctx, []postgres.CalendarKey{key})
	f.calendar = dates[key]
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// findFire finds the fire that is meant, or why there is none. A time that the zone's clock jumps over may be made up for
// when the jump is over.
func (f *facts) findFire(wall time.Time, local bool) {
	if local {
		at, exists := f.schedule.AtWall(wall)
		f.at = at
		if !exists {
			absent := f.schedule.AbsentWall(wall, at)
			if f.absent = &absent; absent.Reason == schedule.AbsentMoved {
				f.fire = at
			}
			return
		}
	}
	if fire, ok := f.schedule.FireAt(f.at); ok {
		f.fire = fire
		return
	}
	absent := f.schedule.Absent(f.at)
	f.absent = &absent
}

// record finds what the ledger and the backfills have of the fire. What the ledger has counts for more than what the
// schedule would have done.
func (s *server) record(ctx context.Context, f *facts) error {
	from, to := f.about(), f.about().Add(time.Microsecond)
	if f.fire.IsZero() {
		to = from.Add(schedule.PeopleMean)
	}
	row, ok, err := postgres.Occurrences{Q: s.db}.About(ctx, f.trigger.ID, from, to)
	if err != nil {
		return err
	}
	if f.fire.IsZero() && ok && row.FireAt.Before(f.at) {
		ok = false // it stands for fires before and after, and none is in that minute
	}
	if ok {
		f.row = &row
		if f.fire.IsZero() {
			f.fire, f.absent = row.FireAt.UTC(), nil
		}
	}
	if !f.fire.IsZero() {
		f.runs, err = postgres.Backfills{Q: s.db}.RunsOf(ctx, f.trigger.ID, f.fire)
	}
	return err
}

// explain puts the facts together.
func (f *facts) explain(lang string) oas.Explanation {
	answer, text := f.answer(wordsOf(lang), lang)
	e := oas.Explanation{
		At: wire.At(f.at), Local: f.schedule.Local(f.at).Format(time.RFC3339), Timezone: f.schedule.Spec().Timezone,
		Expected: !f.fire.IsZero(), Answer: answer, Text: text, Backfilled: []uuid.UUID{},
	}
	if f.version != nil {
		n := int32(f.version.Version) //nolint:gosec // counts saves
		e.Version = &n
	}
	if !f.fire.IsZero() {
		fire, starts := wire.At(f.fire), wire.At(f.start())
		e.FireAt, e.StartsAt = &fire, &starts
	}
	if f.spec != nil {
		e.Before, e.After = f.neighbours()
	}
	if f.row != nil {
		o := occurrenceOf(*f.row)
		e.Occurrence = &o
	}
	e.Backfilled = append(e.Backfilled, f.runs...)
	return e
}

// start is when the run of the fire begins, as far as its jitter is known.
func (f *facts) start() time.Time {
	if f.spec == nil {
		return f.fire
	}
	return f.schedule.Start(f.fire, time.Duration(f.spec.Jitter), f.trigger.ID.String())
}

// neighbours are the nearest fires that the trigger runs, before (as far back as it goes) and after.
func (f *facts) neighbours() (before, after *wire.Instant) {
	if t := f.schedule.Prev(f.about()); !t.IsZero() && !t.Before(f.trigger.CreatedAt) {
		i := wire.At(t)
		before = &i
	}
	if t := f.schedule.NextRunning(f.about(), f.spec.DaysOff(f.calendar), nil); !t.IsZero() {
		i := wire.At(t)
		after = &i
	}
	return before, after
}
