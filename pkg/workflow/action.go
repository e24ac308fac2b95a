package workflow

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// The actions that exist.
const (
	ActionHTTP = "http_endpoint"
	ActionLog  = "log_message"

	ActionEmail    = "send_email"
	ActionSlack    = "slack"
	ActionDiscord  = "discord"
	ActionTeams    = "teams"
	ActionTelegram = "telegram"

	ActionApproval  = "approval"
	ActionRun       = "run_workflow"
	ActionTransform = "transform"
	ActionWait      = "wait"
)

// Action is what is known of a type of step without running it.
type Action struct {
	Type string `json:"type"`
	// Leaves tells whether it reaches outside, so that how an attempt ended may be unknown.
	Leaves bool `json:"leaves"`
	// Once tells that doing it twice is worse than asking whether it was done: it is held when that is not known.
	Once bool `json:"-"`
	Doc

	check func(config json.RawMessage) ([]expr.Ref, error)
}

// Doc describes an action for forms, suggestions and the manual. Config and Output are JSON Schemas (draft 2020-12). In
// Config, "x-template" marks texts that may hold templates, "x-secret" those that are to come from the project's secrets,
// "x-multiline" texts of several lines, and "x-expression" expressions without braces, with the names that they may use
// besides those of templates.
type Doc struct {
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Config      json.RawMessage `json:"config"`
	Output      json.RawMessage `json:"output"`
	Example     json.RawMessage `json:"example"` // a configuration
}

// configuration is what a step's config is read into.
type configuration interface {
	// check tells what is wrong, in pointers relative to the configuration, and what its templates name.
	check() ([]expr.Ref, error)
}

// checked reads a configuration and checks it.
func checked[C configuration](raw json.RawMessage) ([]expr.Ref, error) {
	var c C
	if err := DecodeConfig(raw, &c); err != nil {
		return nil, err
	}
	return c.check()
}

//go:embed actions/*.json
var docs embed.FS

// Actions are the types of steps, in the order in which forms offer them.
var Actions = []Action{
	{Type: ActionHTTP, Leaves: true, Doc: doc(ActionHTTP), check: checked[HTTPConfig]},
	{Type: ActionEmail, Leaves: true, Once: true, Doc: doc(ActionEmail), check: checked[EmailConfig]},
	{Type: ActionSlack, Leaves: true, Doc: doc(ActionSlack), check: checked[SlackConfig]},
	{Type: ActionDiscord, Leaves: true, Doc: doc(ActionDiscord), check: checked[DiscordConfig]},
	{Type: ActionTeams, Leaves: true, Doc: doc(ActionTeams), check: checked[TeamsConfig]},
	{Type: ActionTelegram, Leaves: true, Doc: doc(ActionTelegram), check: checked[TelegramConfig]},
	{Type: ActionLog, Doc: doc(ActionLog), check: checked[LogConfig]},
	{Type: ActionApproval, Doc: doc(ActionApproval), check: checked[ApprovalConfig]},
	{Type: ActionRun, Doc: doc(ActionRun), check: checked[RunConfig]},
	{Type: ActionTransform, Doc: doc(ActionTransform), check: checked[TransformConfig]},
	{Type: ActionWait, Doc: doc(ActionWait), check: checked[WaitConfig]},
}

// doc reads an action's description, which is part of the program.
func doc(action string) (d Doc) {
	raw, err := docs.ReadFile("actions/" + action + ".json")
	if err == nil {
		err = json.Unmarshal(raw, &d)
	}
	if err != nil {
		panic("action " + action + ": " + err.Error())
	}
	return d
}

// ActionOf finds a type of step.
func ActionOf(name string) (Action, bool) {
	i := slices.IndexFunc(Actions, func(a Action) bool { return a.Type == name })
	if i < 0 {
		return Action{}, false
	}
	return Actions[i], true
}

// actionNames lists the types for messages.
func actionNames() string {
	names := make([]string, len(Actions))
	for i, a := range Actions {
		names[i] = a.Type
	}
	return strings.Join(names, ", ")
}

// DecodeConfig reads a step's configuration into a config struct; unknown fields are refused.
func DecodeConfig(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fault.At("", "config_shape", "%s", configMessage(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fault.At("", "config_shape", "something follows the configuration")
	}
	return nil
}

// configMessage says what a decoding error means without naming Go types.
func configMessage(err error) string {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Sprintf("%s cannot be a %s", wrongType.Field, wrongType.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}
