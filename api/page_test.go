package api

import (
	"errors"
	"testing"
)

// A cursor is what a list gave out, or refused; nothing else comes of it.
func FuzzCursors(f *testing.F) {
	for _, parts := range [][]string{
		{"0190c0de-0000-7000-8000-000000000000"},
		{"12"},
		{"2026-11-23T09:00:00Z", "0190c0de-0000-7000-8000-000000000000"},
		{"9999-12-31T23:59:59.999999999Z", "x"},
		{"", "", ""},
	} {
		f.Add(*encodeCursor(parts...))
	}
	f.Add("")
	f.Add("%00")
	f.Add("MQ==")
	f.Fuzz(func(t *testing.T, cursor string) {
		id, err := idCursor(&cursor)
		if err == nil && id != nil {
			if again, err := idCursor(encodeCursor(id.String())); err != nil || *again != *id {
				t.Errorf("%q is %v, and then %v: %v", cursor, id, again, err)
			}
		}
		n, errNumber := numberCursor(&cursor)
		if errNumber == nil && n < 0 {
			t.Errorf("%q is page %d", cursor, n)
		}
		fire, errFire := fireCursor(&cursor)
		if errFire == nil && fire != nil && (fire.FireAt.Year() < 1970 || fire.FireAt.Year() > 2300) {
			t.Errorf("%q is at %s", cursor, fire.FireAt)
		}
		for _, err := range []error{err, errNumber, errFire} {
			if err != nil && !errors.Is(err, errCursor) {
				t.Errorf("%q: %v is not the caller's fault", cursor, err)
			}
		}
	})
}

func FuzzLanguage(f *testing.F) {
	for _, header := range []string{"", "es", "es-ES,es;q=0.9,en;q=0.8", "en;q=1.0,es;q=0", "*", ";;;,,,", "es;q=NaN", "ES_es"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if got := language(&header); got != "es" && got != "en" {
			t.Errorf("%q is the language %q", header, got)
		}
	})
}
