package workflow

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// CheckAlone checks a configuration of an action that stands in no workflow, so that its templates see nothing but roots. Its
// error points into the configuration.
func (a Action) CheckAlone(config json.RawMessage, roots ...string) error {
	refs, err := a.check(config)
	var c collector
	if err != nil {
		c.addErr("", err)
	}
	for _, ref := range refs {
		if !slices.Contains(roots, ref.Root) {
			c.add(placeOf(ref, config), "root", "%s is not there; templates see %s here", ref.Root, strings.Join(roots, ", "))
		}
	}
	checkValues(&c, "", refs, config)
	return fault.InvalidFields(c.fields)
}

// Uses lists the secrets and variables that the step names, in pointers into the step.
func (s Step) Uses() []Use { return s.uses("") }
