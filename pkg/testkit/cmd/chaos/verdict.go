package main

import (
	"fmt"
	"math"
	"time"
)

// verdict is one line of the report.
type verdict struct {
	Fault        string         `json:"fault"`
	Injected     int            `json:"injected"` // how often
	Expected     int            `json:"expected"` // occurrences of schedules, and starts that were answered 202
	Ran          int            `json:"ran"`      // of those, with a run that succeeded and whose steps were all requested
	Lost         int            `json:"lost"`     // of those, without one
	Doubled      int            `json:"doubled_occurrences"`
	DoubledSteps int            `json:"doubled_steps"` // steps that were requested again although they had finished
	Stuck        int            `json:"stuck"`         // runs that did not end
	HTTP500      int            `json:"http_500"`      // answers of the API that no outage of PostgreSQL explains
	Recovery     float64        `json:"recovery_seconds"`
	Limit        float64        `json:"recovery_limit"`
	Pass         bool           `json:"pass"`
	Why          []string       `json:"why,omitempty"` // it did not pass
	Notes        map[string]any `json:"notes,omitempty"`
}

// mostProblems is how many of a fault's problems are printed.
const mostProblems = 8

// judge decides whether the fault passed; problems are what the fault itself found wrong.
func (v *verdict) judge(problems []string) {
	for _, c := range []struct {
		name string
		n    int
	}{
		{"lost", v.Lost},
		{"doubled_occurrences", v.Doubled},
		{"doubled_steps", v.DoubledSteps},
		{"stuck", v.Stuck},
		{"http_500", v.HTTP500},
	} {
		if c.n != 0 {
			v.Why = append(v.Why, fmt.Sprintf("%s is %d", c.name, c.n))
		}
	}
	if v.Expected == 0 {
		v.Why = append(v.Why, "nothing was expected to run")
	}
	if v.Injected == 0 {
		v.Why = append(v.Why, "nothing was injected")
	}
	if v.Recovery > v.Limit {
		v.Why = append(v.Why, fmt.Sprintf("recovery took %.1f s; the limit is %.0f s", v.Recovery, v.Limit))
	}
	v.Why = append(v.Why, problems[:min(len(problems), mostProblems)]...)
	v.Pass = len(v.Why) == 0
}

// seconds rounds for people.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*100) / 100 }
