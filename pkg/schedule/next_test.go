package schedule

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestClockChanges is the manual of what happens where clocks change. Each case lists all fires from "from" on, one
// more than needed, so that a doubled fire would show.
func TestClockChanges(t *testing.T) {
	for _, c := range []struct {
		name  string
		spec  Spec
		from  string
		fires []string
	}{
		{
			"New York, gap: an appointment runs at its end",
			Spec{Cron: "30 2 * * *", Timezone: "America/New_York"},
			"2026-03-07T12:00:00-05:00",
			[]string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"},
		},
		{
			"New York, gap, skip",
			Spec{Cron: "30 2 * * *", Timezone: "America/New_York", Gap: GapSkip},
			"2026-03-07T12:00:00-05:00",
			[]string{"2026-03-09T02:30:00-04:00"},
		},
		{
			"New York, gap: many that fall into it become one, with the one at its end",
			Spec{Cron: "*/10 2,3 * * *", Timezone: "America/New_York"},
			"2026-03-08T00:00:00-05:00",
			[]string{"2026-03-08T03:00:00-04:00", "2026-03-08T03:10:00-04:00"},
		},
		{
			"New York, gap: an interval goes on evenly",
			Spec{Cron: "*/30 * * * *", Timezone: "America/New_York"},
			"2026-03-08T01:15:00-05:00",
			[]string{"2026-03-08T01:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00"},
		},
		{
			"Madrid, gap",
			Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid"},
			"2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		{
			"Madrid, repeated hour: the first pass",
			Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid"},
			"2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		{
			"Madrid, repeated hour, second",
			Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid", OverlapHour: OverlapHourSecond},
			"2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"},
		},
		{
			"Madrid, repeated hour, both",
			Spec{Cron: "30 2 * * *", Timezone: "Europe/Madrid", OverlapHour: OverlapHourBoth},
			"2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"},
		},
		{
			"Madrid, repeated hour: an interval runs in both passes",
			Spec{Cron: "30 * * * *", Timezone: "Europe/Madrid"},
			"2026-10-25T02:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"},
		},
		{
			"Madrid, repeated hour: an interval that wants the first pass only",
			Spec{Cron: "30 * * * *", Timezone: "Europe/Madrid", OverlapHour: OverlapHourFirst},
			"2026-10-25T02:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-25T03:30:00+01:00"},
		},
		{
			"Madrid, asked within the second pass",
			Spec{Cron: "*/20 2 * * *", Timezone: "Europe/Madrid"},
			"2026-10-25T02:10:00+01:00",
			[]string{"2026-10-26T02:00:00+01:00"},
		},
		{
			"Asunción, midnight does not exist",
			Spec{Cron: "0 0 * * *", Timezone: "America/Asuncion"},
			"2024-10-05T12:00:00-04:00",
			[]string{"2024-10-06T01:00:00-03:00", "2024-10-07T00:00:00-03:00"},
		},
		{
			"Asunción, no more changes since 2024",
			Spec{Cron: "0 9 * * *", Timezone: "America/Asuncion"},
			"2025-03-22T12:00:00Z",
			[]string{"2025-03-23T09:00:00-03:00", "2025-03-24T09:00:00-03:00"},
		},
		{
			"Lord Howe, gap of half an hour",
			Spec{Cron: "15 2 * * *", Timezone: "Australia/Lord_Howe"},
			"2026-10-03T12:00:00+10:30",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"},
		},
		{
			"Lord Howe, half an hour repeated",
			Spec{Cron: "45 1 * * *", Timezone: "Australia/Lord_Howe"},
			"2026-04-04T12:00:00+11:00",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"},
		},
		{
			"Casablanca, Ramadan begins: 02:30 comes twice",
			Spec{Cron: "30 2 * * *", Timezone: "Africa/Casablanca"},
			"2026-02-14T12:00:00+01:00",
			[]string{"2026-02-15T02:30:00+01:00", "2026-02-16T02:30:00Z"},
		},
		{
			"Casablanca, Ramadan ends: 02:30 does not exist",
			Spec{Cron: "30 2 * * *", Timezone: "Africa/Casablanca"},
			"2026-03-21T12:00:00Z",
			[]string{"2026-03-22T03:00:00+01:00", "2026-03-23T02:30:00+01:00"},
		},
		{
			"Apia left out a day: it is not made up for",
			Spec{Cron: "0 9 * * *", Timezone: "Pacific/Apia"},
			"2011-12-28T12:00:00-10:00",
			[]string{"2011-12-29T09:00:00-10:00", "2011-12-31T09:00:00+14:00", "2012-01-01T09:00:00+14:00"},
		},
		{
			"Apia, an interval goes on across the missing day",
			Spec{Cron: "0 * * * *", Timezone: "Pacific/Apia"},
			"2011-12-29T22:30:00-10:00",
			[]string{"2011-12-29T23:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		},
		{
			"Havana, midnight does not exist",
			Spec{Cron: "0 0 * * *", Timezone: "America/Havana"},
			"2026-03-07T12:00:00-05:00",
			[]string{"2026-03-08T01:00:00-04:00", "2026-03-09T00:00:00-04:00"},
		},
		{
			"Havana, midnight comes twice",
			Spec{Cron: "0 0 * * *", Timezone: "America/Havana"},
			"2026-10-31T12:00:00-04:00",
			[]string{"2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"},
		},
		{
			"an interval is anchored, not drifting",
			Spec{Every: 90 * time.Minute, Anchor: at(t, "2026-01-01T00:10:00Z")},
			"2026-01-01T01:00:00Z",
			[]string{"2026-01-01T01:40:00Z", "2026-01-01T03:10:00Z"},
		},
		{
			"an interval begins at its anchor",
			Spec{Every: time.Hour, Anchor: at(t, "2026-01-01T00:10:00Z")},
			"2025-06-01T00:00:00Z",
			[]string{"2026-01-01T00:10:00Z", "2026-01-01T01:10:00Z"},
		},
		{"an instant fires once", Spec{At: at(t, "2026-01-01T00:10:00Z")}, "2025-06-01T00:00:00Z", []string{"2026-01-01T00:10:00Z", ""}},
		{"an instant is strictly after", Spec{At: at(t, "2026-01-01T00:10:00Z")}, "2026-01-01T00:10:00Z", []string{""}},
		{
			"starts_at and ends_at are both included",
			Spec{
				Cron: "0 9 * * *", StartsAt: at(t, "2026-02-01T09:00:00Z"), EndsAt: at(t, "2026-02-02T09:00:00Z"),
			},
			"2026-01-01T00:00:00Z",
			[]string{"2026-02-01T09:00:00Z", "2026-02-02T09:00:00Z", ""},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustCompile(t, c.spec)
			from := at(t, c.from)
			for i, text := range c.fires {
				var want time.Time
				if text != "" {
					want = at(t, text)
				}
				got := s.Next(from)
				if !got.Equal(want) {
					t.Fatalf("fire %d is %s, want %q", i, got.In(s.zone).Format(time.RFC3339), text)
				}
				from = got
			}
		})
	}
}

