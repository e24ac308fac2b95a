package schedule

import (
	"time"
)

// Notes of a Fire.
const (
	NoteGapMoved   = "gap_moved"   // its wall time does not exist; it fires at the end of the gap
	NoteFirstPass  = "first_pass"  // its wall time comes twice; this is the first
	NoteSecondPass = "second_pass" // its wall time comes twice; this is the second
)

// Fire is one fire as people see it.
type Fire struct {
	At    time.Time `json:"at"`    // UTC
	Local string    `json:"local"` // RFC 3339 with the zone's offset
	Note  string    `json:"note"`  // one of the notes, or empty
}

// Fires lists the first n fires after from.
func (s *Schedule) Fires(from time.Time, n int) []Fire {
	fires := make([]Fire, 0, max(0, min(n, 1000)))
	for t := s.Next(from); !t.IsZero() && len(fires) < n; t = s.Next(t) {
		fires = append(fires, s.Show(t))
	}
	return fires
}

// Show shows a fire as people see it.
func (s *Schedule) Show(t time.Time) Fire {
	return Fire{At: t, Local: t.In(s.zone).Format(time.RFC3339), Note: s.note(t)}
}

func (s *Schedule) note(t time.Time) string {
	if s.expr == nil {
		return ""
	}
	p := s.periodAt(t)
	wall := p.wall(t)
	if !p.from.IsZero() {
		before := s.periodAt(p.from.Add(-time.Nanosecond))
		switch {
		case before.offset > p.offset && wall.Before(before.wall(p.from)):
			return NoteSecondPass
		case before.offset < p.offset && t.Equal(p.from) && !s.expr.anyIn(wall, wall.Add(time.Second)):
			return NoteGapMoved
		}
	}
	if !p.to.IsZero() {
		if after := s.after(p); after.offset < p.offset && !wall.Before(after.wall(p.to)) {
			return NoteFirstPass
		}
	}
	return ""
}

// Kinds of an Anomaly.
const (
	AnomalyGap    = "gap"    // the clock jumps forward: wall times are missing
	AnomalyRepeat = "repeat" // the clock goes back: wall times come twice
)

// What an Anomaly does to the schedule.
const (
	OutcomeMoved   = "moved"   // fires at the end of the gap
	OutcomeSkipped = "skipped" // does not fire
	OutcomeFirst   = "first"   // fires in the first pass only
	OutcomeSecond  = "second"  // fires in the second pass only
	OutcomeBoth    = "both"    // fires in both passes
	OutcomeSpacing = "spacing" // an interval, whose spacing changes
)

// Anomaly is a change of the clock that touches a schedule.
type Anomaly struct {
	At      time.Time `json:"at"`      // the instant of the change, UTC
	Kind    string    `json:"kind"`    // gap or repeat
	Outcome string    `json:"outcome"` // what happens; Explain says it to people
	From    string    `json:"from"`    // the wall clock just before the change, 2026-03-29T02:00:00
	To      string    `json:"to"`      // the wall clock just after it
}

const localLayout = "2006-01-02T15:04:05"

// Anomalies lists the changes of the zone's clock in (from, to] that move, skip or repeat fires of this schedule. An
// interval that goes on evenly through a change is not touched by it.
func (s *Schedule) Anomalies(from, to time.Time) []Anomaly {
	if s.expr == nil {
		return nil
	}
	if from.Before(s.spec.StartsAt) {
		from = s.spec.StartsAt
	}
	if !s.spec.EndsAt.IsZero() && to.After(s.spec.EndsAt) {
		to = s.spec.EndsAt
	}
	if last := time.Date(maxYear, 12, 31, 0, 0, 0, 0, time.UTC); to.After(last) {
		to = last
	}
	var list []Anomaly
	for p := s.periodAt(from); !p.to.IsZero() && !p.to.After(to); {
		q := s.after(p)
		a := Anomaly{At: p.to, From: p.wall(p.to).Format(localLayout), To: q.wall(p.to).Format(localLayout)}
		if s.touches(&a, p, q) {
			list = append(list, a)
		}
		p = q
	}
	return list
}

// touches fills in a for the change from p to q and tells whether the schedule notices it.
func (s *Schedule) touches(a *Anomaly, p, q period) bool {
	before, after := p.wall(p.to), q.wall(p.to)
	jump := q.offset - p.offset
	switch {
	case jump > 0:
		a.Kind = AnomalyGap
		if !s.expr.anyIn(before, after) {
			return false
		}
		switch {
		case s.Interval():
			a.Outcome = OutcomeSpacing
			return jump%time.Hour != 0
		case s.modes.gap && jump <= maxGap:
			a.Outcome = OutcomeMoved
		default:
			a.Outcome = OutcomeSkipped
		}
		return true
	case jump < 0:
		a.Kind = AnomalyRepeat
		if !s.expr.anyIn(after, before) {
			return false
		}
		switch {
		case s.modes.first && s.modes.second:
			a.Outcome = OutcomeBoth
			return !s.Interval() || jump%time.Hour != 0
		case s.modes.first:
			a.Outcome = OutcomeFirst
		default:
			a.Outcome = OutcomeSecond
		}
		return true
	}
	return false
}
