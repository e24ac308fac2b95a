package dispatch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Where a rerun begins, besides a step's id.
const (
	FromStart  = "start"
	FromFailed = "failed"
)

// Rerun is how a run is repeated.
type Rerun struct {
	From    string         // FromStart (default), FromFailed or a step's id
	Current bool           // the workflow as it is now, rather than as it was
	Inputs  map[string]any // nil: those of the first run
	Key     string         // idempotency key; may be empty
}

// Rerun starts a new run like an earlier one that has finished. What stands before the place where it begins is taken
// over with its results.
func (s *Service) Rerun(ctx context.Context, who account.Principal, id uuid.UUID, how Rerun) (postgres.RunRow, error) {
	old, err := postgres.Runs{Q: s.db}.Get(ctx, who.Where(account.RunStart), id)
	if err != nil {
		return postgres.RunRow{}, err
	}
	row, err := postgres.Workflows{Q: s.db}.Get(ctx, who.Where(account.RunStart), old.WorkflowID)
	if err != nil {
		return postgres.RunRow{}, err
	}
	def, version := row.Definition, row.Version
	if how.Current && version == 0 {
		return postgres.RunRow{}, errUnpublished
	}
	if !how.Current && old.Version != row.Version {
		v, err := postgres.Workflows{Q: s.db}.Version(ctx, row.ID, old.Version)
		if err != nil {
			return postgres.RunRow{}, err
		}
		def, version = v.Definition, v.Version
	}
	inputs := old.Inputs
	if how.Inputs != nil {
		whole, err := complete(def.Inputs, how.Inputs)
		if err != nil {
			return postgres.RunRow{}, err
		}
		if inputs, err = encodeInputs(whole); err != nil {
			return postgres.RunRow{}, err
		}
	}
	fresh, err := newRun(row.Head(), version, run.Rerun, who, inputs)
	if err != nil {
		return postgres.RunRow{}, err
	}
	fresh.RerunOf = &old.ID
	kept, err := s.takeOver(ctx, old, fresh.ID, def, how.From)
	if err != nil {
		return postgres.RunRow{}, err
	}
	request, err := json.Marshal([]any{old.ID, how.From, how.Current, how.Inputs})
	if err != nil {
		return postgres.RunRow{}, fmt.Errorf("encode the request: %w", err)
	}
	note := audit.Change{
		Action: audit.RunRerun, Project: row.ProjectID, Object: audit.Of(old.ID, def.Name),
		After: audit.Data{"run_id": fresh.ID, "from": cmp.Or(how.From, FromStart), "version": version, "other_inputs": how.Inputs != nil},
	}
	return s.submit(ctx, who, fresh, def.Name, submission{steps: kept, key: how.Key, request: request, note: &note})
}

// takeOver picks the results that the new run need not produce again.
func (s *Service) takeOver(ctx context.Context, old postgres.RunRow, into uuid.UUID, def workflow.Definition, from string) ([]postgres.StepRow, error) {
	if from == "" || from == FromStart {
		return nil, nil
	}
	if !old.Status.Finished() {
		return nil, fault.New(fault.Conflict, "run_not_finished", "The run has not finished: its results cannot be taken over yet")
	}
	graph := workflow.NewGraph(def.Steps)
	again := map[int]bool{}
	if from == FromFailed {
		if old.Status == run.Succeeded {
			return nil, fault.New(fault.Conflict, "nothing_failed", "No step of the run failed; run it again from the start")
		}
	} else {
		i, ok := graph.Index(from)
		if !ok {
			return nil, fault.At("/from", "unknown_step", "there is no step %q in that version; use start, failed or a step's id", from)
		}
		again = graph.Descendants(i)
		again[i] = true
	}
	steps, err := postgres.Runs{Q: s.db}.Steps(ctx, old.ID)
	if err != nil {
		return nil, err
	}
	succeeded := map[int]bool{}
	for _, step := range steps {
		if i, ok := graph.Index(step.Step); ok && step.Status == run.Succeeded {
			succeeded[i] = true
		}
	}
	var kept []postgres.StepRow
	for _, step := range steps {
		i, ok := graph.Index(step.Step)
		if !ok || again[i] || step.Status != run.Succeeded {
			continue
		}
		if slices.ContainsFunc(graph.StandsIn(i), func(j int) bool { return !succeeded[j] }) {
			continue // what it stood in for is made again
		}
		step.RunID, step.Attempt = into, 1
		kept = append(kept, step)
	}
	return kept, nil
}
