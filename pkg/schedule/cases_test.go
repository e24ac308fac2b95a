package schedule

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

func mustCompile(t testing.TB, spec Spec) *Schedule {
	t.Helper()
	s, err := Compile(spec)
	if err != nil {
		t.Fatalf("Compile(%+v): %v", spec, err)
	}
	return s
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func read[T any](t testing.TB, path string) T {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestReferenceCases compares with answers on which at least two independent implementations agree.
func TestReferenceCases(t *testing.T) {
	cases := read[[]struct {
		ID, Expression, Zone, From string
		Count                      int
		Expected                   []string
	}](t, "testdata/cron-cases.json")
	if len(cases) < 30 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			s, err := Compile(Spec{Cron: c.Expression, Timezone: c.Zone})
			if len(c.Expected) == 0 {
				if err == nil {
					t.Fatal("an expression that never fires must be refused")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			from := at(t, c.From)
			for i, want := range c.Expected {
				got := s.Next(from)
				if !got.Equal(at(t, want)) {
					t.Fatalf("%q in %s: fire %d is %s, want %s", c.Expression, c.Zone, i,
						got.In(s.zone).Format(time.RFC3339), want)
				}
				from = got
			}
		})
	}
}

func TestReferenceRefusals(t *testing.T) {
	for _, c := range read[[]struct{ Expression string }](t, "testdata/cron-invalid.json") {
		_, err := Compile(Spec{Cron: c.Expression})
		f, ok := fault.Of(err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Pointer != "/cron" {
			t.Errorf("Compile(%q) = %v, want one field at /cron", c.Expression, err)
		}
	}
}
