package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// Validate tells everything that is wrong with a definition at once, as a fault whose fields point into it; nil when it
// can run.
func Validate(d Definition) error {
	var c collector
	if strings.TrimSpace(d.Name) == "" {
		c.add("/name", "required", "a workflow needs a name")
	}
	if len([]rune(d.Name)) > 200 {
		c.add("/name", "too_long", "the name is longer than 200 characters")
	}
	if time.Duration(d.Timeout) > MaxRunTimeout {
		c.add("/timeout", "too_long", "a run may take 30 days at most")
	}
	if !slices.Contains(run.Queues, d.QueueName()) {
		c.add("/queue", "queue", "%q is not a queue; use one of %s", d.Queue, strings.Join(run.Queues, ", "))
	}
	if d.MaxConcurrent < 0 || d.MaxConcurrent > MaxConcurrent {
		c.add("/max_concurrent", "range", "the runs at a time must be from 1 to %d", MaxConcurrent)
	}
	inputs, err := ParseInputs(d.Inputs)
	if err != nil {
		c.addErr("/inputs", err)
	}
	checkTriggers(&c, d.Triggers)
	if err == nil {
		checkTriggerInputs(&c, inputs, d.Triggers)
	}
	checkSteps(&c, d.Steps)
	checkOutputs(&c, d)
	for i, s := range d.Steps {
		if s.leastTime() >= d.RunTimeout() {
			c.add(fmt.Sprintf("/steps/%d/config/duration", i), "too_long", "the run may take no longer than %s; give the workflow a longer timeout", Duration(d.RunTimeout()))
		}
	}
	return fault.InvalidFields(c.fields)
}

func checkTriggers(c *collector, triggers []Trigger) {
	if len(triggers) > MaxTriggers {
		c.add("/triggers", "too_many", "a workflow has at most %d triggers", MaxTriggers)
		return
	}
	seen := map[string]int{}
	for i, t := range triggers {
		at := fmt.Sprintf("/triggers/%d", i)
		checkID(c, at+"/id", t.ID, "trigger", seen, i)
		check, ok := triggerChecks[t.Type]
		if !ok {
			c.add(at+"/type", "trigger_type", "%q is not a type of trigger; use %s", t.Type, strings.Join(TriggerTypes, ", "))
			continue
		}
		checkFields(c, at, t)
		checkEvery(c, at, t)
		check(c, at, t)
	}
}

func checkSchedule(c *collector, at string, t Trigger) {
	// Any anchor will do here: whether an interval is valid does not depend on where it counts from.
	if _, err := schedule.Compile(t.Spec(time.Unix(0, 0).UTC())); err != nil {
		c.addErr(at, err)
	}
	if err := t.Policy().Missed.Check(); err != nil {
		c.addErr(at+"/missed", err)
	}
	if t.CatchUpLimit < 0 || t.CatchUpLimit > schedule.MaxLimit {
		c.add(at+"/catch_up_limit", "range", "the limit must be from 1 to 1000")
	}
	if time.Duration(t.CatchUpWindow) > schedule.MaxWindow {
		c.add(at+"/catch_up_window", "too_long", "the window is longer than a year")
	}
	checkGrace(c, at, t)
	if time.Duration(t.Jitter) > schedule.MaxJitter {
		c.add(at+"/jitter", "too_long", "the jitter is longer than an hour")
	}
	if t.MaxRuns < 0 || t.MaxRuns > MaxMaxRuns {
		c.add(at+"/max_runs", "range", "the number of runs must be from 1 to %d", MaxMaxRuns)
	}
	if err := schedule.CheckDates(t.ExcludedDates, schedule.MaxDates); err != nil {
		c.addErr(at+"/excluded_dates", err)
	}
	if len([]rune(t.Calendar)) > MaxCalendarName {
		c.add(at+"/calendar", "too_long", "a calendar's name has at most %d characters", MaxCalendarName)
	}
}

