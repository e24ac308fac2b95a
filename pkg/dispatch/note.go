package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// noteWorkflow notes what became of a workflow; one of the rows may be nil. Definitions are kept as versions: what is noted
// is their numbers, and which parts differ.
func noteWorkflow(ctx context.Context, q postgres.Querier, action audit.Action, before, after *postgres.WorkflowRow) error {
	row := after
	if row == nil {
		row = before
	}
	c := aboutWorkflow(action, *row)
	if before != nil {
		c.Before = workflowData(*before)
	}
	if after != nil {
		data := workflowData(*after)
		if before != nil && before.Version != after.Version {
			parts, err := changedParts(before.Definition, after.Definition)
			if err != nil {
				return err
			}
			data["changed"] = parts
		}
		c.After = data
	}
	return postgres.Note(ctx, q, c)
}

func aboutWorkflow(action audit.Action, row postgres.WorkflowRow) audit.Change {
	return audit.Change{Action: action, Project: row.ProjectID, Object: audit.Of(row.ID, row.Definition.Name)}
}

func workflowData(row postgres.WorkflowRow) audit.Data {
	return audit.Data{"name": row.Definition.Name, "version": row.Version, "enabled": row.Enabled}
}

// changedParts names the steps, triggers and other members in which two definitions differ, as pointers with ids in the place
// of positions: /steps/fetch.
func changedParts(before, after workflow.Definition) ([]string, error) {
	old, err := partsOf(before)
	if err != nil {
		return nil, err
	}
	now, err := partsOf(after)
	if err != nil {
		return nil, err
	}
	changed := []string{}
	for name, part := range now {
		if was, there := old[name]; !there || !bytes.Equal(was, part) {
			changed = append(changed, name)
		}
		delete(old, name)
	}
	changed = slices.AppendSeq(changed, maps.Keys(old))
	slices.Sort(changed)
	return changed, nil
}

// changedMembers names the members in which two JSON objects differ; either may be empty.
func changedMembers(before, after json.RawMessage) ([]string, error) {
	var old, now map[string]any
	for _, object := range []struct {
		raw  json.RawMessage
		into *map[string]any
	}{{before, &old}, {after, &now}} {
		if len(object.raw) == 0 {
			continue
		}
		if err := json.Unmarshal(object.raw, object.into); err != nil {
			return nil, fmt.Errorf("read a configuration: %w", err)
		}
	}
	changed := []string{}
	for name, value := range now {
		if was, there := old[name]; !there || !reflect.DeepEqual(was, value) {
			changed = append(changed, name)
		}
		delete(old, name)
	}
	changed = slices.AppendSeq(changed, maps.Keys(old))
	slices.Sort(changed)
	return changed, nil
}

// partsOf takes a definition apart.
func partsOf(d workflow.Definition) (map[string]json.RawMessage, error) {
	raw, err := canonical(d)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, fmt.Errorf("read a definition: %w", err)
	}
	parts := map[string]json.RawMessage{}
	for name, member := range members {
		if name != "steps" && name != "triggers" {
			parts["/"+name] = member
			continue
		}
		var items []json.RawMessage
		if err := json.Unmarshal(member, &items); err != nil {
			return nil, fmt.Errorf("read a definition: %w", err)
		}
		for _, item := range items {
			var named struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(item, &named); err != nil {
				return nil, fmt.Errorf("read a definition: %w", err)
			}
			parts["/"+name+"/"+named.ID] = item
		}
	}
	return parts, nil
}
