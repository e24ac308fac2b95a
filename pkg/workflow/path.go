package workflow

import (
	"fmt"
	"strconv"
	"strings"
)

// Path leads to a value within JSON: $.data.items[0].id, where "$." may be left out. It is the part of JSONPath (RFC 9535)
// that leads to one value.
type Path []string

// maxPath is the length of a path as text, in bytes.
const maxPath = 500

// ParsePath reads a path.
func ParsePath(text string) (Path, error) {
	rest := strings.TrimPrefix(text, "$")
	if rest == text && !strings.HasPrefix(text, "[") {
		rest = "." + text
	}
	if len(text) > maxPath {
		return nil, fmt.Errorf("the path is longer than %d characters", maxPath)
	}
	var path Path
	for rest != "" {
		var token string
		var err error
		if token, rest, err = nextToken(rest); err != nil {
			return nil, fmt.Errorf("%q is not a path such as data.items[0].id: %w", text, err)
		}
		path = append(path, token)
	}
	if len(path) == 0 {
		return nil, fmt.Errorf("%q leads nowhere: write it as data.items[0].id", text)
	}
	return path, nil
}

// nextToken takes .name, [0] or ['name'] from the beginning of a path.
func nextToken(rest string) (token, after string, err error) {
	switch {
	case strings.HasPrefix(rest, "['") || strings.HasPrefix(rest, `["`):
		end := strings.Index(rest[2:], rest[1:2]+"]")
		if end < 0 {
			return "", "", fmt.Errorf("%s is not closed", rest)
		}
		return rest[2 : 2+end], rest[2+end+2:], nil
	case rest[0] == '[':
		index, after, closed := strings.Cut(rest[1:], "]")
		if n, err := strconv.Atoi(index); !closed || err != nil || n < 0 {
			return "", "", fmt.Errorf("%s is not a place in a list", rest)
		}
		return index, after, nil
	case rest[0] == '.':
		end := strings.IndexAny(rest[1:], ".[")
		if end < 0 {
			end = len(rest) - 1
		}
		if token = rest[1 : 1+end]; token == "" || strings.ContainsAny(token, "*?()] '\"") {
			return "", "", fmt.Errorf("a name is missing at %q", rest)
		}
		return token, rest[1+end:], nil
	}
	return "", "", fmt.Errorf("%q stands where . or [ should", rest)
}

// Find follows the path; ok is false when it leads nowhere.
func (p Path) Find(v any) (found any, ok bool) {
	for _, token := range p {
		switch at := v.(type) {
		case map[string]any:
			if v, ok = at[token]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}
