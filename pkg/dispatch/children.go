package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// MaxDepth is how many runs may stand above a run that starts another.
const MaxDepth = 10

// Parent is the step that starts runs.
type Parent struct {
	postgres.ChildKey
	ProjectID uuid.UUID
	Depth     int  // of its own run
	Awaits    bool // it waits for them: they end with it
}

// Child is one of the runs that it starts.
type Child struct {
	Item   int32
	Inputs json.RawMessage // an object, or nil
}

// Callee finds a workflow that a step starts by its id or name, in the step's project. Errors: there is none, or there are
// several of the name.
func (s *Service) Callee(ctx context.Context, q postgres.Querier, project uuid.UUID, name string) (postgres.Head, error) {
	found, err := postgres.Workflows{Q: q}.Named(ctx, project, name)
	if err != nil {
		return postgres.Head{}, err
	}
	switch len(found) {
	case 0:
		return postgres.Head{}, fault.At("", "unknown_workflow", "there is no workflow %q in this project", name)
	case 1:
		return found[0], nil
	}
	return postgres.Head{}, fault.At("", "ambiguous", "there are several workflows named %q; write the id of the one that is meant", name)
}

// StartChildren starts a run of a workflow for each item, unless an earlier call for the same step and try did. It answers
// the runs of all of them.
func (s *Service) StartChildren(ctx context.Context, p Parent, callee string, children []Child) (map[int32]uuid.UUID, error) {
	if p.Depth >= MaxDepth {
		return nil, fault.New(fault.Invalid, "too_deep", "Runs that start runs go no deeper than %d", MaxDepth)
	}
	head, err := s.Callee(ctx, s.db, p.ProjectID, callee)
	if err != nil {
		return nil, err
	}
	if err := completeAll(head.Inputs, children); err != nil {
		return nil, err
	}
	items, ids := make([]int32, len(children)), make([]uuid.UUID, len(children))
	for i, c := range children {
		items[i] = c.Item
		if ids[i], err = NewRunID(); err != nil {
			return nil, err
		}
	}
	var started map[int32]uuid.UUID
	var fresh []postgres.NewRun
	var tickets []run.Ticket
	err = s.db.InTx(ctx, func(q postgres.Querier) (err error) {
		if started, err = (postgres.Children{Q: q}).Reserve(ctx, p.ChildKey, items, ids); err != nil {
			return err
		}
		fresh = fresh[:0]
		for i, c := range children {
			if started[c.Item] == ids[i] {
				fresh = append(fresh, postgres.NewRun{
					ID: ids[i], ProjectID: head.ProjectID, WorkflowID: head.ID, Version: head.Version, Trigger: run.Called,
					Inputs: c.Inputs, ParentID: &p.ParentID, Awaited: p.Awaits, Depth: p.Depth + 1,
				})
			}
		}
		tickets, err = s.Insert(ctx, q, fresh)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start child runs: %w", err)
	}
	s.Release(ctx, fresh, tickets)
	return started, nil
}

// completeAll fills in the defaults of the workflow's schema, and holds the inputs of all against it.
func completeAll(schema json.RawMessage, children []Child) error {
	in, err := workflow.ParseInputs(schema)
	if err != nil || in == nil {
		return err
	}
	for i, c := range children {
		given := map[string]any{}
		if len(c.Inputs) > 0 {
			decoder := json.NewDecoder(bytes.NewReader(c.Inputs))
			decoder.UseNumber() // a whole number may be longer than a float64
			if err := decoder.Decode(&given); err != nil {
				return fmt.Errorf("read the inputs of item %d: %w", c.Item, err)
			}
		}
		whole, err := in.Complete(given)
		if f, ok := fault.Of(err); ok {
			return fault.At("", "inputs", "the inputs of item %d do not suit the workflow: %s %s", c.Item, f.Fields[0].Pointer, f.Fields[0].Message)
		}
		if children[i].Inputs, err = json.Marshal(whole); err != nil {
			return fmt.Errorf("encode the inputs of item %d: %w", c.Item, err)
		}
	}
	return nil
}

// checkCallees refuses steps that run workflows which are not there.
func (s *Service) checkCallees(ctx context.Context, q postgres.Querier, project uuid.UUID, def workflow.Definition) error {
	var fields []fault.Field
	for i, step := range def.Steps {
		name := step.Callee()
		if name == "" || name == def.Name {
			continue
		}
		_, err := s.Callee(ctx, q, project, name)
		if f, ok := fault.Of(fault.Under(fmt.Sprintf("/steps/%d/config/workflow", i), err)); ok && f.Kind == fault.Invalid {
			fields = append(fields, f.Fields...)
		} else if err != nil {
			return err
		}
	}
	return fault.InvalidFields(fields)
}
