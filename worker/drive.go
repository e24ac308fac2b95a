package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
	"github.com/guildmember145/orquestador-plataforma/worker/internal/action"
)

const (
	// parallel is how many steps of one run go on at a time.
	parallel = 16
	// shortWait is a wait for which giving the run back is not worth it.
	shortWait = 300 * time.Millisecond
	// maxOutput is the size of a step's output as JSON; a larger one is kept in part.
	maxOutput = 256 << 10
)

// drive is one worker's way through a run.
type drive struct {
	*state
	stop    context.CancelCauseFunc // interrupts the steps
	ahead   time.Duration           // of the database's clock to this machine's: workers share the former
	w       *Worker
	claimed postgres.Claimed
	journal journal
	results chan stepResult
	open    map[int]postgres.StepRow // attempts under way, by the index of their step
	ended   []postgres.StepRow       // not written yet
	hold    *hold
	secrets *secret.Redactor // takes out what the run's steps were given of secrets
}

type stepResult struct {
	index    int
	row      postgres.StepRow
	before   *postgres.StepRow // the attempt as it was while it paused; nil when it began here
	secrets  *secret.Redactor  // of when it began
	result   action.Result
	duration time.Duration
}

// drive runs the steps of a claimed run until it ends, has to wait, or is interrupted. It answers how the run was left;
// errLost when it was not this worker's any more.
func (w *Worker) drive(ctx context.Context, h *hold, c postgres.Claimed) (run.Status, error) {
	ahead := c.ClaimedAt.Sub(w.clock.Now())
	var b *book
	err := w.insist(ctx, func(ctx context.Context) (err error) {
		b, err = w.library.get(ctx, c.WorkflowID, c.Version)
		return err
	})
	if err != nil {
		return "", err
	}
	st, err := newState(b, c)
	if err != nil {
		return run.Failed, w.refuse(ctx, c, err)
	}
	st.env["approvals"] = w.approvalLinks(b.def.Steps, c.ID)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d := &drive{
		state: st, stop: stop, ahead: ahead, w: w, claimed: c, hold: h,
		results: make(chan stepResult, parallel), open: map[int]postgres.StepRow{},
	}
	d.expect()
	if c.Attempt > 1 || c.RerunOf != nil {
		if err := w.insist(ctx, d.resume); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.deadline().Sub(d.now()), errTimeout)
	defer cancel()
	return d.loop(ctx)
}

// refuse ends a run that cannot begin with what it was given.
func (w *Worker) refuse(ctx context.Context, c postgres.Claimed, why error) error {
	return w.insist(ctx, func(ctx context.Context) error {
		return w.recorder.write(ctx, entry{change: changeOf(c), tell: true, Record: postgres.Record{
			RunID: c.ID, Attempt: c.Attempt, Outcome: postgres.Finish, Status: run.Failed, Reason: clip(why.Error()),
		}})
	})
}

// now is the present instant by the database's clock.
func (d *drive) now() time.Time { return d.w.clock.Now().Add(d.ahead) }

// deadline is when the run's time is up. The time that it was held for a person does not count.
func (d *drive) deadline() time.Time {
	held := time.Duration(d.claimed.HeldFor * float64(time.Second))
	return d.claimed.StartedAt.Add(d.book.def.RunTimeout() + held)
}

// expect lets the next beat say until when the run should have got further: the scheduler ends what goes on for longer.
func (d *drive) expect() {
	earliest := d.deadline()
	for i := range d.open {
		if end := d.steps[i].since.Add(d.book.def.Steps[i].AttemptTimeout()); end.Before(earliest) {
			earliest = end
		}
	}
	d.hold.deadline.Store(&earliest)
}

// resume reads what was recorded of the run before this worker took it.
func (d *drive) resume(ctx context.Context) error {
	runs := postgres.Runs{Q: d.w.db}
	rows, err := runs.Steps(ctx, d.claimed.ID)
	if err != nil {
		return err
	}
	if d.journal.seq, err = runs.LastSeq(ctx, d.claimed.ID); err != nil {
		return err
	}
	for _, row := range d.restore(rows) {
		d.close(row)
	}
	return d.recall(ctx)
}

func (d *drive) loop(ctx context.Context) (run.Status, error) {
	for {
		if ctx.Err() != nil {
			return d.settle(ctx, context.Cause(ctx))
		}
		if err := d.begin(ctx); err != nil {
			return d.settle(ctx, err)
		}
		if len(d.open) == 0 {
			if status, reason, over := d.outcome(); over {
				return d.conclude(ctx, status, reason)
			}
			at, waits := d.nextWait()
			long := !waits || at.Sub(d.now()) > shortWait
			if d.anyWaiting() && long {
				return run.Waiting, d.release(ctx, at)
			}
			if !d.anyWaiting() && long && d.heldReason() != "" {
				return run.Held, d.putOnHold(ctx)
			}
		}
		if err := d.wait(ctx); err != nil {
			return d.settle(ctx, err)
		}
	}
}

