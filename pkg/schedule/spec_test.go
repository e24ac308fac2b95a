package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// TestRefusals: each refusal points at the field and says what would be right.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		spec    Spec
		pointer string
		says    string
	}{
		{Spec{}, "/cron", "say when it fires"},
		{Spec{Cron: "61 * * * *"}, "/cron", "minute: 61 is out of range: use 0–59"},
		{Spec{Cron: "0 24 * * *"}, "/cron", "hour: 24 is out of range: use 0–23"},
		{Spec{Cron: "0 0 0 * *"}, "/cron", "day of month: 0 is out of range: use 1–31"},
		{Spec{Cron: "0 0 * 13 *"}, "/cron", "month: 13 is out of range: use 1–12"},
		{Spec{Cron: "0 0 * * 8"}, "/cron", "day of week: 8 is out of range: use 0–7"},
		{Spec{Cron: "60 * * * * *"}, "/cron", "second: 60 is out of range: use 0–59"},
		{Spec{Cron: "1,,2 * * * *"}, "/cron", "remove the extra comma"},
		{Spec{Cron: ",1 * * * *"}, "/cron", "remove the extra comma"},
		{Spec{Cron: "+5 * * * *"}, "/cron", `minute: "+5" is not known`},
		{Spec{Cron: "5-1 * * * *"}, "/cron", `runs backwards: write "5-59,0-1"`},
		{Spec{Cron: "0 0 * * SAT-MON"}, "/cron", `runs backwards: write "6,0-1"`},
		{Spec{Cron: "*/0 * * * *"}, "/cron", "must be at least 1"},
		{Spec{Cron: "*/90 * * * *"}, "/cron", "for a longer interval use every"},
		{Spec{Cron: "*/x * * * *"}, "/cron", `the step "x" in "*/x" is not a number`},
		{Spec{Cron: "5- * * * *"}, "/cron", "incomplete"},
		{Spec{Cron: "? * * * *"}, "/cron", "? stands alone"},
		{Spec{Cron: "* * ?/2 * *"}, "/cron", "? stands alone"},
		{Spec{Cron: "0 0 * * MONDAY"}, "/cron", "a name of three letters such as MON"},
		{Spec{Cron: "0 0 * JANUARY *"}, "/cron", "a name of three letters such as FEB"},
		{Spec{Cron: "0 0 * * 5L"}, "/cron", "FRI#L"},
		{Spec{Cron: "0 0 * * FRI#6"}, "/cron", "after # comes 1 to 5"},
		{Spec{Cron: "0 0 L-31 * *"}, "/cron", "n from 1 to 30"},
		{Spec{Cron: "0 0 * * 4W"}, "/cron", "W belongs to day of month"},
		{Spec{Cron: "0 0 1 1 * 2027 *"}, "/cron", "a year is not supported"},
		{Spec{Cron: "* * * *"}, "/cron", "4 fields where 5 are expected"},
		{Spec{Cron: " \t "}, "/cron", "empty"},
		{Spec{Cron: "0 0 * * *\n"}, "/cron", "does not belong"},
		{Spec{Cron: "０ 0 * * *"}, "/cron", "does not belong"},
		{Spec{Cron: strings.Repeat("1,", 300) + "1 * * * *"}, "/cron", "at most 512"},
		{Spec{Cron: "TZ=Europe/Madrid 0 9 * * *"}, "/cron", "put it into timezone"},
		{Spec{Cron: "CRON_TZ=UTC"}, "/cron", "put it into timezone"},
		{Spec{Cron: "@every 5m"}, "/cron", "use every with a duration"},
		{Spec{Cron: "@reboot"}, "/cron", "@daily"},
		{Spec{Cron: "0 0 31 2 *"}, "/cron", "it never fires"},
		{Spec{Cron: "0 0 30 2 *"}, "/cron", "it never fires"},
		{Spec{Cron: "0 0 31 2,4,6,9,11 *"}, "/cron", "it never fires"},
		{Spec{Cron: "0 9 * * *", Timezone: "Europe/Madird"}, "/timezone", "use an IANA name"},
		{Spec{Cron: "0 9 * * *", Timezone: "europe/madrid"}, "/timezone", "did you mean Europe/Madrid?"},
		{Spec{Cron: "0 9 * * *", Timezone: "America/New York"}, "/timezone", "did you mean America/New_York?"},
		{Spec{Cron: "0 9 * * *", Timezone: "utc"}, "/timezone", "did you mean UTC?"},
		{Spec{Cron: "0 9 * * *", Timezone: "Local"}, "/timezone", "name the zone"},
		{Spec{Cron: "0 9 * * *", Timezone: "../../etc/passwd"}, "/timezone", "is not known"},
		{Spec{Cron: "0 9 * * *", Timezone: "right/UTC"}, "/timezone", "leave out"},
		{Spec{Cron: "0 9 * * *", Gap: "later"}, "/gap", "run_after"},
		{Spec{Cron: "0 9 * * *", OverlapHour: "third"}, "/overlap_hour", "first, second or both"},
		{Spec{Cron: "0 9 * * *", Every: time.Hour}, "/every", "cannot be combined"},
		{Spec{Every: time.Hour, At: at(t, "2026-01-01T00:00:00Z")}, "/at", "cannot be combined"},
		{Spec{Every: 999 * time.Millisecond}, "/every", "shortest interval"},
		{Spec{Every: -time.Hour}, "/every", "shortest interval"},
		{Spec{Every: 20 * 365 * 24 * time.Hour}, "/every", "10 years"},
		{Spec{Every: time.Second + time.Microsecond}, "/every", "whole milliseconds"},
		{Spec{Cron: "0 9 * * *", Anchor: at(t, "2026-01-01T00:00:00Z")}, "/anchor", "belongs to every"},
		{Spec{At: at(t, "2300-01-01T00:00:00Z")}, "/at", "outside 1970 to 2200"},
		{Spec{Cron: "0 9 * * *", StartsAt: at(t, "1066-01-01T00:00:00Z")}, "/starts_at", "outside 1970 to 2200"},
		{Spec{Cron: "0 9 * * *", StartsAt: at(t, "2026-01-02T00:00:00Z"), EndsAt: at(t, "2026-01-01T00:00:00Z")}, "/ends_at", "after starts_at"},
		{Spec{Cron: "0 9 * * *", StartsAt: at(t, "2026-01-01T10:00:00Z"), EndsAt: at(t, "2026-01-01T11:00:00Z")}, "/ends_at", "nothing fires between"},
	} {
		_, err := Compile(c.spec)
		f, ok := fault.Of(err)
		switch {
		case !ok || f.Kind != fault.Invalid || len(f.Fields) != 1:
			t.Errorf("Compile(%+v) = %v, want one field", c.spec, err)
		case f.Fields[0].Pointer != c.pointer || !strings.Contains(f.Fields[0].Message, c.says):
			t.Errorf("Compile(%+v) = %v\nwant %q at %s", c.spec, err, c.says, c.pointer)
		case f.Fields[0].Code == "":
			t.Errorf("Compile(%+v): no code", c.spec)
		}
	}
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	_, err := Compile(Spec{Cron: "99 * * * *", Timezone: "Nowhere", Gap: "x", OverlapHour: "y"})
	if f, ok := fault.Of(err); !ok || len(f.Fields) != 4 {
		t.Fatalf("Compile = %v, want four fields", err)
	}
}

