package secret

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// read appends where one may be after reading a character at p, in each way to write it.
func read(to []int, text string, p int, plain string) []int {
	if p >= len(text) {
		return to
	}
	r, _ := utf8.DecodeRuneInString(plain)
	if r == ' ' {
		end := p
		for n := 0; ; n++ {
			size := space(text, end, false)
			if size == 0 {
				break
			}
			if end += size; n < maxSpaces { // a + after a space may be one of the value's
				to = append(to, end)
			}
		}
		if end > p {
			to = append(to, end)
		}
		return to
	}
	if strings.HasPrefix(text[p:], plain) {
		to = append(to, p+len(plain))
	}
	switch text[p] {
	case '%':
		to = readPercent(to, text, p, plain)
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
func readPercent(to []int, text string, p int, plain string) []int {
	for extra := 0; extra < 2*nested; extra += 2 {
		q := p
		for _, b := range []byte(plain) {
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
	}
	for n := 2; r == '\\' && n <= q-p; n *= 2 { // each escape doubles it
		to = append(to, p+n)
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

// space is the length of the white space at p, one sign of it, as it is or as URLs, JSON and HTML write it; 0 when there is
// none. Only line breaks count when breaks is true.
func space(text string, p int, breaks bool) int {
	if p >= len(text) {
		return 0
	}
	switch r, n := utf8.DecodeRuneInString(text[p:]); {
	case unicode.IsSpace(r):
		return n
	case r == '+' && !breaks:
		return 1
	case r == '%' || r == '\\' || r == '&':
		return escapedSpace(text[p:], breaks)
	}
	return 0
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
