package schedule

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// checker gathers every problem of a Spec, so that a person sees them all at once.
type checker struct{ fields []fault.Field }

func (c *checker) add(pointer, code, format string, args ...any) {
	c.fields = append(c.fields, fault.Field{Pointer: pointer, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) oneKind(s Spec) {
	var set []string
	if s.Cron != "" {
		set = append(set, "cron")
	}
	if s.Every != 0 {
		set = append(set, "every")
	}
	if !s.At.IsZero() {
		set = append(set, "at")
	}
	switch {
	case len(set) == 0:
		c.add("/cron", "required", "say when it fires: a cron expression such as \"0 9 * * MON-FRI\", or every, or at")
	case len(set) > 1:
		c.add("/"+set[1], "exclusive", "%s cannot be combined: keep one", strings.Join(set, " and "))
	}
	if s.Every == 0 {
		if !s.Anchor.IsZero() {
			c.add("/anchor", "exclusive", "anchor belongs to every, which is not set")
		}
		return
	}
	switch {
	case s.Every < minEvery:
		c.add("/every", "out_of_range", "%s is shorter than the shortest interval, %s", s.Every, minEvery)
	case s.Every > maxEvery:
		c.add("/every", "out_of_range", "%s is longer than the longest interval, 10 years (87600h)", s.Every)
	case s.Every%time.Millisecond != 0:
		c.add("/every", "out_of_range", "%s is finer than a millisecond: use whole milliseconds", s.Every)
	}
}

func (c *checker) options(s Spec) {
	switch s.Gap {
	case "", GapRunAfter, GapSkip:
	default:
		c.add("/gap", "unknown_value", "%q is not known: use run_after (default) or skip", s.Gap)
	}
	switch s.OverlapHour {
	case "", OverlapHourFirst, OverlapHourSecond, OverlapHourBoth:
	default:
		c.add("/overlap_hour", "unknown_value", "%q is not known: use first, second or both", s.OverlapHour)
	}
}

func (c *checker) instants(s Spec) {
	for _, f := range []struct {
		pointer string
		at      time.Time
	}{{"/anchor", s.Anchor}, {"/at", s.At}, {"/starts_at", s.StartsAt}, {"/ends_at", s.EndsAt}} {
		if year := f.at.UTC().Year(); !f.at.IsZero() && (year < minYear || year > maxYear) {
			c.add(f.pointer, "out_of_range", "the year %d is outside %d to %d", year, minYear, maxYear)
		}
	}
	if !s.StartsAt.IsZero() && !s.EndsAt.IsZero() && !s.EndsAt.After(s.StartsAt) {
		c.add("/ends_at", "out_of_range", "ends_at must be after starts_at")
	}
}

// maxZoneName is more than any IANA name has.
const maxZoneName = 64

// zones keeps the zones that were loaded; there are about 600, so it stays small.
var zones sync.Map

func (c *checker) zone(name string) *time.Location {
	if name == "" {
		return time.UTC
	}
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location)
	}
	switch lower := strings.ToLower(name); {
	case lower == "local" || lower == "localtime" || lower == "posixrules":
		c.add("/timezone", "timezone_unknown", "%q depends on the machine: name the zone, for example Europe/Madrid", name)
		return nil
	case strings.HasPrefix(lower, "right/") || strings.HasPrefix(lower, "posix/"):
		c.add("/timezone", "timezone_unknown", "%q is not an IANA name: leave out %q", name, name[:6])
		return nil
	}
	var zone *time.Location
	err := errors.New("too long")
	if len(name) <= maxZoneName { // names are looked up as files
		zone, err = time.LoadLocation(name)
	}
	if err != nil {
		hint := "use an IANA name such as Europe/Madrid, America/Asuncion or UTC"
		if better := recase(name); better != name && len(better) <= maxZoneName {
			if _, err := time.LoadLocation(better); err == nil {
				hint = "did you mean " + better + "?"
			}
		}
		c.add("/timezone", "timezone_unknown", "the time zone %s is not known: %s", shown(name), hint)
		return nil
	}
	zones.Store(name, zone)
	return zone
}

// recase writes a zone's name as IANA does: "europe/madrid" → "Europe/Madrid", "utc" → "UTC".
func recase(name string) string {
	if !strings.Contains(name, "/") {
		return strings.ToUpper(strings.TrimSpace(name))
	}
	start := true
	return strings.Map(func(r rune) rune {
		upper := start
		start = r == '/' || r == '_' || r == '-'
		if r == ' ' {
			start = true
			return '_'
		}
		if upper {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, strings.TrimSpace(name))
}

// shown quotes what a person typed, cut to a length that fits a message.
func shown(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return fmt.Sprintf("%q…", string(runes[:40]))
	}
	return fmt.Sprintf("%q", text)
}
