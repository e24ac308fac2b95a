package schedule

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFires(t *testing.T) {
	for _, c := range []struct {
		name string
		spec Spec
		from string
		want []Fire
	}{
		{
			"moved out of a gap",
			Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid"},
			"2026-03-28T12:00:00Z",
			[]Fire{
				{at(t, "2026-03-29T01:00:00Z"), "2026-03-29T03:00:00+02:00", NoteGapMoved},
				{at(t, "2026-03-30T00:30:00Z"), "2026-03-30T02:30:00+02:00", ""},
			},
		},
		{
			"due at the end of a gap by itself",
			Spec{Cron: "0 3 * * *", Timezone: "Europe/Madrid"},
			"2026-03-28T12:00:00Z",
			[]Fire{{at(t, "2026-03-29T01:00:00Z"), "2026-03-29T03:00:00+02:00", ""}},
		},
		{
			"both passes",
			Spec{Cron: "0 * * * *", Timezone: "Europe/Madrid"},
			"2026-10-24T23:30:00Z",
			[]Fire{
				{at(t, "2026-10-25T00:00:00Z"), "2026-10-25T02:00:00+02:00", NoteFirstPass},
				{at(t, "2026-10-25T01:00:00Z"), "2026-10-25T02:00:00+01:00", NoteSecondPass},
				{at(t, "2026-10-25T02:00:00Z"), "2026-10-25T03:00:00+01:00", ""},
			},
		},
		{
			"one instant",
			Spec{At: at(t, "2026-10-25T01:00:00Z"), Timezone: "Europe/Madrid"},
			"2026-01-01T00:00:00Z",
			[]Fire{{at(t, "2026-10-25T01:00:00Z"), "2026-10-25T02:00:00+01:00", ""}},
		},
	} {
		s := mustCompile(t, c.spec)
		if diff := cmp.Diff(c.want, s.Fires(at(t, c.from), len(c.want))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	once := mustCompile(t, Spec{At: at(t, "2026-10-25T01:00:00Z")})
	if got := once.Fires(at(t, "2026-01-01T00:00:00Z"), 20); len(got) != 1 {
		t.Errorf("an instant fires %d times", len(got))
	}
}

func TestAnomalies(t *testing.T) {
	for _, c := range []struct {
		name string
		spec Spec
		want []string
	}{
		{"within gap and repeat", Spec{Cron: "30 2 * * *"}, []string{
			"gap moved: The clock jumps from 02:00 to 03:00 on 2026-03-29: what is due in between runs at 03:00, once",
			"repeat first: The clock goes back from 03:00 to 02:00 on 2026-10-25: what is due in the repeated time runs once, at the first pass",
		}},
		{"chosen otherwise", Spec{Cron: "30 2 * * *", Gap: GapSkip, OverlapHour: OverlapHourBoth}, []string{
			"gap skipped: The clock jumps from 02:00 to 03:00 on 2026-03-29: what is due in between does not run",
			"repeat both: The clock goes back from 03:00 to 02:00 on 2026-10-25: what is due in the repeated time runs twice",
		}},
		{"the second pass", Spec{Cron: "30 2 25 10 *", OverlapHour: OverlapHourSecond}, []string{
			"repeat second: The clock goes back from 03:00 to 02:00 on 2026-10-25: what is due in the repeated time runs once, at the second pass",
		}},
		{"elsewhere in the day", Spec{Cron: "0 9 * * *"}, nil},
		{"an interval goes on evenly", Spec{Cron: "*/5 * * * *"}, nil},
		{"a fixed interval knows no clock", Spec{Every: 1e12}, nil},
		{"half an hour disturbs an interval", Spec{Cron: "*/20 * * * *", Timezone: "Australia/Lord_Howe"}, []string{
			"repeat both: The clock goes back from 02:00 to 01:30 on 2026-04-05: what is due in the repeated time runs twice",
			"gap spacing: The clock jumps from 02:00 to 02:30 on 2026-10-04: the interval is not evenly spaced there",
		}},
	} {
		if c.spec.Timezone == "" {
			c.spec.Timezone = "Europe/Madrid"
		}
		var got []string
		for _, a := range mustCompile(t, c.spec).Anomalies(at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z")) {
			got = append(got, a.Kind+" "+a.Outcome+": "+a.Explain("en"))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	s := mustCompile(t, Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid", StartsAt: at(t, "2026-06-01T00:00:00Z"), EndsAt: at(t, "2026-09-01T00:00:00Z")})
	if got := s.Anomalies(at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z")); got != nil {
		t.Errorf("outside starts_at and ends_at: %v", got)
	}
}

func TestAnomaliesAreExplainedInBothLanguages(t *testing.T) {
	s := mustCompile(t, Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid"})
	list := s.Anomalies(at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z"))
	got := []string{list[0].Explain("es"), list[1].Explain("es"), list[0].Explain("fr")}
	want := []string{
		"El reloj salta de 02:00 a 03:00 el 2026-03-29: lo que toca en ese hueco se ejecuta al terminar (03:00), una sola vez",
		"El reloj retrocede de 03:00 a 02:00 el 2026-10-25: lo que toca en la hora repetida se ejecuta una vez, en la primera pasada",
		list[0].Explain("en"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
