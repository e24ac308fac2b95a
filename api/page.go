package api

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// Cursors name the last row of the page before. They are opaque to clients, and checked like any input: one that was
// tampered with is refused, and can name nothing that its bearer may not see.

const defaultLimit = 50

var errCursor = fault.New(fault.Malformed, "bad_cursor", "The cursor is not one that this list gave out")

func limitOf(limit *int32) int {
	if limit == nil {
		return defaultLimit
	}
	return int(*limit)
}

func encodeCursor(parts ...string) *string {
	s := base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "|")))
	return &s
}

func decodeCursor(cursor string, parts int) ([]string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, errCursor
	}
	list := strings.Split(string(raw), "|")
	if len(list) != parts {
		return nil, errCursor
	}
	return list, nil
}

// idCursor reads a cursor that is an id; nil for the first page.
func idCursor(cursor *string) (*uuid.UUID, error) {
	if cursor == nil || *cursor == "" {
		return nil, nil
	}
	parts, err := decodeCursor(*cursor, 1)
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(parts[0])
	if err != nil {
		return nil, errCursor
	}
	return &id, nil
}

// numberCursor reads a cursor that is a number; 0 for the first page.
func numberCursor(cursor *string) (int, error) {
	if cursor == nil || *cursor == "" {
		return 0, nil
	}
	parts, err := decodeCursor(*cursor, 1)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || n < 1 {
		return 0, errCursor
	}
	return int(n), nil
}

// fireCursor reads a cursor of the ledger; nil for the first page.
func fireCursor(cursor *string) (*postgres.FireKey, error) {
	if cursor == nil || *cursor == "" {
		return nil, nil
	}
	parts, err := decodeCursor(*cursor, 2)
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	if err != nil || at.Year() < 1970 || at.Year() > 2300 {
		return nil, errCursor
	}
	trigger, err := uuid.Parse(parts[1])
	if err != nil {
		return nil, errCursor
	}
	return &postgres.FireKey{FireAt: at, TriggerID: trigger}, nil
}

// next cuts a list that was asked for with one row more than the page has, and answers the cursor for the page after.
func next[T any](list []T, limit int, cursor func(last T) *string) ([]T, *string) {
	if len(list) <= limit {
		return list, nil
	}
	list = list[:limit]
	return list, cursor(list[limit-1])
}
