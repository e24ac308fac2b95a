package action

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// teams posts a card into a channel or chat of Microsoft Teams.
type teams struct{ client HTTPClient }

// Leaves implements Action.
func (teams) Leaves() bool { return true }

// Prepare implements Action.
func (t teams) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.TeamsConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	return prepareHooked(hooked{client: t.client, escape: markdown, build: teamsPost, judge: teamsJudge}, c.WebhookURL, c.ChatMessage)
}

// Limits of Teams: a message has at most 28 KB. The text gets what the fields leave, in characters.
const (
	teamsMessage = 28 << 10
	teamsText    = 20_000
	teamsShort   = 500 // of a title or a field
)

var teamsStyles = map[string]string{"green": "good", "yellow": "warning", "red": "attention", "blue": "accent", "grey": "emphasis"}

func teamsPost(m message, url string) post {
	var c cutter
	payload := teamsCard(m, teamsText, &c)
	// Characters that take several bytes may still be too many.
	for limit := teamsText; size(payload) > teamsMessage && limit > teamsShort; limit /= 2 {
		payload = teamsCard(m, limit/2, &c)
	}
	return post{url: url, payload: payload, cut: c.cut}
}

func size(v any) int {
	raw, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return len(raw)
}

// linkEscapes keeps an address from ending the link that it stands in.
var linkEscapes = strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "[", "%5B", "]", "%5D", "\\", "%5C")

// teamsCard is an Adaptive Card in the envelope that the workflows of Teams take.
func teamsCard(m message, limit int, c *cutter) map[string]any {
	block := func(text string, more map[string]any) map[string]any {
		more["type"], more["text"], more["wrap"] = "TextBlock", text, true
		return more
	}
	var body []any
	if m.Title != "" {
		title := markdown(c.to(teamsShort, m.Title))
		if m.Link != "" {
			title = "[" + title + "](" + linkEscapes.Replace(m.Link) + ")"
		}
		body = append(body, block(title, map[string]any{"size": "Medium", "weight": "Bolder"}))
	}
	body = append(body, block(c.to(limit, m.Text), map[string]any{}))
	var facts []any
	for _, f := range m.Fields {
		facts = append(facts, map[string]any{"title": markdown(c.to(teamsShort, f.Name)), "value": markdown(c.to(teamsShort, f.Value))})
	}
	if len(facts) > 0 {
		body = append(body, map[string]any{"type": "FactSet", "facts": facts})
	}
	if style := teamsStyles[m.Color]; style != "" {
		body = []any{map[string]any{"type": "Container", "style": style, "bleed": true, "items": body}}
	}
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
		"msteams": map[string]any{"width": "Full"},
	}
	attachment := map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}
	return map[string]any{"type": "message", "attachments": []any{attachment}}
}

// teamsTrouble is how an older connector reports, with the status 200, what became of a message.
var teamsTrouble = regexp.MustCompile(`HTTP error (\d{3})`)

// teamsJudge reads an answer of Teams.
func teamsJudge(resp *egress.Response) (map[string]any, *Failure) {
	said := text(resp.Body)
	if isSuccess(resp) {
		if found := teamsTrouble.FindStringSubmatch(said); found != nil {
			return nil, &Failure{Class: found[1], Message: said}
		}
		return map[string]any{"status": resp.Status}, nil
	}
	var problem struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(resp.Body, &problem) == nil && problem.Error.Message != "" {
		said = problem.Error.Message
	}
	return nil, saidOrStatus(resp, said)
}
