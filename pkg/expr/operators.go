package expr

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
)

// get is member access: nil where there is no such member, so that a template over data that came out otherwise than
// expected gives an empty text, and not a crash. Text has no members: that is nearly always a body that is not JSON.
func get(b *budget, args []any) (any, error) {
	from, key := args[0], args[1]
	switch from := from.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if name, ok := key.(string); ok {
			return from[name], nil
		}
	}
	if l, ok := asList(from); ok {
		i, ok := toIndex(key)
		if !ok {
			return nil, fmt.Errorf("a list has no member %s: use a number", shownKey(key))
		}
		if i < 0 {
			i += l.len()
		}
		if i < 0 || i >= l.len() {
			return nil, nil
		}
		return l.at(i), nil
	}
	if m, ok := asMap(from); ok {
		if err := b.charge(16 * len(m)); err != nil {
			return nil, err
		}
		name, err := scalarText(key)
		if err != nil {
			return nil, err
		}
		return m[name], nil
	}
	return nil, fmt.Errorf("%s has no member %s", kindOf(from), shownKey(key))
}

func shownKey(key any) string {
	text, err := scalarText(key)
	if err != nil {
		return kindOf(key)
	}
	return quoteShort(text)
}

// add is +: numbers, texts, text with any scalar, and times with durations.
func add(b *budget, args []any) (any, error) {
	left, right := args[0], args[1]
	_, leftText := left.(string)
	_, rightText := right.(string)
	if leftText || rightText {
		x, err := scalarText(left)
		if err != nil {
			return nil, err
		}
		y, err := scalarText(right)
		if err != nil {
			return nil, err
		}
		if err := b.charge(len(x) + len(y)); err != nil {
			return nil, err
		}
		return x + y, nil
	}
	x, xok := toNumber(left)
	y, yok := toNumber(right)
	if xok && yok {
		if sum := x.i + y.i; x.whole && y.whole && (sum > x.i) == (y.i > 0) {
			return int(sum), nil
		}
		return x.float() + y.float(), nil
	}
	switch x := left.(type) {
	case time.Time:
		if d, ok := right.(time.Duration); ok {
			return x.Add(d), nil
		}
	case time.Duration:
		switch y := right.(type) {
		case time.Duration:
			return x + y, nil
		case time.Time:
			return y.Add(x), nil
		}
	}
	return nil, fmt.Errorf("cannot add %s and %s", kindOf(left), kindOf(right))
}

// equal compares by value; it pays for every part it looks at.
func equal(b *budget, args []any) (any, error) {
	same, err := same(b, args[0], args[1], 0)
	return same, err
}

func same(b *budget, x, y any, depth int) (bool, error) {
	if depth > maxDepth {
		return false, limit("it compares values that nest deeper than %d levels", maxDepth)
	}
	if err := b.charge(0); err != nil {
		return false, err
	}
	if x == nil || y == nil {
		return x == nil && y == nil, nil
	}
	if m, ok := toNumber(x); ok {
		n, ok := toNumber(y)
		if ok && m.whole && n.whole {
			return m.i == n.i, nil
		}
		return ok && m.float() == n.float(), nil
	}
	switch x := x.(type) {
	case string:
		y, ok := y.(string)
		return ok && x == y, b.charge(len(x))
	case bool:
		y, ok := y.(bool)
		return ok && x == y, nil
	case time.Time:
		y, ok := y.(time.Time)
		return ok && x.Equal(y), nil
	case time.Duration:
		y, ok := y.(time.Duration)
		return ok && x == y, nil
	}
	if l, ok := asList(x); ok {
		r, ok := asList(y)
		if !ok || l.len() != r.len() {
			return false, nil
		}
		for i := range l.len() {
			if eq, err := same(b, l.at(i), r.at(i), depth+1); !eq || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	l, ok := asMap(x)
	r, ok2 := asMap(y)
	if !ok || !ok2 || len(l) != len(r) {
		return false, nil
	}
	for key, value := range l {
		other, ok := r[key]
		if !ok {
			return false, nil
		}
		if eq, err := same(b, value, other, depth+1); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

// in is membership: a value in a list, a key in a map. Nothing is in nil.
func in(b *budget, args []any) (any, error) {
	needle, hay := args[0], args[1]
	if hay == nil {
		return false, nil
	}
	if l, ok := asList(hay); ok {
		for i := range l.len() {
			if eq, err := same(b, needle, l.at(i), 0); eq || err != nil {
				return eq, err
			}
		}
		return false, nil
	}
	if m, ok := asMap(hay); ok {
		key, err := scalarText(needle)
		if err != nil {
			return nil, err
		}
		_, found := m[key]
		return found, b.charge(len(m))
	}
	return nil, fmt.Errorf("cannot look for something in %s: use contains for text", kindOf(hay))
}

// textOperator is an operator over two texts. nil counts as empty text, as it is written.
func textOperator(name string, f func(s, part string) bool) func(*budget, []any) (any, error) {
	return func(b *budget, args []any) (any, error) {
		s, part, err := twoTexts(name, args)
		if err != nil {
			return nil, err
		}
		if err := b.charge(len(s) + len(part)); err != nil {
			return nil, err
		}
		return f(s, part), nil
	}
}

func twoTexts(name string, args []any) (s, part string, err error) {
	for i, to := range []*string{&s, &part} {
		switch v := args[i].(type) {
		case nil:
		case string:
			*to = v
		default:
			return "", "", fmt.Errorf("%s needs text, here is %s", name, kindOf(v))
		}
	}
	return s, part, nil
}

// maxPattern bounds the machine of a regular expression, which repetitions make much larger than its text.
const maxPattern = 2000

// matches pays for the length of the text times the size of the pattern's machine, which bounds Go's matcher.
func matches(b *budget, args []any) (any, error) {
	s, pattern, err := twoTexts("matches", args)
	if err != nil {
		return nil, err
	}
	if len(pattern) > maxPattern {
		return nil, limit("the pattern has %d bytes: at most %d", len(pattern), maxPattern)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the pattern cannot be read: %w", err)
	}
	machine, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("the pattern cannot be used: %w", err)
	}
	if len(machine.Inst) > maxPattern {
		return nil, limit("the pattern is too complex: it needs %d states, at most %d", len(machine.Inst), maxPattern)
	}
	if err := b.charge(len(pattern)*64 + len(s)*len(machine.Inst)); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("the pattern cannot be used: %w", err)
	}
	return re.MatchString(s), nil
}

// hiddenFunctions are what guard puts in the place of operators.
var hiddenFunctions = map[string]function{
	"$get":        {do: get},
	"$add":        {do: add},
	"$equal":      {do: equal},
	"$in":         {do: in},
	"$matches":    {do: matches},
	"$contains":   {do: textOperator("contains", strings.Contains)},
	"$startsWith": {do: textOperator("startsWith", strings.HasPrefix)},
	"$endsWith":   {do: textOperator("endsWith", strings.HasSuffix)},
	"$tick":       {do: func(b *budget, _ []any) (any, error) { return nil, b.tick() }},
}
