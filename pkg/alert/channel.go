package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Root is under which the templates of a channel see the message.
const Root = "inputs"

// SendTimeout is how long an attempt to send may take.
const SendTimeout = 30 * time.Second

// Channel is an address for messages: an action, and its configuration without the message.
type Channel struct {
	Name   string
	Action string
	Config json.RawMessage
}

// Type is an action that can send messages.
type Type struct {
	Type        string
	Title       string
	Description string
	Config      json.RawMessage // a JSON Schema, as workflow.Doc's
	Example     json.RawMessage
}

// sender is what the message fills in of an action's configuration.
type sender struct {
	action  string
	message map[string]any             // what every message brings
	unless  map[string]any             // what it brings unless the configuration says otherwise
	without []string                   // what has no sense here
	fields  map[string]json.RawMessage // that are described otherwise here
}

var chat = map[string]any{"text": "{{ inputs.text }}", "title": "{{ inputs.title }}", "link": "{{ inputs.link }}", "color": "{{ inputs.color }}"}

// senders are the actions that can send messages, in the order in which forms offer them.
var senders = []sender{
	{
		action: workflow.ActionEmail, message: map[string]any{"subject": "{{ inputs.title }}", "text": "{{ inputs.message }}"},
		without: []string{"html", "attachments"},
	},
	{action: workflow.ActionSlack, message: chat, without: []string{"fields"}},
	{action: workflow.ActionDiscord, message: chat, without: []string{"fields"}},
	{action: workflow.ActionTeams, message: chat, without: []string{"fields"}},
	{action: workflow.ActionTelegram, message: chat, without: []string{"fields"}},
	{
		action: workflow.ActionHTTP, unless: map[string]any{"method": "POST", "body": map[string]any{"json": "{{ inputs }}"}},
		without: []string{"paginate"},
		fields:  map[string]json.RawMessage{"method": json.RawMessage(`{"type":"string","title":"Method","enum":["POST","PUT","PATCH"],"default":"POST"}`)},
	},
}

func senderOf(action string) (sender, bool) {
	i := slices.IndexFunc(senders, func(s sender) bool { return s.action == action })
	if i < 0 {
		return sender{}, false
	}
	return senders[i], true
}

// Step is the step that sends a message, whose templates see it as inputs.
func (c Channel) Step() (workflow.Step, error) {
	s, ok := senderOf(c.Action)
	if !ok {
		return workflow.Step{}, fmt.Errorf("%q cannot send messages", c.Action)
	}
	config := map[string]any{}
	if err := json.Unmarshal(c.Config, &config); err != nil {
		return workflow.Step{}, fmt.Errorf("read the channel: %w", err)
	}
	for name, value := range s.unless {
		if _, said := config[name]; !said {
			config[name] = value
		}
	}
	for name, value := range s.message {
		config[name] = value
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return workflow.Step{}, fmt.Errorf("write the channel: %w", err)
	}
	return workflow.Step{ID: "alert", Action: c.Action, Config: raw, Timeout: workflow.Duration(SendTimeout)}, nil
}

// Check tells what is wrong with a channel, in pointers into it, and answers the secrets and variables that it names.
func (c Channel) Check() ([]workflow.Use, error) {
	var all checker
	all.name(c.Name)
	s, ok := senderOf(c.Action)
	if !ok {
		all.add("/action", "action", "%q cannot send messages; see GET /alert-channel-types", c.Action)
		return nil, fault.InvalidFields(all.fields)
	}
	var said map[string]json.RawMessage
	if err := json.Unmarshal(c.Config, &said); err != nil {
		all.add("/config", "config_shape", "a channel's configuration is an object")
		return nil, fault.InvalidFields(all.fields)
	}
	for name := range said {
		if _, brought := s.message[name]; brought || slices.Contains(s.without, name) {
			all.add("/config/"+name, "not_wanted", "alerts bring their own message; leave this out")
		}
	}
	step, err := c.Step()
	if err != nil || len(all.fields) > 0 {
		return nil, fault.InvalidFields(all.fields)
	}
	if action, ok := workflow.ActionOf(c.Action); ok {
		all.addErr(fault.Under("/config", action.CheckAlone(step.Config, workflow.RootSecrets, workflow.RootVars, Root, "now")))
	}
	return step.Uses(), fault.InvalidFields(all.fields)
}

// Types are the kinds of channels that there are.
func Types() []Type {
	types := make([]Type, 0, len(senders))
	for _, s := range senders {
		a, _ := workflow.ActionOf(s.action)
		types = append(types, Type{
			Type: a.Type, Title: a.Title, Description: a.Description,
			Config: s.schema(a.Config), Example: edit(a.Example, func(name string, value json.RawMessage) json.RawMessage {
				if s.leavesOut(name) || name == "body" {
					return nil
				}
				return value
			}),
		})
	}
	return types
}

func (s sender) leavesOut(name string) bool {
	_, brought := s.message[name]
	return brought || slices.Contains(s.without, name)
}

// schema is an action's schema without what the message brings.
func (s sender) schema(whole json.RawMessage) json.RawMessage {
	return edit(whole, func(name string, value json.RawMessage) json.RawMessage {
		switch name {
		case "properties":
			return edit(value, func(name string, value json.RawMessage) json.RawMessage {
				if s.leavesOut(name) {
					return nil
				}
				if other, ok := s.fields[name]; ok {
					return other
				}
				return value
			})
		case "required":
			var names []string
			if json.Unmarshal(value, &names) != nil {
				return value
			}
			raw, _ := json.Marshal(slices.DeleteFunc(names, s.leavesOut)) // texts: it never fails
			return raw
		}
		return value
	})
}

// edit changes the members of an object that is part of the program, and keeps their order, which is that of forms; nil takes
// one out.
func edit(object json.RawMessage, change func(name string, value json.RawMessage) json.RawMessage) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(object))
	var out bytes.Buffer
	if _, err := decoder.Token(); err != nil {
		return object
	}
	out.WriteByte('{')
	for decoder.More() {
		var value json.RawMessage
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName || decoder.Decode(&value) != nil {
			return object
		}
		if value = change(name, value); value == nil {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		key, _ := json.Marshal(name) // a text: it never fails
		out.Write(key)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes()
}
