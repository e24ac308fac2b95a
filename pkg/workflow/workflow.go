// Package workflow knows what a workflow is: its triggers, its steps and the order they run in, and whether a
// definition makes sense. It touches neither database nor network.
package workflow

import (
	"encoding/json"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// Definition is what people write, what a version keeps, and what the API's JSON is.
type Definition struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Timeout     Duration `json:"timeout,omitempty"` // of a run; DefaultRunTimeout when zero
	// Queue is the class of its runs; run.DefaultQueue when empty.
	Queue string `json:"queue,omitempty"`
	// MaxConcurrent is how many of its runs may be under way at a time; zero means any number.
	MaxConcurrent int  `json:"max_concurrent,omitempty"`
	Keep          Keep `json:"keep,omitzero"`
	// Inputs is a JSON Schema of what its runs get; see Inputs.
	Inputs   json.RawMessage `json:"inputs,omitempty"`
	Triggers []Trigger       `json:"triggers,omitempty"`
	Steps    []Step          `json:"steps"`
	// Outputs are what a run that succeeded leaves, by name: JSON whose texts may hold templates.
	Outputs map[string]json.RawMessage `json:"outputs,omitempty"`
}

// Keep is for how long the workflow's runs are kept, where that is shorter than everybody's; zero means it is not.
type Keep struct {
	Succeeded Duration `json:"succeeded,omitempty"`
	Failed    Duration `json:"failed,omitempty"` // cancelled ones too
}

// QueueName is the queue of the workflow's runs.
func (d Definition) QueueName() string {
	if d.Queue == "" {
		return run.DefaultQueue
	}
	return d.Queue
}

// Limits and defaults of a definition.
const (
	MaxSteps           = 200
	MaxTriggers        = 50
	MaxConcurrent      = 100_000
	MaxOutputs         = 100
	MaxFailures        = 1000 // of pause_after_failures
	MaxMaxRuns         = 1_000_000
	MaxInputs          = 256 << 10 // of a run, as JSON, in bytes
	DefaultRunTimeout  = 24 * time.Hour
	MaxRunTimeout      = 30 * 24 * time.Hour
	DefaultStepTimeout = time.Minute
	MaxStepTimeout     = 24 * time.Hour
	MaxRetryDelay      = 24 * time.Hour
)

// The types of triggers.
const (
	TriggerSchedule  = "schedule"  // fires by the clock
	TriggerWebhook   = "webhook"   // a request to an address of its own
	TriggerAfter     = "after"     // the end of a run of another workflow
	TriggerHeartbeat = "heartbeat" // a ping that did not come
)

// Trigger starts runs by itself.
type Trigger struct {
	ID            string     `json:"id"`
	Type          string     `json:"type"`
	Enabled       *bool      `json:"enabled,omitempty"` // nil means yes
	Cron          string     `json:"cron,omitempty"`
	Every         Duration   `json:"every,omitempty"`
	At            *time.Time `json:"at,omitempty"`
	Timezone      string     `json:"timezone,omitempty"`
	Gap           string     `json:"gap,omitempty"`
	OverlapHour   string     `json:"overlap_hour,omitempty"`
	Overlap       string     `json:"overlap,omitempty"`
	Missed        string     `json:"missed,omitempty"`
	CatchUpWindow Duration   `json:"catch_up_window,omitempty"`
	CatchUpLimit  int        `json:"catch_up_limit,omitempty"`
	Grace         Duration   `json:"grace,omitempty"`
	Jitter        Duration   `json:"jitter,omitempty"` // how much later than its fire a run may begin
	StartsAt      *time.Time `json:"starts_at,omitempty"`
	EndsAt        *time.Time `json:"ends_at,omitempty"`
	MaxRuns       int        `json:"max_runs,omitempty"` // that its schedule starts, ever; 0: no limit
	ExcludedDates []string   `json:"excluded_dates,omitempty"`
	Calendar      string     `json:"calendar,omitempty"` // the name of one of the project's, whose dates are excluded too
	// PauseAfterFailures is how many failed runs in a row stop the trigger; 0: none do.
	PauseAfterFailures int             `json:"pause_after_failures,omitempty"`
	Inputs             json.RawMessage `json:"inputs,omitempty"` // an object

	// Of a webhook.
	Methods   []string   `json:"methods,omitempty"` // POST when empty
	Signature *Signature `json:"signature,omitempty"`
	Dedupe    *Dedupe    `json:"dedupe,omitempty"`
	Filter    string     `json:"filter,omitempty"` // a condition over inputs: requests for which it is false start nothing
	Respond   *Respond   `json:"respond,omitempty"`

	// Of one after another workflow.
	Workflow string `json:"workflow,omitempty"` // the other's id, or its name in the same project
	On       string `json:"on,omitempty"`       // which ends count: OnSuccess when empty

	// Of a heartbeat; its pings are due as Every or Cron says, Grace later at most.
	OnRecovery bool `json:"on_recovery,omitempty"` // a run as well when pings come again
}