// TestReadings: different ways to write the same.
func TestReadings(t *testing.T) {
	for _, c := range [][2]string{
		{"0 0 * * 7", "0 0 * * 0"},
		{"0 0 * * SUN", "0 0 * * 0"},
		{"0 0 * jan,Feb mon-FRI", "0 0 * 1,2 1-5"},
		{"0 0 * * FRI-SUN", "0 0 * * 0,5,6"},
		{"0 0 * * 5-7", "0 0 * * 0,5,6"},
		{"0 0 * * 1/2", "0 0 * * 1,3,5"},
		{"0 0 ? * 1", "0 0 * * 1"},
		{"0 0 1 * ?", "0 0 1 * *"},
		{"5/15 * * * *", "5,20,35,50 * * * *"},
		{"50/20 * * * *", "50 * * * *"},
		{"007 0 * * *", "7 0 * * *"},
		{"  0\t0 *  * * ", "0 0 * * *"},
		{"@Hourly", "0 * * * *"},
		{"@midnight", "0 0 0 * * *"},
		{"0 0 29 2 *", "0 0 29 FEB ?"},
		{"0 0 * * 0#L", "0 0 * * 7#l"},
	} {
		a, b := mustCompile(t, Spec{Cron: c[0]}), mustCompile(t, Spec{Cron: c[1]})
		from := at(t, "2026-01-01T00:00:00Z")
		for range 50 {
			x, y := a.Next(from), b.Next(from)
			if !x.Equal(y) {
				t.Fatalf("%q fires at %s, %q at %s", c[0], x, c[1], y)
			}
			from = x
		}
	}
}

