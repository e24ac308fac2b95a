package api

import (
	"context"

	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// ListActions implements the contract.
func (*server) ListActions(context.Context, oas.ListActionsRequestObject) (oas.ListActionsResponseObject, error) {
	list := oas.ListActions200JSONResponse{Items: make([]oas.Action, len(workflow.Actions))}
	for i, a := range workflow.Actions {
		list.Items[i] = oas.Action{
			Type: a.Type, Title: a.Title, Description: a.Description, Leaves: a.Leaves, Config: a.Config, Output: a.Output, Example: a.Example,
		}
	}
	return list, nil
}
