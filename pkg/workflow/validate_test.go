package workflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

func log(id string, after ...string) Step {
	return Step{ID: id, Action: ActionLog, Config: json.RawMessage(`{"message":"hello"}`), DependsOn: after}
}

func http(id, config string, after ...string) Step {
	return Step{ID: id, Action: ActionHTTP, Config: json.RawMessage(config), DependsOn: after}
}

func cron(id, expression string) Trigger {
	return Trigger{ID: id, Type: TriggerSchedule, Cron: expression, Timezone: "Europe/Madrid"}
}

// Every mistake is told at once, each with a pointer to where it stands.
func TestWhatIsRefused(t *testing.T) {
	many := make([]Step, MaxSteps+1)
	for i := range many {
		many[i] = log(fmt.Sprint("s", i))
	}
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		def  Definition
		want []string // pointer: code
	}{
		{"no name", Definition{Steps: []Step{log("a")}}, []string{"/name: required"}},
		{"a long name", Definition{Name: strings.Repeat("ñ", 201), Steps: []Step{log("a")}}, []string{"/name: too_long"}},
		{"no steps", Definition{Name: "x"}, []string{"/steps: required"}},
		{"too many steps", Definition{Name: "x", Steps: many}, []string{"/steps: too_many"}},
		{"an id twice", Definition{Name: "x", Steps: []Step{log("a"), log("a")}}, []string{"/steps/1/id: duplicate_id"}},
		{"an id that is none", Definition{Name: "x", Steps: []Step{log("1 a")}}, []string{"/steps/0/id: identifier"}},
		{"an action that is none", Definition{Name: "x", Steps: []Step{{ID: "a", Action: "dance"}}}, []string{"/steps/0/action: action"}},
		{"after a step that is not there", Definition{Name: "x", Steps: []Step{log("a", "b")}}, []string{"/steps/0/depends_on/0: unknown_step"}},
		{"after itself", Definition{Name: "x", Steps: []Step{log("a", "a")}}, []string{"/steps/0/depends_on/0: cycle", "/steps/0/depends_on: cycle"}},
		{"in a circle", Definition{Name: "x", Steps: []Step{log("a", "c"), log("b", "a"), log("c", "b")}}, []string{"/steps/0/depends_on: cycle"}},
		{"a log without a message", Definition{Name: "x", Steps: []Step{{ID: "a", Action: ActionLog}}}, []string{"/steps/0/config/message: required"}},
		{"a level that is none", Definition{Name: "x", Steps: []Step{{ID: "a", Action: ActionLog, Config: json.RawMessage(`{"message":"m","level":"loud"}`)}}}, []string{"/steps/0/config/level: level"}},
		{"an unknown field of a configuration", Definition{Name: "x", Steps: []Step{http("a", `{"url":"http://e.org","verb":"GET"}`)}}, []string{"/steps/0/config: config_shape"}},
		{"no URL", Definition{Name: "x", Steps: []Step{http("a", `{}`)}}, []string{"/steps/0/config/url: required"}},
		{"a URL of another kind", Definition{Name: "x", Steps: []Step{http("a", `{"url":"file:///etc/passwd"}`)}}, []string{"/steps/0/config/url: url_scheme"}},
		{"a method that is none", Definition{Name: "x", Steps: []Step{http("a", `{"url":"http://e.org","method":"get"}`)}}, []string{"/steps/0/config/method: method"}},
		{"a header with a line break", Definition{Name: "x", Steps: []Step{http("a", `{"url":"http://e.org","headers":{"X-A":"a\r\nb"}}`)}}, []string{"/steps/0/config/headers/X-A: header_value"}},
		{"an unknown outcome that becomes something else", Definition{Name: "x", Steps: []Step{{ID: "a", Action: ActionHTTP, OnUnknown: "ask", Config: json.RawMessage(`{"url":"http://e.org"}`)}}}, []string{"/steps/0/on_unknown: on_unknown"}},
		{"an unknown outcome of what does not leave", Definition{Name: "x", Steps: []Step{{ID: "a", Action: ActionLog, OnUnknown: UnknownHold, Config: json.RawMessage(`{"message":"m"}`)}}}, []string{"/steps/0/on_unknown: on_unknown"}},
		{"a body with GET", Definition{Name: "x", Steps: []Step{http("a", `{"url":"http://e.org","body":{"text":"x"}}`)}}, []string{"/steps/0/config/body: body_method"}},
		{"two bodies", Definition{Name: "x", Steps: []Step{http("a", `{"url":"http://e.org","method":"POST","body":{"text":"x","json":1}}`)}}, []string{"/steps/0/config/body: body_form"}},
		{"a status that is none", Definition{Name: "x", Steps: []Step{http("a", `{"url":"http://e.org","expect_status":["ok"]}`)}}, []string{"/steps/0/config/expect_status/0: status"}},
		{"a cron line that is none", Definition{Name: "x", Triggers: []Trigger{cron("t", "61 * * * *")}, Steps: []Step{log("a")}}, []string{"/triggers/0/cron: out_of_range"}},
		{"a zone that is none", Definition{Name: "x", Triggers: []Trigger{{ID: "t", Type: TriggerSchedule, Cron: "@daily", Timezone: "Mars/Base"}}, Steps: []Step{log("a")}}, []string{"/triggers/0/timezone: unknown_zone"}},
		{"a trigger of another type", Definition{Name: "x", Triggers: []Trigger{{ID: "t", Type: "mail"}}, Steps: []Step{log("a")}}, []string{"/triggers/0/type: trigger_type"}},
		{"an overlap policy that is none", Definition{Name: "x", Triggers: []Trigger{{ID: "t", Type: TriggerSchedule, Cron: "@daily", Overlap: "pile_up"}}, Steps: []Step{log("a")}}, []string{"/triggers/0/overlap: unknown_value"}},
		{"an end before the start", Definition{Name: "x", Triggers: []Trigger{{ID: "t", Type: TriggerSchedule, Cron: "@daily", StartsAt: &past, EndsAt: &past}}, Steps: []Step{log("a")}}, []string{"/triggers/0/ends_at: range"}},
		{"an on_error that is none", Definition{Name: "x", Steps: []Step{{ID: "a", Action: ActionLog, Config: json.RawMessage(`{"message":"m"}`), OnError: "ignore"}}}, []string{"/steps/0/on_error: on_error"}},
		{"retries without end", Definition{Name: "x", Steps: []Step{{ID: "a", Action: ActionLog, Config: json.RawMessage(`{"message":"m"}`), Retry: &Retry{Attempts: 101}}}}, []string{"/steps/0/retry/attempts: range"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ok := fault.Of(Validate(c.def))
			if !ok {
				t.Fatal("it is accepted")
			}
			var got []string
			for _, field := range f.Fields {
				got = append(got, field.Pointer+": "+field.Code)
			}
			if len(got) == 0 || got[0][:strings.Index(got[0], ":")] != c.want[0][:strings.Index(c.want[0], ":")] {
				t.Errorf("faults %v, want %v", got, c.want)
			}
		})
	}
}

