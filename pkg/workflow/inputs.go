package workflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// MaxSchema is the size of a schema, in bytes.
const MaxSchema = 64 << 10

// Inputs is a workflow's schema of what its runs get: a JSON Schema (draft 2020-12) of an object. A nil *Inputs takes any
// object.
type Inputs struct {
	schema   *jsonschema.Schema
	defaults map[string]any // of the object's own properties
}

// noLoader keeps schemas from reading others: what a schema needs stands in it.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema cannot refer to another one")
}

// ParseInputs reads a schema; nil for none. Its errors are faults with pointers into the schema, or none.
func ParseInputs(raw json.RawMessage) (*Inputs, error) {
	if len(raw) == 0 {
		return nil, nil //nolint:nilnil // no schema is a schema: everything goes
	}
	if len(raw) > MaxSchema {
		return nil, fault.At("", "too_large", "the schema is larger than 64 KiB")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fault.At("", "json", "not JSON")
	}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, fault.At("", "schema", `a schema is an object, as in {"type": "object", "properties": {"name": {"type": "string"}}}`)
	}
	if err := checkNumbers(doc); err != nil {
		return nil, err
	}
	if kind, ok := object["type"]; ok && kind != "object" {
		return nil, fault.At("/type", "schema", "the inputs of a run are an object")
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.AssertFormat()
	const here = "inputs:schema"
	if err := c.AddResource(here, doc); err != nil {
		return nil, fault.At("", "schema", "%s", err)
	}
	schema, err := c.Compile(here)
	if err != nil {
		return nil, schemaFault(err)
	}
	if (work{}).of(schema) > maxSchemaWork {
		return nil, fault.At("", "too_complex", "the schema looks at the same value more than %d times", maxSchemaWork)
	}
	in := &Inputs{schema: schema, defaults: map[string]any{}}
	for name, property := range schema.Properties {
		if property.Default != nil {
			in.defaults[name] = *property.Default
		}
	}
	return in, nil
}

// Complete fills in defaults and checks inputs. Its error is a fault whose pointers lead into the inputs. The inputs given
// are not changed.
func (i *Inputs) Complete(inputs map[string]any) (map[string]any, error) {
	if i == nil {
		return inputs, nil
	}
	whole := maps.Clone(i.defaults)
	maps.Copy(whole, inputs)
	var wrong *jsonschema.ValidationError
	if err := i.schema.Validate(whole); errors.As(err, &wrong) {
		return nil, fault.InvalidFields(leaves(wrong, nil))
	} else if err != nil {
		return nil, fault.At("", "inputs", "%s", err)
	}
	return whole, nil
}

// english writes the library's messages.
var english = message.NewPrinter(language.English)

// leaves lists the errors that have no cause below them: those that say what is wrong.
func leaves(e *jsonschema.ValidationError, list []fault.Field) []fault.Field {
	if len(e.Causes) == 0 {
		return append(list, fault.Field{Pointer: pointerTo(e.InstanceLocation), Code: "inputs", Message: e.ErrorKind.LocalizedString(english)})
	}
	for _, cause := range e.Causes {
		list = leaves(cause, list)
	}
	return list
}

// schemaFault says what is wrong with a schema itself.
func schemaFault(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var wrong *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &wrong) {
		fields := leaves(wrong, nil)
		for i := range fields {
			fields[i].Code = "schema"
		}
		return fault.InvalidFields(fields)
	}
	return fault.At("", "schema", "%s", err)
}

func pointerTo(path []string) string {
	var b strings.Builder
	for _, token := range path {
		b.WriteString("/" + escapePointer(token))
	}
	return b.String()
}

// maxSchemaWork is how many schemas one value may be held against: a few that each refer twice to the next would take for ever.
const maxSchemaWork = 10_000

// work counts how many schemas a value is held against, with those it refers to.
type work map[*jsonschema.Schema]int

func (w work) of(s *jsonschema.Schema) int {
	if s == nil {
		return 0
	}
	if n, ok := w[s]; ok {
		return n
	}
	w[s] = 1 // while it is counted: one that refers to itself is refused by the compiler, or goes down a level
	n := 1
	add := func(others ...*jsonschema.Schema) {
		for _, other := range others {
			n = min(n+w.of(other), maxSchemaWork+1)
		}
	}
	add(s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else)
	if s.DynamicRef != nil {
		add(s.DynamicRef.Ref)
	}
	add(s.AllOf...)
	add(s.AnyOf...)
	add(s.OneOf...)
	for _, dependent := range s.DependentSchemas {
		add(dependent)
	}
	// A level below, each part of the value meets these.
	for _, property := range s.Properties {
		add(property)
	}
	if items, ok := s.Items.(*jsonschema.Schema); ok {
		add(items)
	}
	add(s.Items2020, s.Contains, s.PropertyNames)
	add(s.PrefixItems...)
	w[s] = n
	return n
}

// checkNumbers refuses numbers that cannot be calculated with.
func checkNumbers(v any) error {
	switch t := v.(type) {
	case json.Number:
		if _, err := t.Float64(); err != nil {
			return fault.At("", "number_range", "the number %.40s is out of range", t)
		}
	case []any:
		for _, item := range t {
			if err := checkNumbers(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, item := range t {
			if err := checkNumbers(item); err != nil {
				return err
			}
		}
	}
	return nil
}
