package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// errFurther undoes an eviction: the worker was faster.
var errFurther = errors.New("the run has got further meanwhile")

// overdue ends from outside what a worker that says it is at work should have ended: runs and steps beyond their time, and
// cancellations. A deadline never depends on the worker alone.
func (r *reconciler) overdue(ctx context.Context) error {
	late, err := postgres.Live{Q: r.db}.ListLate(ctx, r.overtime, r.patience, reconcileBatch)
	if err != nil || len(late) == 0 {
		return err
	}
	var evicted []uuid.UUID
	var changes []run.Change
	for _, l := range late {
		var why string
		err := r.db.InTx(ctx, func(q postgres.Querier) (err error) {
			why, err = r.evict(ctx, q, l)
			return err
		})
		switch {
		case errors.Is(err, errFurther):
			continue
		case postgres.Away(err):
			return err
		case err != nil: // the others are not to wait for this one
			r.log.ErrorContext(ctx, "a late run cannot be ended", "run_id", l.ID, "error", err)
			continue
		}
		r.metrics.evicted.WithLabelValues(why).Inc()
		r.log.WarnContext(ctx, "a run was taken from its worker", "run_id", l.ID, "worker", l.Worker, "why", why)
		evicted = append(evicted, l.ID)
		changes = append(changes, run.Change{RunID: l.ID, WorkflowID: l.WorkflowID, ProjectID: l.ProjectID})
	}
	r.queue.Cancel(ctx, evicted) // the worker looks after them at once, and finds that they are not its any more
	r.queue.Announce(ctx, changes)
	return postgres.Notify(ctx, r.db, postgres.DueChannel)
}

// evict takes a run from its worker, and ends it or those of its steps that have no time left. It answers why.
func (r *reconciler) evict(ctx context.Context, q postgres.Querier, l postgres.Late) (why string, err error) {
	live := postgres.Live{Q: q}
	taken, err := live.Evict(ctx, l.Worker, l.Ticket)
	if err != nil {
		return "", err
	}
	if !taken {
		return "", errFurther
	}
	if l.CancelAt != nil && l.Cancel != nil && l.Now.Sub(*l.CancelAt) > r.patience {
		said := fmt.Sprintf("%s; worker %s did not end it within %s, so it was ended without it", *l.Cancel, l.Worker, r.patience)
		return "cancel", r.end(ctx, q, l, run.Cancelled, *l.Cancel, said)
	}
	def, err := definition(ctx, q, l)
	if err != nil {
		return "", err
	}
	if held := time.Duration(l.HeldFor * float64(time.Second)); l.Now.Sub(l.StartedAt)-held >= def.RunTimeout() {
		said := fmt.Sprintf("%s; worker %s did not end it, so it was ended without it", def.OutOfTime(), l.Worker)
		return "run_time", r.end(ctx, q, l, run.Failed, def.OutOfTime(), said)
	}
	return "step_time", r.endSteps(ctx, q, l, def)
}

func definition(ctx context.Context, q postgres.Querier, l postgres.Late) (def workflow.Definition, err error) {
	raw, err := postgres.Workflows{Q: q}.DefinitionJSON(ctx, l.WorkflowID, l.Version)
	if err != nil {
		return def, err
	}
	if err := json.Unmarshal(raw, &def); err != nil {
		return def, fmt.Errorf("read version %d of the workflow %s: %w", l.Version, l.WorkflowID, err)
	}
	return def, nil
}

// end ends a run that was taken from its worker.
func (r *reconciler) end(ctx context.Context, q postgres.Querier, l postgres.Late, status run.Status, reason, said string) error {
	err := postgres.Runs{Q: q}.Say(ctx, []postgres.LogRow{{RunID: l.ID, Level: "warn", Message: said}})
	if err != nil {
		return err
	}
	_, err = postgres.Live{Q: q}.End(ctx, []uuid.UUID{l.ID}, status, reason)
	return err
}

// endSteps notes which attempts had no time left; whoever takes the run next counts them as that. When nothing is known to
// be under way, the worker hangs in something that leaves no trace: that counts as a crash, so that it is not for ever.
func (r *reconciler) endSteps(ctx context.Context, q postgres.Querier, l postgres.Late, def workflow.Definition) error {
	runs := postgres.Runs{Q: q}
	open, err := runs.Underway(ctx, []uuid.UUID{l.ID})
	if err != nil {
		return err
	}
	if len(open) == 0 {
		return r.countHang(ctx, q, l)
	}
	limits := map[string]time.Duration{}
	for _, step := range def.Steps {
		limits[step.ID] = step.AttemptTimeout()
	}
	var lines []postgres.LogRow
	for _, step := range open {
		limit := limits[step.Step]
		if step.StartedAt == nil || l.Now.Sub(*step.StartedAt) < limit {
			continue
		}
		if err := runs.Overrun(ctx, step, "no answer within the step's timeout, and its worker did not end it"); err != nil {
			return err
		}
		lines = append(lines, postgres.LogRow{RunID: l.ID, Step: step.Step, Attempt: step.Attempt, Level: "warn", Message: fmt.Sprintf(
			"took longer than %s, and worker %s did not end it; the run was taken from it", workflow.Duration(limit), l.Worker)})
	}
	if len(lines) == 0 {
		return errFurther
	}
	return runs.Say(ctx, lines)
}

func (r *reconciler) countHang(ctx context.Context, q postgres.Querier, l postgres.Late) error {
	crashes, err := postgres.Live{Q: q}.CountCrash(ctx, l.ID)
	if err != nil {
		return err
	}
	said := fmt.Sprintf("worker %s did not get further in time, the %s that this run lost; the run was taken from it", l.Worker, ordinal(crashes))
	if crashes >= r.maxCrashes {
		return r.end(ctx, q, l, run.Failed, r.poisoned(), said)
	}
	return postgres.Runs{Q: q}.Say(ctx, []postgres.LogRow{{RunID: l.ID, Level: "warn", Message: said}})
}
