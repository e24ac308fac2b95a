package scheduler

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// mostFires is how many fires of a trigger one tick considers. A trigger that was away for longer than that is brought up to
// date in several ticks.
const mostFires = 20_000

// due is a trigger that is due, with what decides about its fires.
type due struct {
	postgres.TriggerRow
	live      []postgres.LiveRun  // its runs that have not finished, the oldest first
	pauses    []postgres.Pause    // when it was off, the oldest first
	calendar  []string            // the dates of the calendar that it names
	allowance *dispatch.Allowance // of runs that its project may start now; nil: any number
	failing   bool                // as many of its runs failed in a row as are to stop it
}

// plan is what becomes of a trigger's due fires.
type plan struct {
	ledger   []postgres.OccurrenceRow
	runs     []postgres.NewRun
	lateness []time.Duration // of a schedule's runs: from the instant at which each was to begin
	cancel   []uuid.UUID
	pause    *postgres.Pause // it stops
	step     postgres.Step
}

// planFires decides about the fires of a trigger that are due at now.
func planFires(d due, now time.Time) (planned plan, err error) {
	defer func() {
		if p := recover(); p != nil { // a fault of ours with one schedule must not stop all the others
			planned, err = plan{}, fmt.Errorf("plan the fires: panic: %v", p)
		}
	}()
	compiled, err := schedule.Compile(d.Spec.Spec(d.AnchorAt))
	if err != nil {
		return plan{}, fmt.Errorf("compile the schedule: %w", err)
	}
	p := planner{due: d, schedule: compiled, now: now, off: d.Spec.DaysOff(d.calendar)}
	if d.failing {
		p.stop()
	} else if err := p.decideDue(); err != nil {
		return plan{}, err
	}
	if next := p.step.Next; next != nil {
		start := p.start(*next)
		p.step.Due = &start
	}
	return p.plan, nil
}

// planner makes a plan.
type planner struct {
	due
	plan
	schedule *schedule.Schedule
	now      time.Time
	off      schedule.DaysOff
	merged   map[time.Time][]int // fires that were coalesced, by the fire that runs for them: rows of the ledger
}

// stop lets the trigger stop before its next fire, which stays where it is: when the trigger goes on, that and what
// comes after it is decided.
func (p *planner) stop() {
	failures := strconv.Itoa(p.Spec.PauseAfterFailures)
	p.pause = &postgres.Pause{TriggerID: p.ID, OffAt: *p.NextFireAt, Code: postgres.PauseFailures, Detail: failures}
	p.step = postgres.Step{Next: p.NextFireAt, Paused: p.pause.Reason()}
}

// start is when the run of a fire begins.
func (p *planner) start(fire time.Time) time.Time {
	return p.schedule.Start(fire, time.Duration(p.Spec.Jitter), p.ID.String())
}

