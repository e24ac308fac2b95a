package scheduler

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// makeWay is why a run is cancelled whose trigger wants that.
const makeWay = "a newer run of its trigger was due"

// longestSleep bounds how long a change of plan can go unnoticed when its notification is lost.
const longestSleep = time.Second

// ticker turns due triggers into runs. It claims them under a row lock and, in the same transaction, writes the ledger,
// the runs and the next fires: an occurrence becomes exactly one run, however many tickers there are.
type ticker struct {
	db      *postgres.DB
	service *dispatch.Service
	log     *slog.Logger
	batch   int
	metrics *metrics
	wake    chan struct{}
	help    chan struct{} // has something when more is due than one tick took
}

// helperSleep is how long the second ticker sleeps when nobody calls it.
const helperSleep = time.Hour

// tick is what one transaction did.
type tick struct {
	triggers int
	runs     []postgres.NewRun
	tickets  []run.Ticket // of the runs that were released at once
	lateness []time.Duration
	cancel   []uuid.UUID // runs that make way for newer ones
}

// step ticks once and answers how long nothing will be due.
func (t *ticker) step(ctx context.Context) (time.Duration, error) {
	full, err := t.once(ctx)
	if err != nil {
		return 0, err
	}
	if full { // there may be more
		select {
		case t.help <- struct{}{}:
		default: // it has been called
		}
		return 0, nil
	}
	wait, ok, err := postgres.Triggers{Q: t.db}.NextFire(ctx)
	if err != nil {
		return 0, err
	}
	if !ok {
		return longestSleep, nil
	}
	return min(wait, longestSleep), nil
}

// helperStep is the step of a second ticker, which works only while there is more than one tick takes: half of a tick is
// work of the database and half is ours, so two at a time are almost twice as fast.
func (t *ticker) helperStep(ctx context.Context) (time.Duration, error) {
	full, err := t.once(ctx)
	if err != nil || full {
		return 0, err
	}
	return helperSleep, nil
}

// once ticks, and tells whether as much was due as a tick takes.
func (t *ticker) once(ctx context.Context) (full bool, err error) {
	done, err := t.tick(ctx)
	if err != nil {
		return false, err
	}
	if len(done.cancel) > 0 {
		if err := t.service.CancelRuns(ctx, done.cancel, makeWay); err != nil {
			return false, err
		}
	}
	t.service.Release(ctx, done.runs, done.tickets)
	for _, late := range done.lateness {
		t.metrics.lateness.Observe(late.Seconds())
	}
	return done.triggers == t.batch, nil
}

