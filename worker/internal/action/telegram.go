package action

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

const telegramBase = "https://api.telegram.org"

// telegram sends messages as a bot of Telegram.
type telegram struct {
	client HTTPClient
}

// Leaves implements Action.
func (telegram) Leaves() bool { return true }

// Prepare implements Action.
func (t telegram) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.TelegramConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	var p parser
	r := &telegramRunner{
		telegram: t, token: p.parse("bot_token", c.BotToken), chat: p.parse("chat_id", c.ChatID),
		server: p.parse("server", c.Server), message: p.message(c.ChatMessage), silent: c.Silent,
	}
	return r, p.err
}

type telegramRunner struct {
	telegram
	token, chat, server *expr.Template
	message             chatTemplates
	silent              bool
}

// Run implements Runner.
func (r *telegramRunner) Run(ctx context.Context, call Call) Result {
	return r.Bind(ctx, call).Run(ctx)
}

// botToken is what tokens look like; anything else would become part of another address.
var botToken = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]+$`)

// Bind implements Outbound.
func (r *telegramRunner) Bind(ctx context.Context, call Call) Bound {
	e := &evaluator{ctx: ctx, env: call.Env}
	token, chat := strings.TrimSpace(e.text("bot_token", r.token)), strings.TrimSpace(e.text("chat_id", r.chat))
	m := e.message(r.message, func(text string) string { return text })
	if !botToken.MatchString(token) {
		e.keep("bot_token", errors.New("it is not a bot's token; @BotFather gives one as in 123456:ABC-DEF"))
	}
	base := strings.TrimRight(strings.TrimSpace(e.text("server", r.server)), "/")
	if base == "" {
		base = telegramBase
	}
	p := telegramPost(m, chat, r.silent)
	p.url = base + "/bot" + token + "/sendMessage"
	return bindPost(r.client, call, p, e.err, telegramJudge)
}

// telegramText is the longest text of a message, in the units of UTF-16 that Telegram counts in.
const telegramText = 4096

var telegramMarks = map[string]string{"green": "🟢 ", "yellow": "🟡 ", "red": "🔴 ", "blue": "🔵 ", "grey": "⚪ "}

// telegramPost writes everything as one text. What is bold or leads somewhere is told by place, so that nothing has to be
// escaped.
func telegramPost(m message, chat string, silent bool) post {
	var whole strings.Builder
	var entities []map[string]any
	mark := func(kind, text string, more map[string]any) {
		entity := map[string]any{"type": kind, "offset": units(whole.String()), "length": units(text)}
		for k, v := range more {
			entity[k] = v
		}
		entities = append(entities, entity)
	}
	whole.WriteString(telegramMarks[m.Color])
	if m.Title != "" {
		mark("bold", m.Title, nil)
		if m.Link != "" {
			mark("text_link", m.Title, map[string]any{"url": m.Link})
		}
		whole.WriteString(m.Title + "\n")
	}
	whole.WriteString(m.Text)
	for i, f := range m.Fields {
		whole.WriteString(map[bool]string{true: "\n\n", false: "\n"}[i == 0])
		mark("bold", f.Name, nil)
		whole.WriteString(f.Name + ": " + f.Value)
	}
	text, cut := whole.String(), false
	if encoded := utf16.Encode([]rune(text)); len(encoded) > telegramText {
		text, cut = strings.TrimRight(string(utf16.Decode(encoded[:telegramText-1])), "\uFFFD")+"…", true
	}
	kept := []map[string]any{}
	for _, e := range entities {
		if e["offset"].(int)+e["length"].(int) < units(text) && e["length"].(int) > 0 {
			kept = append(kept, e)
		}
	}
	payload := map[string]any{"chat_id": chat, "text": text, "entities": kept}
	if silent {
		payload["disable_notification"] = true
	}
	return post{payload: payload, cut: cut}
}

func units(text string) int { return len(utf16.Encode([]rune(text))) }

// telegramJudge reads an answer of the Bot API.
func telegramJudge(resp *egress.Response) (map[string]any, *Failure) {
	var said struct {
		OK          bool   `json:"ok"`
		Description string `json:"description"`
		Result      struct {
			MessageID int64 `json:"message_id"`
		} `json:"result"`
		Parameters struct {
			RetryAfter float64     `json:"retry_after"`
			MigrateTo  json.Number `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
	if json.Unmarshal(resp.Body, &said) != nil {
		return nil, saidOrStatus(resp, text(resp.Body))
	}
	if said.OK && isSuccess(resp) {
		return map[string]any{"message_id": said.Result.MessageID}, nil
	}
	f := saidOrStatus(resp, said.Description)
	f.RetryAfter = seconds(said.Parameters.RetryAfter)
	if said.Parameters.MigrateTo != "" {
		f.Message += "; the chat_id is " + said.Parameters.MigrateTo.String() + " now"
	}
	return nil, f
}
