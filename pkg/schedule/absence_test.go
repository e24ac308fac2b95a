package schedule

import (
	"strings"
	"testing"
	"time"
)

// TestWhyNothingFires asks, as people do, about a time on the clock of the zone.
func TestWhyNothingFires(t *testing.T) {
	weekdays := Spec{Cron: "0 9 * * MON-FRI", Timezone: "Europe/Madrid"}
	madrid := Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid"}
	with := func(s Spec, change func(*Spec)) Spec { change(&s); return s }
	for _, c := range []struct {
		name   string
		spec   Spec
		wall   string
		reason string // empty: it fires
		en, es string
	}{
		{"it fires", weekdays, "2026-11-23T09:00", "", "", ""},
		{"the minute", weekdays, "2026-11-23T09:05", AbsentField, "the minute is 5, wanted 0", "minuto: es 5 y se pide 0"},
		{"the hour", weekdays, "2026-11-23T10:00", AbsentField, "the hour is 10, wanted 9", "hora: es 10 y se pide 9"},
		{"the day of the week", weekdays, "2026-11-22T09:00", AbsentField, "the weekday is Sunday, wanted MON-FRI", "día de la semana: es domingo y se pide MON-FRI"},
		{"the day of the month", Spec{Cron: "0 9 1,15 * *"}, "2026-11-22T09:00", AbsentField, "the day of the month is 22, wanted 1,15", "día del mes: es 22"},
		{"neither day", Spec{Cron: "0 9 1 * MON"}, "2026-11-22T09:00", AbsentField, "the day of the month is 22, wanted 1; the weekday is Sunday, wanted MON", "domingo"},
		{"the last day", Spec{Cron: "0 9 L * *"}, "2026-11-22T09:00", AbsentField, "wanted L", "se pide L"},
		{"the month", Spec{Cron: "0 9 * JAN *"}, "2026-11-22T09:00", AbsentField, "the month is November, wanted JAN", "mes: es noviembre"},
		{"several", Spec{Cron: "0 9 * JAN *"}, "2026-11-22T10:30", AbsentField, "the month is November, wanted JAN; the hour is 10, wanted 9; the minute is 30, wanted 0", "hora: es 10"},
		{"a gap, made up for", madrid, "2026-03-29T02:30", AbsentMoved, "the clock jumps over 02:30 that day, so that the schedule fires when", "el reloj salta las 02:30"},
		{"a gap, left out", with(madrid, func(s *Spec) { s.Gap = GapSkip }), "2026-03-29T02:30", AbsentGap, "leaves such times out", "deja fuera"},
		{"in a gap, but not then", madrid, "2026-03-29T02:40", AbsentField, "the minute is 40", "minuto: es 40"},
		{"a day that Apia left out", Spec{Cron: "0 9 * * *", Timezone: "Pacific/Apia"}, "2011-12-30T09:00", AbsentGap, "jumps over 09:00", "salta"},
		{"a repeated time, the pass that fires", madrid, "2026-10-25T02:30", "", "", ""},
		{"before its start", with(weekdays, func(s *Spec) { s.StartsAt = at(t, "2026-12-01T00:00:00Z") }), "2026-11-23T09:00", AbsentBeforeStart, "starts later, at 2026-12-01", "empieza más tarde"},
		{"after its end", with(weekdays, func(s *Spec) { s.EndsAt = at(t, "2026-11-20T00:00:00Z") }), "2026-11-23T09:00", AbsentAfterEnd, "ended before, at 2026-11-20", "terminó antes"},
		{"another instant", Spec{At: at(t, "2026-12-01T00:00:00Z")}, "2026-11-23T09:00", AbsentOnce, "fires once, at 2026-12-01", "una sola vez"},
		{"between an interval's fires", Spec{Every: 90 * time.Minute}, "2026-11-23T09:10", AbsentInterval, "interval of 1h30m0s", "intervalo de 1h30m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustCompile(t, c.spec)
			wall, err := time.Parse("2006-01-02T15:04", c.wall)
			if err != nil {
				t.Fatal(err)
			}
			when, exists := s.AtWall(wall)
			_, fires := s.FireAt(when)
			if fires && exists {
				if c.reason != "" {
					t.Fatal("it fires")
				}
				return
			}
			a := s.Absent(when)
			if !exists {
				a = s.AbsentWall(wall, when)
			}
			if a.Reason != c.reason || !strings.Contains(a.Explain("en"), c.en) || !strings.Contains(a.Explain("es"), c.es) {
				t.Errorf("%s: %s / %s", a.Reason, a.Explain("en"), a.Explain("es"))
			}
		})
	}
}

// Of a time that comes twice, people mean the pass that fires; the other one is told apart when it is asked for exactly.
func TestAskedForThePassThatDoesNotCount(t *testing.T) {
	s := mustCompile(t, Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid", OverlapHour: OverlapHourSecond})
	wall := time.Date(2026, 10, 25, 2, 30, 0, 0, time.UTC)
	if when, exists := s.AtWall(wall); !exists || !when.Equal(at(t, "2026-10-25T02:30:00+01:00")) {
		t.Errorf("people mean %s", when)
	}
	first := at(t, "2026-10-25T02:30:00+02:00")
	if _, fires := s.FireAt(first); fires {
		t.Fatal("the first pass fires")
	}
	if a := s.Absent(first); a.Reason != AbsentRepeated || !strings.Contains(a.Explain("en"), "02:30 twice") {
		t.Errorf("%s: %s", a.Reason, a.Explain("en"))
	}
}
