package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// exactInt is the largest integer that float64, and so JSON, keeps exactly.
const exactInt = 1 << 53

// copier copies a result into plain JSON values, within limits on its size and depth. A small program can make a
// value whose shared parts unfold to terabytes, so nothing may serialise a result before it went through here.
type copier struct {
	budget *budget
	limit  int
	size   int
}

func (c *copier) pay(n int) error {
	c.size += n
	if c.size > c.limit {
		return limit("the result is larger than %d KiB", c.limit>>10)
	}
	return c.budget.charge(n)
}

func (c *copier) copy(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, limit("the result nests deeper than %d levels", maxDepth)
	}
	switch v := v.(type) {
	case nil, bool:
		return v, c.pay(8)
	case string:
		return v, c.pay(len(v) + 2)
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("the number %s is out of range", v)
		}
		return f, c.pay(8)
	case time.Time:
		return v.Format(time.RFC3339Nano), c.pay(40)
	case time.Duration:
		return v.String(), c.pay(16)
	case []byte:
		return string(v), c.pay(len(v))
	}
	if n, ok := toNumber(v); ok {
		switch {
		case !n.whole && (math.IsNaN(n.f) || math.IsInf(n.f, 0)):
			return nil, fmt.Errorf("the result %v is not a number", n.f)
		case n.whole && (n.i > exactInt || n.i < -exactInt):
			return n.i, c.pay(8)
		}
		return n.float(), c.pay(8)
	}
	if err := c.pay(16); err != nil {
		return nil, err
	}
	if list, ok := asList(v); ok {
		out := make([]any, 0, min(list.len(), 1024))
		for i := range list.len() {
			item, err := c.copy(list.at(i), depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, item)
		}
		return out, nil
	}
	if m, ok := asMap(v); ok {
		out := make(map[string]any, min(len(m), 1024))
		for key, value := range m {
			if err := c.pay(len(key) + 4); err != nil {
				return nil, err
			}
			item, err := c.copy(value, depth+1)
			if err != nil {
				return nil, err
			}
			out[key] = item
		}
		return out, nil
	}
	return nil, fmt.Errorf("the result is %s, which is no value", kindOf(v))
}

// render writes a value as text: nil is empty, numbers are written in full, lists and maps as JSON.
func render(b *budget, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case time.Duration:
		return v.String(), nil
	}
	if n, ok := toNumber(v); ok {
		return n.String(), nil
	}
	return toJSON(b, v)
}

// toJSON writes any value as JSON.
func toJSON(b *budget, v any) (string, error) {
	plain, err := (&copier{budget: b, limit: maxValueSize}).copy(v, 0)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(plain); err != nil {
		return "", fmt.Errorf("write JSON: %w", err)
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), b.charge(out.Len())
}

// num is a number of either kind. JSON has one kind of number, so 3 and 3.0 are equal here and written alike.
type num struct {
	whole bool
	i     int64
	f     float64
}

func (n num) float() float64 {
	if n.whole {
		return float64(n.i)
	}
	return n.f
}

func (n num) String() string {
	if n.whole {
		return strconv.FormatInt(n.i, 10)
	}
	if math.Abs(n.f) < 1e21 {
		return strconv.FormatFloat(n.f, 'f', -1, 64)
	}
	return strconv.FormatFloat(n.f, 'g', -1, 64)
}

func toNumber(v any) (num, bool) {
	switch v := v.(type) {
	case float64:
		return num{f: v}, true
	case int:
		return num{whole: true, i: int64(v)}, true
	case int64:
		return num{whole: true, i: v}, true
	case float32:
		return num{f: float64(v)}, true
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return num{whole: true, i: i}, true
		}
		f, err := v.Float64()
		return num{f: f}, err == nil
	case time.Duration, nil, bool, string:
		return num{}, false
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32:
		return num{whole: true, i: r.Int()}, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if r.Uint() > math.MaxInt64 {
			return num{f: float64(r.Uint())}, true
		}
		return num{whole: true, i: int64(r.Uint())}, true
	}
	return num{}, false
}

// toIndex reads a whole number.
func toIndex(v any) (int, bool) {
	n, ok := toNumber(v)
	switch {
	case !ok:
		return 0, false
	case n.whole:
		return int(n.i), int64(int(n.i)) == n.i
	}
	return int(n.f), n.f == math.Trunc(n.f) && math.Abs(n.f) < exactInt
}

// list is any slice.
type list struct {
	plain []any
	other reflect.Value
}

func asList(v any) (list, bool) {
	if plain, ok := v.([]any); ok {
		return list{plain: plain}, true
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Slice || r.Kind() == reflect.Array {
		return list{other: r}, true
	}
	return list{}, false
}

func (l list) len() int {
	if l.other.IsValid() {
		return l.other.Len()
	}
	return len(l.plain)
}

func (l list) at(i int) any {
	if l.other.IsValid() {
		return l.other.Index(i).Interface()
	}
	return l.plain[i]
}

// asMap gives any map with text keys.
func asMap(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case Env:
		return v, true
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Map || r.Type().Key().Kind() != reflect.String {
		if r.Kind() != reflect.Map {
			return nil, false
		}
		// groupBy makes maps whose keys are any value.
		out := make(map[string]any, r.Len())
		for _, key := range r.MapKeys() {
			text, err := scalarText(key.Interface())
			if err != nil {
				return nil, false
			}
			out[text] = r.MapIndex(key).Interface()
		}
		return out, true
	}
	out := make(map[string]any, r.Len())
	for _, key := range r.MapKeys() {
		out[key.String()] = r.MapIndex(key).Interface()
	}
	return out, true
}

// scalarText writes what is no list and no map.
func scalarText(v any) (string, error) {
	_, isList := asList(v)
	if isList || v != nil && reflect.ValueOf(v).Kind() == reflect.Map {
		return "", fmt.Errorf("%s cannot be used as text", kindOf(v))
	}
	return render(nil, v)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// kindOf names a value's kind for people.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "true or false"
	case string:
		return "text"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	}
	if _, ok := toNumber(v); ok {
		return "a number"
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map:
		return "a map"
	case reflect.Func:
		return "a function"
	}
	return "something else"
}
