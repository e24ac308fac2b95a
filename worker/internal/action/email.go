package action

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/mail"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Network is the guarded client, for protocols besides HTTP too.
type Network interface {
	HTTPClient
	mail.Network
}

// email sends mails.
type email struct{ network Network }

// Leaves implements Action.
func (email) Leaves() bool { return true }

// Prepare implements Action.
func (m email) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.EmailConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	var p parser
	list := func(what string, sources []string) (all []*expr.Template) {
		for _, s := range sources {
			all = append(all, p.parse(what, s))
		}
		return all
	}
	r := &emailRunner{
		network: m.network, config: c, host: p.parse("host", c.Host), username: p.parse("username", c.Username), password: p.parse("password", c.Password),
		from: p.parse("from", c.From), replyTo: p.parse("reply_to", c.ReplyTo), subject: p.parse("subject", c.Subject),
		text: p.parse("text", c.Text), html: p.parse("html", c.HTML), to: list("to", c.To), cc: list("cc", c.Cc), bcc: list("bcc", c.Bcc),
	}
	for _, a := range c.Attachments {
		r.files = append(r.files, fileTemplates{EmailAttachment: a, name: p.parse("attachment", a.Name), content: p.parse("attachment", a.Content)})
	}
	return r, p.err
}

type emailRunner struct {
	network                      Network
	config                       workflow.EmailConfig
	host, username, password     *expr.Template
	from, replyTo, subject, text *expr.Template
	html                         *expr.Template
	to, cc, bcc                  []*expr.Template
	files                        []fileTemplates
}

type fileTemplates struct {
	workflow.EmailAttachment
	name, content *expr.Template
}

// Run implements Runner.
func (r *emailRunner) Run(ctx context.Context, call Call) Result { return r.Bind(ctx, call).Run(ctx) }

// Bind implements Outbound.
func (r *emailRunner) Bind(ctx context.Context, call Call) Bound {
	e := &evaluator{ctx: ctx, env: call.Env}
	server := strings.TrimSpace(e.text("host", r.host))
	post := mail.Server{
		Host: server, Port: r.config.PortNumber(), Encryption: mail.Encryption(r.config.TLSMode()),
		Username: e.text("username", r.username), Password: e.text("password", r.password),
	}
	msg, recipients := r.message(e, call)
	address := net.JoinHostPort(server, strconv.Itoa(r.config.PortNumber()))
	key := host.KeyOf("smtp://" + address)
	if e.err == nil && (key == "" || strings.ContainsAny(server, "/@?#: ")) {
		e.keep("host", errors.New("it is no name of a mail server"))
	}
	if call.Secrets.Finds(key) {
		e.keep("host", errors.New("a secret cannot be a host's name: hosts are listed and counted"))
	}
	if e.err != nil {
		result := unsent(run.FailureConfig, "%s", e.err)
		return Bound{Run: func(context.Context) Result { return result }}
	}
	id := msg.GetMessageID()
	return Bound{Host: key, Run: func(ctx context.Context) Result {
		if result := r.send(ctx, post, msg); result.Failure != nil {
			return result
		}
		call.Log("debug", fmt.Sprintf("mail handed to %s for %d recipients", server, recipients))
		return Result{Output: map[string]any{"message_id": id, "recipients": recipients}}
	}}
}

// unsent is the failure of an attempt that did nothing.
func unsent(class, format string, args ...any) Result {
	result := failed(class, format, args...)
	result.Failure.Unsent = true
	return result
}

