package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Children starts runs of other workflows, and looks after them. Which step of which run they belong to, the Call says.
type Children interface {
	// Start starts a run for each item, unless it was started before, and answers the runs of all.
	Start(ctx context.Context, call Call, workflow string, awaits bool, inputs map[int32]json.RawMessage) (map[int32]uuid.UUID, error)
	// Ended answers which of the items' runs have ended.
	Ended(ctx context.Context, call Call, items []int32) ([]Child, error)
	// All answers the runs of all items, in their order, with outputs as far as they fit into room bytes together.
	All(ctx context.Context, call Call, room int) ([]Child, error)
}

// Child is a run that a step started.
type Child struct {
	Item   int32
	RunID  uuid.UUID
	Status run.Status
	Reason string
	Output json.RawMessage // what it left; may be empty
}

// runWorkflow runs another workflow, once or for each item of a list.
type runWorkflow struct{ children Children }

// Leaves implements Action: a run that a lost worker started is found again.
func (runWorkflow) Leaves() bool { return false }

// Prepare implements Action.
func (r runWorkflow) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.RunConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	p := runRunner{children: r.children, workflow: c.Workflow, awaits: c.Wait == nil || *c.Wait, concurrency: c.Concurrency, tolerate: c.Tolerate}
	if p.concurrency == 0 {
		p.concurrency = workflow.DefaultConcurrency
	}
	var err error
	if c.ForEach != "" {
		if p.list, err = expr.ParseTemplate(c.ForEach); err != nil {
			return nil, fmt.Errorf("parse for_each: %w", err)
		}
	}
	if len(c.Inputs) > 0 {
		if p.inputs, err = expr.DecodeJSON(c.Inputs); err != nil {
			return nil, fmt.Errorf("read inputs: %w", err)
		}
	}
	return p, nil
}

type runRunner struct {
	children    Children
	workflow    string
	awaits      bool
	list        *expr.Template // nil: one run
	inputs      any            // an object with templates; nil for none
	concurrency int
	tolerate    int
}

// progress is what the step leaves while it waits.
type progress struct {
	Count     int     `json:"count"`
	Started   int     `json:"started"`
	Succeeded int     `json:"succeeded"`
	Failed    int     `json:"failed"`
	Open      []int32 `json:"open"` // items whose runs were under way
}

// Run implements Runner.
func (r runRunner) Run(ctx context.Context, call Call) Result {
	if call.Trial {
		return failed(run.FailureConfig, "a step that runs another workflow cannot be tried alone: run the workflow")
	}
	items, err := r.items(ctx, call)
	if err != nil {
		return failed(run.FailureConfig, "%s", err)
	}
	at := progress{Count: len(items)}
	if len(call.Paused) > 0 {
		if err := json.Unmarshal(call.Paused, &at); err != nil {
			return failed(run.FailureConfig, "read how far it was: %s", err)
		}
	}
	if at.Count != len(items) {
		return failed(run.FailureConfig, "the list has %d items now, and had %d before", len(items), at.Count)
	}
	for {
		if err := r.advance(ctx, call, items, &at); err != nil {
			return r.stumbled(call, at, err)
		}
		done := len(at.Open) == 0
		switch {
		case !r.awaits:
			return r.finish(ctx, call, at)
		case done && (at.Started == at.Count || at.Failed > r.tolerate):
			return r.finish(ctx, call, at)
		case !done:
			return Result{Pause: &Pause{Why: r.why(), Left: at}}
		}
	}
}

func (r runRunner) why() string {
	if r.list == nil {
		return fmt.Sprintf("waits for a run of %q", r.workflow)
	}
	return fmt.Sprintf("waits for runs of %q", r.workflow)
}

// items is the list that it goes through; one item that is nil when there is no list.
func (r runRunner) items(ctx context.Context, call Call) ([]any, error) {
	if r.list == nil {
		return []any{nil}, nil
	}
	v, err := r.list.Eval(ctx, call.Env)
	if err != nil {
		return nil, fmt.Errorf("for_each: %w", err)
	}
	items, ok := v.([]any)
	switch {
	case !ok:
		return nil, errors.New("for_each is no list")
	case len(items) > workflow.MaxItems:
		return nil, fmt.Errorf("the list has %d items: %d at most", len(items), workflow.MaxItems)
	}
	return items, nil
}

// advance counts the runs that have ended, and starts those for which there is room.
func (r runRunner) advance(ctx context.Context, call Call, items []any, at *progress) error {
	if len(at.Open) > 0 {
		ended, err := r.children.Ended(ctx, call, at.Open)
		if err != nil {
			return err
		}
		for _, c := range ended {
			at.Open = slices.DeleteFunc(at.Open, func(item int32) bool { return item == c.Item })
			if c.Status == run.Succeeded {
				at.Succeeded++
			} else {
				at.Failed++
			}
		}
	}
	if at.Failed > r.tolerate {
		return nil
	}
	inputs := map[int32]json.RawMessage{}
	for next := at.Started; next < at.Count && len(at.Open)+len(inputs) < r.concurrency; next++ {
		raw, err := r.inputsOf(ctx, call, next, items[next])
		if err != nil {
			return err
		}
		inputs[int32(next)] = raw //nolint:gosec // MaxItems at most
	}
	if len(inputs) == 0 {
		return nil
	}
	if _, err := r.children.Start(ctx, call, r.workflow, r.awaits, inputs); err != nil {
		return err
	}
	for range inputs {
		at.Open = append(at.Open, int32(at.Started)) //nolint:gosec // MaxItems at most
		at.Started++
	}
	return nil
}

