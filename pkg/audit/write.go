package audit

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// Format is how a record is written out.
type Format string

// The formats.
const (
	JSONLines Format = "json" // an object per line, from which the chain can be verified again
	CSV       Format = "csv"  // for spreadsheets
)

// line is an entry as JSON.
type line struct {
	Number    int64           `json:"number"`
	At        string          `json:"at"`
	Actor     actorLine       `json:"actor"`
	Address   string          `json:"address,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Action    Action          `json:"action"`
	Project   string          `json:"project_id,omitempty"`
	Object    objectLine      `json:"object"`
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Previous  Hash            `json:"previous"`
	Hash      Hash            `json:"hash"`
	Seal      string          `json:"seal,omitempty"`
	SealedBy  string          `json:"sealed_by,omitempty"`
}

type actorLine struct {
	Kind    ActorKind `json:"kind"`
	ID      string    `json:"id,omitempty"`
	Name    string    `json:"name,omitempty"`
	Session string    `json:"session_id,omitempty"`
	Token   string    `json:"token_id,omitempty"`
}

type objectLine struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// Writer writes entries out.
type Writer struct {
	json *json.Encoder
	csv  *csv.Writer
}

var csvHead = []string{
	"number", "at", "actor_kind", "actor_id", "actor_name", "session_id", "token_id", "address", "request_id", "action", "project_id",
	"object_id", "object_name", "before", "after", "previous", "hash",
}

// NewWriter makes one that writes to w in a format.
func NewWriter(w io.Writer, f Format) (*Writer, error) {
	if f == CSV {
		c := csv.NewWriter(w)
		if err := c.Write(csvHead); err != nil {
			return nil, fmt.Errorf("write the head: %w", err)
		}
		return &Writer{csv: c}, nil
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // before and after are hashed as they are
	return &Writer{json: encoder}, nil
}

// Write writes an entry.
func (w *Writer) Write(e Entry) error {
	if w.csv == nil {
		err := w.json.Encode(line{
			Number: e.Number, At: e.At.UTC().Format(instant),
			Actor:   actorLine{Kind: e.Actor.Kind, ID: id(e.Actor.ID), Name: e.Actor.Name, Session: id(e.Actor.Session), Token: id(e.Actor.Token)},
			Address: e.Address, RequestID: e.RequestID, Action: e.Action, Project: id(e.Project), Object: objectLine(e.Object),
			Before: e.Before, After: e.After, Previous: e.Previous, Hash: e.Hash, Seal: hex.EncodeToString(e.Seal), SealedBy: e.SealedBy,
		})
		if err != nil {
			return fmt.Errorf("write entry %d: %w", e.Number, err)
		}
		return nil
	}
	cells := []string{
		strconv.FormatInt(e.Number, 10), e.At.UTC().Format(instant), string(e.Actor.Kind), id(e.Actor.ID), e.Actor.Name, id(e.Actor.Session),
		id(e.Actor.Token), e.Address, e.RequestID, string(e.Action), id(e.Project), e.Object.ID, e.Object.Name, string(e.Before), string(e.After),
		e.Previous.String(), e.Hash.String(),
	}
	for i, c := range cells {
		cells[i] = cell(c)
	}
	if err := w.csv.Write(cells); err != nil {
		return fmt.Errorf("write entry %d: %w", e.Number, err)
	}
	return nil
}

// Flush writes what was held back.
func (w *Writer) Flush() error {
	if w.csv == nil {
		return nil
	}
	w.csv.Flush()
	if err := w.csv.Error(); err != nil {
		return fmt.Errorf("write entries: %w", err)
	}
	return nil
}

// cell keeps a text from being taken for a formula by a spreadsheet, and from looking like another line.
func cell(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, text)
	if trimmed := strings.TrimLeft(text, " "); trimmed != "" && strings.ContainsRune("=+-@", rune(trimmed[0])) {
		return "'" + text
	}
	return text
}

// Parse reads an entry that a Writer wrote as a line of JSON.
func Parse(text []byte) (Entry, error) {
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return Entry{}, fmt.Errorf("read an entry: %w", err)
	}
	e := Entry{
		Number: l.Number, Actor: Actor{Kind: l.Actor.Kind, Name: l.Actor.Name}, Address: l.Address, RequestID: l.RequestID, Action: l.Action,
		Object: Object(l.Object), Before: l.Before, After: l.After, Previous: l.Previous, Hash: l.Hash, SealedBy: l.SealedBy,
	}
	var err error
	if e.At, err = parseInstant(l.At); err != nil {
		return e, err
	}
	if e.Seal, err = hex.DecodeString(l.Seal); err != nil {
		return e, fmt.Errorf("read a seal: %w", err)
	}
	for _, field := range []struct {
		text string
		into *uuid.UUID
	}{{l.Actor.ID, &e.Actor.ID}, {l.Actor.Session, &e.Actor.Session}, {l.Actor.Token, &e.Actor.Token}, {l.Project, &e.Project}} {
		if field.text == "" {
			continue
		}
		if *field.into, err = uuid.Parse(field.text); err != nil {
			return e, fmt.Errorf("read an id: %w", err)
		}
	}
	return e, nil
}