// A template may name a step only when that step has certainly ended.
func TestTemplatesNameEarlierSteps(t *testing.T) {
	note := func(message string, after ...string) Step {
		config, _ := json.Marshal(LogConfig{Message: message})
		return Step{ID: "note", Action: ActionLog, Config: config, DependsOn: after}
	}
	fetch := http("fetch", `{"url":"http://e.org"}`)
	for _, c := range []struct {
		name  string
		steps []Step
		code  string
	}{
		{"before it", []Step{fetch, log("mid", "fetch"), note("{{ steps.fetch.body.y }}", "mid")}, ""},
		{"beside it", []Step{fetch, note("{{ steps.fetch.body.y }}")}, "step_order"},
		{"nowhere", []Step{fetch, note("{{ steps.fetsh.body.y }}", "fetch")}, "unknown_step"},
		{"to an approval that is not there", []Step{note("{{ approvals.fetch }}"), fetch}, "unknown_approval"},
		{"in brackets", []Step{http("get-it", `{"url":"http://e.org"}`), note(`{{ steps["get-it"].status }}`, "get-it")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, _ := fault.Of(Validate(Definition{Name: "x", Steps: c.steps}))
			got := ""
			if f != nil {
				got = f.Fields[0].Code
			}
			if got != c.code {
				t.Errorf("code %q, want %q (%v)", got, c.code, f)
			}
		})
	}
	conditional := note("x")
	conditional.If = "steps.fetch.status == 200"
	if f, ok := fault.Of(Validate(Definition{Name: "x", Steps: []Step{fetch, conditional}})); !ok || f.Fields[0].Pointer != "/steps/1/if" {
		t.Errorf("a condition on a step that does not run before: %v", f)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond, "2d": 48 * time.Hour,
		"1.5d": 36 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0, "0.7d": 16*time.Hour + 48*time.Minute, ".5d": 12 * time.Hour,
	} {
		if d, err := ParseDuration(text); err != nil || time.Duration(d) != want {
			t.Errorf("ParseDuration(%s) = %v, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"", "5", "-5s", "soon", "1y", "99999999999d", "s", "d", ".d", "1.2.3d", "1e2d", "-1d"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v", text, d)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, int64(1000*24*time.Hour)).Draw(t, "ms") / 1e6 * 1e6)
		back, err := ParseDuration(d.String())
		if err != nil || back != d {
			t.Fatalf("%v is written %s and read %v (%v)", time.Duration(d), d, time.Duration(back), err)
		}
	})
}

