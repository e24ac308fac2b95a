// Package alert is what people want to hear of when something goes wrong, when they want to hear it, and in which words: the
// rules of a project, their quiet hours, the channels that messages take, and the messages themselves.
package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/schedule"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Kind is what a rule may be about, and what a message is.
type Kind string

// The causes that a rule may be about.
const (
	Failure    Kind = "failure"     // runs failed, as many in a row as the rule says
	Missed     Kind = "missed"      // an occurrence was missed or skipped
	LateStart  Kind = "late_start"  // a run did not begin in time
	LateFinish Kind = "late_finish" // a run did not end in time
	Held       Kind = "held"        // a run waits for a person
	Heartbeat  Kind = "heartbeat"   // a ping did not come
	Storage    Kind = "storage"     // the project stores quota.EarlyWarning percent of what it may, or more
	Recovery   Kind = "recovery"    // one of the others is over
)

// What messages are besides.
const (
	Test   Kind = "test"   // somebody tries a channel
	Digest Kind = "digest" // what was kept during quiet hours
)

// Kinds are those that a rule may be about.
var Kinds = []Kind{Failure, Missed, LateStart, LateFinish, Held, Heartbeat, Storage, Recovery}

// Lasts tells whether what the kind is about goes on by itself until somebody does something, so that it is worth repeating.
func (k Kind) Lasts() bool {
	return k == LateStart || k == LateFinish || k == Held || k == Heartbeat || k == Storage
}

// Languages are those in which messages are written.
var Languages = []string{"en", "es"}

// Limits of rules and channels.
const (
	MaxName          = 100 // characters
	MaxRules         = 100 // of a project
	MaxChannels      = 100 // of a project
	MaxRuleChannels  = 10
	MaxRuleWorkflows = 500
	MaxInARow        = 100
	MaxWithin        = 30 * 24 * time.Hour
	MinRepeat        = time.Minute
	DefaultRepeat    = 24 * time.Hour
	MaxMute          = 365 * 24 * time.Hour
)

// Rule says what people want to hear of, and where.
type Rule struct {
	Name          string            `json:"name"`
	Enabled       bool              `json:"enabled"`
	Workflows     []uuid.UUID       `json:"workflows"` // none: all of the project
	On            []Kind            `json:"on"`
	AfterFailures int               `json:"after_failures"`          // failed runs in a row that are a failure; 1 for each
	StartWithin   workflow.Duration `json:"start_within,omitempty"`  // of late_start, from the fire or the run's creation on
	FinishWithin  workflow.Duration `json:"finish_within,omitempty"` // of late_finish, likewise
	Channels      []uuid.UUID       `json:"channels"`
	Repeat        workflow.Duration `json:"repeat"` // zero: one message until it is over
	Language      string            `json:"language"`
	Timezone      string            `json:"timezone"` // of the quiet hours, and of times in messages
	Quiet         *Quiet            `json:"quiet,omitempty"`
}

// Wants tells whether the rule is about a kind.
func (r Rule) Wants(k Kind) bool { return slices.Contains(r.On, k) }

// Covers tells whether the rule is about a workflow.
func (r Rule) Covers(workflow uuid.UUID) bool {
	return len(r.Workflows) == 0 || slices.Contains(r.Workflows, workflow)
}

// Zone is the rule's zone; UTC when this machine does not know it any more.
func (r Rule) Zone() *time.Location {
	zone, err := time.LoadLocation(r.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Complete sets what was not said, and tells what is wrong, in pointers into the rule.
func (r *Rule) Complete() error {
	var c checker
	c.name(r.Name)
	if r.AfterFailures == 0 {
		r.AfterFailures = 1
	}
	if r.Language == "" {
		r.Language = Languages[0]
	}
	if r.Timezone == "" {
		r.Timezone = "UTC"
	}
	r.checkKinds(&c)
	c.ids("/workflows", r.Workflows, 0, MaxRuleWorkflows)
	c.ids("/channels", r.Channels, 1, MaxRuleChannels)
	if d := time.Duration(r.Repeat); d != 0 && d < MinRepeat || d > MaxWithin {
		c.add("/repeat", "range", "say how long until it is said again, from 1m to 30d, or 0s for never before it is over")
	}
	if !slices.Contains(Languages, r.Language) {
		c.add("/language", "language", "%q is not a language of messages; use one of %s", r.Language, strings.Join(Languages, ", "))
	}
	if _, err := schedule.Compile(schedule.Spec{Cron: "0 0 * * *", Timezone: r.Timezone}); err != nil {
		c.addErr(err)
	}
	r.Quiet.check(&c)
	return fault.InvalidFields(c.fields)
}

func (r *Rule) checkKinds(c *checker) {
	for i, k := range r.On {
		at := fmt.Sprintf("/on/%d", i)
		switch {
		case !slices.Contains(Kinds, k):
			c.add(at, "kind", "%q is nothing that a rule can be about", k)
		case slices.Contains(r.On[:i], k):
			c.add(at, "repeated", "%s stands there already", k)
		}
	}
	if !slices.ContainsFunc(r.On, func(k Kind) bool { return k != Recovery }) {
		c.add("/on", "required", "say what the rule is about; recovery alone is the end of nothing")
	}
	if r.AfterFailures < 1 || r.AfterFailures > MaxInARow {
		c.add("/after_failures", "range", "say after how many failed runs in a row, from 1 to %d", MaxInARow)
	}
	c.within("/start_within", r.StartWithin, r.Wants(LateStart))
	c.within("/finish_within", r.FinishWithin, r.Wants(LateFinish))
}

// checker gathers what is wrong.
type checker struct{ fields []fault.Field }

func (c *checker) add(pointer, code, format string, args ...any) {
	c.fields = append(c.fields, fault.Field{Pointer: pointer, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) addErr(err error) {
	if f, ok := fault.Of(err); ok {
		c.fields = append(c.fields, f.Fields...)
	}
}

func (c *checker) name(name string) {
	if strings.TrimSpace(name) == "" || len([]rune(name)) > MaxName {
		c.add("/name", "name", "a name is needed, of at most %d characters", MaxName)
	}
}

func (c *checker) ids(pointer string, ids []uuid.UUID, least, most int) {
	if len(ids) < least || len(ids) > most {
		c.add(pointer, "count", "name from %d to %d of them", least, most)
		return
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			c.add(fmt.Sprintf("%s/%d", pointer, i), "repeated", "this one stands there already")
		}
	}
}

func (c *checker) within(pointer string, d workflow.Duration, wanted bool) {
	switch {
	case wanted && (d < workflow.Duration(time.Second) || time.Duration(d) > MaxWithin):
		c.add(pointer, "range", "say within which time, from 1s to 30d")
	case !wanted && d != 0:
		c.add(pointer, "not_wanted", "this is only for rules about %s", map[string]Kind{"/start_within": LateStart, "/finish_within": LateFinish}[pointer])
	}
}
