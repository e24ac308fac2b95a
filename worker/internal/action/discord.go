package action

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// discord posts into a channel of Discord.
type discord struct{ client HTTPClient }

// Leaves implements Action.
func (discord) Leaves() bool { return true }

// Prepare implements Action.
func (d discord) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.DiscordConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	return prepareHooked(hooked{client: d.client, escape: markdown, build: discordPost, judge: discordJudge}, c.WebhookURL, c.ChatMessage)
}

// Limits of Discord, in characters.
const (
	discordContent = 2000
	discordTitle   = 256
	discordText    = 4096
	discordName    = 256
	discordValue   = 1024
	discordEmbed   = 6000 // all texts of an embed together
)

var discordColors = map[string]int{"green": 0x2eb67d, "yellow": 0xecb22e, "red": 0xe01e5a, "blue": 0x36c5f0, "grey": 0x888888}

func discordPost(m message, address string) post {
	var c cutter
	payload := map[string]any{"allowed_mentions": map[string]any{"parse": []string{}}} // whatever a value says, nobody is called
	if m.plain() {
		payload["content"] = c.to(discordContent, m.Text)
		return post{url: waiting(address), payload: payload, cut: c.cut}
	}
	left := discordEmbed
	spend := func(limit int, text string) string {
		text = c.to(max(1, min(limit, left)), text)
		left -= len([]rune(text))
		return text
	}
	embed := map[string]any{}
	if m.Title != "" {
		embed["title"] = spend(discordTitle, markdown(m.Title))
	}
	embed["description"] = spend(discordText, m.Text)
	if m.Link != "" {
		embed["url"] = m.Link
	}
	if m.Color != "" {
		embed["color"] = discordColors[m.Color]
	}
	fields := []any{}
	for _, f := range m.Fields {
		if left < len("…")+len("…") {
			c.cut = true
			break
		}
		fields = append(fields, map[string]any{
			"name": spend(discordName, orBlank(markdown(f.Name))), "value": spend(discordValue, orBlank(markdown(f.Value))), "inline": len(f.Value) < 40,
		})
	}
	embed["fields"] = fields
	payload["embeds"] = []any{embed}
	return post{url: waiting(address), payload: payload, cut: c.cut}
}

// orBlank is a text that is seen as nothing, where nothing is refused.
func orBlank(text string) string {
	if text == "" {
		return "\u200b"
	}
	return text
}

// waiting asks Discord to answer with the message once it is there.
func waiting(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	q.Set("wait", "true")
	u.RawQuery = q.Encode()
	return u.String()
}

// discordJudge reads an answer of Discord, which says in its body how long it wants to be left alone, in seconds.
func discordJudge(resp *egress.Response) (map[string]any, *Failure) {
	var said struct {
		ID         string          `json:"id"`
		Message    string          `json:"message"`
		Errors     json.RawMessage `json:"errors"`
		RetryAfter float64         `json:"retry_after"`
	}
	readable := json.Unmarshal(resp.Body, &said) == nil
	if isSuccess(resp) {
		return map[string]any{"status": resp.Status, "id": said.ID}, nil
	}
	if !readable {
		return nil, saidOrStatus(resp, text(resp.Body))
	}
	f := saidOrStatus(resp, said.Message+" "+string(said.Errors))
	f.RetryAfter = seconds(said.RetryAfter)
	return nil, f
}

// seconds is what a service asks to wait, within what it makes sense to wait at all.
func seconds(n float64) time.Duration {
	const most = 30 * 24 * 3600
	if n <= 0 || n != n {
		return 0
	}
	return time.Duration(min(n, most) * float64(time.Second))
}
