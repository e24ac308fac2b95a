package webhook

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// MaxBody is the size of a request's body, in bytes.
const MaxBody = 1 << 20

// Seen is what a run gets to see of a request.
type Seen struct {
	Body    json.RawMessage   // JSON: the body itself, a form as an object, or the text as a string; nil when there is none
	Headers map[string]string // lower-case names; without what proves who sent it
	Query   map[string]any    // texts; lists of texts where a name stands several times
}

// secretHeaders prove who somebody is: they are neither stored nor shown to a run.
var secretHeaders = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "Api-Key", "Apikey", "X-Auth-Token", "X-Access-Token", "X-Token", "X-Csrf-Token",
	"X-Gitlab-Token", "X-Goog-Channel-Token", "X-Goog-Iap-Jwt-Assertion", "X-Amz-Security-Token", "Cf-Access-Jwt-Assertion", "X-Forwarded-Access-Token",
	"X-Telegram-Bot-Api-Secret-Token",
}

// Read reads a request. checkJSON refuses JSON that cannot be kept. Errors: Malformed, Unsupported, Invalid.
func Read(r Request, signature *workflow.Signature, checkJSON func([]byte) error) (Seen, error) {
	seen := Seen{Headers: Headers(r.Header, signature)}
	values, err := url.ParseQuery(r.Query)
	if err != nil {
		return seen, fault.New(fault.Malformed, "query_syntax", "The query of the address cannot be read")
	}
	if seen.Query, err = fields(values); err != nil {
		return seen, err
	}
	seen.Body, err = readBody(r, checkJSON)
	return seen, err
}

// Headers are the headers that may be kept, each with its values joined by commas.
func Headers(header http.Header, signature *workflow.Signature) map[string]string {
	hidden := append(slices.Clone(secretHeaders), SignatureHeaders(signature)...)
	kept := make(map[string]string, len(header))
	for name, values := range header {
		if slices.ContainsFunc(hidden, func(h string) bool { return strings.EqualFold(h, name) }) {
			continue
		}
		kept[strings.ToLower(name)] = storable(strings.Join(values, ", "))
	}
	return kept
}

// storable is a text that PostgreSQL can keep.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func readBody(r Request, checkJSON func([]byte) error) (json.RawMessage, error) {
	if len(r.Body) == 0 {
		return nil, nil
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, fault.New(fault.Unsupported, "content_encoding", "Send the body without compression")
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return r.Body, checkJSON(r.Body)
	case kind == "application/x-www-form-urlencoded" && !looksLikeJSON(r.Body, checkJSON):
		values, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil, fault.New(fault.Malformed, "form_syntax", "The form cannot be read")
		}
		form, err := fields(values)
		if err != nil {
			return nil, err
		}
		return encode(form)
	case looksLikeJSON(r.Body, checkJSON):
		return r.Body, nil
	case !utf8.Valid(r.Body) || strings.ContainsRune(string(r.Body), 0):
		return nil, fault.New(fault.Unsupported, "body_not_text", "The body is neither JSON nor a form nor text")
	}
	return encode(string(r.Body))
}

// looksLikeJSON tells whether a body that was not called JSON is an object or a list: curl -d calls everything a form.
func looksLikeJSON(body []byte, checkJSON func([]byte) error) bool {
	text := strings.TrimSpace(string(body[:min(len(body), 64)]))
	return (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && checkJSON(body) == nil
}

func fields(values url.Values) (map[string]any, error) {
	object := make(map[string]any, len(values))
	for name, list := range values {
		for _, text := range append([]string{name}, list...) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return nil, fault.New(fault.Invalid, "not_storable", "A value holds characters that cannot be stored")
			}
		}
		object[name] = list[0]
		if len(list) > 1 {
			object[name] = list
		}
	}
	return object, nil
}

func encode(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode what arrived: %w", err)
	}
	return raw, nil
}

// Inputs are those of the run of a delivery. A body with which they would be larger than inputs may be is left out, and
// inputs.delivery says so; the delivery keeps it.
func (s Seen) Inputs(t workflow.Trigger, delivery uuid.UUID, method string, size int) (json.RawMessage, error) {
	about := map[string]any{"id": delivery, "method": method, "size": size, "body_omitted": false}
	event := map[string]any{"body": s.Body, "headers": s.Headers, "query": s.Query, "delivery": about}
	if s.Body == nil {
		event["body"] = nil
	}
	raw, err := t.WithInputs(event)
	if err != nil || len(raw) <= workflow.MaxInputs {
		return raw, err
	}
	event["body"], about["body_omitted"] = nil, true
	if raw, err = t.WithInputs(event); err == nil && len(raw) > workflow.MaxInputs {
		return nil, fault.New(fault.TooLarge, "inputs_too_large", "Headers, query and the trigger's own inputs are larger than 256 KiB together")
	}
	return raw, err
}

// Env is what the trigger's filter sees.
func (s Seen) Env(t workflow.Trigger) (expr.Env, error) {
	raw, err := t.WithInputs(map[string]any{"headers": s.Headers, "query": s.Query})
	if err != nil {
		return nil, err
	}
	v, err := expr.DecodeJSON(raw)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what is wrong with the inputs
	}
	inputs, _ := v.(map[string]any)
	if inputs["body"], err = s.body(); err != nil {
		return nil, err
	}
	return expr.Env{"inputs": inputs}, nil
}

func (s Seen) body() (any, error) {
	if s.Body == nil {
		return nil, nil
	}
	return expr.DecodeJSON(s.Body) //nolint:wrapcheck // it says what is wrong with the body
}

// Key is what tells a delivery from those of other things, as the trigger says; ok is false when the request does not have it.
func (s Seen) Key(d workflow.Dedupe, r Request) (key [32]byte, ok bool) {
	switch {
	case d.Header != "":
		value := r.Header.Get(d.Header)
		return sha256.Sum256([]byte("header\x00" + value)), value != ""
	case d.JSONPath != "":
		path, err := workflow.ParsePath(d.JSONPath)
		if err != nil {
			return key, false
		}
		body, err := s.body()
		if err != nil {
			return key, false
		}
		value, found := path.Find(body)
		text, err := json.Marshal(value)
		return sha256.Sum256(append([]byte("path\x00"), text...)), found && value != nil && err == nil
	}
	return sha256.Sum256(append([]byte("body\x00"), r.Body...)), true
}

// ReplayKey is the key of a request that its signature's scheme gives an id.
func ReplayKey(id string) [32]byte { return sha256.Sum256([]byte("id\x00" + id)) }
