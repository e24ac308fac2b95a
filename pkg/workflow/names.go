package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// The roots of expressions under which a project's own values stand.
const (
	RootSecrets = "secrets"
	RootVars    = "vars"
)

// Limits of a project's secrets and variables.
const (
	MaxValue     = 64 << 10 // bytes of one; of a variable, as JSON
	MaxValues    = 500      // of each kind in a project
	MaxValueName = 64       // characters
)

var valueName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// CheckValueName tells whether a secret or a variable may have the name; it points at /name.
func CheckValueName(name string) error {
	if len(name) > MaxValueName || !valueName.MatchString(name) {
		return fault.At("/name", "value_name", "a name has letters without accents, digits and _, does not begin with a digit, and has at most %d characters", MaxValueName)
	}
	return nil
}

// Use is where a definition names one of its project's secrets or variables.
type Use struct {
	Root    string // RootSecrets or RootVars
	Name    string
	Pointer string // of the text, in the definition
}

// Uses lists the secrets and variables that a definition names, each place once.
func (d Definition) Uses() []Use {
	var list []Use
	for i, t := range d.Triggers {
		if t.Signature != nil && t.Signature.Secret != "" {
			list = append(list, Use{Root: RootSecrets, Name: t.Signature.Secret, Pointer: fmt.Sprintf("/triggers/%d/signature/secret", i)})
		}
	}
	for i, s := range d.Steps {
		list = append(list, s.uses(fmt.Sprintf("/steps/%d", i))...)
	}
	return list
}

// Names lists the names under a root that the step uses, each once.
func (s Step) Names(root string) []string {
	var names []string
	for _, use := range s.uses("") {
		if use.Root == root && !slices.Contains(names, use.Name) {
			names = append(names, use.Name)
		}
	}
	return names
}

func (s Step) uses(at string) []Use {
	var list []Use
	add := func(ref expr.Ref, pointer string) {
		use := Use{Root: ref.Root, Name: ref.Name, Pointer: pointer}
		if isValue(ref) && ref.Name != "" && !slices.Contains(list, use) {
			list = append(list, use)
		}
	}
	if action, ok := ActionOf(s.Action); ok {
		refs, _ := action.check(s.Config) // what is wrong with it, Validate says
		for _, ref := range refs {
			add(ref, at+"/config"+placeOf(ref, s.Config))
		}
	}
	if condition, err := expr.ParseCondition(s.If); err == nil {
		for _, ref := range condition.Refs() {
			add(ref, at+"/if")
		}
	}
	return list
}

func isValue(ref expr.Ref) bool { return ref.Root == RootSecrets || ref.Root == RootVars }

// placeOf points to the first template in a configuration that uses ref; empty when it is in an expression of another
// kind, so that the whole configuration is meant.
func placeOf(ref expr.Ref, config json.RawMessage) string {
	var v any
	if json.Unmarshal(config, &v) != nil {
		return ""
	}
	pointer, _ := findTemplate(v, "", func(t *expr.Template) bool { return slices.Contains(t.Refs(), ref) })
	return pointer
}

// findTemplate walks through a configuration, in a fixed order, until a template is the one that is looked for.
func findTemplate(v any, at string, wanted func(*expr.Template) bool) (pointer string, found bool) {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{") {
			t, err := expr.ParseTemplate(v)
			return at, err == nil && wanted(t)
		}
	case []any:
		for i, item := range v {
			if pointer, found = findTemplate(item, fmt.Sprintf("%s/%d", at, i), wanted); found {
				return pointer, true
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if pointer, found = findTemplate(v[key], at+"/"+escapePointer(key), wanted); found {
				return pointer, true
			}
		}
	}
	return "", false
}

// checkValues refuses what hides which secrets and variables a step needs: they are handed to it by name.
func checkValues(c *collector, at string, refs []expr.Ref, config json.RawMessage) {
	for _, ref := range refs {
		if isValue(ref) && ref.Name == "" {
			c.add(at+placeOf(ref, config), "dynamic_name", "name each one, as in %s.name: %[1]s cannot be used as a whole, nor with a name that is computed", ref.Root)
		}
	}
}

// Nearest is the one of the names that somebody who wrote name probably meant; empty when there is none.
func Nearest(name string, names []string) string {
	best, least := "", len(name)/3+1
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d <= least && (best == "" || d < least) {
			best, least = n, d
		}
	}
	return best
}

// distance is how many characters have to be changed, added or taken away to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
