package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
)

// TriggerTypes are the types of triggers, in the order in which forms offer them.
var TriggerTypes = []string{TriggerSchedule, TriggerWebhook, TriggerAfter, TriggerHeartbeat}

// Which ends of another workflow's runs a trigger waits for.
const (
	OnSuccess = "success" // default
	OnFailure = "failure"
	OnAny     = "any" // cancelled runs too
)

// MaxChain is how many workflows may wait for each other's ends, one after the other.
const MaxChain = 20

// Ends is which ends of the other workflow's runs the trigger waits for.
func (t Trigger) Ends() string {
	if t.On == "" {
		return OnSuccess
	}
	return t.On
}

// RunTrigger is what a run that the trigger starts says of its origin.
func (t Trigger) RunTrigger() run.Trigger {
	switch t.Type {
	case TriggerWebhook:
		return run.Webhook
	case TriggerAfter:
		return run.After
	case TriggerHeartbeat:
		return run.Heartbeat
	}
	return run.Scheduled
}

// Timed tells whether the trigger fires by the clock, so that its fires can be foretold.
func (t Trigger) Timed() bool { return t.Type == TriggerSchedule || t.Type == "" }

// HasAddress tells whether the trigger has an address of its own to which requests are sent.
func (t Trigger) HasAddress() bool { return t.Type == TriggerWebhook || t.Type == TriggerHeartbeat }

// DefaultPingGrace is how late a ping may be when the trigger does not say.
const DefaultPingGrace = time.Minute

// PingGrace is how late a ping may be.
func (t Trigger) PingGrace() time.Duration {
	if t.Grace == 0 {
		return DefaultPingGrace
	}
	return time.Duration(t.Grace)
}

// WithInputs are the inputs of a run: those of the trigger, and those of what happened, which win.
func (t Trigger) WithInputs(event map[string]any) (json.RawMessage, error) {
	if len(event) == 0 {
		return t.Inputs, nil
	}
	inputs := make(map[string]any, len(event))
	if len(t.Inputs) > 0 {
		var fixed map[string]json.RawMessage
		if err := json.Unmarshal(t.Inputs, &fixed); err != nil {
			return nil, fmt.Errorf("read the trigger's inputs: %w", err)
		}
		for name, value := range fixed {
			inputs[name] = value
		}
	}
	for name, value := range event {
		inputs[name] = value
	}
	raw, err := json.Marshal(inputs)
	if err != nil {
		return nil, fmt.Errorf("encode inputs: %w", err)
	}
	return raw, nil
}

// triggerChecks tell what is wrong with a trigger of a type.
var triggerChecks = map[string]func(c *collector, at string, t Trigger){
	TriggerSchedule: checkSchedule, TriggerWebhook: checkWebhook, TriggerAfter: checkAfter, TriggerHeartbeat: checkHeartbeat,
}

// triggerFields are what a trigger of a type may say besides what all may.
var triggerFields = map[string][]string{
	TriggerSchedule: {
		"cron", "every", "at", "timezone", "gap", "overlap_hour", "missed", "catch_up_window", "catch_up_limit", "grace", "jitter",
		"starts_at", "ends_at", "max_runs", "excluded_dates", "calendar",
	},
	TriggerWebhook:   {"methods", "signature", "dedupe", "filter", "respond"},
	TriggerAfter:     {"workflow", "on"},
	TriggerHeartbeat: {"cron", "every", "timezone", "grace", "on_recovery"},
}

var everyTriggerField = []string{"id", "type", "enabled", "inputs", "overlap", "pause_after_failures"}

// checkFields refuses what belongs to triggers of other types: who writes it expects something of it.
func checkFields(c *collector, at string, t Trigger) {
	raw, err := json.Marshal(t)
	var said map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(raw, &said)
	}
	if err != nil {
		c.add(at, "definition", "the trigger cannot be read")
		return
	}
	names := make([]string, 0, len(said))
	for name := range said {
		if !slices.Contains(everyTriggerField, name) && !slices.Contains(triggerFields[t.Type], name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		c.add(at+"/"+name, "not_for_type", "a trigger of the type %s has no %s; it may have %s", t.Type, name,
			strings.Join(triggerFields[t.Type], ", "))
	}
}

// checkEvery checks what triggers of every type may say.
func checkEvery(c *collector, at string, t Trigger) {
	if err := t.OverlapPolicy().Check(); err != nil {
		c.addErr(at+"/overlap", err)
	}
	if len(t.Inputs) > MaxInputs {
		c.add(at+"/inputs", "too_large", "the inputs are larger than 256 KiB")
	}
	if t.PauseAfterFailures < 0 || t.PauseAfterFailures > MaxFailures {
		c.add(at+"/pause_after_failures", "range", "the number of failures must be from 1 to %d", MaxFailures)
	}
}

func checkGrace(c *collector, at string, t Trigger) {
	if time.Duration(t.Grace) > schedule.MaxGrace {
		c.add(at+"/grace", "too_long", "the grace is longer than 24 hours")
	}
}

func checkAfter(c *collector, at string, t Trigger) {
	if strings.TrimSpace(t.Workflow) == "" {
		c.add(at+"/workflow", "required", "say after which workflow: its name or its id")
	}
	if len([]rune(t.Workflow)) > 200 {
		c.add(at+"/workflow", "too_long", "a workflow's name has at most 200 characters")
	}
	if !slices.Contains([]string{OnSuccess, OnFailure, OnAny}, t.Ends()) {
		c.add(at+"/on", "unknown_value", "%q is not known: use success (default), failure or any", t.On)
	}
}

// minPing is the shortest time between pings that is watched.
const minPing = 5 * time.Second

func checkHeartbeat(c *collector, at string, t Trigger) {
	if t.Cron == "" && t.Every == 0 {
		c.add(at+"/every", "required", "say how often a ping is expected: every, as 1h, or cron")
		return
	}
	if _, err := schedule.Compile(t.Spec(time.Unix(0, 0).UTC())); err != nil {
		c.addErr(at, err)
	}
	if t.Every != 0 && time.Duration(t.Every) < minPing {
		c.add(at+"/every", "out_of_range", "pings are watched from every %s on", minPing)
	}
	checkGrace(c, at, t)
}

// NextPing is when the ping after the one at last is expected. An interval counts from each ping, not from an anchor.
func (t Trigger) NextPing(s *schedule.Schedule, last time.Time) time.Time {
	if t.Every > 0 {
		return last.Add(time.Duration(t.Every))
	}
	return s.Next(last)
}