// message writes the mail. Its id is the same for every attempt, so that who gets it twice can tell.
func (r *emailRunner) message(e *evaluator, call Call) (msg *gomail.Msg, recipients int) {
	msg = gomail.NewMsg()
	msg.SetUserAgent("Orquestador")
	msg.SetMessageIDWithValue(call.RunID.String() + "." + call.Step + "@orquestador")
	addresses := func(what string, templates ...*expr.Template) (all []*netmail.Address) {
		for _, t := range templates {
			text := e.text(what, t)
			if strings.TrimSpace(text) == "" {
				continue
			}
			list, err := netmail.ParseAddressList(text)
			if err != nil {
				e.keep(what, fmt.Errorf("%s is no list of e-mail addresses", text))
			}
			if len(list) > 1 && !t.Literal() && !t.Whole() { // {{ name }} <a@example.com> is one, whatever the name holds
				e.keep(what, fmt.Errorf("%s are %d addresses where one was written; use a template that is the whole list", text, len(list)))
			}
			all = append(all, list...)
		}
		return all
	}
	if from := addresses("from", r.from); len(from) == 1 {
		msg.FromMailAddress(from[0])
	} else {
		e.keep("from", errors.New("one address is needed"))
	}
	if reply := addresses("reply_to", r.replyTo); len(reply) > 0 {
		msg.ReplyToMailAddress(reply...)
	}
	for what, kind := range map[string]struct {
		templates []*expr.Template
		set       func(...*netmail.Address)
	}{"to": {r.to, msg.ToMailAddress}, "cc": {r.cc, msg.CcMailAddress}, "bcc": {r.bcc, msg.BccMailAddress}} {
		if list := addresses(what, kind.templates...); len(list) > 0 {
			kind.set(list...)
			recipients += len(list)
		}
	}
	switch {
	case recipients == 0:
		e.keep("to", errors.New("nobody is left to send it to"))
	case recipients > workflow.MaxRecipients:
		e.keep("to", fmt.Errorf("%d recipients are more than %d", recipients, workflow.MaxRecipients))
	}
	msg.Subject(strings.Join(strings.Fields(e.text("subject", r.subject)), " ")) // one line, whatever a value holds
	r.bodies(e, msg)
	r.attach(e, msg)
	return msg, recipients
}

// bodies writes the text, the HTML, or both.
func (r *emailRunner) bodies(e *evaluator, msg *gomail.Msg) {
	page := ""
	if r.html.Whole() {
		page = e.text("html", r.html)
	} else {
		var err error
		page, err = r.html.EvalText(e.ctx, e.env, html.EscapeString)
		e.keep("html", err)
	}
	switch plain := e.text("text", r.text); {
	case r.config.HTML == "":
		msg.SetBodyString(gomail.TypeTextPlain, plain)
	case r.config.Text == "":
		msg.SetBodyString(gomail.TypeTextHTML, page)
	default:
		msg.SetBodyString(gomail.TypeTextPlain, plain)
		msg.AddAlternativeString(gomail.TypeTextHTML, page)
	}
}

func (r *emailRunner) attach(e *evaluator, msg *gomail.Msg) {
	for _, f := range r.files {
		name := strings.Map(func(r rune) rune {
			if r < ' ' || strings.ContainsRune(`/\"`, r) {
				return '_'
			}
			return r
		}, e.text("attachment", f.name))
		content := []byte(e.text(name, f.content))
		if f.Base64 {
			var err error
			if content, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(content)), "")); err != nil {
				e.keep(name, errors.New("its content is no base64"))
			}
		}
		var options []gomail.FileOption
		if f.ContentType != "" {
			options = append(options, gomail.WithFileContentType(gomail.ContentType(f.ContentType)))
		}
		e.keep(name, msg.AttachReader(name, bytes.NewReader(content), options...))
	}
}

// send hands the mail to the server.
func (r *emailRunner) send(ctx context.Context, server mail.Server, msg *gomail.Msg) Result {
	err := server.Send(ctx, r.network, msg)
	var failure *mail.Failure
	switch {
	case err == nil:
		return Result{}
	case !errors.As(err, &failure) || failure.Setup:
		return unsent(run.FailureConfig, "%s", err)
	}
	return smtpFailure(ctx, server.Host, failure)
}

// smtpFailure says why a server did not take a mail. What it refuses for now may be tried again; what it refuses for good
// is not.
func smtpFailure(ctx context.Context, server string, f *mail.Failure) Result {
	var result Result
	switch {
	case ctx.Err() != nil:
		result = failed(run.FailureTimeout, "%s did not take the mail within the step's timeout", server)
	case f.Code >= 500:
		result = failed(run.FailureRejected, "%s refuses the mail: %s", server, f.Said)
	case f.Code > 0:
		result = failed(run.FailureDeferred, "%s does not take the mail now: %s", server, f.Said)
	default:
		result = httpFailure(ctx, f.Err)
		if result.Failure.Class == run.FailureConnection {
			result.Failure.Message = server + ": " + result.Failure.Message
		}
	}
	result.Failure.Unsent = f.Clean
	return result
}
