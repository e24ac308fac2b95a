package workflow

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/actions.md anew")

const manual = "../../docs/actions.md"

// The manual is written from the descriptions, so that it says what the program does. To write it anew:
// go test ./pkg/workflow -run Manual -update
func TestTheManualOfActionsIsTrue(t *testing.T) {
	want := writeManual(t)
	if *update {
		if err := os.WriteFile(manual, want, 0o644); err != nil { //nolint:gosec // it is for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/actions.md is old; run: go test ./pkg/workflow -run Manual -update")
	}
}

const manualHead = `# Actions

What a step can do. This page is written from the descriptions that forms and ` + "`GET /api/v1/actions`" + ` are made of; a test holds it to them.

- **T** marks texts that may hold templates: ` + "`{{ steps.fetch.body.usd }}`" + `. **E** marks expressions, which are written without braces.
- **S** marks what is worth as much as a password. It cannot stand in a definition: store it as a secret, and write ` + "`{{ secrets.its_name }}`" + `.
- A value of a secret is given to the steps that name it, and taken out of everything that a run writes down: see [security.md](security.md#secrets).
- When a worker is lost in the middle of a step that calls outside, ` + "`on_unknown`" + ` says what becomes of it: made again (` + "`retry`" + `), held for a
  person (` + "`hold`" + `) or failed (` + "`fail`" + `). What each action does unless you say otherwise is written below.
`

type manualSchema struct {
	Type        any             `json:"type"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Required    []string        `json:"required"`
	Properties  ordered         `json:"properties"`
	OneOf       []manualSchema  `json:"oneOf"`
	Items       *manualSchema   `json:"items"`
	Enum        []any           `json:"enum"`
	Const       any             `json:"const"`
	Default     any             `json:"default"`
	Additional  json.RawMessage `json:"additionalProperties"`
	Template    bool            `json:"x-template"`
	Secret      bool            `json:"x-secret"`
	Expression  []string        `json:"x-expression"`
}

// ordered is an object whose members keep the order in which they are written.
type ordered []struct {
	name   string
	schema manualSchema
}

func (o *ordered) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var s manualSchema
		if err := d.Decode(&s); err != nil {
			return err
		}
		*o = append(*o, struct {
			name   string
			schema manualSchema
		}{name.(string), s})
	}
	return nil
}

func writeManual(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(manualHead)
	for _, a := range Actions {
		var config, output manualSchema
		for into, raw := range map[*manualSchema]json.RawMessage{&config: a.Config, &output: a.Output} {
			if err := json.Unmarshal(raw, into); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Fprintf(&out, "\n## %s\n%s. %s", a.Type, a.Title, a.Description)
		if a.Leaves {
			policy := Step{ID: "s", Action: a.Type, Config: a.Example}.UnknownPolicy()
			if a.Type == ActionHTTP {
				policy = "hold` for POST and PATCH, otherwise `retry"
			}
			fmt.Fprintf(&out, " When nobody knows how it ended: `%s`.", policy)
		}
		out.WriteString("\n\n| field | | what |\n|---|---|---|\n")
		writeRows(&out, "", config)
		out.WriteString("\nIts output:\n\n| field | what |\n|---|---|\n")
		for _, p := range output.Properties {
			fmt.Fprintf(&out, "| `%s` | %s |\n", p.name, sentence(p.schema))
		}
		var example bytes.Buffer
		if err := json.Indent(&example, compact(t, a.Example), "", "  "); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "\n```json\n%s\n```\n", example.Bytes())
	}
	return out.Bytes()
}

func compact(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// writeRows lists the fields of an object, those within them too.
func writeRows(out *bytes.Buffer, prefix string, s manualSchema) {
	for _, p := range s.Properties {
		name := prefix + p.name
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", name, marks(p.schema, slices.Contains(s.Required, p.name)), sentence(p.schema))
		writeRows(out, name+".", p.schema)
		if p.schema.Items != nil {
			writeRows(out, name+"[].", *p.schema.Items)
		}
		for _, form := range p.schema.OneOf {
			fmt.Fprintf(out, "| `%s` | | *%s* |\n", name, form.Title)
			writeRows(out, name+".", form)
		}
	}
}

func marks(s manualSchema, required bool) string {
	var list []string
	if required {
		list = append(list, "needed")
	}
	inner := s
	if s.Items != nil {
		inner = *s.Items
	}
	var additional manualSchema
	_ = json.Unmarshal(s.Additional, &additional) // false is no schema
	if s.Template || inner.Template || additional.Template {
		list = append(list, "T")
	}
	if s.Secret {
		list = append(list, "S")
	}
	if len(s.Expression) > 0 {
		list = append(list, "E")
	}
	return strings.Join(list, " ")
}

func sentence(s manualSchema) string {
	text := s.Title
	if s.Const != nil {
		text = fmt.Sprintf("`%v`", s.Const)
	}
	if s.Description != "" {
		text += ". " + s.Description
	}
	if len(s.Enum) > 0 {
		var words []string
		for _, v := range s.Enum {
			words = append(words, fmt.Sprintf("`%v`", v))
		}
		text += ": " + strings.Join(words, ", ")
	}
	if s.Default != nil {
		raw, _ := json.Marshal(s.Default)
		text += fmt.Sprintf(" (`%s` when absent)", raw)
	}
	if len(s.Expression) > 0 {
		text += fmt.Sprintf(" It sees `%s`.", strings.Join(s.Expression, "`, `"))
	}
	return strings.ReplaceAll(text, "|", "\\|")
}
