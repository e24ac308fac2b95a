package schedule

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

func TestDaysOffAreLocalDates(t *testing.T) {
	s := mustCompile(t, Spec{Cron: "0 23 * * *", Timezone: "America/New_York"})
	off := NewDaysOff([]string{"2026-12-25"}, "holidays", []string{"2026-12-26", "2026-12-25"})
	var skipped []string
	note := func(date, calendar string) { skipped = append(skipped, strings.TrimSpace(date+" "+calendar)) }
	// 23:00 in New York is the next day in UTC: it is the local date that counts.
	got := s.NextRunning(at(t, "2026-12-25T05:00:00-05:00"), off, note)
	if !got.Equal(at(t, "2026-12-27T23:00:00-05:00")) {
		t.Errorf("the next that runs is %s", got)
	}
	if text := strings.Join(skipped, ", "); text != "2026-12-25, 2026-12-26 holidays" {
		t.Errorf("skipped %s", text)
	}
	if got := s.NextRunning(at(t, "2026-12-20T00:00:00Z"), DaysOff{}, nil); !got.Equal(s.Next(at(t, "2026-12-20T00:00:00Z"))) {
		t.Errorf("without days off: %s", got)
	}
}

// However often a schedule fires, a day off is passed over in one step, also where clocks change.
func TestADayOffEndsWhereTheDateDoes(t *testing.T) {
	for _, c := range []struct{ zone, date, from, next string }{
		{"Europe/Madrid", "2026-10-25", "2026-10-24T23:59:59+02:00", "2026-10-26T00:00:00+01:00"},
		{"America/Havana", "2026-11-01", "2026-10-31T23:59:59-04:00", "2026-11-02T00:00:00-05:00"},      // midnight comes twice
		{"America/Havana", "2026-03-07", "2026-03-06T23:59:59-05:00", "2026-03-08T01:00:00-04:00"},      // midnight does not come
		{"Pacific/Apia", "2011-12-29", "2011-12-28T23:59:59-10:00", "2011-12-31T00:00:00+14:00"},        // a date does not come
		{"America/St_Johns", "2006-10-28", "2006-10-27T23:59:59-02:30", "2006-10-29T00:00:00-02:30"},    // back over midnight
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-04T23:59:59+11:00", "2026-04-06T00:00:00+10:30"}, // half an hour
		{"Africa/Casablanca", "2026-02-15", "2026-02-14T23:59:59+01:00", "2026-02-16T00:00:00+00:00"},   // Ramadan
		{"America/Asuncion", "2024-10-05", "2024-10-04T23:59:59-04:00", "2024-10-06T01:00:00-03:00"},    // midnight does not come
		{"America/New_York", "2026-03-08", "2026-03-07T23:59:59-05:00", "2026-03-09T00:00:00-04:00"},    // 23 hours
		{"Antarctica/Troll", "2026-03-29", "2026-03-28T23:59:59+00:00", "2026-03-30T00:00:00+02:00"},    // two hours
	} {
		s := mustCompile(t, Spec{Cron: "* * * * * *", Timezone: c.zone})
		got := s.NextRunning(at(t, c.from), NewDaysOff([]string{c.date}, "", nil), nil)
		if !got.Equal(at(t, c.next)) {
			t.Errorf("%s, %s off: %s, want %s", c.zone, c.date, got.In(s.zone).Format(time.RFC3339), c.next)
		}
	}
}

func TestDatesThatAreNone(t *testing.T) {
	for _, c := range []struct {
		dates   []string
		pointer string
		says    string
	}{
		{[]string{"2026-12-25", "2026-02-30"}, "/1", "as in 2026-12-25"},
		{[]string{"25/12/2026"}, "/0", "as in 2026-12-25"},
		{[]string{"1066-01-01"}, "/0", "outside 1970 to 2200"},
		{[]string{"2026-12-25", "2026-12-25"}, "/1", "place 1 already"},
		{make([]string, 11), "", "at most 10"},
	} {
		f, ok := fault.Of(CheckDates(c.dates, 10))
		if !ok || f.Fields[0].Pointer != c.pointer || !strings.Contains(f.Fields[0].Message, c.says) {
			t.Errorf("CheckDates(%v) = %v", c.dates, f)
		}
	}
	if err := CheckDates([]string{"2026-12-25", "2028-02-29"}, 10); err != nil {
		t.Error(err)
	}
}

