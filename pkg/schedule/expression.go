package schedule

import (
	"fmt"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"
)

const (
	maxExpression = 512
	allHours      = 1<<24 - 1
	// searchYears is how far Next looks: 29 February on a given weekday comes back within 40 years.
	searchYears = 40
)

// shorthand are the names that stand for a whole expression.
var shorthand = map[string]string{
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
	"@monthly":  "0 0 1 * *",
	"@weekly":   "0 0 * * 0",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@hourly":   "0 * * * *",
}

// expression is a cron expression once read. It knows wall clocks only, as instants in UTC that stand for them.
type expression struct {
	fields  [6]field
	matcher *cron.SpecSchedule
}

// parse reads a cron expression; the reading is strict, because a slip that is silently accepted runs at a time
// nobody meant.
func parse(text string) (*expression, *problem) {
	if len(text) > maxExpression {
		return nil, refuse("the expression has %d characters: at most %d", len(text), maxExpression)
	}
	for _, r := range text {
		if r < ' ' && r != '\t' || r > '~' {
			return nil, refuse("the character %q does not belong in a cron expression", r)
		}
	}
	text = strings.TrimSpace(text)
	upper := strings.ToUpper(text)
	switch {
	case text == "":
		return nil, refuse("the expression is empty: five fields are expected, such as \"0 9 * * MON-FRI\"")
	case strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ="):
		return nil, refuse("the time zone does not go into the expression: put it into timezone")
	case strings.HasPrefix(upper, "@EVERY"):
		return nil, refuse("@every is not cron: use every with a duration, such as 90s")
	case strings.HasPrefix(text, "@"):
		full, ok := shorthand[strings.ToLower(text)]
		if !ok {
			return nil, refuse("%s is not known: use @yearly, @monthly, @weekly, @daily or @hourly", shown(text))
		}
		text = full
	}
	parts := strings.Fields(text)
	switch len(parts) {
	case 5:
		parts = append([]string{"0"}, parts...)
	case 6:
	case 7:
		return nil, refuse("7 fields: a year is not supported; use starts_at and ends_at")
	default:
		return nil, refuse("%d fields where 5 are expected (minute, hour, day of month, month, day of week), or 6 with seconds first",
			len(parts))
	}
	e := &expression{}
	for i, part := range parts {
		f, p := units[i].parse(part)
		if p != nil {
			return nil, p
		}
		e.fields[i] = f
	}
	e.matcher = e.build(searchYears)
	// The search begins at a fixed day, so that a stored expression is not valid today and refused tomorrow.
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second)
	if e.build(neverYears).Next(start).IsZero() {
		return nil, &problem{code: "cron_never", message: e.neverMessage()}
	}
	return e, nil
}

// neverMessage says why no date matches.
func (e *expression) neverMessage() string {
	return fmt.Sprintf("it never fires: no date within %d years has day of month %s, month %s and day of week %s",
		neverYears, e.fields[dayOfMonth].text, e.fields[month].text, e.fields[dayOfWeek].text)
}

// build makes the library's matcher, which looks at most years ahead.
func (e *expression) build(years int) *cron.SpecSchedule {
	f := e.fields
	m := &cron.SpecSchedule{
		Second: f[second].bits, Minute: f[minute].bits, Hour: f[hour].bits,
		Dom: f[dayOfMonth].bits, Month: f[month].bits, Dow: f[dayOfWeek].bits,
		Location:       time.UTC,
		MaxSearchYears: years,
		DowOrDom:       e.eitherDay(),
	}
	for _, r := range f[dayOfMonth].days {
		switch {
		case r.kind == lastWorkday:
			m.DomConstraints = append(m.DomConstraints, cron.DomConstraint{Type: cron.DomLastWeekday})
		case r.kind == nearestWorkday:
			m.DomConstraints = append(m.DomConstraints, cron.DomConstraint{Type: cron.DomNearestWeekday, N: r.n})
		default:
			// "L" is the day 0 days before the last.
			m.DomConstraints = append(m.DomConstraints, cron.DomConstraint{Type: cron.DomLastOffset, N: r.n})
		}
	}
	for _, r := range f[dayOfWeek].days {
		m.DowConstraints = append(m.DowConstraints, cron.DowConstraint{Weekday: r.weekday, N: r.n})
	}
	return m
}

// eitherDay: day of month and day of week are both restricted, so one of them is enough.
func (e *expression) eitherDay() bool {
	return !e.fields[dayOfMonth].open && !e.fields[dayOfWeek].open
}

func (e *expression) everyHour() bool { return e.fields[hour].bits == allHours }

// next is the first wall time strictly after wall that matches; zero when there is none.
func (e *expression) next(wall time.Time) time.Time {
	return e.matcher.Next(wall)
}

// anyIn tells whether a wall time in [from, to) matches.
func (e *expression) anyIn(from, to time.Time) bool {
	w := e.next(from.Add(-time.Nanosecond))
	return !w.IsZero() && w.Before(to)
}
