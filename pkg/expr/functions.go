package expr

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// function is what an expression can call. do must charge the budget for what it reads and writes.
type function struct {
	min, max int
	do       func(b *budget, args []any) (any, error)
}

// charged is the form in which the machine calls it: the budget comes first.
func (f function) charged() func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		b := args[0].(*budget)
		if err := b.charge(0); err != nil {
			return nil, err
		}
		return f.do(b, args[1:])
	}
}

func (f function) arity() string {
	switch {
	case f.min == f.max && f.min == 1:
		return "1 argument"
	case f.min == f.max:
		return itoa(f.min) + " arguments"
	case f.max == many:
		return "at least " + itoa(f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

const many = 100

// functions are all that can be called; filled by init, because hint, which they reach, lists them.
var functions map[string]function

// public are those that people may write.
var public = map[string]function{
	"len":         {1, 1, length},
	"type":        {1, 1, typeOf},
	"string":      {1, 1, asString},
	"int":         {1, 1, asInt},
	"float":       {1, 1, asFloat},
	"abs":         {1, 1, mathFunction("abs", math.Abs)},
	"ceil":        {1, 1, mathFunction("ceil", math.Ceil)},
	"floor":       {1, 1, mathFunction("floor", math.Floor)},
	"round":       {1, 1, mathFunction("round", math.Round)},
	"min":         {1, many, extreme("min", func(x, y float64) bool { return x < y })},
	"max":         {1, many, extreme("max", func(x, y float64) bool { return x > y })},
	"mean":        {1, many, mean},
	"upper":       {1, 1, textFunction("upper", strings.ToUpper)},
	"lower":       {1, 1, textFunction("lower", strings.ToLower)},
	"trim":        {1, 2, trim},
	"trimPrefix":  {2, 2, textPair("trimPrefix", strings.TrimPrefix)},
	"trimSuffix":  {2, 2, textPair("trimSuffix", strings.TrimSuffix)},
	"hasPrefix":   {2, 2, textOperator("hasPrefix", strings.HasPrefix)},
	"hasSuffix":   {2, 2, textOperator("hasSuffix", strings.HasSuffix)},
	"indexOf":     {2, 2, textPair("indexOf", strings.Index)},
	"lastIndexOf": {2, 2, textPair("lastIndexOf", strings.LastIndex)},
	"split":       {2, 2, split},
	"join":        {1, 2, join},
	"replace":     {3, 3, replace},
	"urlEncode":   {1, 1, textFunction("urlEncode", url.QueryEscape)},
	"toBase64":    {1, 1, textFunction("toBase64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })},
	"fromBase64":  {1, 1, fromBase64},
	"toJSON":      {1, 1, func(b *budget, args []any) (any, error) { return toJSON(b, args[0]) }},
	"fromJSON":    {1, 1, fromJSON},
	"first":       {1, 1, end("first", 0)},
	"last":        {1, 1, end("last", -1)},
	"take":        {2, 2, take},
	"reverse":     {1, 1, reverse},
	"sort":        {1, 2, sorted},
	"keys":        {1, 1, mapKeys},
	"values":      {1, 1, mapValues},
	"date":        {1, 1, date},
	"duration":    {1, 1, duration},
	"formatDate":  {2, 3, formatDate},
}

func init() {
	functions = map[string]function{}
	maps.Copy(functions, public)
	maps.Copy(functions, hiddenFunctions)
}

func functionNames() string {
	return strings.Join(slices.Sorted(maps.Keys(public)), ", ")
}

func wrong(name, needs string, v any) error {
	return fmt.Errorf("%s needs %s, here is %s", name, needs, kindOf(v))
}

// text reads an argument that must be text; nil is empty text.
func text(name string, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", wrong(name, "text", v)
}

func length(b *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return 0, nil
	case string:
		return len([]rune(v)), b.charge(len(v))
	}
	if l, ok := asList(args[0]); ok {
		return l.len(), nil
	}
	if m, ok := asMap(args[0]); ok {
		return len(m), b.charge(len(m))
	}
	return nil, wrong("len", "text, a list or a map", args[0])
}

func typeOf(_ *budget, args []any) (any, error) {
	switch args[0].(type) {
	case nil:
		return "nil", nil
	case bool:
		return "bool", nil
	case string:
		return "string", nil
	}
	if _, ok := toNumber(args[0]); ok {
		return "number", nil
	}
	if _, ok := asList(args[0]); ok {
		return "array", nil
	}
	if _, ok := asMap(args[0]); ok {
		return "map", nil
	}
	return strings.TrimPrefix(kindOf(args[0]), "a "), nil
}

func asString(b *budget, args []any) (any, error) { return render(b, args[0]) }

func asFloat(_ *budget, args []any) (any, error) {
	if n, ok := toNumber(args[0]); ok {
		return n.float(), nil
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, wrong("float", "a number or text", args[0])
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return nil, fmt.Errorf("%s is not a number", quoteShort(s))
	}
	return f, nil
}

func asInt(b *budget, args []any) (any, error) {
	if s, ok := args[0].(string); ok {
		if i, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
			return i, nil
		}
	}
	if n, ok := toNumber(args[0]); ok && n.whole {
		return int(n.i), nil
	}
	v, err := asFloat(b, args)
	if err != nil {
		return nil, err
	}
	f := v.(float64)
	if math.IsNaN(f) || math.Abs(f) >= 1<<63 {
		return nil, fmt.Errorf("%v does not fit a whole number", f)
	}
	return int(f), nil
}

func mathFunction(name string, f func(float64) float64) func(*budget, []any) (any, error) {
	return func(_ *budget, args []any) (any, error) {
		n, ok := toNumber(args[0])
		if !ok {
			return nil, wrong(name, "a number", args[0])
		}
		return f(n.float()), nil
	}
}

// numberArgs reads either one list of numbers or the numbers themselves.
func numberArgs(b *budget, name string, args []any) ([]num, error) {
	if l, ok := asList(args[0]); ok && len(args) == 1 {
		if err := b.charge(32 * l.len()); err != nil {
			return nil, err
		}
		args = make([]any, l.len())
		for i := range args {
			args[i] = l.at(i)
		}
	}
	list := make([]num, len(args))
	for i, v := range args {
		n, ok := toNumber(v)
		if !ok {
			return nil, wrong(name, "numbers", v)
		}
		list[i] = n
	}
	return list, nil
}

func extreme(name string, better func(x, y float64) bool) func(*budget, []any) (any, error) {
	return func(b *budget, args []any) (any, error) {
		list, err := numberArgs(b, name, args)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		best := list[0]
		for _, n := range list[1:] {
			if better(n.float(), best.float()) {
				best = n
			}
		}
		if best.whole {
			return int(best.i), nil
		}
		return best.f, nil
	}
}

func mean(b *budget, args []any) (any, error) {
	list, err := numberArgs(b, "mean", args)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	sum := 0.0
	for _, n := range list {
		sum += n.float()
	}
	return sum / float64(len(list)), nil
}

func textFunction(name string, f func(string) string) func(*budget, []any) (any, error) {
	return func(b *budget, args []any) (any, error) {
		s, err := text(name, args[0])
		if err != nil {
			return nil, err
		}
		if err := b.charge(4 * len(s)); err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

func textPair[T any](name string, f func(s, part string) T) func(*budget, []any) (any, error) {
	return func(b *budget, args []any) (any, error) {
		s, part, err := twoTexts(name, args)
		if err != nil {
			return nil, err
		}
		return f(s, part), b.charge(len(s) + len(part))
	}
}

func trim(b *budget, args []any) (any, error) {
	if len(args) == 1 {
		return textFunction("trim", strings.TrimSpace)(b, args)
	}
	s, cut, err := twoTexts("trim", args)
	if err != nil {
		return nil, err
	}
	if err := b.charge(len(s) * max(1, len(cut))); err != nil {
		return nil, err
	}
	return strings.Trim(s, cut), nil
}

func split(b *budget, args []any) (any, error) {
	s, sep, err := twoTexts("split", args)
	if err != nil {
		return nil, err
	}
	if err := b.charge(len(s) + 48*(strings.Count(s, sep)+1)); err != nil {
		return nil, err
	}
	parts := strings.Split(s, sep)
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

func join(b *budget, args []any) (any, error) {
	l, ok := asList(args[0])
	if !ok {
		return nil, wrong("join", "a list", args[0])
	}
	sep := ""
	if len(args) == 2 {
		var err error
		if sep, err = text("join", args[1]); err != nil {
			return nil, err
		}
	}
	var out strings.Builder
	for i := range l.len() {
		part, err := scalarText(l.at(i))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			part = sep + part
		}
		if err := b.charge(len(part)); err != nil {
			return nil, err
		}
		out.WriteString(part)
	}
	return out.String(), nil
}

func replace(b *budget, args []any) (any, error) {
	s, old, err := twoTexts("replace", args)
	if err != nil {
		return nil, err
	}
	with, err := text("replace", args[2])
	if err != nil {
		return nil, err
	}
	if err := b.charge(len(s)); err != nil {
		return nil, err
	}
	if err := b.charge(len(s) + strings.Count(s, old)*len(with)); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(s, old, with), nil
}

func fromBase64(b *budget, args []any) (any, error) {
	s, err := text("fromBase64", args[0])
	if err != nil {
		return nil, err
	}
	if err := b.charge(len(s)); err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("this is not base64: %w", err)
	}
	return string(data), nil
}

func fromJSON(b *budget, args []any) (any, error) {
	s, err := text("fromJSON", args[0])
	if err != nil {
		return nil, err
	}
	// A byte of "[[[[" becomes a slice of 24 bytes in an interface of 16.
	if err := b.charge(20 * len(s)); err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return nil, fmt.Errorf("this is not JSON: %w", err)
	}
	return v, nil
}

func end(name string, index int) func(*budget, []any) (any, error) {
	return func(b *budget, args []any) (any, error) {
		if _, ok := asList(args[0]); !ok && args[0] != nil {
			return nil, wrong(name, "a list", args[0])
		}
		return get(b, []any{args[0], index})
	}
}

// copyList gives a list of its own.
func copyList(b *budget, name string, v any) ([]any, error) {
	l, ok := asList(v)
	if !ok && v != nil {
		return nil, wrong(name, "a list", v)
	}
	if v == nil {
		return []any{}, nil
	}
	if err := b.charge(32 * l.len()); err != nil {
		return nil, err
	}
	out := make([]any, l.len())
	for i := range out {
		out[i] = l.at(i)
	}
	return out, nil
}

func take(b *budget, args []any) (any, error) {
	n, ok := toIndex(args[1])
	if !ok || n < 0 {
		return nil, fmt.Errorf("take needs how many as a whole number, 0 or more")
	}
	out, err := copyList(b, "take", args[0])
	if err != nil {
		return nil, err
	}
	return out[:min(n, len(out))], nil
}

func reverse(b *budget, args []any) (any, error) {
	out, err := copyList(b, "reverse", args[0])
	if err != nil {
		return nil, err
	}
	slices.Reverse(out)
	return out, nil
}

// sorted sorts numbers or texts; with "desc" the largest comes first.
func sorted(b *budget, args []any) (any, error) {
	down := false
	if len(args) == 2 {
		switch args[1] {
		case "asc":
		case "desc":
			down = true
		default:
			return nil, fmt.Errorf(`sort goes "asc" or "desc"`)
		}
	}
	out, err := copyList(b, "sort", args[0])
	if err != nil {
		return nil, err
	}
	var failed error
	slices.SortStableFunc(out, func(x, y any) int {
		if failed != nil {
			return 0
		}
		order, err := compare(b, x, y)
		failed = err
		if down {
			return -order
		}
		return order
	})
	return out, failed
}

func compare(b *budget, x, y any) (int, error) {
	m, mok := toNumber(x)
	n, nok := toNumber(y)
	s, sok := x.(string)
	t, tok := y.(string)
	switch {
	case mok && nok && m.float() < n.float():
		return -1, b.charge(0)
	case mok && nok && m.float() > n.float():
		return 1, b.charge(0)
	case mok && nok:
		return 0, b.charge(0)
	case sok && tok:
		return strings.Compare(s, t), b.charge(min(len(s), len(t)))
	}
	return 0, fmt.Errorf("sort needs numbers only or texts only: here are %s and %s", kindOf(x), kindOf(y))
}

func mapOf(b *budget, name string, v any) (map[string]any, error) {
	m, ok := asMap(v)
	if !ok && v != nil {
		return nil, wrong(name, "a map", v)
	}
	return m, b.charge(64 * len(m))
}

// mapKeys lists the keys in order, so that the same input gives the same output.
func mapKeys(b *budget, args []any) (any, error) {
	m, err := mapOf(b, "keys", args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(m))
	for _, key := range sortedKeys(m) {
		out = append(out, key)
	}
	return out, nil
}

func mapValues(b *budget, args []any) (any, error) {
	m, err := mapOf(b, "values", args[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(m))
	for _, key := range sortedKeys(m) {
		out = append(out, m[key])
	}
	return out, nil
}

func date(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case time.Time:
		return v, nil
	case string:
		for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				return t, nil
			}
		}
		return nil, fmt.Errorf("%s is not a date: write 2026-01-31 or 2026-01-31T09:00:00Z", quoteShort(v))
	}
	return nil, wrong("date", "text", args[0])
}

func duration(_ *budget, args []any) (any, error) {
	switch v := args[0].(type) {
	case time.Duration:
		return v, nil
	case string:
		d, err := time.ParseDuration(v)
		if err != nil {
			return nil, fmt.Errorf("%s is not a duration: write 90s or 1h30m", quoteShort(v))
		}
		return d, nil
	}
	return nil, wrong("duration", "text", args[0])
}

// formatDate writes a date in Go's reference layout ("2006-01-02 15:04"), in UTC or a named zone.
func formatDate(b *budget, args []any) (any, error) {
	v, err := date(b, args[:1])
	if err != nil {
		return nil, err
	}
	layout, err := text("formatDate", args[1])
	if err != nil {
		return nil, err
	}
	zone := time.UTC
	if len(args) == 3 {
		name, err := text("formatDate", args[2])
		if err != nil {
			return nil, err
		}
		if len(name) > 64 || name == "Local" {
			return nil, fmt.Errorf("the time zone %s is not known", quoteShort(name))
		}
		if zone, err = time.LoadLocation(name); err != nil {
			return nil, fmt.Errorf("the time zone %s is not known", quoteShort(name))
		}
	}
	if err := b.charge(8*len(layout) + 4096); err != nil {
		return nil, err
	}
	return v.(time.Time).In(zone).Format(layout), nil
}
