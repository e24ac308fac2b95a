package expr

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// world is what a run looks like to its templates.
func world(t testing.TB) Env {
	t.Helper()
	var env Env
	err := json.Unmarshal([]byte(`{
		"inputs": {"base": "EUR", "count": 3, "empty": "", "flag": true, "big": 12345678901, "list": [3, 1, 2],
			"people": [{"name": "Ana", "age": 41}, {"name": "Luis", "age": 30}], "when": "2026-03-01T10:00:00Z"},
		"steps": {"fetch": {"status": 200, "body": {"usd": 1.25, "items": [1, 2, 3], "a b": "x"}, "headers": {"Content-Type": "application/json"}},
			"page": {"status": 200, "body": "<html>"}, "never": null},
		"run": {"id": "0190", "attempt": 1},
		"trigger": {"id": "morning"},
		"workflow": {"name": "Daily"},
		"secrets": {"token": "s3cr3t"}
	}`), &env)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func eval(t testing.TB, src string) (any, error) {
	t.Helper()
	parsed, err := ParseTemplate(src)
	if err != nil {
		return nil, err
	}
	return parsed.Eval(t.Context(), world(t))
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct {
		src  string
		want any
	}{
		{"no expression", "no expression"},
		{"", ""},
		{"one { brace } and }} is text", "one { brace } and }} is text"},

		// Exactly one expression keeps its type; with text around it, it is text.
		{"{{ inputs.count }}", 3.0},
		{"{{inputs.flag}}", true},
		{"{{ steps.fetch.body.items }}", []any{1.0, 2.0, 3.0}},
		{"n={{ inputs.count }}", "n=3"},
		{" {{ inputs.count }}", " 3"},
		{"{{ inputs.base }}/{{ inputs.count + 1 }}", "EUR/4"},
		{"1 EUR = {{ steps.fetch.body.usd }} USD", "1 EUR = 1.25 USD"},
		{"{{ inputs.big }} {{ inputs.big * 1000000 }}", "12345678901 12345678901000000"},
		{"{{ inputs.flag }}, {{ steps.fetch.body.items }}", "true, [1,2,3]"},
		{"{{ inputs.people[0] }}!", `{"age":41,"name":"Ana"}!`},
		{"a{{ nil }}b", "ab"},

		// What is not there is nil.
		{"{{ steps.fetch.body.nothing }}", nil},
		{"{{ steps.fetch.body.nothing.deeper[3].still }}", nil},
		{"{{ steps.never.body.usd }}", nil},
		{"{{ steps.unknown.body }}", nil},
		{"[{{ steps.unknown.body }}]", "[]"},
		{"{{ inputs.list[9] }}", nil},
		{"{{ inputs.list[-1] }}", 2.0},
		{"{{ steps?.unknown?.body ?? \"none\" }}", "none"},
		{"{{ inputs.base ?? \"USD\" }} {{ inputs.other ?? \"USD\" }}", "EUR USD"},
		{`{{ steps.fetch.body["a b"] }}`, "x"},
		{`{{ steps.fetch.headers["Content-Type"] }}`, "application/json"},

		// Quotes and braces within an expression.
		{`{{ {"a": 1}.a }}`, 1.0},
		{`{{ {"a": {"b": {"c": 2}}}.a.b }}`, map[string]any{"c": 2.0}},
		{`{{ "}}" }}`, "}}"},
		{`{{ "{{" }} and {{ '}}' }}`, "{{ and }}"},
		{`{{ "a \" }} b" }}`, `a " }} b`},
		{"{{ `}}` }}", "}}"},
		{"{{\n  inputs.count > 2\n    ? \"many\"\n    : \"few\"\n}}", "many"},

		// Numbers of either kind.
		{"{{ steps.fetch.status == 200 }}", true},
		{"{{ 200 == 200.0 }}", true},
		{"{{ inputs.count == 3 and inputs.count != 4 }}", true},
		{"{{ inputs.count / 2 }}", 1.5},
		{"{{ 10 / 5 }} {{ 2 ** 10 }} {{ 7 % 4 }}", "2 1024 3"},
		{"{{ 1 + 2 }}", 3.0},
		{"{{ 9007199254740993 }}", int64(9007199254740993)},
		{"{{ 9223372036854775807 + 1 }}!", "9223372036854776000!"}, // beyond int64 it is a float
		{"{{ 0.1 + 0.2 }}", 0.30000000000000004},
		{"{{ '1' == 1 }}", false},

		// Texts.
		{`{{ "n" + inputs.count + true + nil }}`, "n3true"},
		{`{{ upper(inputs.base) }} {{ inputs.base | lower() }}`, "EUR eur"},
		{`{{ join(split("a,b,c", ","), "-") }}`, "a-b-c"},
		{`{{ replace("aXbX", "X", "--") }}`, "a--b--"},
		{`{{ len("añb") }}`, 3.0},
		{`{{ trim("  x ") + trim("--x-", "-") }}`, "xx"},
		{`{{ "EUR" in ["EUR", "USD"] and "usd" in steps.fetch.body }}`, true},
		{`{{ inputs.base matches "^[A-Z]{3}$" }}`, true},
		{`{{ inputs.base contains "U" and inputs.base startsWith "E" and inputs.base endsWith "R" }}`, true},
		{`{{ inputs.nothing contains "x" }}`, false},
		{`{{ 3 in inputs.list and 4 not in inputs.list }}`, true},
		{`{{ urlEncode("a b&c") }}`, "a+b%26c"},
		{`{{ fromBase64(toBase64("hé")) }}`, "hé"},

		// Lists and maps.
		{"{{ filter(inputs.people, .age > 35) | map(.name) }}", []any{"Ana"}},
		{"{{ map(inputs.list, # * 2) }}", []any{6.0, 2.0, 4.0}},
		{"{{ sum(inputs.list) }} {{ min(inputs.list) }} {{ max(1, 7) }} {{ mean(inputs.list) }}", "6 1 7 2"},
		{"{{ sort(inputs.list) }}{{ sort([\"b\", \"a\"], \"desc\") }}", `[1,2,3]["b","a"]`},
		{"{{ keys(inputs.people[0]) }} {{ values(inputs.people[0]) }}", `["age","name"] [41,"Ana"]`},
		{"{{ first(inputs.list) }} {{ last(inputs.list) }} {{ reverse(inputs.list) }} {{ take(inputs.list, 2) }}", "3 2 [2,1,3] [3,1]"},
		{"{{ count(inputs.people, .age > 0) }} {{ any(inputs.list, # == 2) }} {{ all(inputs.list, # > 1) }}", "2 true false"},
		{"{{ sortBy(inputs.people, .age)[0].name }}", "Luis"},
		{"{{ groupBy(inputs.people, .name).Ana[0].age }}", 41.0},
		{"{{ reduce(inputs.list, #acc + #, 0) }}", 6.0},
		{"{{ inputs.list[1:] }}", []any{1.0, 2.0}},
		{"{{ 1..3 }}", []any{1.0, 2.0, 3.0}},
		{"{{ [1, [2]] == [1.0, [2]] }} {{ {\"a\": 1} == {\"a\": 2} }}", "true false"},
		{`{{ toJSON({"a": "<&>"}) }}`, `{"a":"<&>"}`},
		{`{{ fromJSON("{\"a\": [1]}").a[0] }}`, 1.0},
		{"{{ let x = inputs.count; x * x }}", 9.0},
		{"{{ type(inputs.list) }} {{ type(1) }} {{ type(nil) }} {{ type({}) }}", "array number nil map"},
		{"{{ int(\"42\") + int(3.9) + float(\"0.5\") }}", 45.5},
		{"{{ round(2.5) }} {{ floor(-1.5) }} {{ ceil(1.2) }} {{ abs(-3) }}", "3 -2 2 3"},
		{"{{ string(inputs.big) }}", "12345678901"},

		// Times.
		{`{{ date(inputs.when) + duration("1h") }}`, "2026-03-01T11:00:00Z"},
		{`{{ formatDate(inputs.when, "2006-01-02 15:04", "Europe/Madrid") }}`, "2026-03-01 11:00"},
		{`{{ date("2026-01-02") < date("2026-01-03") }}`, true},
	} {
		got, err := eval(t, c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.src, diff)
		}
	}
}

