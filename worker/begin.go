package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/gate"
)

// begin starts every step that may begin, as far as there is room. Skipping a step may decide about others, so it looks
// again until nothing changes.
func (d *drive) begin(ctx context.Context) error {
	d.wake()
	for changed := true; changed; {
		changed = false
		for i := range d.steps {
			if d.steps[i].status != run.Queued || len(d.open) >= parallel {
				continue
			}
			switch d.ready(i) {
			case never:
				d.skip(i, d.whyNever(i))
				changed = true
			case mayBegin:
				began, err := d.beginStep(ctx, i)
				if err != nil {
					return err
				}
				changed = changed || !began
			}
		}
	}
	return nil
}

// beginStep starts an attempt of a step; began is false when it was skipped, parked or failed at once.
func (d *drive) beginStep(ctx context.Context, i int) (began bool, err error) {
	def, book, step := d.book.def.Steps[i], d.book.steps[i], &d.steps[i]
	now := d.now()
	if book.broken != nil {
		d.failAtOnce(i, now, book.broken.Error())
		return false, nil
	}
	env, why, err := d.reveal(ctx, i)
	if err != nil {
		return false, err
	}
	if why != "" {
		d.failAtOnce(i, now, why)
		return false, nil
	}
	if step.paused != nil {
		d.goOn(ctx, i, env)
		return true, nil
	}
	if book.condition != nil && step.attempt == 0 {
		holds, err := book.condition.Eval(ctx, env)
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if err != nil {
			d.failAtOnce(i, now, "condition: "+err.Error())
			return false, nil
		}
		if !holds {
			d.skip(i, "its condition is false: "+def.If)
			return false, nil
		}
	}
	turn := &turn{gate: d.w.gate, clock: d.w.clock}
	under := ctx
	bound := bind(ctx, book.runner, d.call(i, step.attempt+1, env, turn))
	if turn.host = bound.Host; bound.Host != "" {
		if under, err = d.underRules(ctx); err != nil {
			return false, err
		}
		if turn.visit = d.enter(ctx, i, bound.Host); turn.visit == nil {
			return false, nil
		}
	}
	step.attempt++
	step.status = run.Running
	now = d.now()
	step.since = now
	row := postgres.StepRow{RunID: d.claimed.ID, Step: def.ID, Attempt: step.attempt, Status: run.Running, StartedAt: &now}
	if book.leaves {
		if bound.Host != "" {
			row.SentAt = &now
		}
		d.note(row)
		if err := d.write(ctx, postgres.Record{Outcome: postgres.Continue}); err != nil {
			turn.leave(ctx, nil, true)
			return false, err
		}
	}
	d.open[i] = row
	d.expect()
	go d.attempt(under, stepResult{index: i, row: row, secrets: d.secrets}, bound, turn, def.AttemptTimeout())
	return true, nil
}

// call is what an attempt that begins now knows.
func (d *drive) call(i, attempt int, env expr.Env, turn *turn) action.Call {
	step := d.book.def.Steps[i].ID
	return action.Call{
		RunID: d.claimed.ID, ProjectID: d.claimed.ProjectID, Depth: d.claimed.Depth, Step: step, Attempt: attempt,
		Failures: d.steps[i].failures, Env: env.Snapshot(), Secrets: d.secrets, Now: d.now(),
		Log: d.journal.writer(d.now, step, attempt), Again: turn.again,
	}
}

// attempt makes one attempt, and says how it went.
func (d *drive) attempt(ctx context.Context, r stepResult, bound action.Bound, turn *turn, timeout time.Duration) {
	stepCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.result = withoutSecrets(r.secrets, guarded(func() action.Result { return bound.Run(stepCtx) }))
	turn.leave(ctx, r.result.Failure, ctx.Err() != nil)
	r.duration = d.now().Sub(*r.row.StartedAt)
	d.results <- r
}

// bind makes an attempt ready. A panic in that is one of the attempt.
func bind(ctx context.Context, r action.Runner, call action.Call) (bound action.Bound) {
	out, ok := r.(action.Outbound)
	if !ok {
		return action.Bound{Run: func(ctx context.Context) action.Result { return r.Run(ctx, call) }}
	}
	result := guarded(func() action.Result { bound = out.Bind(ctx, call); return action.Result{} })
	if result.Failure != nil {
		return action.Bound{Run: func(context.Context) action.Result { return result }}
	}
	return bound
}

// guarded makes a panic of an action the failure of its step.
func guarded(act func() action.Result) (result action.Result) {
	defer func() {
		if p := recover(); p != nil {
			result = action.Result{Failure: &action.Failure{Class: run.FailurePanic, Message: fmt.Sprintf("internal error in the action: %v", p)}}
		}
	}()
	return act()
}

// enter asks for a place at the host that a step calls; nil when there is none now, and the step is parked. That is no
// attempt.
func (d *drive) enter(ctx context.Context, i int, h string) *gate.Visit {
	visit, refused := d.w.gate.Enter(ctx, h)
	if refused == nil {
		return visit
	}
	step := &d.steps[i]
	step.status, step.nextAt = run.Waiting, d.now().Add(refused.Wait)
	step.parked = gate.Explain(h, *refused, step.nextAt)
	d.w.metrics.parked.WithLabelValues(refused.Kind).Inc()
	return nil
}
