package action

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// hooked is what services with webhooks have in common.
type hooked struct {
	client  HTTPClient
	url     *expr.Template
	message chatTemplates
	escape  func(string) string
	build   func(m message, url string) post
	judge   judge
}

func prepareHooked(h hooked, url string, m workflow.ChatMessage) (Runner, error) {
	var p parser
	h.url, h.message = p.parse("webhook_url", url), p.message(m)
	return &h, p.err
}

// Run implements Runner.
func (h *hooked) Run(ctx context.Context, call Call) Result { return h.Bind(ctx, call).Run(ctx) }

// Bind implements Outbound.
func (h *hooked) Bind(ctx context.Context, call Call) Bound {
	e := &evaluator{ctx: ctx, env: call.Env}
	url, m := strings.TrimSpace(e.text("webhook_url", h.url)), e.message(h.message, h.escape)
	if e.err != nil {
		return bindPost(h.client, call, post{}, e.err, nil)
	}
	return bindPost(h.client, call, h.build(m, url), nil, h.judge)
}

// slack posts into a channel of Slack.
type slack struct{ client HTTPClient }

// Leaves implements Action.
func (slack) Leaves() bool { return true }

// Prepare implements Action.
func (s slack) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.SlackConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	return prepareHooked(hooked{client: s.client, escape: slackEscape, build: slackPost, judge: slackJudge}, c.WebhookURL, c.ChatMessage)
}

// Limits of Slack, in characters.
const (
	slackText  = 40_000
	slackShort = 2000 // of a title or a field
)

// slackEscape escapes the three characters that Slack takes for its own: without them there are neither links nor mentions.
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

var slackColors = map[string]string{"green": "#2eb67d", "yellow": "#ecb22e", "red": "#e01e5a", "blue": "#36c5f0", "grey": "#888888"}

// halfEntity is the beginning of an escape at the end of a text that was cut.
var halfEntity = regexp.MustCompile(`&[a-z]{0,4}…$`)

func slackPost(m message, url string) post {
	var c cutter
	text := halfEntity.ReplaceAllString(c.to(slackText, m.Text), "…")
	if m.plain() {
		return post{url: url, payload: map[string]any{"text": text}, cut: c.cut}
	}
	attachment := map[string]any{"text": text, "fallback": c.to(slackShort, strings.TrimSpace(m.Title+" "+m.Text)), "mrkdwn_in": []string{"text"}}
	if m.Title != "" {
		attachment["title"] = slackEscape(c.to(slackShort, m.Title))
	}
	if m.Link != "" {
		attachment["title_link"] = m.Link
	}
	if m.Color != "" {
		attachment["color"] = slackColors[m.Color]
	}
	var fields []map[string]any
	for _, f := range m.Fields {
		fields = append(fields, map[string]any{
			"title": slackEscape(c.to(slackShort, f.Name)), "value": slackEscape(c.to(slackShort, f.Value)), "short": len(f.Value) < 40,
		})
	}
	if len(fields) > 0 {
		attachment["fields"] = fields
	}
	return post{url: url, payload: map[string]any{"attachments": []any{attachment}}, cut: c.cut}
}

// slackJudge reads an answer of Slack: ok, or a word that says what is wrong, as in no_service.
func slackJudge(resp *egress.Response) (map[string]any, *Failure) {
	if isSuccess(resp) {
		return map[string]any{"status": resp.Status}, nil
	}
	return nil, saidOrStatus(resp, text(resp.Body))
}