// TestSyntaxErrors: they say where and what.
func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct{ src, says string }{
		{"{{ stepz.a }}", "character 4: unknown name stepz: known are inputs, steps, run"},
		{"ñ {{ steps.a + stepz }}", "character 16: unknown name stepz"},
		{"first\nsecond {{ stepz }}", "line 2, character 11: unknown name stepz"},
		{"{{ nofunction(1) }}", "character 4: unknown function nofunction: known are abs"},
		{"{{ inputs.a }", "character 1: {{ is never closed"},
		{`{{ "a }}`, "never closed"},
		{"{{ (1 }}", "character 1: {{ is never closed"},
		{"{{ }}", "the expression is empty"},
		{"{{ 1 + }}", "unexpected token EOF"},
		{"{{ 1 1 }}", "character 6"},
		{"{{ join() }}", "join takes 1 to 2 arguments, here are 0"},
		{"{{ upper(1, 2) }}", "upper takes 1 argument, here are 2"},
		{"{{ $env }}", "unknown name $env"},
		{"{{ $budget }}", "unknown name $budget"},
		{"{{ $get($budget, 1, 2) }}", "unknown"},
		{"{{ let $budget = 1; 2 }}", "leave out the dollar sign"},
		{"{{ inputs.a == len }}", "len is a function: call it as len(…)"},
		{"{{ not 1 }}", "character 4: invalid operation"},
		{"{{ inputs.f(1) }}", "only functions can be called"},
		{"{{ repeat(\"a\", 9) }}", "unknown function repeat"},
		{"{{ uniq([1]) }}", "unknown function uniq"},
		{"{{ " + strings.Repeat("1+", 600) + "1 }}", "more than 500 parts"},
		{"{{ " + strings.Repeat("x", MaxSource) + " }}", "at most 8192"},
		{strings.Repeat("{{ 1 }}", 201), "more than 200 expressions"},
		{strings.Repeat("a", MaxTemplate+1), "at most 65536"},
	} {
		_, err := ParseTemplate(c.src)
		f, ok := fault.Of(err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Pointer != "" {
			t.Errorf("%.60s: %v, want one field without a pointer", c.src, err)
			continue
		}
		if !strings.Contains(f.Fields[0].Message, c.says) {
			t.Errorf("%.60s: %s\nwant %s", c.src, f.Fields[0].Message, c.says)
		}
	}
}

