package expr

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// doubling is let a1 = f(a0); let a2 = f(a1); …
func doubling(first, f, last string, times int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "let a0 = %s; ", first)
	for i := range times {
		fmt.Fprintf(&b, "let a%d = %s; ", i+1, strings.ReplaceAll(f, "A", fmt.Sprintf("a%d", i)))
	}
	return b.String() + strings.ReplaceAll(last, "A", fmt.Sprintf("a%d", times))
}

// TestBombs: each of these would take gigabytes or minutes without the guard. They must end with an error; the time
// limit of the test run is the only clock.
func TestBombs(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	env := Env{"inputs": map[string]any{"big": big, "list": make([]any, 50_000)}}
	for name, src := range map[string]string{
		"text that doubles":                  doubling(`"aaaaaaaa"`, "A + A", "len(A)", 40),
		"text that doubles by join":          doubling(`"aaaaaaaa"`, `join([A, A])`, "len(A)", 40),
		"text that doubles by replace":       doubling(`"aaaaaaaa"`, `replace(A, "a", "aa")`, "len(A)", 40),
		"text that doubles by JSON":          doubling(`"\"\"\"\""`, "toJSON(A)", "len(A)", 60),
		"replace of nothing":                 `len(replace(inputs.big, "", inputs.big))`,
		"reduce that concatenates":           `len(reduce(1..90000, #acc + "aaaaaaaaaaaaaaaa", ""))`,
		"reduce that joins":                  `len(reduce(1..90000, join([#acc, #acc]), "aa"))`,
		"a range too long":                   `1..1000000000`,
		"ranges in ranges":                   `map(1..1000, map(1..1000, #))`,
		"predicates in predicates":           `let r = 1..90000; all(r, all(r, all(r, # > 0)))`,
		"a slow search in each round":        `let r = 1..90000; filter(r, -1 in r)`,
		"comparing in each round":            `let r = 1..90000; filter(r, r == (1..90000))`,
		"a shared tree, written":             doubling("[1]", "[A, A]", "toJSON(A)", 40),
		"a shared tree, returned":            doubling("[1]", "[A, A]", "A", 40),
		"a shared tree of maps, returned":    doubling(`{"k": 1}`, `{"x": A, "y": A}`, "A", 40),
		"a shared tree, as text":             doubling("[1]", "[A, A]", "string(A)", 40),
		"two shared trees, compared":         doubling("[1]", "[A, A]", "A == [A[0], A[1]]", 40),
		"a deep value":                       `reduce(1..90000, [#acc], 1)`,
		"splitting in each round":            `map(1..1000, split(inputs.big, ""))`,
		"a regular expression over much":     `inputs.big matches "(x+x+)+(y|z)(x{1,50}){10}"`,
		"a regular expression that explodes": `"a" matches "((a{100}){10}){10}"`,
		"a long pattern":                     `"a" matches "` + strings.Repeat("a", 3000) + `"`,
		"a regular expression in each round": `filter(1..90000, inputs.big matches "^x+y")`,
		"upper in each round":                `map(1..1000, upper(inputs.big))`,
		"base64 in each round":               `map(1..1000, toBase64(inputs.big))`,
		"trim with a long set":               `trim(inputs.big, inputs.big)`,
		"sort in each round":                 `map(1..1000, sort(1..900))`,
		"reverse in each round":              `map(1..10000, reverse(inputs.list))`,
		"much JSON":                          `fromJSON("[" + inputs.big + inputs.big + "]")`,
		"a result too large":                 `inputs.big`,
		"a list too large":                   `inputs.list`,
		"many large comparisons":             strings.Repeat(`inputs.big + "" != inputs.big or `, 40) + "false",
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := ParseTemplate("{{ " + src + " }}")
			if err != nil {
				t.Fatalf("it must fail when it runs, not before: %v", err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v, err := parsed.Eval(t.Context(), env)
			runtime.ReadMemStats(&after)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("Eval = %.100v, %v; want an error", v, err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 512<<20 {
				t.Errorf("it took %d MiB", used>>20)
			}
		})
	}
}

// TestHarmless: large, and within the bounds.
func TestHarmless(t *testing.T) {
	big := strings.Repeat("x", 200<<10)
	env := Env{"inputs": map[string]any{"big": big}}
	for _, src := range []string{
		"{{ " + strings.Repeat("(", 450) + "1" + strings.Repeat(")", 450) + " }}",
		"{{ inputs.big }}",
		"{{ len(filter(1..20000, # % 2 == 0)) }}",
		`{{ inputs.big matches "^x+$" }}`,
		`{{ len(inputs.big + inputs.big) }}`,
	} {
		parsed, err := ParseTemplate(src)
		if err != nil {
			t.Errorf("%.60s: %v", src, err)
			continue
		}
		if _, err := parsed.Eval(t.Context(), env); err != nil {
			t.Errorf("%.60s: %v", src, err)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, src := range []string{
		"{{ steps.fetch.body.usd }}", "a {{ inputs.x ?? 1 }} b", `{{ {"a":{"b":1}}.a }}`, "{{ filter(inputs.list, # > 1) }}",
		"{{ let a = 1; a + 1 }}", "{{ reduce(1..9, #acc + #) }}", `{{ "a" matches "(" }}`, "{{", "}}", "{{ $env }}", "{{ [1][-1:] }}",
		"{{ inputs.people | sortBy(.age) | map(.name) | join(\", \") }}", "{{ if true { 1 } else { 2 } }}", "{{ -9223372036854775808 % -1 }}",
	} {
		f.Add(src)
	}
	env := world(f)
	f.Fuzz(func(t *testing.T, src string) {
		parsed, err := ParseTemplate(src)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is no fault", err)
			}
			return
		}
		v, err := parsed.Eval(t.Context(), env)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%v is no fault", err)
		}
		if err == nil {
			if _, err := toJSON(&budget{ctx: t.Context()}, v); err != nil {
				t.Fatalf("the result %v is no JSON: %v", v, err)
			}
		}
		_, _ = ParseCondition(src)
	})
}

func BenchmarkEval(b *testing.B) {
	env := world(b)
	parsed, err := ParseTemplate("1 EUR = {{ steps.fetch.body.usd }} USD, {{ inputs.count + 1 }}")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := parsed.Eval(b.Context(), env); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := ParseTemplate("1 EUR = {{ steps.fetch.body.usd }} USD"); err != nil {
			b.Fatal(err)
		}
	}
}
