//go:build chaos

package workflow

// ActionPanic is an action that panics. Only builds for breaking things (make chaos) have it.
const ActionPanic = "panic"

func init() { Actions = append(Actions, ActionPanic) }
