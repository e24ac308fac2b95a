// Package schedule says when a trigger fires: cron expressions in a time zone, fixed intervals and single instants,
// and what becomes of fires that were missed. It is pure: it never asks for the time.
//
// A cron expression is read on the wall clock of its zone. Where the clocks change, it is either an interval (its
// hour field covers all 24 hours: it fires at every real instant whose wall clock matches) or an appointment
// (anything else: each wall time fires exactly once, at the first pass of a repeated hour and at the end of the gap
// when it does not exist).
package schedule

import (
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Kind is the way a schedule is written.
type Kind string

// The kinds.
const (
	Cron  Kind = "cron"  // a cron expression in a zone
	Every Kind = "every" // a fixed interval from an anchor
	At    Kind = "at"    // one instant
)

// What an appointment does when its wall time does not exist.
const (
	GapRunAfter = "run_after" // fires at the end of the gap (default)
	GapSkip     = "skip"      // does not fire
)

// Which passes of a repeated hour fire. Empty means the rule: both for an interval, the first for an appointment.
const (
	OverlapHourFirst  = "first"
	OverlapHourSecond = "second"
	OverlapHourBoth   = "both"
)

const (
	minEvery = time.Second
	maxEvery = 10 * 365 * 24 * time.Hour
	// Instants outside these years are typing mistakes; within them no arithmetic here overflows.
	minYear, maxYear = 1970, 2200
	// neverYears is how far an expression is searched when it is saved: long enough for 29 February across 2100.
	neverYears = 12
)

// Spec is a schedule as a person writes it. Exactly one of Cron, Every and At is set.
type Spec struct {
	Cron        string        `json:"cron,omitempty"`         // five fields, or six with seconds first, or @daily and the like
	Timezone    string        `json:"timezone,omitempty"`     // IANA name; empty is UTC
	Every       time.Duration `json:"every,omitempty"`        // at least 1 s, whole milliseconds
	Anchor      time.Time     `json:"anchor,omitzero"`        // Every counts from here; zero is 1970-01-01
	At          time.Time     `json:"at,omitzero"`            // the instant
	Gap         string        `json:"gap,omitempty"`          // run_after (default) or skip
	OverlapHour string        `json:"overlap_hour,omitempty"` // first, second, both; empty: the rule
	StartsAt    time.Time     `json:"starts_at,omitzero"`     // no fire before; zero: none
	EndsAt      time.Time     `json:"ends_at,omitzero"`       // no fire after; zero: none
}

// Kind tells which of the three the spec is; empty when it is none of them.
func (s Spec) Kind() Kind {
	switch {
	case s.Cron != "":
		return Cron
	case s.Every != 0:
		return Every
	case !s.At.IsZero():
		return At
	}
	return ""
}

// Schedule is a checked Spec, ready to answer. It does not change and is safe for concurrent use.
type Schedule struct {
	spec  Spec
	zone  *time.Location
	expr  *expression // only for Cron
	modes modes
}

// Compile checks spec and makes it answerable. Its error is a *fault.Error whose fields name every part that is
// wrong by the pointers /cron, /timezone, /every, /anchor, /at, /gap, /overlap_hour, /starts_at and /ends_at.
func Compile(spec Spec) (*Schedule, error) {
	var c checker
	s := &Schedule{spec: spec, zone: c.zone(spec.Timezone)}
	c.oneKind(spec)
	c.options(spec)
	c.instants(spec)
	if spec.Cron != "" {
		expr, problem := parse(spec.Cron)
		if problem != nil {
			c.add("/cron", problem.code, "%s", problem.message)
		}
		s.expr = expr
	}
	if len(c.fields) > 0 {
		return nil, fault.InvalidFields(c.fields)
	}
	// PostgreSQL keeps microseconds; what is stored must compare equal to what is computed.
	for _, t := range []*time.Time{&s.spec.Anchor, &s.spec.At, &s.spec.StartsAt, &s.spec.EndsAt} {
		if !t.IsZero() {
			*t = t.UTC().Truncate(time.Microsecond)
		}
	}
	if s.spec.Timezone == "" {
		s.spec.Timezone = "UTC"
	}
	s.modes = chooseModes(spec, s.Interval())
	if s.Next(time.Time{}).IsZero() {
		return nil, fault.At("/ends_at", "never_fires", "nothing fires between starts_at and ends_at")
	}
	return s, nil
}

// Spec returns what was compiled, with the zone filled in and instants in UTC.
func (s *Schedule) Spec() Spec { return s.spec }

// Interval tells whether repeated and missing hours are counted in real time: fixed intervals, and cron expressions
// whose hour field covers all 24 hours.
func (s *Schedule) Interval() bool {
	if s.expr != nil {
		return s.expr.everyHour()
	}
	return s.spec.Kind() == Every
}

// modes are the choices that remain once the defaults are filled in.
type modes struct {
	gap    bool // fires at the end of a gap
	first  bool // fires in the first pass of a repeated hour
	second bool
}

func chooseModes(spec Spec, interval bool) modes {
	m := modes{gap: !interval && spec.Gap != GapSkip, first: true, second: interval}
	switch spec.OverlapHour {
	case OverlapHourFirst:
		m.first, m.second = true, false
	case OverlapHourSecond:
		m.first, m.second = false, true
	case OverlapHourBoth:
		m.first, m.second = true, true
	}
	return m
}
