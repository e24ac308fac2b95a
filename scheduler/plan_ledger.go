package scheduler

import (
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// excluded records a fire whose date is off, and tells whether it is.
func (p *planner) excluded(fire time.Time) bool {
	date := p.dateOf(fire)
	calendar, off := p.off.Holds(date)
	if !off {
		return false
	}
	reason := date + " is excluded"
	if calendar != "" {
		reason = date + " is in the calendar " + calendar
	}
	p.skip(fire, postgres.CodeExcluded, reason, nil)
	return true
}

// dateOf is the local date of a fire, for a trigger that leaves out any.
func (p *planner) dateOf(fire time.Time) string {
	if !p.Spec.Excludes() {
		return ""
	}
	return p.schedule.Date(fire)
}

// missed records a fire that did not run in time. If the trigger was off, that is why.
func (p *planner) missed(outcome string, fire time.Time, code, reason string) {
	if pause, off := p.pausedAt(fire); off {
		code, reason = pause.Code, pause.Reason()
		if outcome == postgres.OutcomeCoalesced {
			reason += "; a newer fire ran for it"
		}
	}
	row := p.row(outcome, fire)
	row.Code, row.Reason = &code, &reason
	p.add(row)
}

// pausedAt finds out whether the trigger was off at a fire. Fires come in their order, so that pauses before it are of
// no use any more.
func (p *planner) pausedAt(fire time.Time) (postgres.Pause, bool) {
	for len(p.pauses) > 0 && p.pauses[0].OnAt != nil && !p.pauses[0].OnAt.After(fire) {
		p.pauses = p.pauses[1:]
	}
	if len(p.pauses) == 0 || !p.pauses[0].Covers(fire) {
		return postgres.Pause{}, false
	}
	return p.pauses[0], true
}

// skip records a fire that does not run.
func (p *planner) skip(fire time.Time, code, reason string, because *uuid.UUID) {
	row := p.row(postgres.OutcomeSkipped, fire)
	row.Code, row.Reason, row.RunID = &code, &reason, because
	p.add(row)
}

// add records a fire; one of which the same is to be said as of the fire before becomes part of that row.
func (p *planner) add(row postgres.OccurrenceRow) {
	if n := len(p.ledger); n > 0 && p.ledger[n-1].Alike(row) {
		last := &p.ledger[n-1]
		last.UntilAt, last.Count = &row.FireAt, last.Count+1
		p.step.Decided = last.UntilAt
		return
	}
	p.ledger = append(p.ledger, row)
}

func (p *planner) row(outcome string, fire time.Time) postgres.OccurrenceRow {
	p.step.Decided = &fire
	return postgres.OccurrenceRow{TriggerID: p.ID, WorkflowID: p.WorkflowID, FireAt: fire, Count: 1, Outcome: outcome}
}

// fillCoalesced writes into the coalesced rows which run ran for them.
func (p *planner) fillCoalesced() {
	for _, r := range p.runs {
		for _, i := range p.merged[*r.FireAt] {
			p.ledger[i].RunID = &r.ID
		}
	}
}

func text(s string) *string { return &s }

// continued takes out of the plans the rows that only go on with what the ledger's latest row of their trigger says, and
// answers what that is to be extended by. So a trigger that skips each second for the same reason fills one row.
func continued(plans []plan, latest map[uuid.UUID]postgres.OccurrenceRow) (extended []postgres.OccurrenceRow) {
	for i := range plans {
		if !beginsWithSkip(plans[i]) {
			continue
		}
		first := plans[i].ledger[0]
		before, ok := latest[first.TriggerID]
		if !ok || !before.Alike(first) || !before.Last().Before(first.FireAt) {
			continue
		}
		until := first.Last()
		before.UntilAt, before.Count = &until, first.Count
		extended = append(extended, before)
		plans[i].ledger = plans[i].ledger[1:]
	}
	return extended
}

// beginsWithSkip tells whether a plan may go on with the ledger's latest row.
func beginsWithSkip(p plan) bool {
	return len(p.ledger) > 0 && p.ledger[0].Outcome == postgres.OutcomeSkipped
}
