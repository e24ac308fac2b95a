package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Why a schedule does not fire at a time.
const (
	AbsentBeforeStart = "before_start" // it begins later
	AbsentAfterEnd    = "after_end"    // it has ended
	AbsentOnce        = "once"         // it fires at one other instant
	AbsentInterval    = "interval"     // the interval's fires lie elsewhere
	AbsentField       = "field"        // a field of the expression does not match
	AbsentRepeated    = "repeated"     // the wall time comes twice that day, and this pass does not count
	AbsentGap         = "gap"          // the wall time does not exist that day, and it is not made up for
	AbsentMoved       = "moved"        // the wall time does not exist that day; the fire is at the end of the gap
)

// Absence is why nothing fires at a time.
type Absence struct {
	Reason string
	Wall   time.Time // the zone's clock, written as an instant in UTC
	fields []mismatch
	spec   Spec
}

// mismatch is a field of a cron expression that a wall time does not meet.
type mismatch struct {
	unit  int
	has   int    // the wall time's value
	wants string // the field as it was written
}

// PeopleMean is how much time an instant stands for when people ask about it: they say 09:00 and mean its minute.
const PeopleMean = time.Minute

// FireAt is the fire that people mean by an instant: the one exactly then, or else the first within its minute.
func (s *Schedule) FireAt(t time.Time) (fire time.Time, ok bool) {
	fire = s.Next(t.Add(-time.Nanosecond))
	return fire, !fire.IsZero() && fire.Before(t.Add(PeopleMean))
}

// AtWall turns a time on the zone's clock (written as an instant in UTC) into the instant that people mean: of one that
// comes twice, the pass that fires, or else the first. One that does not exist has only the instant at which the clock
// jumped over it; then exists is false.
func (s *Schedule) AtWall(wall time.Time) (at time.Time, exists bool) {
	for p := s.periodAt(wall.Add(-36 * time.Hour)); ; p = s.after(p) {
		t := wall.Add(-p.offset)
		inside := !t.Before(p.from) && (p.to.IsZero() || t.Before(p.to))
		if _, fires := s.FireAt(t); inside && (!exists || fires) {
			at, exists = t, true
			if fires {
				return at, true
			}
		}
		if p.to.IsZero() || p.from.After(wall.Add(36*time.Hour)) {
			return at, exists
		}
		if q := s.after(p); !exists && !p.wall(p.to).After(wall) && q.wall(q.from).After(wall) {
			return p.to, false
		}
	}
}

// Absent says why nothing fires at t. It is for times at which FireAt finds nothing.
func (s *Schedule) Absent(t time.Time) Absence {
	a := Absence{Wall: s.periodAt(t).wall(t.UTC()), spec: s.spec}
	switch {
	case t.Before(s.spec.StartsAt):
		a.Reason = AbsentBeforeStart
	case !s.spec.EndsAt.IsZero() && t.After(s.spec.EndsAt):
		a.Reason = AbsentAfterEnd
	case s.expr == nil && s.spec.Kind() == At:
		a.Reason = AbsentOnce
	case s.expr == nil:
		a.Reason = AbsentInterval
	case s.expr.anyIn(a.Wall, a.Wall.Add(PeopleMean)):
		a.Reason = AbsentRepeated
	default:
		a.Reason, a.fields = AbsentField, s.expr.mismatches(a.Wall)
	}
	return a
}

// AbsentWall says what becomes of a wall time that does not exist, the clock having jumped over it at jump.
func (s *Schedule) AbsentWall(wall, jump time.Time) Absence {
	a := s.Absent(jump)
	a.Wall = wall
	if s.expr == nil || a.Reason == AbsentBeforeStart || a.Reason == AbsentAfterEnd {
		return a
	}
	a.fields = nil
	switch {
	case !s.expr.anyIn(wall, wall.Add(PeopleMean)):
		a.Reason, a.fields = AbsentField, s.expr.mismatches(wall)
	case s.fellIntoGap(s.periodAt(jump.Add(-time.Nanosecond)), s.periodAt(jump)):
		a.Reason = AbsentMoved
	default:
		a.Reason = AbsentGap
	}
	return a
}

// mismatches lists the fields that a wall time does not meet, the largest first.
func (e *expression) mismatches(wall time.Time) (list []mismatch) {
	miss := func(unit, has int) {
		if e.fields[unit].bits&(1<<has) == 0 {
			list = append(list, mismatch{unit: unit, has: has, wants: e.fields[unit].text})
		}
	}
	miss(month, int(wall.Month()))
	today := wall.Truncate(day)
	if len(list) == 0 && !e.anyIn(today, today.Add(day)) {
		list = append(list, e.dayMismatches(wall)...)
	}
	miss(hour, wall.Hour())
	miss(minute, wall.Minute())
	return list
}

// dayMismatches names the restricted fields of a day that does not match.
func (e *expression) dayMismatches(wall time.Time) (list []mismatch) {
	only := func(unit int) bool { // whether the day fails that field alone
		f := *e
		other := dayOfMonth + dayOfWeek - unit
		f.fields[other] = field{text: "*", open: true, bits: allOf(units[other]), step: 1}
		f.matcher = f.build(1)
		today := wall.Truncate(day)
		return !f.anyIn(today, today.Add(day))
	}
	if only(dayOfMonth) {
		list = append(list, mismatch{unit: dayOfMonth, has: wall.Day(), wants: e.fields[dayOfMonth].text})
	}
	if only(dayOfWeek) {
		list = append(list, mismatch{unit: dayOfWeek, has: int(wall.Weekday()), wants: e.fields[dayOfWeek].text})
	}
	return list
}

func allOf(u unit) uint64 {
	var f field
	u.set(&f, u.min, u.top(), 1)
	return f.bits
}

// Explain says it, in en or es; any other language is en.
func (a Absence) Explain(lang string) string {
	w, ok := absences[lang]
	if !ok {
		w = absences["en"]
	}
	switch clock := a.Wall.Format("15:04"); a.Reason {
	case AbsentBeforeStart:
		return fmt.Sprintf(w.beforeStart, stamp(a.spec.StartsAt))
	case AbsentAfterEnd:
		return fmt.Sprintf(w.afterEnd, stamp(a.spec.EndsAt))
	case AbsentOnce:
		return fmt.Sprintf(w.once, stamp(a.spec.At))
	case AbsentInterval:
		return fmt.Sprintf(w.interval, a.spec.Every, stamp(a.spec.Anchor))
	case AbsentRepeated:
		return fmt.Sprintf(w.repeated, clock)
	case AbsentGap:
		return fmt.Sprintf(w.gap, clock)
	case AbsentMoved:
		return fmt.Sprintf(w.moved, clock)
	default:
		var parts []string
		for _, m := range a.fields {
			has := strconv.Itoa(m.has)
			switch m.unit {
			case dayOfWeek:
				has = w.days[m.has]
			case month:
				has = w.months[m.has-1]
			}
			parts = append(parts, fmt.Sprintf(w.field, w.units[m.unit], has, m.wants))
		}
		if len(parts) == 0 { // only the seconds do not match
			return fmt.Sprintf(w.other, a.spec.Cron)
		}
		return fmt.Sprintf(w.mismatch, a.spec.Cron, strings.Join(parts, "; "))
	}
}

// Fields names the fields that do not match, as the syntax of cron calls them.
func (a Absence) Fields() []string {
	names := make([]string, 0, len(a.fields))
	for _, m := range a.fields {
		names = append(names, units[m.unit].name)
	}
	return slices.Compact(names)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }
