package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// maxDepth is how deep the JSON of a request may be nested.
const maxDepth = 64

// CheckJSON refuses what Go's decoder lets through and nobody means: duplicate keys, text after the value, nesting
// without end, invalid UTF-8, and the NUL that PostgreSQL cannot keep. The contract is checked afterwards.
func CheckJSON(body []byte) error {
	if !utf8.Valid(body) {
		return fault.New(fault.Malformed, "json_utf8", "The body is not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	w := walker{decoder: decoder}
	if err := w.value(0); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Malformed, "json_trailing", "Something follows the JSON value")
	}
	return nil
}

// walker goes through a JSON value. Where it is stands in path, and is written out only when there is something to say about
// it: a long key above many elements must not be copied for each.
type walker struct {
	decoder *json.Decoder
	path    []any // keys and indexes
}

func (w *walker) pointer() string {
	var b strings.Builder
	for _, part := range w.path {
		b.WriteByte('/')
		switch p := part.(type) {
		case string:
			b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
		case int:
			b.WriteString(strconv.Itoa(p))
		}
	}
	return b.String()
}

// within looks at the value of a key or an index.
func (w *walker) within(part any, depth int) error {
	w.path = append(w.path, part)
	err := w.value(depth + 1)
	w.path = w.path[:len(w.path)-1]
	return err
}

func (w *walker) value(depth int) error {
	token, err := w.next()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return fault.New(fault.Malformed, "json_depth", "The JSON is nested deeper than %d levels", maxDepth)
		}
		if t == '{' {
			return w.object(depth)
		}
		return w.array(depth)
	case string:
		return w.checkText(t)
	case json.Number:
		return w.checkNumber(t)
	}
	return nil
}

func (w *walker) object(depth int) error {
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.next()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if seen[key] {
			w.path = append(w.path, key)
			return &fault.Error{
				Kind: fault.Malformed, Code: "json_duplicate_key", Message: "The JSON has a key twice",
				Fields: []fault.Field{{Pointer: w.pointer(), Code: "json_duplicate_key", Message: fmt.Sprintf("%q stands here twice", shorten(key))}},
			}
		}
		seen[key] = true
		if !storable(key) {
			w.path = append(w.path, key)
			return w.checkText(key)
		}
		if err := w.within(key, depth); err != nil {
			return err
		}
	}
	_, err := w.next()
	return err
}

func (w *walker) array(depth int) error {
	for i := 0; w.decoder.More(); i++ {
		if err := w.within(i, depth); err != nil {
			return err
		}
	}
	_, err := w.next()
	return err
}

func (w *walker) next() (json.Token, error) {
	token, err := w.decoder.Token()
	if err != nil {
		var syntax *json.SyntaxError
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fault.New(fault.Malformed, "json_syntax", "The JSON ends too early")
		case errors.As(err, &syntax):
			return nil, fault.New(fault.Malformed, "json_syntax", "The JSON cannot be read at byte %d: %s", syntax.Offset, syntax.Error())
		}
		return nil, fault.New(fault.Malformed, "json_syntax", "The JSON cannot be read")
	}
	return token, nil
}

// maxDigits is the length of a number's text. No number that anybody means is longer, and PostgreSQL keeps numbers digit
// by digit.
const maxDigits = 100

// checkNumber refuses numbers that would become infinite, or nothing, where they are calculated with.
func (w *walker) checkNumber(n json.Number) error {
	f, err := n.Float64()
	mantissa, _, _ := strings.Cut(strings.ToLower(n.String()), "e")
	vanished := f == 0 && strings.ContainsAny(mantissa, "123456789")
	if err != nil || vanished || len(n) > maxDigits {
		return fault.At(w.pointer(), "number_range", "the number is out of range")
	}
	return nil
}

// storable tells whether PostgreSQL can keep a text.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func (w *walker) checkText(s string) error {
	if storable(s) {
		return nil
	}
	return checkText(w.pointer(), s)
}

// checkText refuses text that PostgreSQL cannot keep.
func checkText(pointer, s string) error {
	if !utf8.ValidString(s) {
		return fault.At(pointer, "utf8", "text must be valid UTF-8")
	}
	if strings.ContainsRune(s, 0) {
		return fault.At(pointer, "nul_character", "text cannot hold the character U+0000")
	}
	return nil
}

func shorten(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
