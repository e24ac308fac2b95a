package worker

import (
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// close decides about an attempt that an earlier worker left open: it was lost, or the run was taken from it because the
// attempt had no time left, which the scheduler wrote into its class.
func (d *drive) close(row postgres.StepRow) {
	i, ok := d.book.graph.Index(row.Step)
	if !ok {
		return
	}
	now := d.now()
	row.FinishedAt = &now
	if row.Class != nil && *row.Class == run.FailureTimeout {
		f := action.Failure{Class: run.FailureTimeout, Message: deref(row.Error)}
		d.fail(&row, &d.steps[i], d.book.def.Steps[i], f, now)
	} else {
		d.lost(i, &row, "the worker was lost")
	}
	d.note(row)
}

// lost decides about an attempt whose end nobody saw. One that cannot have happened is made again, and so is one that may
// happen twice; neither counts against the retry policy. Of others the step says what becomes of them. how begins a
// sentence.
func (d *drive) lost(i int, row *postgres.StepRow, how string) {
	step, def := &d.steps[i], d.book.def.Steps[i]
	policy := d.book.steps[i].onUnknown
	if row.SentAt == nil || policy == "" {
		policy = workflow.UnknownRetry
	}
	class, message := run.FailureUnknown, how+" while "+def.Deed()+" was under way"
	switch policy {
	case workflow.UnknownHold:
		message += "; did it happen?"
		row.Status, row.FinishedAt, step.status = run.Held, nil, run.Held
		d.journal.add(d.now(), row.Step, row.Attempt, "warn", message+" The run is held until somebody says so")
	case workflow.UnknownFail:
		message += "; nobody knows whether it happened"
		row.Status, step.status = run.Failed, run.Failed
		step.failures++
		d.journal.add(d.now(), row.Step, row.Attempt, "error", message)
	default:
		class, message = run.FailureWorkerLost, how+" during this attempt"
		row.Status, step.status = run.Failed, run.Queued
		d.journal.add(d.now(), row.Step, row.Attempt, "warn", message+"; it is made again")
	}
	row.Class, row.Error, step.message = &class, &message, message
	if step.status == run.Held {
		held := *row
		step.held = &held
	}
}
