package workflow

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// A definition comes from people, files and old versions in the database: whatever it holds, it is valid or its mistakes are
// said, and a valid one is the same after it was written and read.
func FuzzDefinition(f *testing.F) {
	for _, seed := range []string{
		`{"name": "x", "steps": [{"id": "a", "action": "log_message", "config": {"message": "{{ inputs.x }}"}}]}`,
		`{"name": "x", "timeout": "10m", "max_concurrent": 2, "keep": {"failed": "30d"}, "inputs": {"type": "object", "required": ["x"]}, "outputs": {"r": "{{ steps.a.status }}"},
			"triggers": [{"id": "m", "type": "schedule", "cron": "0 9 * * MON-FRI", "timezone": "Europe/Madrid", "gap": "skip", "jitter": "10s", "excluded_dates": ["2026-12-25"]},
			{"id": "h", "type": "webhook", "methods": ["POST"], "signature": {"scheme": "hmac", "secret": "s", "header": "X"}, "dedupe": {"json_path": "$.id"}, "filter": "inputs.body.x == 1"},
			{"id": "n", "type": "after", "workflow": "y", "on": "failure"}, {"id": "b", "type": "heartbeat", "every": "1h", "grace": "5m"}],
			"steps": [{"id": "a", "action": "http_endpoint", "config": {"url": "https://h/{{ inputs.x }}", "body": {"json": [1]}, "auth": {"type": "bearer", "token": "{{ secrets.t }}"}},
			"retry": {"attempts": 3, "backoff": "linear", "initial": "1s", "on": ["5xx"]}},
			{"id": "b", "action": "approval", "config": {"message": "?"}, "depends_on": ["a"], "if": "steps.a.status == 200", "on_error": "fallback", "fallback": "c"},
			{"id": "c", "action": "wait", "config": {"duration": "1m"}}]}`,
		`{"name": "x", "steps": [{"id": "e", "action": "run_workflow", "config": {"workflow": "y", "for_each": "{{ [1] }}", "inputs": {"a": "{{ each.item }}"}}},
			{"id": "t", "action": "transform", "config": {"value": {"a": ["{{ 1 }}"]}}}, {"id": "m", "action": "send_email", "config": {"host": "h", "from": "a@b.c", "to": ["d@e.f"], "subject": "s"}}]}`,
		`{"steps": [{"id": "a", "depends_on": ["b"]}, {"id": "b", "depends_on": ["a"]}]}`, `{}`, `{"name": null, "steps": null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Definition
		if json.Unmarshal(text, &d) != nil {
			return
		}
		if err := Validate(d); err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("%s: %v is no fault", text, err)
			}
			return
		}
		written, err := json.Marshal(d)
		if err != nil {
			t.Fatalf("write %+v: %v", d, err)
		}
		var again Definition
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%s was written as %s: %v", text, written, err)
		}
		if err := Validate(again); err != nil {
			t.Fatalf("%s is valid; written as %s it is not: %v", text, written, err)
		}
		twice, err := json.Marshal(again)
		if err != nil || !reflect.DeepEqual(written, twice) {
			t.Fatalf("%s is written as %s, and then as %s: %v", text, written, twice, err)
		}
	})
}

// A schema of inputs is read or refused; what it says to a value is a fault, and comes to an end.
func FuzzInputs(f *testing.F) {
	for _, seed := range []string{
		`{"type": "object", "properties": {"x": {"type": "integer", "minimum": 1, "default": 3}}, "required": ["x"], "additionalProperties": false}`,
		`{"$ref": "#"}`, `{"$ref": "http://h/x"}`, `{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}`,
		`{"patternProperties": {"(a+)+$": {}}}`, `{"properties": {"x": {"pattern": "(", "format": "date-time", "multipleOf": 0}}}`, `{"type": "string"}`, `[]`, `true`,
		`{"if": {"minProperties": 1}, "then": {"maxProperties": 0}}`, `{"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"x": {"enum": [1, null]}}}`,
	} {
		f.Add([]byte(seed), []byte(`{"x": 1}`))
	}
	f.Fuzz(func(t *testing.T, schema, value []byte) {
		in, err := ParseInputs(schema)
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("%s: %v is no fault", schema, err)
			}
			return
		}
		var given map[string]any
		if json.Unmarshal(value, &given) != nil {
			return
		}
		if _, err := in.Complete(given); err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("%s, %s: %v is no fault", schema, value, err)
			}
		}
	})
}