// checkTriggerInputs holds what a schedule gives its runs against what they want.
func checkTriggerInputs(c *collector, inputs *Inputs, triggers []Trigger) {
	for i, t := range triggers {
		if t.Type != TriggerSchedule {
			continue
		}
		given := map[string]any{}
		if len(t.Inputs) > 0 && json.Unmarshal(t.Inputs, &given) != nil {
			continue // the contract says that they are an object
		}
		if _, err := inputs.Complete(given); err != nil {
			c.addErr(fmt.Sprintf("/triggers/%d/inputs", i), err)
		}
	}
}

func checkSteps(c *collector, steps []Step) {
	if len(steps) == 0 {
		c.add("/steps", "required", "a workflow needs at least one step")
	}
	if len(steps) > MaxSteps {
		c.add("/steps", "too_many", "a workflow has at most %d steps", MaxSteps)
		return
	}
	seen := map[string]int{}
	for i, s := range steps {
		checkID(c, fmt.Sprintf("/steps/%d/id", i), s.ID, "step", seen, i)
	}
	graph := NewGraph(steps)
	for i, s := range steps {
		checkStep(c, fmt.Sprintf("/steps/%d", i), graph, steps, i, s)
	}
	if cycle := graph.Cycle(); cycle != nil {
		names := make([]string, 0, len(cycle)+1)
		for _, i := range cycle {
			names = append(names, steps[i].ID)
		}
		names = append(names, steps[cycle[0]].ID)
		c.add(fmt.Sprintf("/steps/%d/depends_on", cycle[0]), "cycle", "these steps wait for each other: %s", strings.Join(names, " → "))
	}
}

// checkOutputs checks what a run leaves; all steps have ended by then.
func checkOutputs(c *collector, d Definition) {
	if len(d.Outputs) > MaxOutputs {
		c.add("/outputs", "too_many", "a workflow has at most %d outputs", MaxOutputs)
		return
	}
	graph := NewGraph(d.Steps)
	for _, name := range slices.Sorted(maps.Keys(d.Outputs)) {
		at := "/outputs/" + escapePointer(name)
		if !identifier.MatchString(name) {
			c.add(at, "identifier", "%q cannot be the name of an output; use letters, digits, _ and -, beginning with a letter", name)
		}
		var own collector
		own.value(at, d.Outputs[name])
		c.fields = append(c.fields, own.fields...)
		for _, ref := range own.refs {
			if ref.Root == RootSecrets || ref.Root == RootVars {
				c.add(at, "root", "outputs are made of inputs and steps; %s are for steps", ref.Root)
			}
			if _, ok := graph.Index(ref.Name); ref.Root == "steps" && ref.Name != "" && !ok {
				c.add(at, "unknown_step", "a template names the step %q, which does not exist", ref.Name)
			}
		}
	}
}

func checkStep(c *collector, at string, graph Graph, steps []Step, i int, s Step) {
	action, ok := ActionOf(s.Action)
	if !ok {
		c.add(at+"/action", "action", "%q is not an action; use one of %s", s.Action, actionNames())
	}
	for j, name := range s.DependsOn {
		pointer := fmt.Sprintf("%s/depends_on/%d", at, j)
		if name == s.ID {
			c.add(pointer, "cycle", "a step cannot run after itself")
		} else if _, ok := graph.Index(name); !ok {
			c.add(pointer, "unknown_step", "there is no step %q", name)
		}
	}
	if ok {
		refs, err := action.check(s.Config)
		if err != nil {
			c.addErr(at+"/config", err)
		}
		checkRefs(c, at+"/config", graph, steps, i, refs)
		checkValues(c, at+"/config", refs, s.Config)
	}
	if s.If != "" {
		condition, err := expr.ParseCondition(s.If)
		if err != nil {
			c.addErr(at+"/if", err)
		} else {
			checkRefs(c, at+"/if", graph, steps, i, condition.Refs())
			checkValues(c, at+"/if", condition.Refs(), nil)
		}
	}
	if time.Duration(s.Timeout) > MaxStepTimeout {
		c.add(at+"/timeout", "too_long", "a step may take 24 hours at most")
	}
	checkOnError(c, at, graph, s)
	checkUnknown(c, at+"/on_unknown", s, action.Leaves)
	checkRetry(c, at+"/retry", s.Retry)
}