// A run starts at its fire or later, by less than the jitter, always before the next fire, and always at the same instant.
func TestJitter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Compile(drawSpec(t))
		if err != nil {
			t.Fatal(err)
		}
		fire := s.Next(drawInstant(t, s))
		if fire.IsZero() {
			t.Skip("no fire")
		}
		jitter := time.Duration(rapid.Int64Range(0, int64(MaxJitter)).Draw(t, "jitter"))
		seed := rapid.StringMatching(`[a-z0-9-]{1,36}`).Draw(t, "seed")
		start := s.Start(fire, jitter, seed)
		next := s.Next(fire)
		if start.Before(fire) || start.After(fire.Add(jitter)) || !next.IsZero() && !start.Before(next) {
			t.Fatalf("fire %s with jitter %s starts at %s, the next is %s", fire, jitter, start, next)
		}
		if !s.Start(fire, jitter, seed).Equal(start) {
			t.Fatal("it starts at another instant when asked again")
		}
	})
}

func TestJitterSpreads(t *testing.T) {
	s := mustCompile(t, Spec{Cron: "0 9 * * *"})
	fire := at(t, "2026-11-23T09:00:00Z")
	quarters := [4]int{}
	for i := range 400 {
		quarters[s.Start(fire, time.Hour, "trigger "+strings.Repeat("x", i)).Sub(fire)/(15*time.Minute)]++
	}
	for i, n := range quarters {
		if n < 50 {
			t.Errorf("quarter %d of the hour has %d of 400 triggers", i, n)
		}
	}
	if s.Start(fire, 0, "x") != fire {
		t.Error("without jitter it starts at the fire")
	}
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		spec  Spec
		least time.Duration
		says  string // empty: accepted
	}{
		{Spec{Cron: "* * * * * *"}, time.Second, ""},
		{Spec{Cron: "* * * * * *"}, 2 * time.Second, "every 1s"},
		{Spec{Cron: "*/10 * * * * *"}, 10 * time.Second, ""},
		{Spec{Cron: "0,50 * * * * *"}, 15 * time.Second, "every 10s"}, // from :50 to :00
		{Spec{Cron: "* * * * *"}, time.Minute, ""},
		{Spec{Cron: "*/7 * * * *"}, 5 * time.Minute, "every 4m0s"},      // from :56 to :00
		{Spec{Cron: "*/7 9 * * *"}, 5 * time.Minute, ""},                // the hour ends first
		{Spec{Cron: "0 0,23 * * *"}, 2 * time.Hour, "every 1h0m0s"},     // over midnight
		{Spec{Cron: "0 0,23 * * MON"}, 2 * time.Hour, ""},               // no two days in a row
		{Spec{Cron: "0 0,23 28,29 2 *"}, 2 * time.Hour, "every 1h0m0s"}, // only in leap years
		{Spec{Cron: "0 9 * * MON,FRI"}, 48 * time.Hour, ""},
		{Spec{Cron: "0 9 * * MON-FRI"}, 48 * time.Hour, "every 24h0m0s"},
		{Spec{Every: 90 * time.Second}, time.Minute, ""},
		{Spec{Every: 90 * time.Second}, 2 * time.Minute, "every 1m30s"},
		{Spec{At: time.Unix(4e9, 0)}, time.Hour, ""},
	} {
		err := mustCompile(t, c.spec).CheckPace(c.least)
		f, _ := fault.Of(err)
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%+v at one in %s: %v", c.spec, c.least, err)
		case c.says != "" && (err == nil || !strings.Contains(f.Fields[0].Message, c.says) || !strings.Contains(f.Fields[0].Message, "ORQ_MIN_INTERVAL")):
			t.Errorf("%+v at one in %s: %v, want %q", c.spec, c.least, err, c.says)
		}
	}
}
