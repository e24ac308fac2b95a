package expr

import (
	"strings"
	"unicode/utf8"
)

// piece is a stretch of a template: text, or the inside of {{ }}.
type piece struct {
	text   string
	at     int // where it begins, in bytes
	isCode bool
}

// scan cuts a template at its {{ and }}. Within an expression, quotes and brackets are respected, so that
// {{ {"a": {"b": 1}}.a }} ends where its reader thinks it does.
func scan(src string) ([]piece, error) {
	var list []piece
	for at := 0; at < len(src); {
		open := strings.Index(src[at:], "{{")
		if open < 0 {
			list = append(list, piece{text: src[at:], at: at})
			break
		}
		if open > 0 {
			list = append(list, piece{text: src[at : at+open], at: at})
		}
		begin := at + open + 2
		length := codeLength(src[begin:])
		if length < 0 {
			return nil, syntaxError("%s: {{ is never closed: }} is missing, or a quote or bracket before it is left open",
				place(src, begin-2))
		}
		list = append(list, piece{text: src[begin : begin+length], at: begin, isCode: true})
		at = begin + length + 2
	}
	return list, nil
}

// codeLength finds the }} that ends an expression; -1 when there is none.
func codeLength(src string) int {
	depth := 0
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '"', '\'', '`':
			end := quoteLength(src[i:])
			if end < 0 {
				return -1
			}
			i += end - 1
		case '{', '[', '(':
			depth++
		case ']', ')':
			depth = max(0, depth-1)
		case '}':
			if depth == 0 && strings.HasPrefix(src[i:], "}}") {
				return i
			}
			depth = max(0, depth-1)
		}
	}
	return -1
}

// quoteLength is the length of the string literal that src begins with; -1 when it has no end.
func quoteLength(src string) int {
	quote := src[0]
	for i := 1; i < len(src); i++ {
		switch {
		case src[i] == '\\' && quote != '`':
			i++
		case src[i] == quote:
			return i + 1
		}
	}
	return -1
}

// place names a position for people: "character 7", or "line 2, character 3" in a text of several lines.
func place(src string, at int) string {
	before := src[:min(at, len(src))]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	if strings.Contains(src, "\n") {
		return "line " + itoa(line+1) + ", character " + itoa(column)
	}
	return "character " + itoa(column)
}
