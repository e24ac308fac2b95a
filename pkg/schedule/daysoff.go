package schedule

import (
	"strconv"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// MaxDates is how many dates a trigger may exclude by itself, and MaxCalendarDates how many a calendar may hold.
const (
	MaxDates         = 1000
	MaxCalendarDates = 5000
)

// DaysOff are the local dates on which a schedule's fires do not run. The zero value has none.
type DaysOff struct {
	calendars map[string]string // by date, 2006-01-02: the calendar that holds it, or empty for the trigger itself
}

// NewDaysOff makes the days off of a trigger: its own dates and those of a calendar.
func NewDaysOff(own []string, calendar string, dates []string) DaysOff {
	if len(own)+len(dates) == 0 {
		return DaysOff{}
	}
	d := DaysOff{calendars: make(map[string]string, len(own)+len(dates))}
	for _, date := range dates {
		d.calendars[date] = calendar
	}
	for _, date := range own {
		d.calendars[date] = ""
	}
	return d
}

// Holds tells whether a date (2006-01-02) is off, and by which calendar; that is empty for the trigger's own dates.
func (d DaysOff) Holds(date string) (calendar string, off bool) {
	calendar, off = d.calendars[date]
	return calendar, off
}

// CheckDates returns a *fault.Error that names, by its place in the list, each date that is none, comes twice, or lies
// outside the years that schedules know; and one with an empty pointer when there are more than most.
func CheckDates(dates []string, most int) error {
	var c checker
	if len(dates) > most {
		c.add("", "too_many", "%d dates: at most %d", len(dates), most)
		return fault.InvalidFields(c.fields)
	}
	seen := make(map[string]int, len(dates))
	for i, date := range dates {
		pointer := "/" + strconv.Itoa(i)
		day, err := time.Parse(time.DateOnly, date)
		first, twice := seen[date]
		switch {
		case err != nil:
			c.add(pointer, "date", "%s is not a date: write the year, the month and the day, as in 2026-12-25", shown(date))
		case day.Year() < minYear || day.Year() > maxYear:
			c.add(pointer, "out_of_range", "the year %d is outside %d to %d", day.Year(), minYear, maxYear)
		case twice:
			c.add(pointer, "duplicate", "%s stands at place %d already", date, first+1)
		}
		seen[date] = i
	}
	return fault.InvalidFields(c.fields)
}

// Date is the date in the schedule's zone, as 2006-01-02.
func (s *Schedule) Date(t time.Time) string { return t.In(s.zone).Format(time.DateOnly) }

// Local is an instant in the schedule's zone.
func (s *Schedule) Local(t time.Time) time.Time { return t.In(s.zone) }

// NextRunning is the first fire strictly after after that is not on a day off; zero when there is none. skipped gets the
// dates that were passed over because they are off; it may be nil.
func (s *Schedule) NextRunning(after time.Time, off DaysOff, skipped func(date, calendar string)) time.Time {
	t := s.Next(after)
	for !t.IsZero() {
		date := s.Date(t)
		calendar, isOff := off.Holds(date)
		if !isOff {
			return t
		}
		if skipped != nil {
			skipped(date, calendar)
		}
		t = s.Next(s.endOfDate(t).Add(-time.Nanosecond))
	}
	return t
}

// endOfDate is the first instant after t at which the zone has another date. Dates end at midnight, or where the clock
// jumps over it.
func (s *Schedule) endOfDate(t time.Time) time.Time {
	date := s.Date(t)
	for p := s.periodAt(t); ; p = s.after(p) {
		wall := p.wall(later(t, p.from))
		midnight := time.Date(wall.Year(), wall.Month(), wall.Day()+1, 0, 0, 0, 0, time.UTC).Add(-p.offset)
		if p.to.IsZero() || midnight.Before(p.to) {
			return midnight
		}
		if s.Date(p.to) != date {
			return p.to
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
