package workflow

import (
	"encoding/json"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// TransformConfig is the configuration of a transform step. Value is any JSON; its texts may hold templates.
type TransformConfig struct {
	Value json.RawMessage `json:"value"`
}

func (t TransformConfig) check() ([]expr.Ref, error) {
	var c collector
	if len(t.Value) == 0 {
		c.add("/value", "required", "say what it makes, as in {\"total\": \"{{ sum(steps.fetch.body.prices) }}\"}")
		return nil, fault.InvalidFields(c.fields)
	}
	c.value("/value", t.Value)
	return c.refs, fault.InvalidFields(c.fields)
}