var hardZones = []string{
	"UTC", "America/New_York", "Europe/Madrid", "America/Asuncion", "Australia/Lord_Howe", "Africa/Casablanca",
	"Pacific/Apia", "America/Havana", "Europe/Dublin", "America/St_Johns", "Asia/Kathmandu", "Antarctica/Troll",
	"America/Sao_Paulo", "Asia/Gaza", "Africa/El_Aaiun", "Pacific/Kiritimati",
}

func drawSpec(t *rapid.T) Spec {
	if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
		return Spec{
			Every:  time.Duration(rapid.Int64Range(1000, 1_000_000_000).Draw(t, "every")) * time.Millisecond,
			Anchor: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "anchor"), 0),
		}
	}
	minutes := rapid.SampledFrom([]string{"0", "30", "*/15", "*/7", "0,59", "5-10", "*"}).Draw(t, "minute")
	hours := rapid.SampledFrom([]string{"*", "0", "1", "2", "2,3", "0-2", "*/2", "23", "1-3"}).Draw(t, "hour")
	day := rapid.SampledFrom([]string{"*", "1", "L", "*/10", "30", "15W", "?"}).Draw(t, "day")
	months := rapid.SampledFrom([]string{"*", "*", "3,10", "2"}).Draw(t, "month")
	week := rapid.SampledFrom([]string{"*", "*", "SUN", "1-5", "FRI#2"}).Draw(t, "week")
	if day == "30" && months == "2" {
		months = "*"
	}
	return Spec{
		Cron:        minutes + " " + hours + " " + day + " " + months + " " + week,
		Timezone:    rapid.SampledFrom(hardZones).Draw(t, "zone"),
		Gap:         rapid.SampledFrom([]string{"", GapSkip}).Draw(t, "gap"),
		OverlapHour: rapid.SampledFrom([]string{"", OverlapHourFirst, OverlapHourSecond, OverlapHourBoth}).Draw(t, "overlap"),
	}
}

