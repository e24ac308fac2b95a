package webhook

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// strict is what the API checks JSON with, as far as this package is concerned.
func strict(body []byte) error {
	if !json.Valid(body) {
		return fault.New(fault.Malformed, "json_syntax", "no JSON")
	}
	return nil
}

func TestWhatTellsDeliveriesApart(t *testing.T) {
	read := func(body string, headers ...string) (Seen, Request) {
		r := request(body, append(headers, "Content-Type: application/json")...)
		seen, err := Read(r, nil, strict)
		if err != nil {
			t.Fatal(err)
		}
		return seen, r
	}
	for _, c := range []struct {
		name       string
		by         workflow.Dedupe
		a, b       string
		same, none bool
	}{
		{"the same value", workflow.Dedupe{JSONPath: "id"}, `{"id": 1, "x": 1}`, `{"id": 1, "x": 2}`, true, false},
		{"a number is no text", workflow.Dedupe{JSONPath: "id"}, `{"id": 1}`, `{"id": "1"}`, false, false},
		{"deep in it", workflow.Dedupe{JSONPath: "$.a[1]['b c']"}, `{"a":[0,{"b c":[1,2]}]}`, `{"a":[9,{"b c":[1,2]}]}`, true, false},
		{"large numbers differ", workflow.Dedupe{JSONPath: "id"}, `{"id": 9007199254740993}`, `{"id": 9007199254740992}`, false, false},
		{"it is not there", workflow.Dedupe{JSONPath: "a.b"}, `{"a": {}}`, `{"a": null}`, false, true},
		{"the whole body", workflow.Dedupe{Body: true}, `{"a": 1}`, `{"a": 1}`, true, false},
		{"one space is enough", workflow.Dedupe{Body: true}, `{"a": 1}`, `{"a":1}`, false, false},
		{"no header", workflow.Dedupe{Header: "X-Id"}, `{}`, `{}`, false, true},
	} {
		seenA, a := read(c.a)
		seenB, b := read(c.b)
		keyA, okA := seenA.Key(c.by, a)
		keyB, okB := seenB.Key(c.by, b)
		if okA == c.none || okB == c.none {
			t.Errorf("%s: there is a key: %v, %v", c.name, okA, okB)
		} else if !c.none && (keyA == keyB) != c.same {
			t.Errorf("%s: the same: %v", c.name, keyA == keyB)
		}
	}
}

// Inputs of the trigger that have a name of the event give way, and nothing of the sender's secrets comes in.
func TestInputsOfADelivery(t *testing.T) {
	how := &workflow.Signature{Scheme: "hmac", Header: "X-My-Sign"}
	r := request(`{"a": 1}`, "Content-Type: application/json", "X-My-Sign: abc", "Authorization: Bearer x", "Cookie: a=b", "X-Gitlab-Token: t", "X-Event: e\x00\xff")
	r.Query = "a=1"
	seen, err := Read(r, how, strict)
	if err != nil {
		t.Fatal(err)
	}
	trigger := workflow.Trigger{Type: workflow.TriggerWebhook, Inputs: json.RawMessage(`{"body": "mine", "region": "eu"}`)}
	raw, err := seen.Inputs(trigger, uuid.Nil, "POST", 8)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	headers, _ := got["headers"].(map[string]any)
	if len(headers) != 2 || headers["x-event"] != "e\uFFFD\uFFFD" || got["region"] != "eu" {
		t.Errorf("inputs %s", raw)
	}
	if body, _ := got["body"].(map[string]any); body["a"] != 1.0 {
		t.Errorf("body %v", got["body"])
	}
	trigger.Inputs = json.RawMessage(`{"x": "` + strings.Repeat("x", workflow.MaxInputs) + `"}`)
	if _, err := seen.Inputs(trigger, uuid.Nil, "POST", 8); !fault.Is(err, fault.TooLarge) {
		t.Errorf("inputs that have no room: %v", err)
	}
}

// Whatever is sent, it is read or refused: what is read can be stored.
func FuzzRead(f *testing.F) {
	f.Add("application/json", "a=1", `{"a":1}`)
	f.Add("application/x-www-form-urlencoded", "", "a=1&a=2&%zz")
	f.Add("text/plain", "a=%00", "\x00")
	f.Add("multipart/form-data; boundary=\"", "&&;", "\xff")
	f.Fuzz(func(t *testing.T, kind, query, body string) {
		r := Request{Method: "POST", Header: http.Header{"Content-Type": {kind}, "X-Any": {body}}, Query: query, Body: []byte(body)}
		seen, err := Read(r, nil, strict)
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Errorf("%v is not the sender's fault", err)
			}
			return
		}
		if seen.Body != nil && !json.Valid(seen.Body) {
			t.Errorf("the body became %q", seen.Body)
		}
		if _, err := seen.Env(workflow.Trigger{}); err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Errorf("the filter cannot see it: %v", err)
			}
		}
	})
}
