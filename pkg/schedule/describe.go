package schedule

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Describe says in a sentence when the schedule fires, without its zone: in Spanish for "es" and its variants, in
// English for anything else.
func (s *Schedule) Describe(lang string) string {
	w := &english
	if lang == "es" || strings.HasPrefix(lang, "es-") || strings.HasPrefix(lang, "es_") {
		w = &spanish
	}
	var text string
	switch s.spec.Kind() {
	case Every:
		text = w.duration(s.spec.Every)
	case At:
		local := s.spec.At.In(s.zone)
		clock := local.Format("15:04")
		if local.Second() != 0 {
			clock = local.Format("15:04:05")
		}
		date := fmt.Sprintf(w.date, local.Day(), w.months[local.Month()-1], local.Year())
		if w == &spanish {
			clock = w.at([]string{clock})
		}
		text = fmt.Sprintf(w.once, date, clock)
	default:
		text = describer{w, s.expr.fields, s.expr.eitherDay()}.sentence()
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// The sets of fields that restrict nothing.
const (
	everyDayOfMonth = 1<<32 - 2
	everyMonth      = 1<<13 - 2
	everyDayOfWeek  = 1<<7 - 1
)

type describer struct {
	w      *words
	f      [6]field
	either bool
}

func (d describer) sentence() string {
	if often := d.often(); often != "" {
		if day := d.day(false); day != "" {
			return often + ", " + day + d.condition()
		}
		return often
	}
	day := d.day(true)
	if day == "" {
		day = d.w.everyDay
	}
	if times := d.times(); times != nil {
		return day + " " + d.w.at(times) + d.condition()
	}
	return d.fieldByField() + d.comma(d.day(false)) + d.condition()
}

// condition is the weekday that a day of the month must be, where both are needed.
func (d describer) condition() string {
	if d.either || d.f[dayOfMonth].bits == everyDayOfMonth || !d.weekRestricted() {
		return ""
	}
	return fmt.Sprintf(d.w.andIf, d.weekNames(d.w.or))
}

func (d describer) comma(text string) string {
	if text == "" {
		return ""
	}
	return ", " + text
}

// often describes what recurs within a day: every 5 minutes, every hour from 09:00 to 17:00; empty for times of the
// clock and for what is too irregular.
func (d describer) often() string {
	secondStep, secondStart := even(d.f[second], 60)
	minuteStep, minuteStart := even(d.f[minute], 60)
	sec, oneSecond := d.f[second].single()
	m, oneMinute := d.f[minute].single()
	hours, allDay := d.hoursTail(59)
	switch {
	case secondStep > 0 && minuteStep == 1:
		return d.series(d.w.second, secondStep, d.w.startSecond, secondStart) + hours
	case oneSecond && minuteStep > 0:
		text := d.series(d.w.minute, minuteStep, d.w.startMinute, minuteStart)
		if sec != 0 {
			text += fmt.Sprintf(d.w.atSecond, sec)
		}
		return text + hours
	case oneSecond && sec == 0 && oneMinute && allDay:
		return d.w.hour[0] + d.minuteTail(m)
	case oneSecond && sec == 0 && oneMinute && d.f[hour].step > 1:
		if step, _ := even(d.f[hour], 24); step > 0 {
			return fmt.Sprintf(d.w.hour[1], step) + d.minuteTail(m)
		}
	case oneSecond && sec == 0 && oneMinute:
		if low, high, ok := oneRun(d.f[hour].bits); ok && high-low >= 3 {
			return d.w.hour[0] + fmt.Sprintf(d.w.span, clock(low, m), clock(high, m))
		}
	}
	return ""
}

func (d describer) series(form [2]string, step int, startForm string, start int) string {
	text := form[0]
	if step > 1 {
		text = fmt.Sprintf(form[1], step)
	}
	if start > 0 {
		text += fmt.Sprintf(startForm, start)
	}
	return text
}

func (d describer) minuteTail(m int) string {
	if m == 0 {
		return ""
	}
	return fmt.Sprintf(d.w.atMinute, m)
}

// hoursTail limits a series to its hours; empty when it runs all day.
func (d describer) hoursTail(lastMinute int) (tail string, allDay bool) {
	if d.f[hour].bits == allHours {
		return "", true
	}
	if low, high, ok := oneRun(d.f[hour].bits); ok {
		return fmt.Sprintf(d.w.span, clock(low, 0), clock(high, lastMinute)), false
	}
	return fmt.Sprintf(d.w.inHours, d.numbers(d.f[hour].bits)), false
}

// times lists the times of the clock when they are few enough to be read.
func (d describer) times() []string {
	sec, ok := d.f[second].single()
	hours, minutes := d.f[hour].values(), d.f[minute].values()
	if !ok || len(hours)*len(minutes) > 12 {
		return nil
	}
	var list []string
	for _, h := range hours {
		for _, m := range minutes {
			text := clock(h, m)
			if sec != 0 {
				text += fmt.Sprintf(":%02d", sec)
			}
			list = append(list, text)
		}
	}
	return list
}

// fieldByField is for what has no simpler name.
func (d describer) fieldByField() string {
	var parts []string
	add := func(f field, all uint64, one, many, every string) {
		switch {
		case f.bits == all:
			parts = append(parts, every)
		case bits.OnesCount64(f.bits) == 1:
			parts = append(parts, fmt.Sprintf(one, d.numbers(f.bits)))
		default:
			parts = append(parts, fmt.Sprintf(many, d.numbers(f.bits)))
		}
	}
	const sixty = 1<<60 - 1
	if sec, ok := d.f[second].single(); !ok || sec != 0 {
		if d.f[second].bits == sixty {
			add(d.f[second], 0, "", d.w.secondMany, "")
		} else {
			add(d.f[second], sixty, d.w.secondOne, d.w.secondMany, "")
		}
	}
	add(d.f[minute], sixty, d.w.minuteOne, d.w.minuteMany, d.w.everyMinute)
	add(d.f[hour], allHours, d.w.hourOne, d.w.hourMany, d.w.everyHourText)
	return strings.ReplaceAll(fmt.Sprintf(d.w.fieldByField, strings.Join(parts, ", ")), ", "+d.w.everyHourText, " "+d.w.everyHourText)
}

// day describes the days; empty when every day is meant. lead tells whether it begins the sentence.
func (d describer) day(lead bool) string {
	byMonth := d.f[dayOfMonth].bits != everyDayOfMonth
	byWeek := d.weekRestricted()
	months := ""
	if d.f[month].bits != everyMonth {
		months = d.monthList()
	}
	switch {
	case !byMonth && !byWeek && months == "":
		return ""
	case !byMonth && !byWeek && lead:
		if d.w == &spanish {
			return d.w.everyDay + d.ofMonths(months)
		}
		return d.w.everyDay + d.inMonths(months)
	case !byMonth && !byWeek:
		return strings.TrimSpace(d.inMonths(months))
	case byMonth && byWeek && d.either:
		return d.monthDays(months) + " " + d.w.or + " " + d.weekDays(false, months)
	case byMonth: // and, where the weekday counts too, condition says so
		return d.monthDays(months)
	default:
		return d.weekDays(lead, months)
	}
}

func (d describer) monthDays(months string) string {
	f := d.f[dayOfMonth]
	day, oneDay := f.single()
	if _, oneMonth := d.f[month].single(); oneDay && oneMonth && !d.weekRestricted() {
		return fmt.Sprintf(d.w.yearly, day, months)
	}
	var list []string
	switch {
	case oneDay:
		list = append(list, fmt.Sprintf(d.w.dayOne, strconv.Itoa(day)))
	case f.bits != 0:
		form := d.w.dayMany
		if bits.OnesCount64(f.bits) == 1 {
			form = d.w.dayOne
		}
		list = append(list, fmt.Sprintf(form, d.numbers(f.bits)))
	}
	for _, r := range f.days {
		switch {
		case r.kind == lastWorkday:
			list = append(list, d.w.lastWork)
		case r.kind == nearestWorkday:
			list = append(list, fmt.Sprintf(d.w.nearWork, r.n))
		case r.n > 0:
			list = append(list, fmt.Sprintf(d.w.lastOffset, r.n))
		default:
			list = append(list, d.w.last)
		}
	}
	return fmt.Sprintf(d.w.onMonthDays, join(list, d.w.and)+d.ofMonths(months))
}

func (d describer) weekRestricted() bool {
	return d.f[dayOfWeek].bits != everyDayOfWeek
}

func (d describer) ofMonths(months string) string {
	if months == "" {
		return d.w.ofEveryMonth
	}
	return fmt.Sprintf(d.w.of, months)
}

func (d describer) weekDays(lead bool, months string) string {
	f := d.f[dayOfWeek]
	tail := ""
	if months != "" {
		tail = d.inMonths(months)
		if d.w == &spanish {
			tail = d.ofMonths(months) // cada lunes de enero
		}
	}
	if len(f.days) > 0 {
		return fmt.Sprintf(d.w.onMonthDays, d.weekNames(d.w.and)+d.ofMonths(months))
	}
	const mondayToFriday = 0b0111110
	low, high, run := oneRun(mondayFirst(f.bits))
	switch {
	case f.bits == mondayToFriday && lead:
		return d.w.weekdays + tail
	case f.bits == mondayToFriday:
		return d.w.onWeekdays + tail
	case run && high-low >= 2:
		form := d.w.onDayRun
		if lead {
			form = d.w.dayRun
		}
		return fmt.Sprintf(form, d.w.days[(low+1)%7], d.w.days[(high+1)%7]) + d.inMonths(months)
	case lead:
		return fmt.Sprintf(d.w.eachDay, d.weekNames(d.w.and)) + tail
	}
	names := d.weekdayNames()
	for i := range names {
		names[i] = d.w.plural(names[i])
	}
	return fmt.Sprintf(d.w.onDays, join(names, d.w.and)) + tail
}

// inMonths is "in January" or "from June to August"; empty when months is.
func (d describer) inMonths(months string) string {
	if months == "" {
		return ""
	}
	if low, high, run := oneRun(d.f[month].bits); run && high-low >= 2 {
		return fmt.Sprintf(d.w.span, d.w.months[low-1], d.w.months[high-1])
	}
	return fmt.Sprintf(d.w.in, months)
}

func (d describer) weekNames(last string) string {
	list := d.weekdayNames()
	for _, r := range d.f[dayOfWeek].days {
		list = append(list, fmt.Sprintf(d.w.nthDay, d.w.nth[max(r.n, 0)], d.w.days[r.weekday]))
	}
	return join(list, last)
}

func (d describer) weekdayNames() []string {
	var list []string
	for i := 1; i <= 7; i++ { // Monday first
		if d.f[dayOfWeek].bits&(1<<(i%7)) != 0 {
			list = append(list, d.w.days[i%7])
		}
	}
	return list
}

func (d describer) monthList() string {
	low, high, run := oneRun(d.f[month].bits)
	if run && high-low >= 2 {
		return fmt.Sprintf(d.w.run, d.w.months[low-1], d.w.months[high-1])
	}
	var list []string
	for _, m := range d.f[month].values() {
		list = append(list, d.w.months[m-1])
	}
	return join(list, d.w.and)
}

// numbers lists values, with runs of three or more drawn together: "1 to 7 and 15".
func (d describer) numbers(set uint64) string {
	var list []string
	for set != 0 {
		low := bits.TrailingZeros64(set)
		length := bits.TrailingZeros64(^(set >> low))
		if length < 3 {
			length = 1
			list = append(list, strconv.Itoa(low))
		} else {
			list = append(list, fmt.Sprintf(d.w.run, strconv.Itoa(low), strconv.Itoa(low+length-1)))
		}
		set &^= (1<<length - 1) << low
	}
	return join(list, d.w.and)
}

// even tells whether a field is a series with one step all around the clock: {5, 20, 35, 50} is every 15 from 5.
// step is 0 when it is not.
func even(f field, size int) (step, start int) {
	values := f.values()
	if len(values) < 2 || size%len(values) != 0 || values[0] >= size/len(values) {
		return 0, 0
	}
	step = size / len(values)
	for i, v := range values {
		if v != values[0]+i*step {
			return 0, 0
		}
	}
	return step, values[0]
}

// oneRun tells whether the set is an unbroken range.
func oneRun(set uint64) (low, high int, ok bool) {
	low = bits.TrailingZeros64(set)
	length := bits.TrailingZeros64(^(set >> low))
	return low, low + length - 1, set != 0 && bits.OnesCount64(set) == length
}

// mondayFirst turns a set of weekdays so that Monday is 0 and Sunday 6.
func mondayFirst(set uint64) uint64 { return set>>1 | set&1<<6 }

func clock(h, m int) string { return fmt.Sprintf("%02d:%02d", h, m) }
