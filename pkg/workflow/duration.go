package workflow

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written as people write it: 90s, 5m, 1h30m, 2d. A day is 24 hours.
type Duration time.Duration

// day is a day in nanoseconds.
var day = big.NewRat(int64(24*time.Hour), 1)

// inDays is a number of days. What is no number (1.2.3d) is left to time.ParseDuration to refuse.
var inDays = regexp.MustCompile(`[0-9.]+d`)

// ParseDuration reads 90s, 5m, 1h30m, 250ms or 2d; negative durations are refused.
func ParseDuration(s string) (Duration, error) {
	withoutDays := inDays.ReplaceAllStringFunc(s, func(m string) string {
		n, ok := new(big.Rat).SetString(strings.TrimSuffix(m, "d"))
		if !ok {
			return m
		}
		n.Mul(n, day) // exactly: 0.7 days are no nanosecond less
		return new(big.Int).Quo(n.Num(), n.Denom()).String() + "ns"
	})
	d, err := time.ParseDuration(withoutDays)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("parse duration %q: want a number and a unit (ms, s, m, h, d), as in 90s or 1h30m", s)
	}
	return Duration(d), nil
}

// String writes the shortest form: 90s becomes 1m30s, 48h becomes 2d.
func (d Duration) String() string {
	t := time.Duration(d)
	if t == 0 {
		return "0s"
	}
	var b strings.Builder
	if n := t / (24 * time.Hour); n > 0 {
		b.WriteString(strconv.FormatInt(int64(n), 10) + "d")
		t -= n * 24 * time.Hour
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}} {
		if n := t / unit.size; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + unit.name)
			t -= n * unit.size
		}
	}
	if t > 0 {
		b.WriteString(t.String()) // below a minute it is one exact number with its unit
	}
	return b.String()
}

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	parsed, err := ParseDuration(s)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
