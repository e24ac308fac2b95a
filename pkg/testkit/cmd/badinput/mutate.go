package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/hostile"
)

// spot is a place in a JSON document.
type spot []string

// spots are all places of a document but the whole of it, from the outside in.
func spots(v any, at spot) []spot {
	var all []spot
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			inner := append(slices.Clone(at), key)
			all = append(append(all, inner), spots(member, inner)...)
		}
	case []any:
		for i, element := range v {
			inner := append(slices.Clone(at), strconv.Itoa(i))
			all = append(append(all, inner), spots(element, inner)...)
		}
	}
	return all
}

// replaced is the document with another value at a spot, or without what is there where the value is nil.
func replaced(v any, at spot, value json.RawMessage) any {
	if len(at) == 0 {
		return value
	}
	switch v := v.(type) {
	case map[string]any:
		changed := make(map[string]any, len(v))
		for key, member := range v {
			switch {
			case key != at[0]:
				changed[key] = member
			case len(at) > 1 || value != nil:
				changed[key] = replaced(member, at[1:], value)
			}
		}
		return changed
	case []any:
		i, _ := strconv.Atoi(at[0])
		if len(at) == 1 && value == nil {
			return slices.Delete(slices.Clone(v), i, i+1)
		}
		changed := slices.Clone(v)
		changed[i] = replaced(v[i], at[1:], value)
		return changed
	}
	return v
}

// replacements are the values that stand in every place once: all of hostile's, and nothing.
func replacements() []json.RawMessage {
	all := []json.RawMessage{nil}
	for _, v := range hostile.Values() {
		all = append(all, json.RawMessage(v.Value))
	}
	for _, x := range hostile.Texts() {
		all = append(all, quoted(x.Value))
	}
	return all
}

func quoted(s string) json.RawMessage {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a text can always be written
	}
	return text
}

// mutations are the documents that differ from a good one in one place. With a step above 1 only every so many of the values
// are tried, others at each place.
func mutations(document any, step int) []json.RawMessage {
	values := replacements()
	var all []json.RawMessage
	add := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("write %v: %v", v, err)) // made of JSON
		}
		all = append(all, text)
	}
	for n, at := range spots(document, nil) {
		for i, value := range values {
			if i == 0 || (i+n)%step == 0 {
				add(replaced(document, at, value))
			}
		}
	}
	for _, value := range values[1:] {
		add(value)
	}
	if o, ok := document.(map[string]any); ok {
		for _, key := range []string{"", "id", "user_id", "role", "created_at", "__proto__", "Name", "a.b", "a\nb"} {
			changed := map[string]any{key: 1}
			for k, v := range o {
				if k != key {
					changed[k] = v
				}
			}
			add(changed)
		}
	}
	return all
}