func TestRunErrors(t *testing.T) {
	for _, c := range []struct{ src, says string }{
		{"{{ steps.page.body.usd }}", `"steps.page.body.usd": text has no member "usd"`},
		{"{{ inputs.list.name }}", "a list has no member"},
		{"{{ 1 + nil }}", "cannot add a number and nil"},
		{"{{ inputs.list + 1 }}", "cannot add a list and a number"},
		{"{{ inputs.nothing > 1 }}", "nil"},
		{"{{ 1 / 0 }}", "not a number"},
		{"{{ 1 % 0 }}", "divide by zero"},
		{`{{ int("x") }}`, `"x" is not a number`},
		{`{{ upper(1) }}`, "upper needs text, here is a number"},
		{`{{ fromJSON("{") }}`, "not JSON"},
		{`{{ date("tomorrow") }}`, "is not a date"},
		{`{{ duration("1 day") }}`, "is not a duration"},
		{`{{ formatDate("2026-01-01", "2006", "../etc") }}`, "is not known"},
		{`{{ "a" matches inputs.base + "(" }}`, "the pattern cannot be read"},
		{`{{ sort([1, "a"]) }}`, "numbers only or texts only"},
		{`{{ filter(inputs.list, #) }}`, "bool"},
		{`{{ filter(inputs.nothing, true) }}`, "nil is no list (at character 1)"},
	} {
		v, err := eval(t, c.src)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s = %v, %v; want an error that says %s", c.src, v, err, c.says)
		}
	}
}