// wait waits for a step to end, for the time of one that waits, or for the end of ctx. A step that ended is written
// before anything that depends on it begins; the last one is written together with the end of the run.
func (d *drive) wait(ctx context.Context) error {
	var due <-chan time.Time
	if at, ok := d.nextWait(); ok {
		due = d.w.clock.After(max(at.Sub(d.now()), 0))
	}
	select {
	case r := <-d.results:
		d.took(r)
		if ctx.Err() != nil {
			d.interrupted(r, context.Cause(ctx))
			return nil
		}
		d.apply(r)
	case <-due:
		d.wake()
		return nil
	case <-d.hold.nudged:
		d.look()
		return nil
	case <-ctx.Done():
		return nil
	}
	if len(d.open) == 0 {
		if _, _, over := d.outcome(); over || !d.anyReady() {
			return nil // written with what follows: the end or the release
		}
	}
	return d.write(ctx, postgres.Record{Outcome: postgres.Continue})
}

// took notes that an attempt is over.
func (d *drive) took(r stepResult) {
	delete(d.open, r.index)
	d.expect()
}

// wake puts steps whose time has come back in line.
func (d *drive) wake() {
	now := d.now()
	for i := range d.steps {
		if d.steps[i].waits() && !d.steps[i].nextAt.After(now) {
			d.steps[i].status, d.steps[i].parked = run.Queued, ""
		}
	}
}

func (d *drive) anyReady() bool {
	for i := range d.steps {
		if d.steps[i].status == run.Queued && d.ready(i) == mayBegin {
			return true
		}
	}
	return false
}

// apply takes in how an attempt went and decides whether there is another.
func (d *drive) apply(r stepResult) {
	if d.secrets != r.secrets { // others have begun meanwhile, and what they know may have come back to this one
		r.result = withoutSecrets(d.secrets, r.result)
	}
	if r.result.Pause != nil {
		d.pause(r)
		return
	}
	def, step := d.book.def.Steps[r.index], &d.steps[r.index]
	now := d.now()
	row := r.row
	row.FinishedAt = &now
	row.Output = encodeOutput(r.result.Output)
	f := r.result.Failure
	if f == nil {
		step.status, row.Status = run.Succeeded, run.Succeeded
		d.remember(def.ID, row.Output)
	} else {
		d.fail(&row, step, def, *f, now)
	}
	d.w.metrics.steps.WithLabelValues(def.Action, string(row.Status)).Observe(r.duration.Seconds())
	d.note(row)
}

func (d *drive) fail(row *postgres.StepRow, step *stepState, def workflow.Step, f action.Failure, now time.Time) {
	row.Status, row.Class, row.Error = run.Failed, &f.Class, &f.Message
	step.status, step.message = run.Failed, f.Message
	step.failures++
	policy := def.RetryPolicy()
	if step.failures >= policy.Attempts || !policy.Covers(f.Class) {
		message := f.Message
		if step.failures > 1 {
			message = fmt.Sprintf("%s (after %d attempts)", f.Message, step.failures)
		}
		d.journal.add(now, def.ID, row.Attempt, "error", message)
		d.rememberFailure(*row)
		return
	}
	delay := policy.Delay(step.failures, f.RetryAfter, rand.Float64()) //nolint:gosec // spreads load, hides nothing
	next := now.Add(delay)
	step.status, step.nextAt, row.NextAt = run.Waiting, next, &next
	d.journal.add(now, def.ID, row.Attempt, "warn",
		fmt.Sprintf("%s; attempt %d of %d in %s", f.Message, step.failures+1, policy.Attempts, delay.Round(time.Millisecond)))
}

func (d *drive) failAtOnce(i int, now time.Time, message string) {
	class := run.FailureConfig
	step, def := &d.steps[i], d.book.def.Steps[i]
	if step.paused == nil { // else it is the attempt that paused which ends so
		step.attempt++
	}
	step.paused = nil
	step.failures++
	step.status, step.message = run.Failed, message
	d.journal.add(now, def.ID, step.attempt, "error", message)
	row := postgres.StepRow{
		RunID: d.claimed.ID, Step: def.ID, Attempt: step.attempt, Status: run.Failed, Class: &class, Error: &message,
		StartedAt: &now, FinishedAt: &now,
	}
	d.rememberFailure(row)
	d.note(row)
}

