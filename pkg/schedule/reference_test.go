package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The reference is written to be obviously right rather than fast, and shares nothing with the code that it checks but
// the zone data: it reads an expression into plain questions about a date and a time, walks through real instants minute
// by minute, looks at the zone's clock, and follows the rules of docs/schedules.md word by word.

// asks is a field of the reference: whether the day or the time that a clock shows is wanted.
type asks struct {
	open bool
	want func(wall time.Time) bool
}

var referenceNames = strings.NewReplacer("SUN", "0", "MON", "1", "TUE", "2", "WED", "3", "THU", "4", "FRI", "5", "SAT", "6",
	"JAN", "1", "FEB", "2", "MAR", "3", "OCT", "10", "NOV", "11", "DEC", "12")

// readField makes a question of a field that is made of numbers, ranges, steps, lists, L, nW and d#n.
func readField(text string, low, high int, value func(time.Time) int) asks {
	text = strings.ReplaceAll(referenceNames.Replace(text), "?", "*")
	var any []func(time.Time) bool
	for _, item := range strings.Split(text, ",") {
		any = append(any, readItem(item, low, high, value))
	}
	return asks{open: text[0] == '*', want: func(wall time.Time) bool {
		return slices.ContainsFunc(any, func(f func(time.Time) bool) bool { return f(wall) })
	}}
}

func readItem(item string, low, high int, value func(time.Time) int) func(time.Time) bool {
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			panic(fmt.Sprintf("the reference cannot read %q", item))
		}
		return n
	}
	lastDay := func(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }
	switch {
	case item == "L":
		return func(t time.Time) bool { return t.Day() == lastDay(t) }
	case strings.HasSuffix(item, "W"):
		n := number(strings.TrimSuffix(item, "W"))
		return func(t time.Time) bool {
			if n > lastDay(t) {
				return false
			}
			day := time.Date(t.Year(), t.Month(), n, 0, 0, 0, 0, time.UTC)
			switch {
			case day.Weekday() == time.Saturday && n > 1:
				day = day.AddDate(0, 0, -1)
			case day.Weekday() == time.Saturday:
				day = day.AddDate(0, 0, 2)
			case day.Weekday() == time.Sunday && n < lastDay(t):
				day = day.AddDate(0, 0, 1)
			case day.Weekday() == time.Sunday:
				day = day.AddDate(0, 0, -2)
			}
			return t.Day() == day.Day()
		}
	case strings.Contains(item, "#"):
		weekday, nth, _ := strings.Cut(item, "#")
		return func(t time.Time) bool { return int(t.Weekday()) == number(weekday)%7 && (t.Day()-1)/7+1 == number(nth) }
	}
	body, stepText, stepped := strings.Cut(item, "/")
	step, from, to := 1, low, high
	if stepped {
		step = number(stepText)
	}
	if body != "*" {
		a, b, ranged := strings.Cut(body, "-")
		from = number(a)
		switch {
		case ranged:
			to = number(b)
		case !stepped:
			to = from
		}
	}
	return func(t time.Time) bool {
		v := value(t)
		return v >= from && v <= to && (v-from)%step == 0
	}
}

// reference lists the fires in (from, to] of an expression with five fields.
func reference(spec Spec, zone *time.Location, from, to time.Time) (fires []time.Time) {
	f := strings.Fields(spec.Cron)
	minute := readField(f[0], 0, 59, time.Time.Minute)
	hour := readField(f[1], 0, 23, time.Time.Hour)
	dom := readField(f[2], 1, 31, time.Time.Day)
	month := readField(f[3], 1, 12, func(t time.Time) int { return int(t.Month()) })
	dow := readField(f[4], 0, 6, func(t time.Time) int { return int(t.Weekday()) })
	matches := func(wall time.Time) bool {
		days := dom.want(wall) && dow.want(wall)
		if !dom.open && !dow.open {
			days = dom.want(wall) || dow.want(wall)
		}
		return days && month.want(wall) && hour.want(wall) && minute.want(wall)
	}
	interval := true
	for h := range 24 {
		interval = interval && hour.want(time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC))
	}
	first, second := true, interval
	switch spec.OverlapHour {
	case OverlapHourFirst:
		second = false
	case OverlapHourSecond:
		first, second = false, true
	case OverlapHourBoth:
		second = true
	}
	wallAt := func(t time.Time) time.Time {
		_, offset := t.In(zone).Zone()
		return t.UTC().Add(time.Duration(offset) * time.Second)
	}
	twice := func(t time.Time, ahead int) bool { // whether the clock shows t's time again within a day, before or after
		for m := 1; m <= 24*60; m++ {
			if wallAt(t.Add(time.Duration(ahead*m) * time.Minute)).Equal(wallAt(t)) {
				return true
			}
		}
		return false
	}
	for t := from.Truncate(time.Minute).Add(time.Minute); !t.After(to); t = t.Add(time.Minute) {
		wall, before := wallAt(t), wallAt(t.Add(-time.Minute))
		fire := false
		if matches(wall) {
			again := twice(t, -1)
			fire = again && second || !again && (first || !twice(t, 1))
		}
		if gap := wall.Sub(before) - time.Minute; !interval && spec.Gap != GapSkip && gap > 0 && gap <= 3*time.Hour {
			for m := before.Add(time.Minute); m.Before(wall); m = m.Add(time.Minute) {
				fire = fire || matches(m)
			}
		}
		if fire {
			fires = append(fires, t)
		}
	}
	return fires
}

// TestAgainstTheReference compares on random expressions in the hard zones, mostly around changes of their clocks.
func TestAgainstTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		if spec.Cron == "" {
			t.Skip("only cron")
		}
		s, err := Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		from := drawInstant(t, s).Truncate(time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
		for p := s.periodAt(from.Add(-48 * time.Hour)); ; p = s.after(p) {
			if p.offset%time.Minute != 0 || p.to.Unix()%60 != 0 {
				t.Skip("clocks of that time changed within a minute")
			}
			if p.to.IsZero() || p.to.After(to.Add(48*time.Hour)) {
				break
			}
		}
		got, _ := s.Plan(from, to, 5000)
		want := reference(spec, s.zone, from, to)
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%+v from %s\n got %v\nwant %v", spec, from.In(s.zone), got, want)
		}
	})
}

// TestEveryChangeOfTheHardZones compares around each change of 2005 to 2045 with the expressions that changes hurt most.
func TestEveryChangeOfTheHardZones(t *testing.T) {
	for _, name := range hardZones {
		for _, expression := range []string{"30 * * * *", "0 0 * * *", "30 2 * * *", "*/20 1-3 * * *", "45 23 L * *"} {
			spec := Spec{Cron: expression, Timezone: name}
			s := mustCompile(t, spec)
			for p := s.periodAt(at(t, "2005-01-01T00:00:00Z")); !p.to.IsZero() && p.to.Year() < 2046; p = s.after(p) {
				if p.to.Unix()%60 != 0 || p.to.Year() > 2030 && p.to.Year()%5 != 0 {
					continue // the years that follow a rule are alike
				}
				from, to := p.to.Add(-4*time.Hour), p.to.Add(4*time.Hour)
				got, _ := s.Plan(from, to, 5000)
				want := reference(spec, s.zone, from, to)
				if !slices.EqualFunc(got, want, time.Time.Equal) {
					t.Fatalf("%s in %s around %s\n got %v\nwant %v", expression, name, p.to.In(s.zone), got, want)
				}
			}
		}
	}
}
