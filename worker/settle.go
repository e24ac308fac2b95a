package worker

import (
	"context"
	"errors"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

// settle ends the drive for a reason that does not lie in the steps: it interrupts those that are running and waits for
// them, though not for ever.
func (d *drive) settle(ctx context.Context, cause error) (run.Status, error) {
	d.stop(cause)
	late := d.w.clock.After(d.w.cfg.LetGo)
	for len(d.open) > 0 {
		select {
		case r := <-d.results:
			d.took(r)
			d.interrupted(r, cause)
		case <-late:
			d.letGo(ctx, cause)
		}
	}
	var why cancelled
	switch {
	case errors.As(cause, &why):
		d.closeSteps(run.Cancelled, why.reason)
		return run.Cancelled, d.finish(ctx, run.Cancelled, why.reason)
	case errors.Is(cause, errTimeout):
		reason := d.book.def.OutOfTime()
		d.closeSteps(run.Cancelled, reason)
		return run.Failed, d.finish(ctx, run.Failed, reason)
	case errors.Is(cause, errShutdown):
		return d.putBack(ctx)
	}
	return "", cause
}

// letGo goes on without the actions that do not stop. They keep their goroutines until they do; their results are nobody's.
func (d *drive) letGo(ctx context.Context, cause error) {
	lingering := len(d.open)
	d.w.log.WarnContext(ctx, "actions do not stop; the run goes on without them", "run_id", d.claimed.ID, "actions", lingering)
	for i, row := range d.open {
		f := &action.Failure{Message: "the action did not stop when it was told to"}
		d.interrupted(stepResult{index: i, row: row, result: action.Result{Failure: f}}, cause)
	}
	clear(d.open)
	d.w.metrics.linger.Add(float64(lingering))
	results, gauge := d.results, d.w.metrics.linger
	go func() {
		for range lingering {
			<-results
			gauge.Dec()
		}
	}()
}

// putBack gives the run to whoever takes it next: another worker, or a person when that is all that it waits for.
func (d *drive) putBack(ctx context.Context) (run.Status, error) {
	if d.heldReason() != "" && !d.anyWaiting() && !d.anyReady() {
		return run.Held, d.putOnHold(ctx)
	}
	return run.Queued, d.write(ctx, postgres.Record{Outcome: postgres.Release})
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
	case r.before != nil: // it goes on elsewhere where it paused
		step.status, step.paused = run.Queued, r.before
		return
	default:
		if r.result.Failure.Unsent {
			row.SentAt = nil
		}
		d.lost(r.index, &row, "the worker was stopped")
	}
	d.note(row)
}

// closeSteps ends the steps that have not ended.
func (d *drive) closeSteps(status run.Status, why string) {
	now := d.now()
	for i := range d.steps {
		step := &d.steps[i]
		if open := step.underway(); open != nil {
			row := *open
			row.Status, row.FinishedAt, row.NextAt, step.status = status, &now, nil, status
			d.note(row)
			continue
		}
		if step.status != run.Queued && step.status != run.Waiting {
			continue
		}
		step.status = status
		d.note(postgres.StepRow{
			RunID: d.claimed.ID, Step: d.book.def.Steps[i].ID, Attempt: 0, Status: status, Error: &why, FinishedAt: &now,
		})
	}
	d.journal.add(now, "", 0, "warn", why)
}
