package alert

import (
	"fmt"
	"slices"
	"time"
)

// Quiet are hours in which nobody is to be disturbed, by the rule's zone. They begin on each of the days at From and end at the
// next To; when both are the same, that is a whole day later.
type Quiet struct {
	Days []string `json:"days"` // mon … sun, on which they begin
	From string   `json:"from"` // 22:00
	To   string   `json:"to"`   // 07:00
	Drop bool     `json:"drop"` // what happens meanwhile is not said afterwards either
}

// Weekdays as they are written, Sunday first as in the time package.
var Weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (q *Quiet) check(c *checker) {
	if q == nil {
		return
	}
	if len(q.Days) == 0 {
		c.add("/quiet/days", "required", "say on which days the quiet hours begin")
	}
	for i, day := range q.Days {
		if !slices.Contains(Weekdays, day) {
			c.add(fmt.Sprintf("/quiet/days/%d", i), "day", "%q is not a day; write mon, tue, wed, thu, fri, sat or sun", day)
		}
	}
	for pointer, text := range map[string]string{"/quiet/from": q.From, "/quiet/to": q.To} {
		if _, ok := minutesOf(text); !ok {
			c.add(pointer, "time", "%q is not a time of day; write it as 22:00", text)
		}
	}
}

// minutesOf reads 22:30 as minutes after midnight.
func minutesOf(text string) (int, bool) {
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// longestQuiet is how many quiet hours in a row are joined: more than a week is for ever.
const longestQuiet = 8

// Until answers when the quiet hours end in which now lies; the zero Time when it lies in none. Where some begin as others end
// they are one.
func (q *Quiet) Until(now time.Time, zone *time.Location) (end time.Time) {
	if q == nil {
		return time.Time{}
	}
	at := now
	for range longestQuiet {
		next := q.around(at, zone)
		if next.IsZero() {
			break
		}
		end, at = next, next
	}
	return end
}

// around answers when the hours end in which an instant lies; its beginning belongs to them, its end does not.
func (q *Quiet) around(at time.Time, zone *time.Location) (end time.Time) {
	from, _ := minutesOf(q.From)
	to, _ := minutesOf(q.To)
	if to <= from {
		to += 24 * 60
	}
	year, month, day := at.In(zone).Date()
	for ago := 0; ago <= 2; ago++ {
		date := time.Date(year, month, day-ago, 0, 0, 0, 0, time.UTC)
		if !slices.Contains(q.Days, Weekdays[date.Weekday()]) {
			continue
		}
		begins, ends := wall(date, from, zone, false), wall(date, to, zone, true)
		if !at.Before(begins) && at.Before(ends) && ends.After(end) {
			end = ends
		}
	}
	return end
}

// wall is the instant at which the clocks of a zone show so many minutes after the midnight of a date. Of a time that comes
// twice it is the first, or the last; a time that does not exist counts as if the clocks had not been changed yet.
func wall(date time.Time, minutes int, zone *time.Location, last bool) time.Time {
	shown := date.Add(time.Duration(minutes) * time.Minute) // as if it were UTC
	offset := func(t time.Time) time.Duration {
		_, seconds := t.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	before := shown.Add(-offset(shown.Add(-24 * time.Hour)))
	after := shown.Add(-offset(shown.Add(24 * time.Hour)))
	is := func(t time.Time) bool { return t.Add(offset(t)).Equal(shown) }
	switch {
	case is(before) && is(after):
		if before.After(after) == last {
			return before
		}
		return after
	case is(after):
		return after
	}
	return before
}