// drawInstant prefers the neighbourhood of a change of the zone's clock.
func drawInstant(t *rapid.T, s *Schedule) time.Time {
	at := time.Unix(rapid.Int64Range(time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC).Unix(),
		time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC).Unix()).Draw(t, "at"), 0)
	if rapid.Bool().Draw(t, "near a change") {
		if _, end := at.In(s.zone).ZoneBounds(); !end.IsZero() {
			at = end.Add(time.Duration(rapid.IntRange(-4*3600, 4*3600).Draw(t, "around")) * time.Second)
		}
	}
	return at.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 999_999_999}).Draw(t, "ns")))
}

func TestNextIsTheFirstFireAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Compile(drawSpec(t))
		if err != nil {
			t.Fatal(err)
		}
		x := drawInstant(t, s)
		next := s.Next(x)
		if next.IsZero() {
			t.Fatalf("no fire after %s", x)
		}
		if !next.After(x) {
			t.Fatalf("Next(%s) = %s is not after it", x, next)
		}
		between := x.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(x)-1)).Draw(t, "between")))
		if got := s.Next(between); !got.Equal(next) {
			t.Fatalf("Next(%s) = %s, and Next(%s) = %s lies between", x, next, between, got)
		}
		if got := s.Next(next.Add(-1)); !got.Equal(next) {
			t.Fatalf("Next(%s − 1 ns) = %s", next, got)
		}
	})
}

func TestPrevIsTheLastFireBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Compile(drawSpec(t))
		if err != nil {
			t.Fatal(err)
		}
		x := drawInstant(t, s)
		next := s.Next(x)
		prev := s.Prev(next)
		if prev.IsZero() {
			if first := s.Next(time.Time{}); !first.Equal(next) {
				t.Fatalf("nothing before %s, but the first fire is %s", next, first)
			}
			return
		}
		if prev.After(x) || !s.Next(prev).Equal(next) {
			t.Fatalf("Prev(%s) = %s, the next after that is %s", next, prev, s.Next(prev))
		}
	})
}

func TestPlansAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Compile(drawSpec(t))
		if err != nil {
			t.Fatal(err)
		}
		a := drawInstant(t, s)
		c := a.Add(time.Duration(rapid.Int64Range(0, int64(12*time.Hour)).Draw(t, "length")))
		b := a.Add(time.Duration(rapid.Int64Range(0, int64(c.Sub(a))).Draw(t, "cut")))
		whole, more := s.Plan(a, c, 50_000)
		if more {
			t.Fatal("cut short")
		}
		left, _ := s.Plan(a, b, 50_000)
		right, _ := s.Plan(b, c, 50_000)
		parts := append(left, right...)
		if len(parts) != len(whole) {
			t.Fatalf("plan(a, c) has %d fires, plan(a, b) + plan(b, c) %d", len(whole), len(parts))
		}
		for i := range whole {
			if !whole[i].Equal(parts[i]) {
				t.Fatalf("fire %d: %s and %s", i, whole[i], parts[i])
			}
		}
	})
}

