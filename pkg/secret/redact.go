package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// Hidden stands where a value was.
	Hidden = "***"
	// MinHidden is the shortest value that is looked for, in characters: a shorter one is part of too many words.
	MinHidden = 4
	// enough is how many characters of a longer value in a row are recognized: texts are cut in many places.
	enough = 32
	// nested is how often a text may have been escaped as JSON or for a URL. A bound keeps hostile texts cheap.
	nested = 4
	// maxNested is the longest value, in bytes, of which escapes within other encodings are looked for.
	maxNested = 2 << 10
	// maxReadings is in how many ways at once a text may be read.
	maxReadings = 32
	// maxSpaces is after how many signs of white space in a row the value may go on, besides the last.
	maxSpaces = 16
	// maxLines is how many lines of a value are also looked for one by one, as a program writes them that prints a key.
	maxLines = 100
)

// Redactor takes values out of texts: as they are, within URLs, JSON and HTML in whatever mixture of escapes, and in
// base64 at any offset. A nil Redactor changes nothing. It does not change and is safe for concurrent use.
type Redactor struct {
	values []string
	starts [256][]needle // by the first byte that it may begin with
}

// needle is something to look for. Its spaces stand for any white space.
type needle struct {
	text    string
	size    int  // in characters
	wrapped bool // base64: lines may be broken anywhere
}

// NewRedactor makes a Redactor of values; nil when none is long enough to look for.
func NewRedactor(values ...string) *Redactor {
	var r *Redactor
	return r.With(values...)
}

// With is the Redactor for further values too.
func (r *Redactor) With(values ...string) *Redactor {
	var all []string
	if r != nil {
		all = r.values
	}
	known := len(all)
	for _, v := range values {
		if utf8.RuneCountInString(strings.TrimSpace(v)) >= MinHidden && !slices.Contains(all, v) {
			all = append(slices.Clip(all), v)
		}
	}
	if len(all) == known {
		return r
	}
	more := &Redactor{values: all}
	for _, v := range all {
		more.add(v)
	}
	return more
}

func (r *Redactor) add(value string) {
	forms := []string{value}
	for i, line := range strings.Split(value, "\n") {
		if i < maxLines && line != value {
			r.look(line, false)
		}
	}
	if len(value) <= maxNested {
		for _, decode := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} {
			if decoded, err := decode(value); err == nil { // what becomes of it within a URL, when it holds % or +
				forms = append(forms, decoded)
			}
		}
		for _, form := range forms {
			quoted, _ := json.Marshal(form) // text can always be written
			short := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(quoted))
			forms = append(forms, string(quoted[1:len(quoted)-1]), short[1:len(short)-1])
		}
	}
	for _, form := range forms {
		r.look(form, false)
		r.lookEncoded(form)
		if len(value) <= maxNested {
			r.lookEncoded(url.QueryEscape(form))
			r.lookEncoded((&url.URL{Path: form}).EscapedPath())
			r.lookEncoded(url.PathEscape(form))
		}
	}
}

// lookEncoded looks for a text in base64. Where it begins within that depends on what stands before it; its outermost
// characters hold bits of its neighbours, and are left out.
func (r *Redactor) lookEncoded(text string) {
	for offset := range 3 {
		padded := append(make([]byte, offset), text...)
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := alphabet.EncodeToString(padded)[[]int{0, 2, 3}[offset]:]
			if len(padded)%3 != 0 {
				encoded = encoded[:len(encoded)-1]
			}
			r.look(encoded, true)
		}
	}
}

func (r *Redactor) look(text string, wrapped bool) {
	n := needle{text: strings.Join(strings.Fields(text), " "), wrapped: wrapped}
	n.size = utf8.RuneCountInString(n.text)
	if utf8.RuneCountInString(strings.TrimSpace(text)) < MinHidden {
		return
	}
	for _, first := range []byte{n.text[0], '%', '\\', '&'} {
		same := func(other needle) bool { return other.text == n.text }
		if !slices.ContainsFunc(r.starts[first], same) {
			r.starts[first] = append(r.starts[first], n)
		}
	}
}

// Hide answers the text without the values.
func (r *Redactor) Hide(text string) string { return r.hide(text, false) }

// HideCut is Hide for the beginning of a longer text: a value may be cut off at its end.
func (r *Redactor) HideCut(text string) string { return r.hide(text, true) }

// Finds tells whether a text holds a value, in whatever case.
func (r *Redactor) Finds(text string) bool {
	if r == nil {
		return false
	}
	return slices.ContainsFunc(r.values, func(v string) bool {
		return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSpace(v)))
	}) || r.Hide(text) != text
}

func (r *Redactor) hide(text string, cut bool) string {
	if r == nil {
		return text
	}
	var out strings.Builder
	from := 0 // what is before it is written
	for i := 0; i < len(text); {
		end := i
		for _, n := range r.starts[text[i]] {
			at, found := n.match(text, i)
			whole := found == n.size || found >= enough || cut && at == len(text) && found >= MinHidden
			if whole {
				end = max(end, at)
			}
		}
		if end == i {
			i++
			continue
		}
		out.WriteString(text[from:i])
		out.WriteString(Hidden)
		from, i = end, end
	}
	if from == 0 {
		return text
	}
	out.WriteString(text[from:])
	return out.String()
}

// match reads as much of the needle as stands in the text at i: until where, and how many of its characters.
func (n needle) match(text string, i int) (end, found int) {
	// Most of a text is written as it is. What may be read in several ways is left to the slow way.
	p, rest := i, n.text
	for rest != "" {
		r, size := utf8.DecodeRuneInString(rest)
		if ambiguous(r) || !strings.HasPrefix(text[p:], rest[:size]) {
			break
		}
		p, rest = p+size, rest[size:]
		found++
	}
	if rest == "" || p == len(text) {
		return p, found
	}
	at := []int{p} // where it may have got to: a backslash may be one or the beginning of an escape
	var next []int
	for rest != "" {
		_, size := utf8.DecodeRuneInString(rest)
		next = next[:0]
		for _, p := range at {
			if n.wrapped && p > i {
				for size := space(text, p, true); size > 0; size = space(text, p, true) {
					p += size
				}
			}
			next = read(next, text, p, rest[:size])
		}
		if len(next) == 0 {
			break
		}
		slices.Sort(next)
		next = slices.Compact(next)
		at, next, rest = next[:min(len(next), maxReadings)], at, rest[size:]
		found++
	}
	return at[len(at)-1], found
}

// ambiguous tells that a character is part of escapes, or stands for others.
func ambiguous(r rune) bool { return r == '%' || r == '\\' || r == '&' || r == ' ' }

// JSON answers a JSON text without the values, in texts, names and numbers. What is no JSON becomes a JSON string.
func (r *Redactor) JSON(raw json.RawMessage) json.RawMessage {
	if r == nil || len(raw) == 0 {
		return raw
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		v = string(raw)
	}
	clean, err := json.Marshal(r.walk(v))
	if err != nil {
		return json.RawMessage(`"` + Hidden + `"`)
	}
	return clean
}

func (r *Redactor) walk(v any) any {
	switch v := v.(type) {
	case string:
		return r.Hide(v)
	case json.Number:
		if r.Hide(v.String()) != v.String() {
			return Hidden
		}
	case []any:
		for i := range v {
			v[i] = r.walk(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, member := range v {
			clean[r.Hide(key)] = r.walk(member)
		}
		return clean
	}
	return v
}