func (d *drive) skip(i int, why string) {
	now := d.now()
	d.steps[i].status = run.Skipped
	d.journal.add(now, d.book.def.Steps[i].ID, 0, "info", "skipped: "+why)
	d.note(postgres.StepRow{
		RunID: d.claimed.ID, Step: d.book.def.Steps[i].ID, Attempt: 0, Status: run.Skipped, FinishedAt: &now,
	})
}

// note keeps what became of an attempt until it is written; the newest word about an attempt counts.
func (d *drive) note(row postgres.StepRow) {
	for i := range d.ended {
		if d.ended[i].Step == row.Step && d.ended[i].Attempt == row.Attempt {
			d.ended[i] = row
			return
		}
	}
	d.ended = append(d.ended, row)
}

// write records what has gathered.
func (d *drive) write(ctx context.Context, record postgres.Record) error {
	record.RunID, record.Attempt = d.claimed.ID, d.claimed.Attempt
	record.Reason = clip(d.secrets.Hide(record.Reason))
	record.Steps, record.Logs = d.ended, d.journal.take()
	for i := range record.Steps {
		if message := record.Steps[i].Error; message != nil {
			storable := clip(d.secrets.Hide(*message)) // it may quote what another program answered
			record.Steps[i].Error = &storable
		}
	}
	d.ended = nil
	tell := record.Outcome == postgres.Release || record.Outcome == postgres.Finish && d.othersWait()
	return d.w.insist(ctx, func(ctx context.Context) error {
		return d.w.recorder.write(ctx, entry{Record: record, change: changeOf(d.claimed), tell: tell})
	})
}

// othersWait tells whether runs of the same trigger or workflow may wait for this one.
func (d *drive) othersWait() bool {
	if d.book.def.MaxConcurrent > 0 {
		return true
	}
	if d.claimed.TriggerID == nil {
		return false
	}
	for _, t := range d.book.def.Triggers {
		if t.OverlapPolicy() != schedule.OverlapAllow && t.OverlapPolicy() != schedule.OverlapSkip || t.Policy().Missed == schedule.MissedAll {
			return true
		}
	}
	return false
}

// putOnHold gives the run back until a person has decided, or until there is no more time for that.
func (d *drive) putOnHold(ctx context.Context) error {
	record := postgres.Record{Outcome: postgres.Hold, Reason: d.heldReason()}
	if at, ok := d.nextWait(); ok {
		record.Waits, record.Delay = true, max(at.Sub(d.now()), 0)
	}
	return d.write(ctx, record)
}

// conclude ends a run whose steps have ended.
func (d *drive) conclude(ctx context.Context, status run.Status, reason string) (run.Status, error) {
	var left json.RawMessage
	if status == run.Succeeded && d.book.outputs != nil {
		v, err := expr.EvalValue(ctx, d.book.outputs, d.env)
		if ctx.Err() != nil {
			return d.settle(ctx, context.Cause(ctx))
		}
		if err != nil {
			status, reason = run.Failed, "its outputs: "+err.Error()
		}
		left = encodeOutput(v)
	}
	return status, d.write(ctx, postgres.Record{Outcome: postgres.Finish, Status: status, Reason: reason, Output: left})
}

func (d *drive) finish(ctx context.Context, status run.Status, reason string) error {
	return d.write(ctx, postgres.Record{Outcome: postgres.Finish, Status: status, Reason: reason})
}

// release gives the run back until at, or until its time is up.
func (d *drive) release(ctx context.Context, at time.Time) error {
	if end := d.deadline(); end.Before(at) {
		at = end
	}
	delay := max(at.Sub(d.now()), 0)
	if err := d.write(ctx, postgres.Record{Outcome: postgres.Release, Delay: delay, Waits: true, Reason: d.parkedReason()}); err != nil {
		return err
	}
	ticket := run.Ticket{ID: d.claimed.ID, Attempt: d.claimed.Attempt, Queue: d.claimed.Queue}
	if err := d.w.queue.Schedule(ctx, ticket, delay); err != nil {
		d.w.log.DebugContext(ctx, "wait not shown in the queue", "run_id", d.claimed.ID, "error", err)
	}
	return nil
}

// encodeOutput writes an output as JSON that PostgreSQL can keep; one that is too large is kept as the beginning of its
// text.
func encodeOutput(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	if len(raw) > maxOutput {
		cut, err := json.Marshal(map[string]any{"truncated": true, "size": len(raw), "text": string(raw[:maxOutput/2])})
		if err != nil {
			return nil
		}
		raw = cut
	}
	return storable(raw)
}
