package expr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
)

// DecodeJSON reads a JSON value for an Env: whole numbers that float64 cannot hold stay whole, as int64. Its errors are
// those of encoding/json.
func DecodeJSON(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode JSON: something follows the value")
	}
	return plainNumbers(v)
}

// plainNumbers turns json.Number into the types that expressions know.
func plainNumbers(v any) (any, error) {
	var err error
	switch t := v.(type) {
	case json.Number:
		const exact = 1 << 53
		if n, err := strconv.ParseInt(t.String(), 10, 64); err == nil && (n > exact || n < -exact) {
			return n, nil
		}
		f, err := t.Float64()
		if err != nil {
			return nil, fmt.Errorf("decode JSON: the number %s is out of range", t)
		}
		return f, nil
	case []any:
		for i := range t {
			if t[i], err = plainNumbers(t[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range t {
			if t[k], err = plainNumbers(t[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// Text writes a value as it stands inside a text: strings as they are, nothing for nil, everything else as JSON.
func Text(ctx context.Context, v any) (string, error) {
	text, err := render(&budget{ctx: ctx}, v)
	if err != nil {
		return "", failure("%s", err)
	}
	return text, nil
}

// Snapshot copies the env and its roots one level deep, so that the original may grow while the copy is read.
func (e Env) Snapshot() Env {
	c := maps.Clone(e)
	for root, v := range c {
		if m, ok := v.(map[string]any); ok {
			c[root] = maps.Clone(m)
		}
	}
	return c
}
