package httpx

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/hostile"
)

// The whole grammar: what is no JSON is refused, what is JSON is read.
func TestTheRulesOfJSON(t *testing.T) {
	for _, c := range hostile.JSON() {
		err := CheckJSON([]byte(c.JSON))
		if refused := err != nil; refused == (c.Verdict() == hostile.Accept) && c.Verdict() != hostile.Either {
			t.Errorf("%s: %v", c.Name, err)
		}
		if e, ok := fault.Of(err); err != nil && (!ok || (e.Kind != fault.Malformed && e.Kind != fault.Invalid)) {
			t.Errorf("%s: %v is not the caller's fault", c.Name, err)
		}
	}
}

func TestCheckJSON(t *testing.T) {
	for _, c := range []struct{ body, code, pointer string }{
		{`{}`, "", ""},
		{` [1, -2.5e3, true, null, "ñ"] `, "", ""},
		{`{"a": {"b": 1}, "c": {"b": 1}}`, "", ""}, // a name may come back elsewhere
		{strings.Repeat("[", 64) + strings.Repeat("]", 64), "", ""},
		{`"\ud83d\ude00 \ud800"`, "", ""},
		{`9007199254740993`, "", ""},
		{`0.0e-999`, "", ""}, // nothing stays nothing

		{``, "json_syntax", ""},
		{`[1,]`, "json_syntax", ""},
		{`[1 2]`, "json_syntax", ""},
		{`{"a" 1}`, "json_syntax", ""},
		{`{"a":1,}`, "json_syntax", ""},
		{`{a:1}`, "json_syntax", ""},
		{`[}`, "json_syntax", ""},
		{`01`, "json_trailing", ""},
		{`1 1`, "json_trailing", ""},
		{`{}}`, "json_trailing", ""},
		{`'a'`, "json_syntax", ""},
		{"\"a\nb\"", "json_syntax", ""},
		{`"\x"`, "json_syntax", ""},
		{`.5`, "json_syntax", ""},
		{`+1`, "json_syntax", ""},
		{`1.`, "json_syntax", ""},
		{"\"\xc3\x28\"", "json_utf8", ""},
		{strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), "json_depth", ""},
		{`{"a":1,"\u0061":2}`, "json_duplicate_key", "/a"}, // written differently, and the same
		{`{"x":[0,{"a/b":1,"a/b":2}]}`, "json_duplicate_key", "/x/1/a~1b"},
		{`{"x":["\u0000"]}`, "validation_failed", "/x/0"},
		{`{"x":1e309}`, "validation_failed", "/x"},
		{`{"x":1e-400}`, "validation_failed", "/x"},
		{`{"x":` + strings.Repeat("1", 101) + `}`, "validation_failed", "/x"},
	} {
		err := CheckJSON([]byte(c.body))
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", shorten(c.body), err)
			}
			continue
		}
		f, ok := fault.Of(err)
		if !ok || f.Code != c.code {
			t.Errorf("%s: %v, want %s", shorten(c.body), err, c.code)
			continue
		}
		if c.pointer != "" && (len(f.Fields) != 1 || f.Fields[0].Pointer != c.pointer) {
			t.Errorf("%s: %+v, want %s", shorten(c.body), f.Fields, c.pointer)
		}
	}
}

// What is let through is what Go's strict reader takes as well; what is refused is a fault, whatever was sent.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[1,2,{"a":null}]`, `{"a":1,"a":2}`, `"\u0000"`, `"\ud800"`, `1e400`, `[[[[`, "\xff", ` 1 `, `{"a":}`, `nul`, `"`,
		`{"":""}`, "\ufeff1", `[1,]`, `-`, `1e`, `"\u12"`, `tru`,
	} {
		f.Add([]byte(seed))
	}
	for _, c := range hostile.JSON() {
		if len(c.JSON) < 1000 {
			f.Add([]byte(c.JSON))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := CheckJSON(body)
		if err == nil {
			var v any
			if err := json.Unmarshal(body, &v); err != nil {
				t.Errorf("%q is let through, and cannot be read: %v", body, err)
			}
			return
		}
		if e, ok := fault.Of(err); !ok || (e.Kind != fault.Malformed && e.Kind != fault.Invalid) {
			t.Errorf("%q: %v is not the caller's fault", body, err)
		}
	})
}

// A long key above many values costs no more than its length: a megabyte is looked through in no time, or this test never ends.
func TestLongKeysAreCheap(t *testing.T) {
	body := `{"` + strings.Repeat("k", 512<<10) + `":[` + strings.Repeat("1,", 256<<10) + `1]}`
	if err := CheckJSON([]byte(body)); err != nil {
		t.Error(err)
	}
}
