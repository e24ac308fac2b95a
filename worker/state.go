package worker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// stepState is where a step of a run stands while a worker has the run.
type stepState struct {
	status   run.Status
	attempt  int       // the newest attempt's number; 0 before the first
	since    time.Time // running: since when on this worker
	failures int       // attempts that count against the retry policy
	nextAt   time.Time // waiting: when the next attempt is due
	message  string    // why it failed, or is held
	parked   string    // waiting for a host, or paused: why, for people
	held     *postgres.StepRow
	paused   *postgres.StepRow // the newest attempt goes on where it paused; its status says whether a person has to do something
}

// state is where a run stands: its steps, and what templates may see of them. One goroutine owns it.
type state struct {
	book  *book
	steps []stepState
	env   expr.Env
	seen  map[string]any // the env's steps, by id
}

func newState(b *book, c postgres.Claimed) (*state, error) {
	s := &state{book: b, steps: make([]stepState, len(b.def.Steps)), seen: make(map[string]any, len(b.def.Steps))}
	inputs := map[string]any{}
	if len(c.Inputs) > 0 {
		v, err := expr.DecodeJSON(c.Inputs)
		if err != nil {
			return nil, err //nolint:wrapcheck // the message says what is wrong with the inputs
		}
		if object, ok := v.(map[string]any); ok {
			inputs = object
		}
	}
	// What a person, a step or a schedule gives was looked at before. Others come as they are, and defaults are for all.
	inputs, err := b.inputs.Complete(inputs)
	if err != nil {
		return nil, fmt.Errorf("the inputs do not suit the workflow: %w", err)
	}
	for i, step := range b.def.Steps {
		s.steps[i].status = run.Queued
		s.seen[step.ID] = map[string]any{}
	}
	s.env = expr.Env{
		"inputs":   inputs,
		"steps":    s.seen,
		"run":      map[string]any{"id": c.ID.String(), "attempt": c.Attempt, "created_at": stamp(&c.CreatedAt), "fire_at": stamp(c.FireAt)},
		"trigger":  map[string]any{"type": string(c.Trigger), "fire_at": stamp(c.FireAt)},
		"workflow": map[string]any{"id": c.WorkflowID.String(), "name": b.def.Name, "version": c.Version},
	}
	return s, nil
}

