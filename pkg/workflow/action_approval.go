package workflow

import (
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// ApprovalConfig is the configuration of an approval step. Message may hold templates.
type ApprovalConfig struct {
	Message   string   `json:"message"`
	Timeout   Duration `json:"timeout,omitempty"`    // how long an answer is waited for; zero: as long as it takes
	OnTimeout string   `json:"on_timeout,omitempty"` // OnTimeoutReject when empty
}

// What the silence of people means.
const (
	OnTimeoutReject  = "reject"
	OnTimeoutApprove = "approve"
)

func (a ApprovalConfig) check() ([]expr.Ref, error) {
	var c collector
	if strings.TrimSpace(a.Message) == "" {
		c.add("/message", "required", "say what is to be approved")
	}
	c.template("/message", a.Message)
	if a.OnTimeout != "" && a.OnTimeout != OnTimeoutReject && a.OnTimeout != OnTimeoutApprove {
		c.add("/on_timeout", "on_timeout", "%q is not known; use reject or approve", a.OnTimeout)
	}
	return c.refs, fault.InvalidFields(c.fields)
}
