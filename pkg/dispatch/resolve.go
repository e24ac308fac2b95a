package dispatch

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// What a person may say of a step that nobody knows the outcome of.
const (
	ItSucceeded = "succeeded"
	ItFailed    = "failed"
	MakeAgain   = "retry"
)

// Resolution is a person's decision about one held step.
type Resolution struct {
	Step     string
	Decision string          // one of the three above
	Output   json.RawMessage // ItSucceeded: what the step answered; may be empty
	Note     string          // why; may be empty
}

var decided = map[string]string{
	ItSucceeded: "it happened", ItFailed: "it did not happen, and is not made again", MakeAgain: "make it again",
}

// Resolve writes a decision about a held step and lets the run go on. Errors: not found, a run or step that is not held.
func (s *Service) Resolve(ctx context.Context, who account.Principal, id uuid.UUID, r Resolution) (postgres.RunRow, error) {
	projects := who.Where(account.RunStart)
	row, err := postgres.Runs{Q: s.db}.Get(ctx, projects, id)
	if err != nil {
		return postgres.RunRow{}, err
	}
	if len(r.Output) > MaxInputs {
		return postgres.RunRow{}, fault.At("/output", "too_large", "the output is larger than 256 KiB")
	}
	if len(r.Output) > 0 && r.Decision != ItSucceeded {
		return postgres.RunRow{}, fault.At("/output", "output", "only a step that succeeded has an output")
	}
	said := "decided by " + who.User.Username + ": " + decided[r.Decision]
	if note := strings.TrimSpace(r.Note); note != "" {
		said += " (" + note + ")"
	}
	err = s.db.InTx(ctx, func(q postgres.Querier) error {
		if err := resolve(ctx, q, id, r, said); err != nil {
			return err
		}
		return postgres.Note(ctx, q, audit.Change{
			Action: audit.RunResolve, Project: row.ProjectID, Object: audit.Of(id, row.WorkflowName),
			After: audit.Data{"step": r.Step, "decision": r.Decision, "note": strings.TrimSpace(r.Note)},
		})
	})
	if err != nil {
		return postgres.RunRow{}, err
	}
	s.queue.Announce(ctx, []run.Change{{RunID: row.ID, WorkflowID: row.WorkflowID, ProjectID: row.ProjectID}})
	return postgres.Runs{Q: s.db}.Get(ctx, projects, id)
}

// resolve is Resolve's transaction: the run's row is locked, so that one of two people who decide at once comes too late.
func resolve(ctx context.Context, q postgres.Querier, id uuid.UUID, r Resolution, said string) error {
	live, runs := postgres.Live{Q: q}, postgres.Runs{Q: q}
	held, err := live.LockHeld(ctx, id)
	if err != nil {
		return err
	}
	if !held {
		return fault.New(fault.Conflict, "run_not_held", "The run does not wait for a decision")
	}
	step, err := heldStep(ctx, runs, id, r.Step)
	if err != nil {
		return err
	}
	class := run.FailureUnknown
	step.Error, step.Class = &said, &class
	switch r.Decision {
	case ItSucceeded:
		step.Status, step.Class, step.Output = run.Succeeded, nil, r.Output
	case ItFailed:
		step.Status = run.Failed
	default:
		class = run.FailureWorkerLost // made again, and not counted
		step.Status = run.Failed
	}
	if _, err := runs.Decide(ctx, step); err != nil {
		return err
	}
	err = runs.Say(ctx, []postgres.LogRow{{RunID: id, Step: step.Step, Attempt: step.Attempt, Level: "info", Message: said}})
	if err != nil {
		return err
	}
	if err := live.Unhold(ctx, id); err != nil {
		return err
	}
	return postgres.Notify(ctx, q, postgres.DueChannel)
}

// heldStep finds the attempt of a step that is held.
func heldStep(ctx context.Context, runs postgres.Runs, id uuid.UUID, name string) (postgres.StepRow, error) {
	steps, err := runs.Steps(ctx, id)
	if err != nil {
		return postgres.StepRow{}, err
	}
	var waiting []string
	for _, step := range steps {
		if step.Status != run.Held || step.Class == nil || *step.Class != run.FailureUnknown {
			continue // approvals are held too: they are decided by themselves
		}
		if step.Step == name {
			return step, nil
		}
		waiting = append(waiting, step.Step)
	}
	return postgres.StepRow{}, fault.At("/step", "step_not_held", "the step %q does not wait for a decision; waiting are: %s", name, strings.Join(waiting, ", "))
}