func TestGraph(t *testing.T) {
	steps := []Step{log("a"), log("b", "a"), log("c", "a"), log("d", "b", "c"), log("e")}
	g := NewGraph(steps)
	if diff := cmp.Diff(map[int]bool{0: true, 1: true, 2: true}, g.Ancestors(3)); diff != "" {
		t.Error("ancestors of d:", diff)
	}
	if diff := cmp.Diff(map[int]bool{1: true, 2: true, 3: true}, g.Descendants(0)); diff != "" {
		t.Error("descendants of a:", diff)
	}
	if g.Cycle() != nil {
		t.Error("a cycle where there is none")
	}
}

// A graph has a cycle exactly when a step is among its own ancestors.
func TestCycles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "steps")
		steps := make([]Step, n)
		for i := range steps {
			steps[i] = log(fmt.Sprint("s", i))
			for _, j := range rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 3).Draw(t, "after") {
				steps[i].DependsOn = append(steps[i].DependsOn, fmt.Sprint("s", j))
			}
		}
		g := NewGraph(steps)
		circular := false
		for i := range steps {
			circular = circular || g.Ancestors(i)[i]
		}
		if got := g.Cycle() != nil; got != circular {
			t.Fatalf("Cycle found: %v, want %v", got, circular)
		}
	})
}

// A fallback is part of the order of the steps: it cannot run before what it stands in for, nor after what waits for that.
func TestFallbacksThatCannotBe(t *testing.T) {
	with := func(s Step, fallback string) Step {
		s.OnError, s.Fallback = OnErrorFallback, fallback
		return s
	}
	for _, c := range []struct {
		name  string
		steps []Step
		want  string
	}{
		{"none", []Step{with(log("a"), "")}, "/steps/0/fallback: required"},
		{"one that is not there", []Step{with(log("a"), "b")}, "/steps/0/fallback: unknown_step"},
		{"itself", []Step{with(log("a"), "a")}, "/steps/0/fallback: cycle"},
		{"an earlier step", []Step{log("a"), with(log("b", "a"), "a")}, "/steps/0/depends_on: cycle"},
		{"a step after the next", []Step{with(log("a"), "c"), log("b", "a"), log("c", "b")}, "/steps/1/depends_on: cycle"},
		{"a name without the choice", []Step{{ID: "a", Action: ActionLog, Config: json.RawMessage(`{"message":"m"}`), Fallback: "b"}, log("b")}, "/steps/0/fallback: fallback"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ok := fault.Of(Validate(Definition{Name: "x", Steps: c.steps}))
			if !ok {
				t.Fatal("it is accepted")
			}
			if got := f.Fields[0].Pointer + ": " + f.Fields[0].Code; len(f.Fields) != 1 || got != c.want {
				t.Errorf("faults %v, want %s", f.Fields, c.want)
			}
		})
	}
	if err := Validate(Definition{Name: "x", Steps: []Step{with(log("a"), "b"), log("b"), log("c", "a", "b")}}); err != nil {
		t.Errorf("a good one is refused: %v", err)
	}
}
