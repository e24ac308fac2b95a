package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// ListActions implements the contract.
func (*server) ListActions(context.Context, oas.ListActionsRequestObject) (oas.ListActionsResponseObject, error) {
	list := oas.ListActions200JSONResponse{Items: make([]oas.Action, len(workflow.Actions))}
	for i, a := range workflow.Actions {
		item := oas.Action{Type: a.Type, Title: a.Title, Description: a.Description, Leaves: a.Leaves}
		for into, raw := range map[*map[string]any]json.RawMessage{&item.Config: a.Config, &item.Output: a.Output, &item.Example: a.Example} {
			if err := json.Unmarshal(raw, into); err != nil {
				return nil, fmt.Errorf("read the description of %s: %w", a.Type, err)
			}
		}
		list.Items[i] = item
	}
	return list, nil
}