func (t *ticker) tick(ctx context.Context) (tick, error) {
	var done tick
	err := t.db.InTx(ctx, func(q postgres.Querier) (err error) {
		done = tick{}
		triggers := postgres.Triggers{Q: q}
		rows, err := triggers.LockDue(ctx, t.batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		done.triggers = len(rows)
		now, err := postgres.Now(ctx, q)
		if err != nil {
			return err
		}
		list, err := withFacts(ctx, q, rows, now)
		if err == nil {
			err = allow(ctx, t.service, q, list)
		}
		if err != nil {
			return err
		}
		beats, err := postgres.Heartbeats{Q: q}.Lock(ctx, heartbeatsOf(rows))
		if err != nil {
			return err
		}
		late := map[uuid.UUID]*time.Time{}
		steps := make(map[uuid.UUID]postgres.Step, len(list))
		var plans []plan
		for _, d := range list {
			p, err := planFires(d, now)
			if beat, ok := beats[d.ID]; ok {
				p, err = planPings(d, beat, now, late)
			}
			if err != nil {
				// One trigger that cannot be read must not stop the others; it stays without a next fire, and is told.
				t.log.ErrorContext(ctx, "trigger cannot be planned", "trigger", d.ID, "workflow_id", d.WorkflowID, "error", err)
				steps[d.ID] = postgres.Step{}
				continue
			}
			plans = append(plans, p)
			steps[d.ID] = p.step
		}
		if err := done.write(ctx, q, plans, steps); err != nil {
			return err
		}
		if done.tickets, err = t.service.Insert(ctx, q, done.runs); err != nil {
			return err
		}
		if err := (postgres.Heartbeats{Q: q}).Late(ctx, late); err != nil {
			return err
		}
		return triggers.Advance(ctx, steps)
	})
	return done, err
}

// withFacts adds to due triggers what decides about their fires: one query for each kind of fact that any of them needs.
func withFacts(ctx context.Context, q postgres.Querier, rows []postgres.TriggerRow, now time.Time) ([]due, error) {
	triggers := postgres.Triggers{Q: q}
	live, err := triggers.LiveOf(ctx, idsOf(rows))
	if err != nil {
		return nil, err
	}
	var late, watched []uuid.UUID
	oldest := now
	for _, r := range rows {
		if r.DueAt.Before(now.Add(-schedule.MinGrace)) && r.NextFireAt != nil {
			late = append(late, r.ID)
			oldest = earlier(oldest, *r.NextFireAt)
		}
		if r.Spec.PauseAfterFailures > 0 {
			watched = append(watched, r.ID)
		}
	}
	pauses, err := postgres.Pauses{Q: q}.Since(ctx, late, oldest)
	if err != nil {
		return nil, err
	}
	failing, err := triggers.Failing(ctx, watched)
	if err != nil {
		return nil, err
	}
	dates, err := postgres.Calendars{Q: q}.Dates(ctx, calendarsOf(rows))
	if err != nil {
		return nil, err
	}
	list := make([]due, len(rows))
	for i, r := range rows {
		list[i] = due{
			TriggerRow: r, live: live[r.ID], pauses: pauses[r.ID], failing: failing[r.ID], calendar: dates[calendarOf(r)],
		}
	}
	return list, nil
}

// allow adds how many runs the projects of triggers may start.
func allow(ctx context.Context, service *dispatch.Service, q postgres.Querier, list []due) error {
	projects := make([]uuid.UUID, len(list))
	for i, d := range list {
		projects[i] = d.ProjectID
	}
	allowed, err := service.Allowances(ctx, q, projects)
	for i := range list {
		list[i].allowance = allowed[list[i].ProjectID]
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func calendarOf(t postgres.TriggerRow) postgres.CalendarKey {
	return postgres.CalendarKey{ProjectID: t.ProjectID, Name: t.Spec.Calendar}
}

// calendarsOf names each calendar that triggers use, once.
func calendarsOf(rows []postgres.TriggerRow) (keys []postgres.CalendarKey) {
	for _, r := range rows {
		if key := calendarOf(r); key.Name != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// write writes what was planned, all but the runs themselves. steps gets back the runs that were not made after all.
func (done *tick) write(ctx context.Context, q postgres.Querier, plans []plan, steps map[uuid.UUID]postgres.Step) error {
	ledger := postgres.Occurrences{Q: q}
	var skipping []uuid.UUID
	var pauses []postgres.Pause
	for _, p := range plans {
		if beginsWithSkip(p) {
			skipping = append(skipping, p.ledger[0].TriggerID)
		}
		if p.pause != nil {
			pauses = append(pauses, *p.pause)
		}
	}
	latest, err := ledger.Latest(ctx, skipping)
	if err != nil {
		return err
	}
	if err := ledger.Extend(ctx, continued(plans, latest)); err != nil {
		return err
	}
	var rows []postgres.OccurrenceRow
	for _, p := range plans {
		rows = append(rows, p.ledger...)
	}
	fresh, err := ledger.Insert(ctx, rows)
	if err != nil {
		return err
	}
	for _, p := range plans {
		done.keep(p, fresh, steps)
	}
	if _, err := (postgres.Live{Q: q}).AskCancel(ctx, done.cancel, makeWay); err != nil {
		return err
	}
	return postgres.Pauses{Q: q}.Begin(ctx, pauses)
}

// keep takes over the runs of a plan whose occurrences are new: one that stands in the ledger already has had its run.
func (done *tick) keep(p plan, fresh map[postgres.FireKey]bool, steps map[uuid.UUID]postgres.Step) {
	made := 0
	for i, r := range p.runs {
		if fresh[postgres.FireKey{TriggerID: *r.TriggerID, FireAt: r.FireAt.UTC()}] {
			done.runs = append(done.runs, r)
			if i < len(p.lateness) {
				done.lateness = append(done.lateness, p.lateness[i])
			}
			made++
		}
	}
	if made > 0 {
		done.cancel = append(done.cancel, p.cancel...)
	}
	if made < len(p.runs) {
		id := *p.runs[0].TriggerID
		step := steps[id]
		step.Made = made
		steps[id] = step
	}
}

func idsOf(triggers []postgres.TriggerRow) []uuid.UUID {
	ids := make([]uuid.UUID, len(triggers))
	for i, t := range triggers {
		ids[i] = t.ID
	}
	return ids
}

// newRun makes the run of one fire.
func newRun(t postgres.TriggerRow, fireAt time.Time, e event) (postgres.NewRun, error) {
	id, err := dispatch.NewRunID()
	if err != nil {
		return postgres.NewRun{}, err
	}
	r := postgres.NewRun{
		ID: id, ProjectID: t.ProjectID, WorkflowID: t.WorkflowID, Version: t.Version, Trigger: t.Spec.RunTrigger(),
		TriggerID: &t.ID, FireAt: &fireAt, Cause: e.cause,
	}
	r.Inputs, err = t.Spec.WithInputs(e.inputs)
	return r, err
}
