//go:build chaos

package workflow

import (
	"encoding/json"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
)

// ActionPanic is an action that panics. Only builds for breaking things (make chaos) have it.
const ActionPanic = "panic"

func init() {
	Actions = append(Actions, Action{
		Type: ActionPanic, check: func(json.RawMessage) ([]expr.Ref, error) { return nil, nil },
		Doc: Doc{Title: "Panic", Config: json.RawMessage("{}"), Output: json.RawMessage("{}"), Example: json.RawMessage("{}")},
	})
}
