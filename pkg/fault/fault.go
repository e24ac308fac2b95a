// Package fault holds the one error type that people outside the program may see: a kind, a stable code, a
// sentence for people, and the fields it concerns. Every other error is internal: it is logged once at the border
// and shown to the client as one fixed sentence.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what went wrong in terms a border (HTTP, command line) can map to a status.
type Kind string

// The kinds, with the HTTP status each becomes at the API.
const (
	Malformed    Kind = "malformed"    // 400: the request cannot be read
	Unauthorized Kind = "unauthorized" // 401: nobody, or not who they say
	Forbidden    Kind = "forbidden"    // 403: known, and not allowed
	NotFound     Kind = "not_found"    // 404: not there, or another project's
	Gone         Kind = "gone"         // 410: was there, and will not come back
	Conflict     Kind = "conflict"     // 409: clashes with what is stored
	Precondition Kind = "precondition" // 412: If-Match names another version
	TooLarge     Kind = "too_large"    // 413: over a limit on size
	Unsupported  Kind = "unsupported"  // 415: not a media type that is read here
	Invalid      Kind = "invalid"      // 422: readable, and wrong
	RateLimited  Kind = "rate_limited" // 429: too often
	Unavailable  Kind = "unavailable"  // 503: a dependency is away; try again
)

// Field is one part of the input that is wrong.
type Field struct {
	Pointer string `json:"pointer"` // RFC 6901, into the request's body: /steps/0/config/url
	Code    string `json:"code"`    // stable, for programs: cron_syntax
	Message string `json:"message"` // for people: what is wrong, and what would be right
}

// Error is an error that a client may see.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Fields  []Field
	Err     error // the cause, for logs; never shown
	// RetryAfter is when it is worth trying again; zero when that is not known.
	RetryAfter time.Duration
}

// Error joins the message and the fields' messages.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for i, f := range e.Fields {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep)
		if f.Pointer != "" {
			b.WriteString(f.Pointer + ": ")
		}
		b.WriteString(f.Message)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an Error of any kind; format and args make its message.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Missing is the one answer for what is not there and for what is another project's, so that nobody can tell which.
var Missing = New(NotFound, "not_found", "There is no such object, or it is not yours")

// InvalidFields is the error for readable input with wrong fields; nil when there are none.
func InvalidFields(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: "validation_failed", Message: "The input is not valid", Fields: fields}
}

// At is InvalidFields for a single field.
func At(pointer, code, format string, args ...any) error {
	return InvalidFields([]Field{{Pointer: pointer, Code: code, Message: fmt.Sprintf(format, args...)}})
}

// Under returns err with prefix put before the pointer of each of its fields, for a part that was checked without
// knowing where it stands. An err that is no Error is returned as it is.
func Under(prefix string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	moved := *e
	moved.Fields = make([]Field, len(e.Fields))
	for i, f := range e.Fields {
		f.Pointer = prefix + f.Pointer
		moved.Fields[i] = f
	}
	return &moved
}

// Of finds the Error in err's chain.
func Of(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Is tells whether err is an Error of that kind.
func Is(err error, kind Kind) bool {
	e, ok := Of(err)
	return ok && e.Kind == kind
}