// stamp writes an instant as the API does; nil for none.
func stamp(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// restore continues what earlier workers recorded, attempts in order. It answers the attempts that a lost worker left
// open.
func (s *state) restore(rows []postgres.StepRow) (open []postgres.StepRow) {
	for _, row := range rows {
		i, ok := s.book.graph.Index(row.Step)
		if !ok {
			continue
		}
		step := &s.steps[i]
		step.attempt = max(step.attempt, row.Attempt)
		switch row.Status {
		case run.Succeeded:
			step.status = run.Succeeded
			s.remember(row.Step, row.Output)
		case run.Skipped:
			step.status = run.Skipped
		case run.Held, run.Waiting:
			step.restorePause(row)
		case run.Failed:
			if row.Class == nil || *row.Class != run.FailureWorkerLost {
				step.failures++
			}
			step.status, step.message = run.Failed, deref(row.Error)
			s.rememberFailure(row)
			if row.NextAt != nil {
				step.status, step.nextAt = run.Waiting, *row.NextAt
			} else if row.Class != nil && *row.Class == run.FailureWorkerLost {
				step.status = run.Queued
			}
		default: // it was running when its worker was lost
			open = append(open, row)
		}
	}
	return open
}

// restorePause takes up an attempt that waits: for a person to say how it ended, or for something that may have happened
// meanwhile, so that it looks.
func (step *stepState) restorePause(row postgres.StepRow) {
	step.message = deref(row.Error)
	if deref(row.Class) == run.FailureUnknown {
		step.status, step.held = run.Held, &row
		return
	}
	step.status, step.paused = run.Queued, &row
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// remember shows a step's output to the templates of later steps.
func (s *state) remember(step string, output json.RawMessage) {
	s.seen[step] = map[string]any{}
	if v, err := expr.DecodeJSON(output); err == nil && v != nil {
		s.seen[step] = v
	}
}

// rememberFailure shows the templates of later steps why a step failed, besides what it left: steps.x.error.message.
func (s *state) rememberFailure(row postgres.StepRow) {
	s.remember(row.Step, row.Output)
	left, ok := s.seen[row.Step].(map[string]any)
	if !ok {
		left = map[string]any{}
	}
	left = maps.Clone(left)
	left["error"] = map[string]any{"message": deref(row.Error), "class": deref(row.Class)}
	s.seen[row.Step] = left
}

// verdict is whether a step may begin.
type verdict int

const (
	notYet verdict = iota
	mayBegin
	never // nothing that it runs after succeeded, or something failed
)

// ready tells whether a queued step may begin: when everything it runs after has ended, nothing of it failed, and not
// all of it was skipped. A fallback may when a step failed that it stands in for.
func (s *state) ready(i int) verdict {
	deps, standsIn := s.book.graph.Deps(i), s.book.graph.StandsIn(i)
	skipped, needed := 0, len(standsIn) == 0
	for _, d := range deps {
		switch s.steps[d].status {
		case run.Succeeded:
		case run.Skipped:
			skipped++
		case run.Failed:
			switch {
			case slices.Contains(standsIn, d):
				needed = true
			case s.fallbackOpen(d):
				return notYet
			case !s.forgiven(d):
				return never
			}
		default:
			return notYet
		}
	}
	if !needed {
		return never
	}
	if len(deps) > 0 && skipped == len(deps) {
		return never
	}
	return mayBegin
}

// forgiven tells whether a step's failure does not matter to the run and to what runs after it.
func (s *state) forgiven(i int) bool {
	switch def := s.book.def.Steps[i]; def.OnError {
	case workflow.OnErrorContinue:
		return true
	case workflow.OnErrorFallback:
		f, ok := s.book.graph.Index(def.Fallback)
		return ok && (s.steps[f].status == run.Succeeded || s.steps[f].status == run.Failed && s.forgiven(f))
	}
	return false
}

// fallbackOpen tells whether a step that failed has a fallback that has not ended, or that failed and has one itself.
func (s *state) fallbackOpen(i int) bool {
	def := s.book.def.Steps[i]
	f, ok := s.book.graph.Index(def.Fallback)
	if def.OnError != workflow.OnErrorFallback || !ok || f == i {
		return false
	}
	return !s.steps[f].status.Finished() || s.steps[f].status == run.Failed && s.fallbackOpen(f)
}

// whyNever says why a step that will not begin does not.
func (s *state) whyNever(i int) string {
	if standsIn := s.book.graph.StandsIn(i); len(standsIn) > 0 &&
		!slices.ContainsFunc(standsIn, func(j int) bool { return s.steps[j].status == run.Failed }) {
		return "nothing that it stands in for failed"
	}
	return "nothing that it runs after succeeded"
}

// outcome tells whether all steps have ended, and what that makes of the run.
func (s *state) outcome() (status run.Status, reason string, over bool) {
	status = run.Succeeded
	for i, step := range s.steps {
		switch step.status {
		case run.Succeeded, run.Skipped:
		case run.Failed:
			if s.forgiven(i) {
				continue
			}
			if status == run.Succeeded {
				status, reason = run.Failed, "step "+s.book.def.Steps[i].ID+" failed: "+step.message
			}
		default:
			return "", "", false
		}
	}
	return status, reason, true
}

// heldReason says what a person has to decide; empty when there is nothing.
func (s *state) heldReason() string {
	for i, step := range s.steps {
		if step.status == run.Held {
			return "step " + s.book.def.Steps[i].ID + ": " + step.message
		}
	}
	return ""
}

// parkedReason says which host the run waits for; empty when for none.
func (s *state) parkedReason() string {
	for _, step := range s.steps {
		if step.status == run.Waiting && step.parked != "" {
			return step.parked
		}
	}
	return ""
}

// nextWait is the earliest instant that a step waits for; ok is false when none waits for one.
func (s *state) nextWait() (at time.Time, ok bool) {
	for i := range s.steps {
		if step := &s.steps[i]; step.waits() && (!ok || step.nextAt.Before(at)) {
			at, ok = step.nextAt, true
		}
	}
	return at, ok
}

// waits tells whether the step waits for an instant, a person's time limit included.
func (step *stepState) waits() bool {
	return step.status == run.Waiting || step.status == run.Held && step.paused != nil && !step.nextAt.IsZero()
}

// anyWaiting tells whether a step waits for something else than a person.
func (s *state) anyWaiting() bool {
	return slices.ContainsFunc(s.steps, func(step stepState) bool { return step.status == run.Waiting })
}

// underway is the attempt that waits to go on or for a decision; nil when there is none.
func (step *stepState) underway() *postgres.StepRow {
	switch {
	case step.paused != nil && (step.status == run.Queued || step.status == run.Waiting || step.status == run.Held):
		return step.paused
	case step.held != nil && step.status == run.Held:
		return step.held
	}
	return nil
}
