package secret

import (
	"bytes"
	"testing"

	"github.com/google/uuid"
)

// What is in the database is opened if Seal made it, and refused otherwise.
func FuzzOpen(f *testing.F) {
	k, err := NewKeyring(firstKey, secondKey)
	if err != nil {
		f.Fatal(err)
	}
	project := uuid.MustParse("0190c0de-0000-7000-8000-000000000000")
	sealed, err := k.Seal(project, "token", "a value")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{sealed, nil, sealed[:1], sealed[:len(sealed)-1], append(bytes.Clone(sealed), 0), bytes.Repeat([]byte{1}, 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		value, err := k.Open(project, "token", stored)
		if err == nil && value != "a value" {
			t.Errorf("%x is opened, and holds %q", stored, value)
		}
		again, err := k.Rewrap(project, "token", stored)
		if err != nil {
			return
		}
		// The key is right; the value may have been changed behind it.
		if rewrapped, errAgain := k.Open(project, "token", again); errAgain == nil && rewrapped != "a value" {
			t.Errorf("%x is wrapped again, and holds %q", stored, rewrapped)
		}
	})
}