// inputsOf is what the run of an item gets.
func (r runRunner) inputsOf(ctx context.Context, call Call, index int, item any) (json.RawMessage, error) {
	if r.inputs == nil {
		return nil, nil
	}
	env := call.Env
	if r.list != nil {
		env = make(expr.Env, len(call.Env)+1)
		for name, v := range call.Env {
			env[name] = v
		}
		env["each"] = map[string]any{"item": item, "index": index}
	}
	v, err := expr.EvalValue(ctx, r.inputs, env)
	if err != nil {
		return nil, configFault{fmt.Errorf("inputs: %w", err)}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode inputs: %w", err)
	}
	raw = call.Secrets.JSON(raw) // they are kept with the run
	if len(raw) > workflow.MaxInputs {
		return nil, configFault{errors.New("the inputs are larger than 256 KiB")}
	}
	return raw, nil
}

// configFault is an error that the step's configuration is to blame for.
type configFault struct{ error }

// lookAgain is when it is looked again after something that passes: the database was away.
const lookAgain = 5 * time.Second

// stumbled tells what the step is to blame for from what passes. After the latter it goes on where it was: what it started is
// found again.
func (r runRunner) stumbled(call Call, at progress, err error) Result {
	var config configFault
	if errors.As(err, &config) {
		return failed(run.FailureConfig, "%s", err)
	}
	if f, ok := fault.Of(err); ok && f.Kind == fault.Invalid {
		return failed(run.FailureConfig, "%s", messageOf(f))
	}
	return Result{Pause: &Pause{Until: call.Now.Add(lookAgain), Why: r.why(), Left: at}}
}

func messageOf(f *fault.Error) string {
	if len(f.Fields) > 0 {
		return f.Fields[0].Message
	}
	return f.Message
}

// maxResults is how much of the runs' outputs a step keeps, in bytes; the run of each item keeps its own. entrySize is what the
// entry of one takes besides.
const (
	maxResults = 200 << 10
	entrySize  = 100
)

type childResult struct {
	Index   int             `json:"index"`
	RunID   string          `json:"run_id"`
	Status  run.Status      `json:"status"`
	Outputs json.RawMessage `json:"outputs,omitempty"`
	Reason  string          `json:"reason,omitempty"`
}

// finish says how it went.
func (r runRunner) finish(ctx context.Context, call Call, at progress) Result {
	all, err := r.children.All(ctx, call, maxResults)
	if err != nil {
		return r.stumbled(call, at, err)
	}
	if r.list == nil {
		return r.finishOne(all)
	}
	results := make([]childResult, len(all))
	size, firstBad := 0, ""
	for i, c := range all {
		results[i] = childResult{Index: int(c.Item), RunID: c.RunID.String(), Status: c.Status}
		if size += entrySize + len(c.Output) + len(c.Reason); size <= maxResults {
			results[i].Outputs, results[i].Reason = c.Output, c.Reason
		}
		if firstBad == "" && c.Status != run.Succeeded {
			firstBad = fmt.Sprintf("item %d: %s", c.Item, orElse(c.Reason, string(c.Status)))
		}
	}
	output := map[string]any{"count": at.Count, "started": at.Started, "succeeded": at.Succeeded, "failed": at.Failed}
	if most := maxResults / entrySize; len(results) > most {
		results, output["items_cut"] = results[:most], true // all of them are in the list of the runs that it started
	}
	output["items"] = results
	if at.Failed > r.tolerate {
		result := failed(FailureChild, "%d of %d runs of %q failed; %s", at.Failed, at.Started, r.workflow, firstBad)
		result.Output = output
		return result
	}
	return Result{Output: output}
}

// FailureChild is the class of a step whose runs failed.
const FailureChild = "child"

func (r runRunner) finishOne(all []Child) Result {
	if len(all) != 1 {
		return failed(run.FailureConfig, "the run that it started was removed")
	}
	c := all[0]
	output := map[string]any{"run_id": c.RunID.String(), "status": c.Status}
	if len(c.Output) > 0 {
		output["outputs"] = c.Output
	}
	if r.awaits && c.Status != run.Succeeded {
		result := failed(FailureChild, "the run of %q %s: %s", r.workflow, c.Status, orElse(c.Reason, "no reason was given"))
		if c.Status == run.Cancelled {
			result.Failure.Message = fmt.Sprintf("the run of %q was cancelled: %s", r.workflow, orElse(c.Reason, "no reason was given"))
		}
		result.Output = output
		return result
	}
	return Result{Output: output}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
