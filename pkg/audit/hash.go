package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Hash is a SHA-256 of an entry; zero before the first one.
type Hash [sha256.Size]byte

// String writes it as hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return fmt.Errorf("%.80q is no hash: want %d hexadecimal digits", text, 2*len(h))
	}
	copy(h[:], raw)
	return nil
}

// format is the first field of what is hashed, so that another way to write entries can never be taken for this one.
const format = "orquestador audit 1"

// instant is how an entry's time is hashed and written out: to the microsecond, as the database keeps it.
const instant = "2006-01-02T15:04:05.000000Z"

// Sum is the hash of what the entry says and of the hash before it. Each field is written with its length before it, as in
// 5:abcde, so that none can grow into its neighbour; what is not there has the length 0. docs/audit.md lists them.
func (e Entry) Sum() Hash {
	var b []byte
	for _, field := range []string{
		format, strconv.FormatInt(e.Number, 10), e.At.UTC().Format(instant),
		string(e.Actor.Kind), id(e.Actor.ID), e.Actor.Name, id(e.Actor.Session), id(e.Actor.Token), e.Address, e.RequestID,
		string(e.Action), id(e.Project), e.Object.ID, e.Object.Name, string(e.Before), string(e.After), e.Previous.String(),
	} {
		b = strconv.AppendInt(b, int64(len(field)), 10)
		b = append(b, ':')
		b = append(b, field...)
	}
	return sha256.Sum256(b)
}

// id writes a UUID; the zero one is none.
func id(u uuid.UUID) string {
	if u == uuid.Nil {
		return ""
	}
	return u.String()
}

// parseInstant reads what instant writes.
func parseInstant(text string) (time.Time, error) {
	at, err := time.Parse(instant, text)
	if err != nil {
		return at, fmt.Errorf("read an instant: %w", err)
	}
	return at, nil
}
