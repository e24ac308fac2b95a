package scheduler

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

const (
	// mostFires is how many fires of a trigger one tick considers. A trigger that was away for longer than that is
	// brought up to date in several ticks.
	mostFires = 20_000
	// mostQueued is how many runs of a trigger may wait for each other.
	mostQueued = 1000
)

// plan is what becomes of a trigger's due fires.
type plan struct {
	ledger []postgres.OccurrenceRow
	runs   []postgres.NewRun
	cancel []uuid.UUID
	next   *time.Time
}

// planFires decides about the fires of a trigger that are due at now, given its runs that have not finished.
func planFires(t postgres.TriggerRow, live []postgres.LiveRun, now time.Time) (planned plan, err error) {
	defer func() {
		if p := recover(); p != nil { // a fault of ours with one schedule must not stop all the others
			planned, err = plan{}, fmt.Errorf("plan the fires: panic: %v", p)
		}
	}()
	compiled, err := schedule.Compile(t.Spec.Spec(t.AnchorAt))
	if err != nil {
		return plan{}, fmt.Errorf("compile the schedule: %w", err)
	}
	due, more := compiled.Plan(t.NextFireAt.Add(-time.Nanosecond), now, mostFires)
	p := planner{trigger: t, live: live}
	if more {
		past := len(due) - schedule.MaxLimit // the rest may be wanted, as the newest that were missed
		p.backlog(due[:past])
		p.next = &due[past]
		return p.plan, nil
	}
	for _, d := range t.Spec.Policy().Decide(due, now) {
		if err := p.decide(d); err != nil {
			return plan{}, err
		}
	}
	p.fillCoalesced()
	p.next = at(compiled.Next(now))
	return p.plan, nil
}

func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// planner gathers a plan.
type planner struct {
	plan
	trigger postgres.TriggerRow
	live    []postgres.LiveRun
	merged  map[time.Time][]int // fires that were coalesced, by the fire that runs for them: rows of the ledger
}

// backlog records fires so long past that newer missed ones decide what runs.
func (p *planner) backlog(due []time.Time) {
	for _, at := range due {
		reason := schedule.ReasonOutsideWindow
		if p.trigger.Spec.Policy().Missed == schedule.MissedSkip {
			reason = schedule.ReasonMissed
		}
		p.skip(at, reason, nil)
	}
}

func (p *planner) decide(d schedule.Decision) error {
	switch d.Outcome {
	case schedule.OutcomeRun:
		return p.fire(d.FireAt, postgres.OutcomeRan)
	case schedule.OutcomeRunLate:
		return p.fire(d.FireAt, postgres.OutcomeRanLate)
	case schedule.OutcomeCoalesced:
		p.add(postgres.OutcomeCoalesced, d.FireAt, "missed; a newer fire ran for it", nil)
		if p.merged == nil {
			p.merged = map[time.Time][]int{}
		}
		i := len(p.ledger) - 1
		if list := p.merged[d.Into]; len(list) == 0 || list[len(list)-1] != i {
			p.merged[d.Into] = append(list, i)
		}
	default:
		p.skip(d.FireAt, d.Reason, nil)
	}
	return nil
}

// fire runs a fire, as the overlap policy lets it.
func (p *planner) fire(at time.Time, outcome string) error {
	policy := p.trigger.Spec.OverlapPolicy()
	late := outcome == postgres.OutcomeRanLate
	blocked := false
	if len(p.live) > 0 && policy != schedule.OverlapAllow {
		waiting := 0
		for _, r := range p.live {
			if r.Blocked {
				waiting++
			}
		}
		newest := p.live[len(p.live)-1].ID
		switch {
		case waiting >= mostQueued:
			p.skip(at, fmt.Sprintf("%d runs of the trigger wait already", waiting), &newest)
			return nil
		case policy == schedule.OverlapSkip && !late:
			p.skip(at, "the run before has not finished", &newest)
			return nil
		case policy == schedule.OverlapQueueOne && waiting > 0 && !late:
			p.skip(at, "a run waits already", &newest)
			return nil
		case policy == schedule.OverlapCancelRunning:
			for _, r := range p.live {
				p.cancel = append(p.cancel, r.ID)
			}
		}
		// Runs that were missed are made up for one after the other, whatever the policy: that is why each is wanted.
		blocked = true
	}
	r, err := newRun(p.trigger, at)
	if err != nil {
		return err
	}
	r.Blocked = blocked
	p.runs = append(p.runs, r)
	p.live = append(p.live, postgres.LiveRun{ID: r.ID, Blocked: blocked})
	p.ledger = append(p.ledger, p.row(outcome, at, "", &r.ID))
	return nil
}

// skip records a fire that does not run.
func (p *planner) skip(at time.Time, reason string, because *uuid.UUID) {
	p.add(postgres.OutcomeSkipped, at, reason, because)
}

// add records a fire; one that is like the row before becomes part of it.
func (p *planner) add(outcome string, at time.Time, reason string, because *uuid.UUID) {
	if n := len(p.ledger); n > 0 && because == nil {
		last := &p.ledger[n-1]
		if last.Outcome == outcome && last.RunID == nil && last.Reason != nil && *last.Reason == reason {
			last.UntilAt, last.Count = &at, last.Count+1
			return
		}
	}
	p.ledger = append(p.ledger, p.row(outcome, at, reason, because))
}

func (p *planner) row(outcome string, at time.Time, reason string, runID *uuid.UUID) postgres.OccurrenceRow {
	row := postgres.OccurrenceRow{
		TriggerID: p.trigger.ID, WorkflowID: p.trigger.WorkflowID, FireAt: at, Count: 1, Outcome: outcome, RunID: runID,
	}
	if reason != "" {
		row.Reason = &reason
	}
	return row
}

// fillCoalesced writes into the coalesced rows which run ran for them.
func (p *planner) fillCoalesced() {
	for _, r := range p.runs {
		for _, i := range p.merged[*r.FireAt] {
			p.ledger[i].RunID = &r.ID
		}
	}
}
