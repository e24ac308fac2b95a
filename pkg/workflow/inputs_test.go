package workflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

const order = `{
	"type": "object",
	"required": ["email"],
	"additionalProperties": false,
	"properties": {
		"email": {"type": "string", "format": "email"},
		"amount": {"type": "integer", "minimum": 1, "default": 1},
		"tags": {"type": "array", "items": {"enum": ["new", "old"]}, "maxItems": 2}
	}
}`

func TestInputsAreCheckedAndCompleted(t *testing.T) {
	in, err := ParseInputs(json.RawMessage(order))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		inputs string
		want   string // the inputs with defaults, or where and why they are refused
	}{
		{`{"email":"ana@example.com"}`, `{"amount":1,"email":"ana@example.com"}`},
		{`{"email":"ana@example.com","amount":7,"tags":["new"]}`, `{"amount":7,"email":"ana@example.com","tags":["new"]}`},
		{`{}`, `: missing property 'email'`},
		{`{"email":"ana"}`, `/email: 'ana' is not valid email`},
		{`{"email":"a@b.org","amount":0}`, `/amount: minimum: got 0, want 1`},
		{`{"email":"a@b.org","amount":"7"}`, `/amount: got string, want integer`},
		{`{"email":"a@b.org","tags":["new","odd"]}`, `/tags/1: value must be one of 'new', 'old'`},
		{`{"email":"a@b.org","colour":"red"}`, `: additional properties 'colour' not allowed`},
	} {
		var inputs map[string]any
		if err := json.Unmarshal([]byte(c.inputs), &inputs); err != nil {
			t.Fatal(err)
		}
		whole, err := in.Complete(inputs)
		got := said(err)
		if err == nil {
			raw, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			got = string(raw)
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.inputs, got, c.want)
		}
	}
}

func TestSchemasThatAreNone(t *testing.T) {
	var bomb strings.Builder
	for i := range 40 {
		fmt.Fprintf(&bomb, `"a%d":{"allOf":[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]},`, i, i+1, i+1)
	}
	for raw, want := range map[string]string{
		`{"$ref":"#/$defs/a0","$defs":{` + bomb.String() + `"a40":{}}}`: ": the schema looks at the same value more than 10000 times",
		`{"properties":{"a":{"multipleOf":1e9999999}}}`:                 ": the number 1e9999999 is out of range",
		`[]`:                                                 ": a schema is an object",
		`{"type":"string"}`:                                  "/type: the inputs of a run are an object",
		`{"properties":{"a":{"type":"txt"}}}`:                "/properties/a/type: ",
		`{"$ref":"file:///etc/passwd"}`:                      ": ",
		`{"$ref":"https://example.com/s.json"}`:              ": ",
		`{"properties":{"a":{"pattern":"("}}}`:               "/properties/a/pattern: ",
		`{"title":"` + strings.Repeat("x", MaxSchema) + `"}`: ": the schema is larger than 64 KiB",
	} {
		_, err := ParseInputs(json.RawMessage(raw))
		if got := said(err); err == nil || !strings.HasPrefix(got, want) {
			t.Errorf("%.60s: %s, want %s", raw, got, want)
		}
	}
	if in, err := ParseInputs(nil); err != nil || in != nil {
		t.Errorf("no schema: %v, %v", in, err)
	}
	var none *Inputs
	whole, err := none.Complete(map[string]any{"a": 1})
	if diff := cmp.Diff(map[string]any{"a": 1}, whole); err != nil || diff != "" {
		t.Errorf("without a schema: %v %s", err, diff)
	}
}

// said is the first thing that an error says, with its place.
func said(err error) string {
	f, ok := fault.Of(err)
	if !ok || len(f.Fields) == 0 {
		return ""
	}
	return f.Fields[0].Pointer + ": " + f.Fields[0].Message
}
