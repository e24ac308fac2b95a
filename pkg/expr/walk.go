package expr

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// ParseValue checks every template in a JSON-like value and lists what they use, in a fixed order. The fields of its
// error point into v.
func ParseValue(v any) ([]Ref, error) {
	var refs []Ref
	var fields []fault.Field
	err := visitStrings(v, "", 0, func(pointer, text string) {
		t, err := cached(text)
		if err != nil {
			if f, ok := fault.Of(fault.Under(pointer, err)); ok {
				fields = append(fields, f.Fields...)
			}
			return
		}
		refs = addRefs(refs, t.Refs())
	})
	if err != nil {
		return nil, err
	}
	if err := fault.InvalidFields(fields); err != nil {
		return nil, err
	}
	return refs, nil
}

func visitStrings(v any, pointer string, depth int, visit func(pointer, text string)) error {
	if depth > maxDepth {
		return fault.At(pointer, "too_deep", "the value nests deeper than %d levels", maxDepth)
	}
	switch v := v.(type) {
	case string:
		visit(pointer, v)
	case []any:
		for i, item := range v {
			if err := visitStrings(item, pointer+"/"+itoa(i), depth+1, visit); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if err := visitStrings(v[key], pointer+"/"+escape(key), depth+1, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// EvalValue returns v with every template in its strings evaluated; keys are left as they are. v is not changed, and
// what is no string is returned as it is. An error is as Template.Eval's, with a pointer into v.
func EvalValue(ctx context.Context, v any, env Env) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, maxValueTime)
	defer cancel()
	w := &walker{ctx: ctx, env: env}
	return w.value(v, "", 0)
}

type walker struct {
	ctx  context.Context
	env  Env
	size int
}

func (w *walker) value(v any, pointer string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.At(pointer, "too_deep", "the value nests deeper than %d levels", maxDepth)
	}
	switch v := v.(type) {
	case string:
		return w.text(v, pointer)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			value, err := w.value(item, pointer+"/"+itoa(i), depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = value
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range sortedKeys(v) {
			value, err := w.value(v[key], pointer+"/"+escape(key), depth+1)
			if err != nil {
				return nil, err
			}
			out[key] = value
		}
		return out, nil
	}
	return v, nil
}

func (w *walker) text(text, pointer string) (any, error) {
	t, err := cached(text)
	if err != nil {
		return nil, fault.Under(pointer, err)
	}
	if t.Literal() {
		return text, nil
	}
	value, err := t.Eval(w.ctx, w.env)
	if err != nil {
		return nil, fault.Under(pointer, err)
	}
	// The bound of one template holds for each; this one holds for all of them together.
	count := &copier{budget: &budget{ctx: w.ctx}, limit: maxValueSize, size: w.size}
	if _, err := count.copy(value, 0); err != nil {
		return nil, fault.At(pointer, "expression_failed", "all templates together: %s", err)
	}
	w.size = count.size
	return value, nil
}

// escape writes a key for a JSON pointer.
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// Compiling takes about fifty times as long as running, and a workflow's templates are the same at each run.
const (
	cacheEntries = 4096
	cacheSource  = 4 << 10 // longer templates are compiled each time
)

var cache = struct {
	sync.RWMutex
	templates map[string]*Template
}{templates: map[string]*Template{}}

func cached(src string) (*Template, error) {
	if !strings.Contains(src, "{{") {
		if len(src) > maxValueSize {
			return nil, fault.At("", "expression_syntax", "the text has %d bytes: at most %d", len(src), maxValueSize)
		}
		return &Template{source: src, parts: []part{{text: src}}}, nil
	}
	cache.RLock()
	t := cache.templates[src]
	cache.RUnlock()
	if t != nil {
		return t, nil
	}
	t, err := ParseTemplate(src)
	if err != nil {
		return nil, err
	}
	if len(src) > cacheSource {
		return t, nil
	}
	cache.Lock()
	defer cache.Unlock()
	if len(cache.templates) >= cacheEntries {
		clear(cache.templates) // rare, and cheaper than keeping order
	}
	cache.templates[src] = t
	return t, nil
}

// String shows where a reference points.
func (r Ref) String() string {
	if r.Name == "" {
		return r.Root
	}
	return fmt.Sprintf("%s.%s", r.Root, r.Name)
}
