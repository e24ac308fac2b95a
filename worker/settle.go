package worker

import (
	"context"
	"errors"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// settle ends the drive for a reason that does not lie in the steps: it interrupts those that are running and waits for
// them.
func (d *drive) settle(ctx context.Context, cause error) (run.Status, error) {
	d.stop(cause)
	for ; d.running > 0; d.running-- {
		d.interrupted(<-d.results, cause)
	}
	var why cancelled
	switch {
	case errors.As(cause, &why):
		d.closeSteps(run.Cancelled, why.reason)
		return run.Cancelled, d.finish(ctx, run.Cancelled, why.reason)
	case errors.Is(cause, errTimeout):
		reason := "the run took longer than " + workflow.Duration(d.book.def.RunTimeout()).String()
		d.closeSteps(run.Cancelled, reason)
		return run.Failed, d.finish(ctx, run.Failed, reason)
	case errors.Is(cause, errShutdown):
		return run.Queued, d.write(ctx, postgres.Record{Outcome: postgres.Release})
	}
	return "", cause
}

// interrupted takes in an attempt that was cut short. What succeeded all the same counts.
func (d *drive) interrupted(r stepResult, cause error) {
	if r.result.Failure == nil {
		d.apply(r)
		return
	}
	now := d.now()
	row := r.row
	row.FinishedAt = &now
	row.Output = encodeOutput(r.result.Output)
	step := &d.steps[r.index]
	var why cancelled
	switch {
	case errors.As(cause, &why):
		row.Status, step.status = run.Cancelled, run.Cancelled
		row.Error = &why.reason
	case errors.Is(cause, errTimeout):
		message := "the run's time was up"
		class := run.FailureTimeout
		row.Status, step.status, row.Class, row.Error = run.Failed, run.Failed, &class, &message
	default:
		message, class := "the worker was stopped during this attempt", run.FailureWorkerLost
		row.Status, step.status, row.Class, row.Error = run.Failed, run.Queued, &class, &message
		d.journal.add(now, row.Step, row.Attempt, "warn", message+"; it is made again")
	}
	d.ended = append(d.ended, row)
}

// closeSteps ends the steps that have not ended.
func (d *drive) closeSteps(status run.Status, why string) {
	now := d.now()
	for i := range d.steps {
		step := &d.steps[i]
		if step.status != run.Queued && step.status != run.Waiting {
			continue
		}
		step.status = status
		d.ended = append(d.ended, postgres.StepRow{
			RunID: d.claimed.ID, Step: d.book.def.Steps[i].ID, Attempt: 0, Status: status, Error: &why, FinishedAt: &now,
		})
	}
	d.journal.add(now, "", 0, "warn", why)
}
