package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
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
	runes   []rune
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
	r.look(value, false)
	for i, line := range strings.Split(value, "\n") {
		if i < maxLines && line != value {
			r.look(line, false)
		}
	}
	// Where a value begins within base64 depends on what stands before it; its outermost characters hold bits of its
	// neighbours, and are left out.
	for offset := range 3 {
		padded := append(make([]byte, offset), value...)
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
	n := needle{runes: []rune(strings.Join(strings.Fields(text), " ")), wrapped: wrapped}
	if len(n.runes) < MinHidden {
		return
	}
	for _, first := range []byte{string(n.runes[0])[0], '%', '\\', '&'} {
		same := func(other needle) bool { return slices.Equal(other.runes, n.runes) }
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
			whole := found == len(n.runes) || found >= enough || cut && at == len(text) && found >= MinHidden
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
	p := i
	for found < len(n.runes) && !ambiguous(n.runes[found]) && startsWith(text, p, n.runes[found]) {
		p += utf8.RuneLen(n.runes[found])
		found++
	}
	if found == len(n.runes) || p == len(text) {
		return p, found
	}
	at := []int{p} // where it may have got to: a backslash may be one or the beginning of an escape
	var next []int
	for _, r := range n.runes[found:] {
		next = next[:0]
		for _, p := range at {
			if n.wrapped && p > i {
				p = skip(text, p, true)
			}
			next = read(next, text, p, r)
		}
		if len(next) == 0 {
			break
		}
		slices.Sort(next)
		at, next = slices.Compact(next), at
		found++
	}
	return at[len(at)-1], found
}

// ambiguous tells that a character is part of escapes, or stands for others.
func ambiguous(r rune) bool { return r == '%' || r == '\\' || r == '&' || r == ' ' }

func startsWith(text string, p int, r rune) bool {
	if r < utf8.RuneSelf {
		return p < len(text) && text[p] == byte(r)
	}
	got, _ := utf8.DecodeRuneInString(text[p:])
	return got == r
}

// read appends where one may be after reading r at p, in each way to write it.
func read(to []int, text string, p int, r rune) []int {
	if p >= len(text) {
		return to
	}
	if r == ' ' {
		if end := skip(text, p, false); end > p {
			to = append(to, end)
		}
		return to
	}
	if startsWith(text, p, r) {
		to = append(to, p+utf8.RuneLen(r))
	}
	switch text[p] {
	case '%':
		to = readPercent(to, text, p, r)
	case '\\':
		to = readBackslash(to, text, p, r)
	case '&':
		for _, entity := range entities[r] {
			if strings.HasPrefix(text[p:], entity) {
				to = append(to, p+len(entity))
			}
		}
	}
	return to
}

var entities = map[rune][]string{
	'&': {"&amp;", "&#38;", "&#x26;"}, '<': {"&lt;", "&#60;", "&#x3c;", "&#x3C;"}, '>': {"&gt;", "&#62;", "&#x3e;", "&#x3E;"},
	'"': {"&quot;", "&#34;", "&#x22;"}, '\'': {"&#39;", "&apos;", "&#x27;"}, '/': {"&#x2F;", "&#x2f;", "&#47;"},
	'`': {"&#96;", "&#x60;"}, '=': {"&#61;", "&#x3D;", "&#x3d;"}, '+': {"&#43;", "&#x2B;", "&#x2b;"},
}

// readPercent reads a character that is written as in URLs, once or more often: %2F, %252F.
func readPercent(to []int, text string, p int, r rune) []int {
	for extra := 0; extra < 2*nested; extra += 2 {
		q := p
		for _, b := range []byte(string(r)) {
			if q += 1 + extra; q > len(text) || text[q-1-extra] != '%' || text[q-extra:q] != strings.Repeat("25", extra/2) || !isHex(text, q, 2, rune(b)) {
				q = -1
				break
			}
			q += 2
		}
		if q > 0 {
			to = append(to, q)
		}
		if p+3+extra > len(text) || text[p+1+extra:p+3+extra] != "25" {
			break
		}
	}
	return to
}

// readBackslash reads a character that is escaped as in JSON or in Go, once or more often: \", \\\", \u0022, \x22.
func readBackslash(to []int, text string, p int, r rune) []int {
	q := p
	for q < len(text) && text[q] == '\\' && q-p < 1<<nested {
		q++
		if r == '\\' && q-p > 1 {
			to = append(to, q)
		}
	}
	switch {
	case q == len(text):
	case strings.ContainsRune(`"'/`+"`", r) && rune(text[q]) == r:
		to = append(to, q+1)
	case text[q] == 'x' && r < utf8.RuneSelf && isHex(text, q+1, 2, r):
		to = append(to, q+3)
	case text[q] == 'U' && isHex(text, q+1, 8, r):
		to = append(to, q+9)
	case text[q] == 'u' && r < 0x10000 && isHex(text, q+1, 4, r):
		to = append(to, q+5)
	case text[q] == 'u' && r >= 0x10000:
		high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
		backslashes := text[p:q]
		if isHex(text, q+1, 4, high) && strings.HasPrefix(text[q+5:], backslashes+"u") && isHex(text, q+6+len(backslashes), 4, low) {
			to = append(to, q+10+len(backslashes))
		}
	}
	return to
}

// isHex tells whether the n digits at p are r in base 16.
func isHex(text string, p, n int, r rune) bool {
	if p+n > len(text) {
		return false
	}
	var v rune
	for _, c := range []byte(text[p : p+n]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return false
		}
		v = v<<4 | rune(digit)
	}
	return v == r
}

// skip answers where the white space at p ends, as it is or as URLs, JSON and HTML write it; only line breaks count as such
// when breaks is true.
func skip(text string, p int, breaks bool) int {
	for p < len(text) {
		size := 0
		switch r, n := utf8.DecodeRuneInString(text[p:]); {
		case unicode.IsSpace(r):
			size = n
		case r == '+' && !breaks:
			size = 1
		case r == '%' || r == '\\' || r == '&':
			size = escapedSpace(text[p:], breaks)
		}
		if size == 0 {
			break
		}
		p += size
	}
	return p
}

// escapedSpace is the length of the escaped white space that a text begins with; 0 when there is none.
func escapedSpace(text string, breaks bool) int {
	text = text[:min(len(text), 1<<nested+1)]
	signs := strings.TrimLeft(text[1:], `\`) // \n, \\n
	codes, words := []string{"n", "r"}, []string{"&#10;", "&#13;"}
	switch {
	case text[0] == '%':
		signs = text[1:]
		for strings.HasPrefix(signs, "25") {
			signs = signs[2:] // %0A, %250A
		}
		if codes = []string{"0A", "0a", "0D", "0d"}; !breaks {
			codes = append(codes, "20", "09", "2B", "2b")
		}
	case text[0] == '&':
		for _, w := range append(words, "&#9;", "&nbsp;") {
			if strings.HasPrefix(text, w) {
				return len(w)
			}
		}
		return 0
	case !breaks:
		codes = append(codes, "t")
	}
	for _, c := range codes {
		if strings.HasPrefix(signs, c) {
			return len(text) - len(signs) + len(c)
		}
	}
	return 0
}

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