// decideDue decides about each fire that is due, and finds the next.
func (p *planner) decideDue() error {
	from := p.NextFireAt.Add(-time.Nanosecond)
	if p.DecidedAt != nil && p.DecidedAt.After(from) {
		from = *p.DecidedAt // the ledger has it; a clock that was set back must not bring it again
	}
	fires, more := p.schedule.Plan(from, p.now, mostFires)
	if more {
		past := len(fires) - schedule.MaxLimit // the rest may be wanted, as the newest that were missed
		p.backlog(fires[:past])
		p.step.Next = &fires[past]
		return nil
	}
	if n := len(fires); n > 0 && p.start(fires[n-1]).After(p.now) {
		p.step.Next, fires = &fires[n-1], fires[:n-1] // jitter: only the last can be yet to begin
	} else {
		p.step.Next = at(p.schedule.Next(later(from, p.now)))
	}
	if err := p.decideAll(fires); err != nil {
		return err
	}
	p.fillCoalesced()
	if p.exhausted() {
		p.step.Next = nil
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// backlog records fires so long past that newer missed ones decide what runs.
func (p *planner) backlog(fires []time.Time) {
	code := postgres.CodeOutsideWindow
	if p.Spec.Policy().Missed == schedule.MissedSkip {
		code = postgres.CodeMissed
	}
	for _, fire := range fires {
		if !p.excluded(fire) {
			p.missed(postgres.OutcomeSkipped, fire, code, code)
		}
	}
}

// decideAll decides about fires that are due, in their order. Lateness counts from the instant at which a run was to
// begin.
func (p *planner) decideAll(fires []time.Time) error {
	var starts []time.Time
	wanted := make([]bool, len(fires))
	fireOf := make(map[time.Time]time.Time, len(fires))
	for i, fire := range fires {
		_, off := p.off.Holds(p.dateOf(fire))
		if wanted[i] = !off; off {
			continue
		}
		start := p.start(fire)
		starts, fireOf[start] = append(starts, start), fire
	}
	decisions := p.Spec.Policy().Decide(starts, p.now)
	for i, fire := range fires {
		if !wanted[i] {
			p.excluded(fire)
			continue
		}
		d := decisions[0]
		decisions = decisions[1:]
		if err := p.decide(fire, d, fireOf[d.Into]); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) decide(fire time.Time, d schedule.Decision, into time.Time) error {
	switch d.Outcome {
	case schedule.OutcomeRun:
		return p.fire(fire, d.FireAt, postgres.OutcomeRan)
	case schedule.OutcomeRunLate:
		return p.fire(fire, d.FireAt, postgres.OutcomeRanLate)
	case schedule.OutcomeCoalesced:
		p.missed(postgres.OutcomeCoalesced, fire, postgres.CodeMissed, "missed; a newer fire ran for it")
		if p.merged == nil {
			p.merged = map[time.Time][]int{}
		}
		i := len(p.ledger) - 1
		if list := p.merged[into]; len(list) == 0 || list[len(list)-1] != i {
			p.merged[into] = append(list, i)
		}
	default:
		p.missed(postgres.OutcomeSkipped, fire, d.Reason, d.Reason)
	}
	return nil
}

// fire runs a fire whose run was to begin at start, as the overlap policy lets it.
func (p *planner) fire(fire, start time.Time, outcome string) error {
	if p.exhausted() {
		p.skip(fire, postgres.CodeMaxRuns, fmt.Sprintf("the trigger has made its %d runs", p.Spec.MaxRuns), nil)
		return nil
	}
	begun, err := p.begin(fire, outcome, event{})
	if begun {
		p.lateness = append(p.lateness, p.now.Sub(start))
	}
	return err
}

// event is what a run is for, besides its instant.
type event struct {
	inputs       map[string]any // that the run gets on top of the trigger's own
	code, reason string         // for the ledger; may be empty
	cause        *uuid.UUID     // the run whose end it is
}

// begin makes a run, as the overlap policy lets it, and records what became of it; false when there is no run.
func (p *planner) begin(fire time.Time, outcome string, e event) (bool, error) {
	policy, late := p.Spec.OverlapPolicy(), outcome == postgres.OutcomeRanLate
	if late && (policy == schedule.OverlapSkip || policy == schedule.OverlapQueueOne) {
		// Runs that were missed are made up for one after the other, whatever the policy: that is why each is wanted.
		policy = schedule.OverlapQueueAll
	}
	waiting := 0
	for _, r := range p.live {
		if r.Blocked {
			waiting++
		}
	}
	admission := policy.Admit(len(p.live), waiting)
	switch admission {
	case schedule.RefuseFull:
		p.skip(fire, postgres.CodeQueueFull, e.but("%d runs of the trigger wait already", waiting), nil)
		return false, nil
	case schedule.RefuseOver:
		p.skip(fire, postgres.CodeOverlap, e.but("the run before has not finished"), &p.live[len(p.live)-1].ID)
		return false, nil
	case schedule.RefuseWaits:
		p.skip(fire, postgres.CodeOverlap, e.but("a run waits already"), &p.live[len(p.live)-1].ID)
		return false, nil
	}
	if refused := p.allowance.Take(); refused != nil {
		p.skip(fire, refused.Code, e.but("%s", p.allowance.Reason()), nil)
		return false, nil
	}
	if admission == schedule.AdmitInstead {
		for _, r := range p.live {
			p.cancel = append(p.cancel, r.ID)
		}
	}
	r, err := newRun(p.TriggerRow, fire, e)
	if err != nil {
		return false, err
	}
	r.Blocked = admission != schedule.AdmitNow
	p.runs = append(p.runs, r)
	p.live = append(p.live, postgres.LiveRun{ID: r.ID, Blocked: r.Blocked})
	row := p.row(outcome, fire)
	row.RunID = &r.ID
	if e.code != "" {
		row.Code, row.Reason = text(e.code), text(e.reason)
	}
	if pause, off := p.pausedAt(fire); late && off {
		row.Code, row.Reason = text(pause.Code), text(pause.Reason())
	}
	p.ledger = append(p.ledger, row)
	p.step.Made++
	return true, nil
}

// but says what happened, and why no run is made of it.
func (e event) but(format string, args ...any) string {
	why := fmt.Sprintf(format, args...)
	if e.reason == "" {
		return why
	}
	return e.reason + ", but " + why
}

// exhausted tells whether the trigger has made all the runs that it may.
func (p *planner) exhausted() bool {
	return p.Spec.MaxRuns > 0 && p.RunsMade+p.step.Made >= p.Spec.MaxRuns
}
