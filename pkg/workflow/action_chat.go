package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// ChatMessage is what all chat services are told. Every text may hold templates; in Text, markup of the service that stands
// in the definition is kept, while values that templates put into it are escaped.
type ChatMessage struct {
	Text   string      `json:"text"`
	Title  string      `json:"title,omitempty"`
	Link   string      `json:"link,omitempty"`  // where the title leads to
	Color  string      `json:"color,omitempty"` // one of ChatColors
	Fields []ChatField `json:"fields,omitempty"`
}

// ChatField is a named value of a message.
type ChatField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ChatColors are the colours of a message; each service shows them in its way.
var ChatColors = []string{"green", "yellow", "red", "blue", "grey"}

// MaxChatFields is how many fields a message may have.
const MaxChatFields = 20

func (m ChatMessage) check(c *collector) {
	c.required("/text", m.Text, "a message needs a text")
	c.template("/text", m.Text)
	c.template("/title", m.Title)
	c.template("/link", m.Link)
	if m.Link != "" && m.Title == "" {
		c.add("/link", "title", "a link is where the title leads to; give a title too")
	}
	if m.Color != "" && !strings.Contains(m.Color, "{{") && !slices.Contains(ChatColors, m.Color) {
		c.add("/color", "color", "%q is not a colour; use one of %s", m.Color, strings.Join(ChatColors, ", "))
	}
	c.template("/color", m.Color)
	if len(m.Fields) > MaxChatFields {
		c.add("/fields", "too_many", "a message has at most %d fields", MaxChatFields)
		return
	}
	for i, f := range m.Fields {
		at := fmt.Sprintf("/fields/%d", i)
		c.required(at+"/name", f.Name, "a field needs a name")
		c.template(at+"/name", f.Name)
		c.template(at+"/value", f.Value)
	}
}

// webhook is where a service takes messages: an address that is worth as much as a password.
type webhook struct {
	WebhookURL string `json:"webhook_url"`
	ChatMessage
}

func (w webhook) check() ([]expr.Ref, error) {
	var c collector
	c.secret("/webhook_url", w.WebhookURL)
	w.ChatMessage.check(&c)
	return c.refs, fault.InvalidFields(c.fields)
}

// SlackConfig is the configuration of a slack step.
type SlackConfig struct{ webhook }

// DiscordConfig is the configuration of a discord step.
type DiscordConfig struct{ webhook }

// TeamsConfig is the configuration of a teams step.
type TeamsConfig struct{ webhook }

// TelegramConfig is the configuration of a telegram step.
type TelegramConfig struct {
	BotToken string `json:"bot_token"`
	ChatID   string `json:"chat_id"` // 123456789, -1001234567890 or @channel
	Silent   bool   `json:"silent,omitempty"`
	Server   string `json:"server,omitempty"` // of the Bot API, as in https://bots.example.com; empty for Telegram's own
	ChatMessage
}

func (t TelegramConfig) check() ([]expr.Ref, error) {
	var c collector
	c.secret("/bot_token", t.BotToken)
	c.required("/chat_id", t.ChatID, "say which chat: a number, or @name of a channel")
	c.template("/chat_id", t.ChatID)
	c.template("/server", t.Server)
	t.ChatMessage.check(&c)
	return c.refs, fault.InvalidFields(c.fields)
}