func checkOnError(c *collector, at string, graph Graph, s Step) {
	switch s.OnError {
	case OnErrorFallback:
		if s.Fallback == "" {
			c.add(at+"/fallback", "required", "name the step that is run in its stead")
		} else if _, ok := graph.Index(s.Fallback); !ok {
			c.add(at+"/fallback", "unknown_step", "there is no step %q", s.Fallback)
		} else if s.Fallback == s.ID {
			c.add(at+"/fallback", "cycle", "a step cannot stand in for itself")
		}
		return
	case "", OnErrorFail, OnErrorContinue:
	default:
		c.add(at+"/on_error", "on_error", "%q is not known; use fail, continue or fallback", s.OnError)
	}
	if s.Fallback != "" {
		c.add(at+"/fallback", "fallback", "a fallback needs on_error: fallback")
	}
}

func checkRetry(c *collector, at string, r *Retry) {
	if r == nil {
		return
	}
	if r.Attempts < 0 || r.Attempts > 100 {
		c.add(at+"/attempts", "range", "the attempts must be from 1 to 100")
	}
	switch run.Backoff(r.Backoff) {
	case "", run.Exponential, run.Linear, run.Fixed:
	default:
		c.add(at+"/backoff", "backoff", "%q is not known; use exponential, linear or fixed", r.Backoff)
	}
	if time.Duration(r.Initial) > MaxRetryDelay {
		c.add(at+"/initial", "too_long", "a delay may be 24 hours at most")
	}
	if time.Duration(r.Max) > MaxRetryDelay {
		c.add(at+"/max", "too_long", "a delay may be 24 hours at most")
	}
}

// checkRefs refuses templates that name a step whose result cannot be there yet.
func checkRefs(c *collector, at string, graph Graph, steps []Step, i int, refs []expr.Ref) {
	var before map[int]bool
	told := map[string]bool{}
	for _, ref := range refs {
		if ref.Root == "each" && !told["each"] && !steps[i].goesThroughList() {
			c.add(at, "each", "each is the item of a list that a step goes through: give it for_each")
			told["each"] = true
		}
		if ref.Root == "approvals" && ref.Name != "" {
			if j, ok := graph.Index(ref.Name); !ok || steps[j].Action != ActionApproval {
				c.add(at, "unknown_approval", "a template wants the link to the approval %q; no step that asks for approval has this id", ref.Name)
			}
			continue
		}
		if ref.Root != "steps" || ref.Name == "" || told[ref.Name] {
			continue
		}
		if before == nil {
			before = graph.Ancestors(i)
		}
		j, ok := graph.Index(ref.Name)
		switch {
		case !ok:
			c.add(at, "unknown_step", "a template names the step %q, which does not exist", ref.Name)
		case !before[j]:
			c.add(at, "step_order", "a template names the step %q, which does not run before %q; add it to depends_on", ref.Name, steps[i].ID)
		default:
			continue
		}
		told[ref.Name] = true
	}
}

func checkID(c *collector, pointer, id, what string, seen map[string]int, i int) {
	if !identifier.MatchString(id) {
		c.add(pointer, "identifier", "%q cannot be the id of a %s; use letters, digits, _ and -, beginning with a letter", id, what)
		return
	}
	if first, taken := seen[id]; taken {
		c.add(pointer, "duplicate_id", "the %s %d has the id %q already", what, first+1, id)
		return
	}
	seen[id] = i
}
