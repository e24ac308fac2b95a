package action

import (
	"strings"
	"testing"
)

// The header Link comes from the target.
func FuzzNextLink(f *testing.F) {
	for _, seed := range []string{`<https://h/?page=2>; rel="next", <https://h/?page=9>; rel="last"`, `<a>; rel=next`, `<`, `<>`, `<a`, `<a>;rel="next`, `<a>;;;,,rel=next`, `rel=next`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if next := nextLink(header); next != "" && !strings.Contains(header, "<"+next+">") {
			t.Errorf("%q leads to %q", header, next)
		}
	})
}

func FuzzParseInstant(f *testing.F) {
	for _, seed := range []string{"2026-12-24T18:00:00+01:00", "2026-12-24", "", "9999-12-31T23:59:59.999999999Z", "2026-02-30T00:00:00Z", "2016-12-31T23:59:60Z", "2026-12-24T18:00:00+99:99"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := parseInstant(text); err == nil && (at.UTC().Year() < -1 || at.UTC().Year() > 10_000) {
			t.Errorf("%q is %s", text, at)
		}
	})
}
