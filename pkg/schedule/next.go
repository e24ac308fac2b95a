package schedule

import "time"

// maxGap is the longest jump of a clock that is made up for. Longer ones (Apia left out 30 December 2011) are
// corrections of the calendar, as cron(8) sees them too.
const maxGap = 3 * time.Hour

// period is a stretch of time during which a zone keeps one offset from UTC.
type period struct {
	from, to time.Time // [from, to); zero where it has no end
	offset   time.Duration
}

func (s *Schedule) periodAt(t time.Time) period {
	local := t.In(s.zone)
	from, to := local.ZoneBounds()
	_, offset := local.Zone()
	p := period{from.UTC(), to.UTC(), time.Duration(offset) * time.Second}
	// Beyond its table of changes a zone follows a rule, year by year, and Go ends a leap year one day early there: on
	// its last day the bounds exclude t itself. No rule changes a clock on that day.
	if !p.to.IsZero() && !p.to.After(t) {
		p.to = time.Date(t.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return p
}

// after is the period that follows p, which must have an end. The two may have the same offset: then nothing changes
// between them.
func (s *Schedule) after(p period) period {
	q := s.periodAt(p.to)
	q.from = p.to // bounds computed from the rule need not join exactly
	return q
}

// wall is what the zone's clock shows at t, written as an instant in UTC.
func (p period) wall(t time.Time) time.Time { return t.Add(p.offset) }

// Next is the first fire strictly after after, in UTC; zero when there is none.
func (s *Schedule) Next(after time.Time) time.Time {
	after = after.UTC()
	if !s.spec.StartsAt.IsZero() && after.Before(s.spec.StartsAt) {
		after = s.spec.StartsAt.Add(-time.Nanosecond)
	}
	if year := after.Year(); year < minYear {
		after = time.Date(minYear, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Nanosecond)
	}
	var next time.Time
	switch s.spec.Kind() {
	case Cron:
		next = s.nextCron(after)
	case Every:
		next = s.nextEvery(after)
	case At:
		if s.spec.At.After(after) {
			next = s.spec.At
		}
	}
	if next.Year() > maxYear || !s.spec.EndsAt.IsZero() && next.After(s.spec.EndsAt) {
		return time.Time{}
	}
	return next
}

func (s *Schedule) nextEvery(after time.Time) time.Time {
	anchor := s.spec.Anchor
	if anchor.IsZero() {
		anchor = time.Unix(0, 0).UTC()
	}
	if after.Before(anchor) {
		return anchor
	}
	if after.Year() > maxYear {
		return time.Time{}
	}
	passed := after.Sub(anchor) / s.spec.Every
	return anchor.Add((passed + 1) * s.spec.Every)
}

// nextCron walks the periods of the zone from after on. Within a period the wall clock runs evenly, so the
// expression's own next match is right; the edges are where clocks jump.
func (s *Schedule) nextCron(after time.Time) time.Time {
	p := s.periodAt(after)
	from := p.wall(after) // matches strictly after this wall time are wanted
	if low := s.lowest(p); low.After(from) {
		from = low.Add(-time.Nanosecond)
	}
	match := s.expr.next(from)
	for !match.IsZero() {
		if match.Before(s.highest(p)) {
			return match.Add(-p.offset)
		}
		if p.to.IsZero() || p.to.Year() > maxYear {
			return time.Time{}
		}
		q := s.after(p)
		// Matches before p's end were used or, with from, passed over; what remains below q's start fell into the gap.
		if s.fellIntoGap(p, q) {
			return q.from
		}
		p = q
		low := s.lowest(p).Add(-time.Nanosecond)
		// The match found stands unless the clock went back over earlier ones, or jumped past it.
		if low.Before(from) || !match.After(low) {
			match = s.expr.next(low)
		}
		from = low
	}
	return time.Time{}
}

// lowest is the first wall time of p that fires in p: its start, or the end of a repeated stretch whose second pass
// does not count.
func (s *Schedule) lowest(p period) time.Time {
	if p.from.IsZero() {
		return time.Time{}
	}
	start := p.wall(p.from)
	if s.modes.second {
		return start
	}
	before := s.periodAt(p.from.Add(-time.Nanosecond))
	if before.offset > p.offset {
		return before.wall(p.from)
	}
	return start
}

// highest is the wall time at which p ends for matches: its end, or the start of a repeated stretch whose first
// pass does not count.
func (s *Schedule) highest(p period) time.Time {
	if p.to.IsZero() {
		return time.Date(maxYear+2, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if s.modes.first {
		return p.wall(p.to)
	}
	return p.to.Add(min(p.offset, s.after(p).offset))
}

// fellIntoGap tells whether between p and q, its successor, the clock skips a match that is to be made up for.
func (s *Schedule) fellIntoGap(p, q period) bool {
	gap := q.offset - p.offset
	return s.modes.gap && gap > 0 && gap <= maxGap && s.expr.anyIn(p.wall(p.to), q.wall(q.from))
}

// Prev is the last fire strictly before before; zero when there is none. It looks at more and more of the past, so that it
// costs about as much for a schedule that fires each second as for one that fires each year.
func (s *Schedule) Prev(before time.Time) (last time.Time) {
	for window := time.Minute; last.IsZero(); window *= 8 {
		from := before.Add(-window)
		for t := s.Next(from.Add(-time.Nanosecond)); !t.IsZero() && t.Before(before); t = s.Next(t) {
			last = t
		}
		if from.Year() < minYear {
			break
		}
	}
	return last
}

// Plan lists the fires in (from, to], oldest first, at most limit; more tells whether others follow within to.
func (s *Schedule) Plan(from, to time.Time, limit int) (fires []time.Time, more bool) {
	for t := s.Next(from); !t.IsZero() && !t.After(to); t = s.Next(t) {
		if len(fires) >= limit {
			return fires, true
		}
		fires = append(fires, t)
	}
	return fires, false
}
