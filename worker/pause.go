package worker

import (
	"context"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
)

// An attempt that waits to be nudged looks by itself all the same, in case the nudge was lost: ever less often, the longer it
// waits.
const (
	firstLook = 5 * time.Second
	lastLook  = 5 * time.Minute
)

// pause puts an attempt to sleep. It keeps its number, and its time of beginning.
func (d *drive) pause(r stepResult) {
	step, p, now := &d.steps[r.index], r.result.Pause, d.now()
	row := r.row
	row.Status, row.Output, row.Error = run.Waiting, encodeOutput(p.Left), &p.Why
	if p.Person {
		row.Status = run.Held
	}
	step.nextAt = p.Until
	if p.Until.IsZero() {
		step.nextAt = now.Add(min(max(now.Sub(*row.StartedAt)/4, firstLook), lastLook))
	} else {
		row.NextAt = &p.Until
	}
	if p.Why != step.message {
		d.journal.add(now, row.Step, row.Attempt, "info", p.Why)
	}
	step.status, step.message, step.parked, step.paused = row.Status, p.Why, p.Why, &row
	d.note(row)
}

// goOn continues an attempt that paused. What stands in the database stays until there is something new to say of it.
func (d *drive) goOn(ctx context.Context, i int, env expr.Env) {
	step := &d.steps[i]
	before := step.paused
	row := *before
	turn := &turn{gate: d.w.gate, clock: d.w.clock}
	call := d.call(i, row.Attempt, env, turn)
	call.Paused = row.Output
	row.Status, row.NextAt, row.Error, row.Output = run.Running, nil, nil, nil
	step.status, step.paused, step.since = run.Running, nil, d.now()
	d.open[i] = row
	d.expect()
	r := stepResult{index: i, row: row, before: before, secrets: d.secrets}
	go d.attempt(ctx, r, bind(ctx, d.book.steps[i].runner, call), turn, d.book.def.Steps[i].AttemptTimeout())
}

// look lets the attempts that paused see whether what they wait for has happened, while others of the run are under way.
func (d *drive) look() {
	for i := range d.steps {
		if step := &d.steps[i]; step.paused != nil && (step.status == run.Waiting || step.status == run.Held) {
			step.status, step.parked = run.Queued, ""
		}
	}
}
