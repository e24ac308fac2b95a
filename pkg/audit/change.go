package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// Sizes, so that the record of a change stays small whatever is changed.
const (
	maxName   = 200     // of names, in characters
	maxMember = 1 << 10 // of a member of what changed, as JSON, in bytes
	maxData   = 8 << 10 // of all of them
)

// Clean makes a text of one line that can be stored and printed: without control characters, of at most 200 characters.
func Clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	if runes := []rune(text); len(runes) > maxName {
		text = string(runes[:maxName-1]) + "…"
	}
	return text
}

// Differences writes what changed from before to after: the members of the two objects that are not the same. Members that
// are long are left out, and say how long they were.
func Differences(before, after any) (from, to json.RawMessage, err error) {
	b, err := members(before)
	if err != nil {
		return nil, nil, err
	}
	a, err := members(after)
	if err != nil {
		return nil, nil, err
	}
	for name, old := range b {
		if now, ok := a[name]; ok && bytes.Equal(old, now) {
			delete(a, name)
			delete(b, name)
		}
	}
	if from, err = bounded(b); err != nil {
		return nil, nil, err
	}
	to, err = bounded(a)
	return from, to, err
}

// members are those of v's JSON, each with sorted keys; nil when v is nil.
func members(v any) (map[string]json.RawMessage, error) {
	if isNil(v) {
		return nil, nil
	}
	raw, err := encode(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // two long numbers may differ in digits that a float64 does not have
	var parsed map[string]any
	if err := decoder.Decode(&parsed); err != nil {
		return nil, fmt.Errorf("read what changed: %w", err)
	}
	list := make(map[string]json.RawMessage, len(parsed))
	for name, value := range parsed {
		if list[name], err = encode(value); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func isNil(v any) bool {
	if v == nil {
		return true
	}
	of := reflect.ValueOf(v)
	return (of.Kind() == reflect.Pointer || of.Kind() == reflect.Map) && of.IsNil()
}

// omitted stands in the place of what is too long.
type omitted struct {
	Bytes int `json:"omitted_bytes"`
}

func bounded(list map[string]json.RawMessage) (json.RawMessage, error) {
	if list == nil {
		return nil, nil
	}
	for name, value := range list {
		if len(value) <= maxMember {
			continue
		}
		short, err := encode(omitted{len(value)})
		if err != nil {
			return nil, err
		}
		list[name] = short
	}
	raw, err := encode(list)
	if err == nil && len(raw) > maxData {
		return encode(omitted{len(raw)})
	}
	return raw, err
}

// encode writes compact JSON whose bytes stay the same when it is written again as a part of other JSON.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("write what changed: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