func TestRefs(t *testing.T) {
	parsed, err := ParseTemplate(`{{ steps.fetch.body[inputs.key] }} {{ steps.fetch.status }} {{ steps["other one"].x }}
		{{ steps[run.id] }} {{ filter(steps.list.body, .steps == trigger.id) }}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Ref{
		{"steps", "fetch"},
		{"inputs", "key"},
		{"steps", "other one"},
		{"steps", ""},
		{"run", "id"},
		{"steps", "list"},
		{"trigger", "id"},
	}
	if diff := cmp.Diff(want, parsed.Refs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if parsed.Literal() {
		t.Error("it is no literal")
	}
	plain, err := ParseTemplate("plain")
	if err != nil || !plain.Literal() || plain.Refs() != nil {
		t.Errorf("plain text: %v, %v", plain, err)
	}
	if Ref.String(want[0]) != "steps.fetch" || Ref.String(want[3]) != "steps" {
		t.Error("wrong names")
	}
}

func TestConditions(t *testing.T) {
	for src, want := range map[string]bool{
		"steps.fetch.status == 200":             true,
		"{{ steps.fetch.status == 200 }}":       true,
		" {{steps.fetch.status >= 400}} ":       false,
		"inputs.nothing":                        false,
		"inputs.flag and inputs.nothing == nil": true,
		`{"a": true}.a`:                         true,
	} {
		c, err := ParseCondition(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got, err := c.Eval(t.Context(), world(t))
		if err != nil || got != want {
			t.Errorf("%s = %v, %v", src, got, err)
		}
	}
	for src, says := range map[string]string{
		"":                           "empty",
		"  ":                         "empty",
		"stepz.a":                    "character 1: unknown name stepz",
		"  {{ stepz.a }}":            "character 6: unknown name stepz",
		"{{ true }} and {{ false }}": "one expression",
		"{{ true":                    "never closed",
	} {
		if _, err := ParseCondition(src); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("ParseCondition(%q) = %v, want %s", src, err, says)
		}
	}
	c, err := ParseCondition("steps.fetch.status")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Eval(t.Context(), world(t)); err == nil || !strings.Contains(err.Error(), "gives a number") {
		t.Errorf("a number is no condition: %v", err)
	}
	if diff := cmp.Diff([]Ref{{"steps", "fetch"}}, c.Refs()); diff != "" {
		t.Error(diff)
	}
}

func TestValues(t *testing.T) {
	config := map[string]any{
		"url":     "https://example.com/{{ inputs.base }}",
		"headers": map[string]any{"X-Count": "{{ inputs.count }}", "{{ key }}": "plain"},
		"list":    []any{"{{ inputs.flag }}", 1.0, nil, []any{"{{ steps.fetch.body.items }}"}},
	}
	refs, err := ParseValue(config)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Ref{{"inputs", "count"}, {"inputs", "flag"}, {"steps", "fetch"}, {"inputs", "base"}}, refs); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
	got, err := EvalValue(t.Context(), config, world(t))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"url":     "https://example.com/EUR",
		"headers": map[string]any{"X-Count": 3.0, "{{ key }}": "plain"},
		"list":    []any{true, 1.0, nil, []any{[]any{1.0, 2.0, 3.0}}},
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if config["url"] != "https://example.com/{{ inputs.base }}" {
		t.Error("the value given was changed")
	}

	_, err = ParseValue(map[string]any{"a/b": []any{"{{ x }}", "ok"}, "c~": "{{ y"})
	f, _ := fault.Of(err)
	if f == nil || len(f.Fields) != 2 || f.Fields[0].Pointer != "/a~1b/0" || f.Fields[1].Pointer != "/c~0" {
		t.Errorf("ParseValue = %v", err)
	}
	_, err = EvalValue(t.Context(), map[string]any{"a": []any{"{{ 1 % 0 }}"}}, nil)
	if f, _ := fault.Of(err); f == nil || f.Fields[0].Pointer != "/a/0" {
		t.Errorf("EvalValue = %v", err)
	}
}

func TestResultsAreCopies(t *testing.T) {
	env := world(t)
	parsed, err := ParseTemplate("{{ inputs.list }}")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed.Eval(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	got.([]any)[0] = "changed"
	if diff := cmp.Diff(world(t), env); diff != "" {
		t.Errorf("the environment was changed:\n%s", diff)
	}
}

func TestCancelling(t *testing.T) {
	parsed, err := ParseTemplate("{{ 1 + 1 }}")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := parsed.Eval(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Eval = %v, want the context's error", err)
	}
}
