package worker

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// children is how steps start runs of other workflows.
type children struct {
	db      *postgres.DB
	service *dispatch.Service
}

func keyOf(call action.Call) postgres.ChildKey {
	return postgres.ChildKey{ParentID: call.RunID, Step: call.Step, Try: call.Failures}
}

// Start implements action.Children.
func (c children) Start(ctx context.Context, call action.Call, workflow string, awaits bool, inputs map[int32]json.RawMessage) (map[int32]uuid.UUID, error) {
	parent := dispatch.Parent{ChildKey: keyOf(call), ProjectID: call.ProjectID, Depth: call.Depth, Awaits: awaits}
	list := make([]dispatch.Child, 0, len(inputs))
	for _, item := range slices.Sorted(maps.Keys(inputs)) {
		list = append(list, dispatch.Child{Item: item, Inputs: inputs[item]})
	}
	return c.service.StartChildren(ctx, parent, workflow, list)
}

// Ended implements action.Children.
func (c children) Ended(ctx context.Context, call action.Call, items []int32) ([]action.Child, error) {
	rows, err := postgres.Children{Q: c.db}.Ended(ctx, keyOf(call), items)
	return childrenOf(rows), err
}

// All implements action.Children.
func (c children) All(ctx context.Context, call action.Call, room int) ([]action.Child, error) {
	rows, err := postgres.Children{Q: c.db}.Of(ctx, keyOf(call), room)
	return childrenOf(rows), err
}

func childrenOf(rows []postgres.ChildRow) []action.Child {
	list := make([]action.Child, len(rows))
	for i, r := range rows {
		list[i] = action.Child{Item: int32(r.Item), RunID: r.RunID, Status: r.Status, Reason: deref(r.Reason), Output: r.Output} //nolint:gosec // MaxItems at most
	}
	return list
}