// TestEveryWallTimeOnce compares appointments with a slow, obvious reading: walk through a day minute by minute and
// note each wall time the first time the zone's clock shows it.
func TestEveryWallTimeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		if spec.Cron == "" {
			t.Skip("only cron")
		}
		spec.Gap, spec.OverlapHour = GapSkip, ""
		s, err := Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		start := drawInstant(t, s).Truncate(time.Minute)
		if _, offset := start.In(s.zone).Zone(); offset%60 != 0 {
			t.Skip("offsets of that time are not whole minutes")
		}
		end := start.Add(26 * time.Hour)
		seen := map[string]bool{}
		var want []time.Time
		for m := start.Add(-4 * time.Hour); !m.After(end); m = m.Add(time.Minute) {
			wall := m.In(s.zone).Format(localLayout)
			again := seen[wall]
			seen[wall] = true
			clock, _ := time.Parse(localLayout, wall)
			if m.After(start) && s.expr.anyIn(clock, clock.Add(time.Second)) && (s.Interval() || !again) {
				want = append(want, m)
			}
		}
		got, _ := s.Plan(start, end, 5000)
		if len(got) != len(want) {
			t.Fatalf("%d fires, want %d\n got %v\nwant %v", len(got), len(want), got, want)
		}
		for i := range got {
			if !got[i].Equal(want[i]) {
				t.Fatalf("fire %d is %s, want %s", i, got[i], want[i])
			}
		}
	})
}

// TestPeriodsAreTrue walks every hard zone and compares with what the zone says a minute before and after each edge,
// and in between. It reaches into the years that the zones compute by rule.
func TestPeriodsAreTrue(t *testing.T) {
	for _, name := range hardZones {
		s := mustCompile(t, Spec{Cron: "* * * * *", Timezone: name})
		offset := func(t time.Time) time.Duration {
			_, seconds := t.In(s.zone).Zone()
			return time.Duration(seconds) * time.Second
		}
		p := s.periodAt(time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC))
		for n := 0; !p.to.IsZero() && p.to.Year() < 2100; n++ {
			if n > 2000 {
				t.Fatalf("%s: no end", name)
			}
			q := s.after(p)
			if !q.to.IsZero() && !q.to.After(q.from) {
				t.Fatalf("%s: a period that ends where it begins: %v", name, q)
			}
			for at := q.from; at.Before(q.to); at = at.Add(6 * time.Hour) {
				if offset(at) != q.offset {
					t.Fatalf("%s: the offset at %s is %s, the period %v says otherwise", name, at, offset(at), q)
				}
			}
			if !q.to.IsZero() && offset(q.to.Add(-time.Second)) != q.offset {
				t.Fatalf("%s: the offset changes before the end of %v", name, q)
			}
			p = q
		}
	}
}

func TestPlanIsBounded(t *testing.T) {
	s := mustCompile(t, Spec{Cron: "* * * * * *"})
	from := at(t, "2026-01-01T00:00:00Z")
	fires, more := s.Plan(from, from.Add(time.Hour), 10)
	if len(fires) != 10 || !more {
		t.Fatalf("%d fires, more %v", len(fires), more)
	}
	fires, more = s.Plan(from, from.Add(10*time.Second), 10)
	if len(fires) != 10 || more {
		t.Fatalf("%d fires, more %v; the end of the window is part of it", len(fires), more)
	}
}

func BenchmarkNext(b *testing.B) {
	from := at(b, "2026-03-01T12:34:56Z")
	for _, c := range []string{"*/2 * * * * *", "*/5 * * * *", "0 9 * * MON-FRI", "30 2 * * *", "0 0 1 1 *", "0 0 29 2 *"} {
		for _, zone := range []string{"UTC", "Europe/Madrid"} {
			b.Run(c+" "+zone, func(b *testing.B) {
				s := mustCompile(b, Spec{Cron: c, Timezone: zone})
				for b.Loop() {
					s.Next(from)
				}
			})
		}
	}
}