func TestTheSpecComesBackFilledIn(t *testing.T) {
	s := mustCompile(t, Spec{At: time.Date(2026, 1, 1, 9, 0, 0, 1234, time.FixedZone("", 3600))})
	if got := s.Spec(); got.Timezone != "UTC" || !got.At.Equal(at(t, "2026-01-01T08:00:00.000001Z")) || got.At.Location() != time.UTC {
		t.Fatalf("Spec() = %+v", got)
	}
	if !s.Next(at(t, "2026-01-01T00:00:00Z")).Equal(s.Spec().At) {
		t.Fatal("the fire is not the stored instant")
	}
}

func TestInterval(t *testing.T) {
	for spec, want := range map[Spec]bool{
		{Cron: "*/5 * * * *"}:       true,
		{Cron: "30 0-23 * * *"}:     true,
		{Cron: "0 */2 * * *"}:       false,
		{Cron: "0 9 * * *"}:         false,
		{Every: time.Hour}:          true,
		{At: time.Unix(1e9, 0)}:     false,
		{Cron: "* * * * * MON-FRI"}: true,
	} {
		if got := mustCompile(t, spec).Interval(); got != want {
			t.Errorf("Interval of %+v = %v", spec, got)
		}
	}
}

func TestZoneData(t *testing.T) {
	if TZDataVersion() == "" {
		t.Error("no version")
	}
	if !TZDataOK() {
		t.Skip("the zone data of this machine is older than 2024b")
	}
}

// Whatever is typed is refused with a fault, or fires as it says; and everything that can be asked about it has an answer.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"0 9 * * MON-FRI", "*/15 2 * * *", "0 0 L-3 * ?", "0 0 15W * FRI#3", "TZ=0", "@daily", "0 0 31 2 *", "1,,2 * * * *",
		"0 0 LW 2 0#L", "9999/9999 * * * *", "* * * * * * *", "5-1 * * * *",
	} {
		f.Add(s, "Europe/Madrid", int64(1_700_000_000), "", "")
	}
	f.Add("0 2 * * *", "Pacific/Apia", int64(1_325_000_000), "skip", "both")
	f.Add("*/20 * * * *", "Australia/Lord_Howe", int64(1_775_313_000), "", "first")
	f.Add("30 2 29 2 *", "America/New_York", int64(4_107_542_399), "run_after", "second")
	for _, c := range read[[]struct{ Expression, Zone, From string }](f, "testdata/cron-cases.json") {
		f.Add(c.Expression, c.Zone, at(f, c.From).Unix(), "", "")
	}
	for _, c := range read[[]struct{ Expression string }](f, "testdata/cron-invalid.json") {
		f.Add(c.Expression, "UTC", int64(0), "", "")
	}
	f.Fuzz(func(t *testing.T, expression, zone string, unix int64, gap, overlap string) {
		s, err := Compile(Spec{Cron: expression, Timezone: zone, Gap: gap, OverlapHour: overlap})
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("%v is no fault", err)
			}
			return
		}
		from := time.Unix(unix%4_000_000_000, 0)
		next := s.Next(from)
		if !next.IsZero() && !next.After(from) {
			t.Fatalf("Next(%s) = %s", from, next)
		}
		if !next.IsZero() && !s.Next(next.Add(-1)).Equal(next) {
			t.Fatalf("Next(%s − 1 ns) is not it", next)
		}
		if prev := s.Prev(next); !next.IsZero() && !prev.IsZero() && (prev.After(from) || !s.Next(prev).Equal(next)) {
			t.Fatalf("Prev(%s) = %s", next, prev)
		}
		if start := s.Start(next, MaxJitter, "seed"); start.Before(next) || start.Sub(next) >= MaxJitter {
			t.Fatalf("the run of %s begins at %s", next, start)
		}
		s.Fires(from, 3)
		s.Anomalies(from, from.AddDate(2, 0, 0))
		if err := s.CheckPace(time.Hour); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%v is no fault", err)
		}
		if _, fires := s.FireAt(from); !fires && s.Absent(from).Explain("es") == "" {
			t.Fatalf("nothing is said about %s", from)
		}
		if jump, exists := s.AtWall(from); !exists && s.AbsentWall(from, jump).Explain("en") == "" {
			t.Fatalf("nothing is said about the wall time %s", from)
		}
		if s.Describe("en") == "" || s.Describe("es") == "" {
			t.Fatal("no description")
		}
	})
}
