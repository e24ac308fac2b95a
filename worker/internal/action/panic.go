//go:build chaos

package action

import (
	"context"
	"encoding/json"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

func init() { more = Set{workflow.ActionPanic: panicking{}} }

// panicking panics, for those who want to see that a worker survives that.
type panicking struct{}

// Leaves implements Action.
func (panicking) Leaves() bool { return false }

// Prepare implements Action.
func (panicking) Prepare(json.RawMessage) (Runner, error) { return panicking{}, nil }

// Run implements Runner.
func (panicking) Run(context.Context, Call) Result { panic("as the step asks for") }
