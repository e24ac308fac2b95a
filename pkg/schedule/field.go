package schedule

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// unit is one field of a cron expression: what it may hold and what it is called.
type unit struct {
	name     string
	min, max int
	names    []string // names[i] stands for min+i
	special  bool     // ? L W # have a meaning here
}

var units = [6]unit{
	{name: "second", max: 59},
	{name: "minute", max: 59},
	{name: "hour", max: 23},
	{name: "day of month", min: 1, max: 31, special: true},
	{name: "month", min: 1, max: 12, names: []string{
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
	}},
	{name: "day of week", max: 7, special: true, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// The fields' places in an expression with seconds.
const (
	second = iota
	minute
	hour
	dayOfMonth
	month
	dayOfWeek
)

// field is one field once read.
type field struct {
	text string
	// open: begins with * or ?, so that it does not restrict the day (rule 4 of day of month and day of week).
	open bool
	bits uint64
	// step is n for a field that is exactly */n; 1 for * and ?; 0 otherwise.
	step int
	days []dayRule
}

// dayRule is a day that depends on the month.
type dayRule struct {
	kind    dayKind
	n       int // offset before the last day, day of the month, or which of its weekdays (-1: the last)
	weekday int
}

type dayKind int

const (
	lastDay        dayKind = iota // L, and L-n
	lastWorkday                   // LW
	nearestWorkday                // nW
	nthWeekday                    // FRI#3, FRI#L
)

// problem is why an expression is refused.
type problem struct{ code, message string }

func refuse(format string, args ...any) *problem {
	return &problem{code: "cron_syntax", message: fmt.Sprintf(format, args...)}
}

// values lists the set bits in order.
func (f field) values() []int {
	list := make([]int, 0, bits.OnesCount64(f.bits))
	for rest := f.bits; rest != 0; rest &= rest - 1 {
		list = append(list, bits.TrailingZeros64(rest))
	}
	return list
}

// single is the only value of a field that has exactly one.
func (f field) single() (int, bool) {
	if len(f.days) > 0 || bits.OnesCount64(f.bits) != 1 {
		return 0, false
	}
	return bits.TrailingZeros64(f.bits), true
}

func (u unit) span() string { return fmt.Sprintf("%d–%d", u.min, u.max) }

func (u unit) parse(text string) (field, *problem) {
	f := field{text: text, open: text[0] == '*' || text[0] == '?'}
	items := strings.Split(text, ",")
	for _, item := range items {
		if item == "" {
			return f, refuse("%s: %s has an empty place in its list: remove the extra comma", u.name, shown(text))
		}
		if p := u.item(&f, item); p != nil {
			return f, p
		}
	}
	if u.max == 7 && f.bits&(1<<7) != 0 {
		f.bits = f.bits&^(1<<7) | 1 // 7 is Sunday, as 0 is
	}
	if len(items) > 1 {
		f.step = 0
	}
	return f, nil
}

// item reads one part of a list into f.
func (u unit) item(f *field, item string) *problem {
	if rule, found, p := u.dayRule(item); found || p != nil {
		f.days = append(f.days, rule)
		return p
	}
	body, stepText, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		n, ok := number(stepText)
		switch {
		case !ok:
			return refuse("%s: the step %s in %q is not a number", u.name, shown(stepText), item)
		case n == 0:
			return refuse("%s: the step in %q must be at least 1", u.name, item)
		case n > u.max:
			return refuse("%s: the step %d in %q is too large: at most %d; for a longer interval use every", u.name, n, item, u.max)
		}
		step = n
	}
	if body == "*" || body == "?" {
		if body == "?" && (!u.special || stepped) {
			return refuse("%s: ? stands alone, in day of month or day of week: use *", u.name)
		}
		f.step = step
		u.set(f, u.min, u.top(), step)
		return nil
	}
	lowText, highText, ranged := strings.Cut(body, "-")
	low, p := u.value(lowText, item)
	if p != nil {
		return p
	}
	high := low
	switch {
	case ranged:
		if high, p = u.value(highText, item); p != nil {
			return p
		}
		if u.max == 7 && high == 0 && low > 0 {
			high = 7 // FRI-SUN
		}
		if low > high {
			return refuse("%s: the range %q runs backwards: write %q", u.name, item, u.turned(low, high))
		}
	case stepped:
		high = max(low, u.top()) // 5/15: from 5 to the end
	}
	u.set(f, low, high, step)
	return nil
}

// top is the highest value that * reaches: Sunday is 0 there, not 7 as well.
func (u unit) top() int {
	if u.max == 7 {
		return 6
	}
	return u.max
}

func (u unit) set(f *field, low, high, step int) {
	for v := low; v <= high; v += step {
		f.bits |= 1 << v
	}
}

// turned writes a backward range as the two ranges that were meant.
func (u unit) turned(low, high int) string {
	part := func(a, b int) string {
		if a == b {
			return strconv.Itoa(a)
		}
		return fmt.Sprintf("%d-%d", a, b)
	}
	return part(low, u.top()) + "," + part(u.min, high)
}

// value reads a number or a name.
func (u unit) value(text, item string) (int, *problem) {
	if n, ok := number(text); ok {
		if n < u.min || n > u.max {
			return 0, refuse("%s: %d is out of range: use %s", u.name, n, u.span())
		}
		return n, nil
	}
	for i, name := range u.names {
		if strings.EqualFold(name, text) {
			return u.min + i, nil
		}
	}
	hint := "use " + u.span()
	if u.names != nil {
		hint += fmt.Sprintf(", or a name of three letters such as %s", strings.ToUpper(u.names[1]))
	}
	if text == "" {
		return 0, refuse("%s: %q is incomplete: %s, ranges as 1-5 and steps as */2", u.name, item, hint)
	}
	return 0, refuse("%s: %s is not known: %s", u.name, shown(text), hint)
}

// dayRule reads L, L-n, LW, nW, DAY#n and DAY#L; found is false for anything else.
func (u unit) dayRule(item string) (rule dayRule, found bool, p *problem) {
	upper := strings.ToUpper(item)
	switch {
	case u.name == "day of month" && upper == "L":
		return dayRule{kind: lastDay}, true, nil
	case u.name == "day of month" && upper == "LW":
		return dayRule{kind: lastWorkday}, true, nil
	case u.name == "day of month" && strings.HasPrefix(upper, "L-"):
		n, ok := number(upper[2:])
		if !ok || n < 1 || n > 30 {
			return rule, true, refuse("%s: %s is not known: L-n is n days before the last, n from 1 to 30", u.name, shown(item))
		}
		return dayRule{kind: lastDay, n: n}, true, nil
	case u.name == "day of month" && strings.HasSuffix(upper, "W"):
		n, ok := number(upper[:len(upper)-1])
		if !ok || n < 1 || n > 31 {
			return rule, true, refuse("%s: %s is not known: nW is the workday nearest to day n, n from 1 to 31", u.name, shown(item))
		}
		return dayRule{kind: nearestWorkday, n: n}, true, nil
	case u.name == "day of week" && strings.Contains(item, "#"):
		dayText, nth, _ := strings.Cut(upper, "#")
		day, p := u.value(dayText, item)
		if p != nil {
			return rule, true, p
		}
		rule = dayRule{kind: nthWeekday, weekday: day % 7, n: -1}
		if nth == "L" {
			return rule, true, nil
		}
		n, ok := number(nth)
		if !ok || n < 1 || n > 5 {
			return rule, true, refuse("%s: %s is not known: after # comes 1 to 5, or L for the last", u.name, shown(item))
		}
		rule.n = n
		return rule, true, nil
	case u.name == "day of week" && strings.HasSuffix(upper, "L"):
		return rule, true, refuse("%s: %s is not known: the last Friday is FRI#L, and L alone belongs to day of month", u.name, shown(item))
	case u.name == "day of week" && strings.HasSuffix(upper, "W") && len(upper) > 1 && upper[0] <= '9':
		return rule, true, refuse("%s: %s is not known: W belongs to day of month", u.name, shown(item))
	}
	return rule, false, nil
}

// number reads digits only: no sign, no spaces, at most four.
func number(text string) (int, bool) {
	if text == "" || len(text) > 4 {
		return 0, false
	}
	n := 0
	for _, r := range text {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = n*10 + int(r-'0')
	}
	return n, true
}
