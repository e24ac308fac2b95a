package workflow

import (
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// LogConfig is the configuration of a log_message step. Message may hold templates.
type LogConfig struct {
	Message string `json:"message"`
	Level   string `json:"level,omitempty"` // info when empty
}

// LogLevels are the levels of a log line, least serious first.
var LogLevels = []string{"debug", "info", "warn", "error"}

func (l LogConfig) check() ([]expr.Ref, error) {
	var c collector
	if l.Message == "" {
		c.add("/message", "required", "a message is needed")
	}
	c.template("/message", l.Message)
	if l.Level != "" && !slices.Contains(LogLevels, l.Level) {
		c.add("/level", "level", "%q is not a level; use one of %s", l.Level, strings.Join(LogLevels, ", "))
	}
	return c.refs, fault.InvalidFields(c.fields)
}
