// Package wire holds the types of the API's JSON that Go's own do not write as the contract says.
package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// layout is RFC 3339 in UTC with milliseconds, always three digits.
const layout = "2006-01-02T15:04:05.000Z"

// Instant is a time.Time as the API writes it.
type Instant struct{ time.Time }

// At makes an Instant.
func At(t time.Time) Instant { return Instant{t.UTC()} }

// All makes Instants of times; an empty list of none.
func All(times []time.Time) []Instant {
	all := make([]Instant, len(times))
	for i, t := range times {
		all[i] = At(t)
	}
	return all
}

// Maybe makes an Instant of a time that may be missing.
func Maybe(t *time.Time) *Instant {
	if t == nil {
		return nil
	}
	i := At(*t)
	return &i
}

// Pointer is the time, or nil when the instant is missing.
func (i *Instant) Pointer() *time.Time {
	if i == nil {
		return nil
	}
	t := i.UTC()
	return &t
}

// MarshalJSON implements json.Marshaler.
func (i Instant) MarshalJSON() ([]byte, error) {
	return []byte(`"` + i.UTC().Format(layout) + `"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Instant) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read instant: %w", err)
	}
	return i.UnmarshalText([]byte(s))
}

// Bind implements the generated code's interface for parameters; without it every struct that looks like a time is read
// as a date.
func (i *Instant) Bind(src string) error { return i.UnmarshalText([]byte(src)) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *Instant) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return fmt.Errorf("read instant %q: want RFC 3339, as in 2026-11-23T09:00:00Z", b)
	}
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return fmt.Errorf("read instant %q: in UTC its year has more than four digits", b)
	}
	i.Time = t
	return nil
}
