package expr

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestDecodeJSON(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want any
	}{
		{`null`, nil},
		{`true`, true},
		{`"ñ\ud83d\ude00"`, "ñ😀"},
		{`1`, 1.0},
		{`1.5e2`, 150.0},
		{`-0.25`, -0.25},
		{`9007199254740992`, 9007199254740992.0}, // 2^53: the last that a float64 counts to
		{`9007199254740993`, int64(9007199254740993)}, // and the first that it would change
		{`-9007199254740993`, int64(-9007199254740993)},
		{`9223372036854775807`, int64(math.MaxInt64)},
		{`9223372036854775808`, 9223372036854775808.0}, // no int64 any more: as near as can be
		{`{"id": 12345678901234567, "list": [1, {"x": null}]}`, map[string]any{"id": int64(12345678901234567), "list": []any{1.0, map[string]any{"x": nil}}}},
		{` [] `, []any{}},
	} {
		got, err := DecodeJSON([]byte(c.raw))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v, %v; want %#v", c.raw, got, err, c.want)
		}
	}
	for _, raw := range []string{``, ` `, `{`, `[1,]`, `nul`, `1 2`, `{} x`, `[1e999]`, `{"a": -1e999}`, `'a'`} {
		if v, err := DecodeJSON([]byte(raw)); err == nil {
			t.Errorf("%q is read as %v", raw, v)
		}
	}
}

// What is read and shown again is the same JSON, whatever numbers are in it.
func TestTextKeepsJSON(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.Int64().Draw(r, "n")
		s := rapid.String().Draw(r, "s")
		raw, err := json.Marshal(map[string]any{"n": n, "s": s, "l": []any{s, n, nil, true}})
		if err != nil {
			r.Fatal(err)
		}
		v, err := DecodeJSON(raw)
		if err != nil {
			r.Fatal(err)
		}
		text, err := Text(r.Context(), v)
		if err != nil {
			r.Fatal(err)
		}
		again, err := DecodeJSON([]byte(text))
		if err != nil || !reflect.DeepEqual(v, again) {
			r.Fatalf("%s is shown as %s", raw, text)
		}
	})
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, ""},
		{"as it is <&>", "as it is <&>"},
		{1.5, "1.5"},
		{3.0, "3"},
		{int64(9007199254740993), "9007199254740993"},
		{true, "true"},
		{[]any{1.0, "a"}, `[1,"a"]`},
		{map[string]any{"b": nil, "a": "x"}, `{"a":"x","b":null}`},
	} {
		if got, err := Text(t.Context(), c.value); err != nil || got != c.want {
			t.Errorf("%#v: %q, %v; want %q", c.value, got, err, c.want)
		}
	}
}

// A snapshot is what a step sees while others go on to end.
func TestSnapshot(t *testing.T) {
	env := Env{"steps": map[string]any{"a": "done"}, "inputs": map[string]any{"x": 1.0}, "run": "id"}
	seen := env.Snapshot()
	env["steps"].(map[string]any)["b"] = "done too"
	env["secrets"] = map[string]any{}
	if want := (Env{"steps": map[string]any{"a": "done"}, "inputs": map[string]any{"x": 1.0}, "run": "id"}); !reflect.DeepEqual(seen, want) {
		t.Errorf("the snapshot became %v", seen)
	}
	seen["steps"].(map[string]any)["c"] = "mine"
	if _, leaked := env["steps"].(map[string]any)["c"]; leaked {
		t.Error("writing to the snapshot changes the original")
	}
	if empty := Env(nil).Snapshot(); len(empty) != 0 {
		t.Errorf("of nothing: %v", empty)
	}
}
