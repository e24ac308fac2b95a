package action

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// message is a chat message with its templates evaluated.
type message struct {
	Text, Title, Link, Color string
	Fields                   []workflow.ChatField
}

// plain tells that there is nothing but a text.
func (m message) plain() bool { return m.Title == "" && m.Color == "" && len(m.Fields) == 0 }

// chatTemplates are a message's templates.
type chatTemplates struct {
	text, title, link, color *expr.Template
	fields                   []fieldTemplates
}

type fieldTemplates struct{ name, value *expr.Template }

// parser reads templates, and keeps the first error.
type parser struct{ err error }

func (p *parser) parse(what, src string) *expr.Template {
	t, err := expr.ParseTemplate(src)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("parse %s: %w", what, err)
	}
	return t
}

func (p *parser) message(m workflow.ChatMessage) chatTemplates {
	t := chatTemplates{text: p.parse("text", m.Text), title: p.parse("title", m.Title), link: p.parse("link", m.Link), color: p.parse("color", m.Color)}
	for _, f := range m.Fields {
		t.fields = append(t.fields, fieldTemplates{name: p.parse("field", f.Name), value: p.parse("field", f.Value)})
	}
	return t
}

// evaluator evaluates templates, and keeps the first error.
type evaluator struct {
	ctx context.Context //nolint:containedctx // lives for one attempt
	env expr.Env
	err error
}

func (e *evaluator) keep(what string, err error) {
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("%s: %w", what, err)
	}
}

func (e *evaluator) text(what string, t *expr.Template) string {
	text, err := evalText(e.ctx, t, e.env)
	e.keep(what, err)
	return text
}

// message evaluates a message. In its text, values are escaped with escape; all else is plain.
func (e *evaluator) message(t chatTemplates, escape func(string) string) message {
	m := message{Title: e.text("title", t.title), Link: e.text("link", t.link), Color: e.text("color", t.color)}
	text, err := t.text.EvalText(e.ctx, e.env, escape)
	e.keep("text", err)
	m.Text = text
	if strings.TrimSpace(text) == "" && e.err == nil {
		e.keep("text", fmt.Errorf("it is empty"))
	}
	if m.Color != "" && !slices.Contains(workflow.ChatColors, m.Color) {
		e.keep("color", fmt.Errorf("%q is not a colour; use one of %s", m.Color, strings.Join(workflow.ChatColors, ", ")))
	}
	if u, err := url.Parse(m.Link); m.Link != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		e.keep("link", fmt.Errorf("it is no URL that begins with http:// or https://"))
	}
	for _, f := range t.fields {
		m.Fields = append(m.Fields, workflow.ChatField{Name: e.text("field", f.name), Value: e.text("field", f.value)})
	}
	return m
}

// post is a message as it is sent.
type post struct {
	url     string
	payload any
	cut     bool // something was longer than the service takes
}

// judge says what an answer of the service means: an output, or a failure without the class and what the other side asked
// for, which are read from the answer unless judge knows better.
type judge func(resp *egress.Response) (output map[string]any, failure *Failure)

// bindPost makes the attempt that sends a message.
func bindPost(client HTTPClient, call Call, p post, err error, judge judge) Bound {
	unsent := func(format string, args ...any) Bound {
		result := failed(run.FailureConfig, format, args...)
		result.Failure.Unsent = true
		return Bound{Run: func(context.Context) Result { return result }}
	}
	if err != nil {
		return unsent("%s", err)
	}
	body, err := json.Marshal(p.payload)
	if err != nil {
		return unsent("write the message: %s", err)
	}
	key := host.KeyOf(p.url)
	if key == "" {
		return unsent("what should be a webhook's URL is none")
	}
	if call.Secrets.Finds(key) {
		return unsent("a secret cannot be a host's name: hosts are listed and counted")
	}
	req := egress.Request{Method: http.MethodPost, URL: p.url, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
	return Bound{Host: key, Run: func(ctx context.Context) Result { return sendPost(ctx, client, call, req, p, judge) }}
}

func sendPost(ctx context.Context, client HTTPClient, call Call, req egress.Request, p post, judge judge) Result {
	resp, err := client.Do(ctx, req)
	if err != nil {
		result := httpFailure(ctx, err)
		result.Failure.Message = withoutAddress(result.Failure.Message, req.URL)
		return result
	}
	output, f := judge(resp)
	if f == nil {
		if p.cut {
			output["truncated"] = true
			call.Log("warn", "the message was cut: it is longer than the service takes")
		}
		call.Log("debug", fmt.Sprintf("message sent to %s: %d", host.KeyOf(req.URL), resp.Status))
		return Result{Output: output}
	}
	if f.Class == "" {
		f.Class = strconv.Itoa(resp.Status)
	}
	if f.RetryAfter == 0 {
		f.RetryAfter = retryAfter(resp.Header)
	}
	f.Message = fmt.Sprintf("%s says %s: %s", host.KeyOf(req.URL), f.Class, excerpt(call.Secrets.Hide(f.Message)))
	return Result{Output: map[string]any{"status": resp.Status}, Failure: f}
}

// withoutAddress leaves the path of a webhook out of a message: who knows it can send.
func withoutAddress(message, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return message
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return strings.ReplaceAll(strings.ReplaceAll(message, address, u.Host), bare.String(), u.Host)
}

// saidOrStatus is a failure with what the service said, or what its status means.
func saidOrStatus(resp *egress.Response, said string) *Failure {
	if strings.TrimSpace(said) == "" {
		said = http.StatusText(resp.Status)
	}
	return &Failure{Message: said}
}

func isSuccess(resp *egress.Response) bool { return resp.Status >= 200 && resp.Status < 300 }

// cutter shortens texts, and notes that it did.
type cutter struct{ cut bool }

// to shortens a text to so many characters, with … in the place of the last.
func (c *cutter) to(limit int, text string) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	c.cut = true
	return string([]rune(text)[:limit-1]) + "…"
}

// markdown escapes what is markup in Discord's and Microsoft's Markdown. An address stays whole, or it would lead nowhere.
func markdown(text string) string {
	if u, err := url.Parse(text); err == nil && (u.Scheme == "https" || u.Scheme == "http") && !strings.ContainsAny(text, " \n()<>[]") {
		return text
	}
	return markdownEscapes.Replace(text)
}

var markdownEscapes = func() *strings.Replacer {
	var pairs []string
	for _, r := range "\\*_~`|>#[]()<" {
		pairs = append(pairs, string(r), "\\"+string(r))
	}
	return strings.NewReplacer(pairs...)
}()