// IsEnabled tells whether the trigger may fire as far as it is concerned; its workflow may still be disabled.
func (t Trigger) IsEnabled() bool { return t.Enabled == nil || *t.Enabled }

// Spec is when the trigger fires. anchor is the instant that intervals count from.
func (t Trigger) Spec(anchor time.Time) schedule.Spec {
	spec := schedule.Spec{
		Cron: t.Cron, Timezone: t.Timezone, Every: time.Duration(t.Every), Gap: t.Gap, OverlapHour: t.OverlapHour,
		StartsAt: instant(t.StartsAt), EndsAt: instant(t.EndsAt), At: instant(t.At),
	}
	if t.Every != 0 {
		spec.Anchor = anchor
	}
	return spec
}

// Policy is what becomes of the trigger's fires that were missed.
func (t Trigger) Policy() schedule.Policy {
	return schedule.Policy{
		Missed: schedule.Missed(t.Missed).Or(), Window: time.Duration(t.CatchUpWindow), Limit: t.CatchUpLimit,
		Grace: time.Duration(t.Grace),
	}
}

// OverlapPolicy is what becomes of a fire while a run of the trigger has not finished: for a schedule, unless it says
// otherwise, nothing; each event that a trigger of another type waits for has a run of its own.
func (t Trigger) OverlapPolicy() schedule.Overlap {
	if t.Overlap == "" && t.Type != TriggerSchedule && t.Type != "" {
		return schedule.OverlapAllow
	}
	return schedule.Overlap(t.Overlap).Or()
}

func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// Step is one action of a workflow and when it may begin.
type Step struct {
	ID        string          `json:"id"`
	Name      string          `json:"name,omitempty"`
	Action    string          `json:"action"`
	Config    json.RawMessage `json:"config,omitempty"`
	DependsOn []string        `json:"depends_on,omitempty"`
	If        string          `json:"if,omitempty"`
	Retry     *Retry          `json:"retry,omitempty"`
	Timeout   Duration        `json:"timeout,omitempty"` // of one attempt; DefaultStepTimeout when zero
	OnError   string          `json:"on_error,omitempty"`
	Fallback  string          `json:"fallback,omitempty"`   // OnErrorFallback: the step that stands in for it
	OnUnknown string          `json:"on_unknown,omitempty"` // see UnknownPolicy
}

// What a step's failure means for the run.
const (
	OnErrorFail     = "fail"     // the run fails; what runs after the step is skipped
	OnErrorContinue = "continue" // as if it had succeeded, without an output
	OnErrorFallback = "fallback" // another step is run in its stead, which is skipped otherwise
)

// Title is the step's name for people.
func (s Step) Title() string {
	if s.Name != "" {
		return s.Name
	}
	return s.ID
}

// AttemptTimeout is how long one attempt may take.
func (s Step) AttemptTimeout() time.Duration {
	if s.Timeout == 0 {
		return DefaultStepTimeout
	}
	return time.Duration(s.Timeout)
}

// RetryPolicy is the step's policy, or none.
func (s Step) RetryPolicy() run.Retry {
	if s.Retry == nil {
		return run.Retry{Attempts: 1}
	}
	r := run.Retry{
		Attempts: s.Retry.Attempts, Backoff: run.Backoff(s.Retry.Backoff), Initial: time.Duration(s.Retry.Initial),
		Max: time.Duration(s.Retry.Max), On: s.Retry.On,
	}
	if r.Attempts == 0 {
		r.Attempts = 3 // a policy without a number still means "try again"
	}
	return r
}

// RunTimeout is how long a whole run may take.
func (d Definition) RunTimeout() time.Duration {
	if d.Timeout == 0 {
		return DefaultRunTimeout
	}
	return time.Duration(d.Timeout)
}

// OutOfTime says why a run failed that took longer than it may.
func (d Definition) OutOfTime() string {
	return "the run took longer than " + Duration(d.RunTimeout()).String()
}

// Retry is a step's retry policy as people write it; see run.Retry.
type Retry struct {
	Attempts int      `json:"attempts,omitempty"`
	Backoff  string   `json:"backoff,omitempty"`
	Initial  Duration `json:"initial,omitempty"`
	Max      Duration `json:"max,omitempty"`
	On       []string `json:"on,omitempty"`
}
