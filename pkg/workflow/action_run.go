package workflow

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// RunConfig is the configuration of a run_workflow step. The texts of Inputs, and ForEach, may hold templates; in Inputs
// each.item and each.index are the item of the list and its place, from 0.
type RunConfig struct {
	Workflow    string          `json:"workflow"`              // the id or the name of one of the project's
	Inputs      json.RawMessage `json:"inputs,omitempty"`      // an object
	Wait        *bool           `json:"wait,omitempty"`        // for its end; yes unless set
	ForEach     string          `json:"for_each,omitempty"`    // a list: one run for each item
	Concurrency int             `json:"concurrency,omitempty"` // runs at a time; DefaultConcurrency when zero
	Tolerate    int             `json:"tolerate,omitempty"`    // runs that may fail
}

// Limits of a step that goes through a list.
const (
	MaxItems           = 10_000
	DefaultConcurrency = 10
	MaxConcurrency     = 1000
)

func (r RunConfig) check() ([]expr.Ref, error) {
	var c collector
	if strings.TrimSpace(r.Workflow) == "" {
		c.add("/workflow", "required", "name the workflow that it runs")
	}
	if strings.Contains(r.Workflow, "{{") {
		c.add("/workflow", "template", "which workflow it runs cannot be computed; write its name or its id")
	}
	if len(r.Inputs) > 0 {
		var object map[string]any
		if err := json.Unmarshal(r.Inputs, &object); err != nil {
			c.add("/inputs", "object", "inputs are an object, as in {\"id\": \"{{ each.item }}\"}")
		} else {
			c.value("/inputs", r.Inputs)
		}
	}
	c.template("/for_each", r.ForEach)
	if slices.ContainsFunc(c.refs, func(ref expr.Ref) bool { return ref.Root == RootSecrets }) {
		c.add("/inputs", "secret", "inputs are kept with the run; let the other workflow name the secret itself")
	}
	if r.ForEach != "" && !strings.Contains(r.ForEach, "{{") {
		c.add("/for_each", "list", "for_each is a list, as in {{ steps.fetch.body.items }}")
	}
	if r.Concurrency < 0 || r.Concurrency > MaxConcurrency {
		c.add("/concurrency", "range", "the runs at a time must be from 1 to %d", MaxConcurrency)
	}
	if r.Tolerate < 0 || r.Tolerate > MaxItems {
		c.add("/tolerate", "range", "the runs that may fail must be from 0 to %d", MaxItems)
	}
	if r.ForEach != "" && r.Wait != nil && !*r.Wait {
		c.add("/wait", "wait", "a step that goes through a list waits for its runs")
	}
	return c.refs, fault.InvalidFields(c.fields)
}

// goesThroughList tells whether the step runs something for each item of a list.
func (s Step) goesThroughList() bool {
	var c struct {
		ForEach string `json:"for_each"`
	}
	return s.Action == ActionRun && json.Unmarshal(s.Config, &c) == nil && c.ForEach != ""
}

// Callee is the workflow that the step runs, as written; empty for other steps.
func (s Step) Callee() string {
	var c struct{ Workflow string }
	if s.Action != ActionRun || json.Unmarshal(s.Config, &c) != nil {
		return ""
	}
	return c.Workflow
}
