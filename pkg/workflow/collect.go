package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// collector gathers faults and template references while a configuration is checked.
type collector struct {
	fields []fault.Field
	refs   []expr.Ref
}

func (c *collector) add(pointer, code, format string, args ...any) {
	c.fields = append(c.fields, fault.Field{Pointer: pointer, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (c *collector) addErr(pointer string, err error) {
	if f, ok := fault.Of(fault.Under(pointer, err)); ok {
		c.fields = append(c.fields, f.Fields...)
		return
	}
	c.add(pointer, "invalid", "%s", err)
}

func (c *collector) template(pointer, src string) {
	t, err := expr.ParseTemplate(src)
	if err != nil {
		c.addErr(pointer, err)
		return
	}
	c.refs = append(c.refs, t.Refs()...)
}

// value checks JSON whose texts may hold templates.
func (c *collector) value(pointer string, raw json.RawMessage) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		c.add(pointer, "json", "not JSON")
		return
	}
	refs, err := expr.ParseValue(v)
	if err != nil {
		c.addErr(pointer, err)
		return
	}
	c.refs = append(c.refs, refs...)
}

func (c *collector) templates(pointer string, values map[string]string) {
	for _, key := range sortedKeys(values) {
		c.template(pointer+"/"+escapePointer(key), values[key])
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// escapePointer writes a key as a token of a JSON pointer (RFC 6901).
func escapePointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
