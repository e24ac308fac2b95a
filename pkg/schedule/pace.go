package schedule

import (
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// CheckPace refuses, at /cron or /every, a schedule that fires more often than once in least. For cron the wall clock
// counts: that the clocks' changes bring two fires closer together once a year is no reason to refuse them.
func (s *Schedule) CheckPace(least time.Duration) error {
	pointer, shortest := "/every", s.spec.Every
	if s.expr != nil {
		pointer, shortest = "/cron", s.expr.shortest(least)
	}
	if s.spec.Kind() == At || shortest >= least {
		return nil
	}
	return fault.At(pointer, "too_often", "it fires every %s at times: this installation allows one fire in %s (ORQ_MIN_INTERVAL)", shortest, least)
}

const day = 24 * time.Hour

// shortest is the least time between two wall times that match, as far as it is below least; otherwise at least that.
func (e *expression) shortest(least time.Duration) time.Duration {
	if least <= time.Second {
		return time.Second // no expression is finer
	}
	shortest, first, last := day, time.Duration(-1), time.Duration(0)
	for _, h := range e.fields[hour].values() {
		for _, m := range e.fields[minute].values() {
			for _, s := range e.fields[second].values() {
				at := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
				if first < 0 {
					first = at
				} else {
					shortest = min(shortest, at-last)
				}
				last = at
			}
		}
	}
	if overnight := day - last + first; overnight < min(shortest, least) && e.consecutiveDays() {
		shortest = overnight
	}
	if shortest == day && least > day {
		return e.shortestDays(least)
	}
	return shortest
}

// paceYears is how long the days of an expression are looked at; every pattern of weekdays and leap days shows in it.
const paceYears = 28

// consecutiveDays tells whether two days in a row match.
func (e *expression) consecutiveDays() bool { return e.shortestDays(2*day) < 2*day }

// shortestDays is the least number of days between two days that match, stopping at one below least.
func (e *expression) shortestDays(least time.Duration) time.Duration {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	end := start.AddDate(paceYears, 0, 0)
	shortest := end.Sub(start)
	var before time.Time
	for t := e.next(start.Add(-time.Second)); !t.IsZero() && t.Before(end); {
		today := t.Truncate(day)
		if !before.IsZero() {
			shortest = min(shortest, today.Sub(before))
			if shortest < least && shortest == day {
				break
			}
		}
		before = today
		t = e.next(today.Add(day - time.Second))
	}
	return shortest
}
