package workflow

import (
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// WaitConfig is the configuration of a wait step: exactly one of its fields. Both may hold templates.
type WaitConfig struct {
	Duration string `json:"duration,omitempty"` // 90s, 2d
	Until    string `json:"until,omitempty"`    // an instant, RFC 3339
}

func (w WaitConfig) check() ([]expr.Ref, error) {
	var c collector
	if (w.Duration == "") == (w.Until == "") {
		c.add("/duration", "wait", "say either for how long it waits (duration) or until when (until)")
		return nil, fault.InvalidFields(c.fields)
	}
	c.template("/duration", w.Duration)
	c.template("/until", w.Until)
	if w.Duration != "" && !strings.Contains(w.Duration, "{{") {
		if d, err := ParseDuration(w.Duration); err != nil {
			c.add("/duration", "duration", "%q is no duration; write a number and a unit, as in 90s, 15m or 2d", w.Duration)
		} else if time.Duration(d) > MaxRunTimeout {
			c.add("/duration", "too_long", "a run may take 30 days at most")
		}
	}
	if w.Until != "" && !strings.Contains(w.Until, "{{") {
		if _, err := time.Parse(time.RFC3339, w.Until); err != nil {
			c.add("/until", "instant", "%q is no instant; write it as in 2026-12-24T18:00:00+01:00", w.Until)
		}
	}
	return c.refs, fault.InvalidFields(c.fields)
}

// leastTime is how long a step certainly waits, where that is known beforehand; zero for others.
func (s Step) leastTime() time.Duration {
	var c WaitConfig
	if s.Action != ActionWait || DecodeConfig(s.Config, &c) != nil {
		return 0
	}
	d, err := ParseDuration(c.Duration)
	if err != nil {
		return 0
	}
	return time.Duration(d)
}
