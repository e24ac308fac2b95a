package action

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Network is the guarded client, for protocols besides HTTP too.
type Network interface {
	HTTPClient
	// Dial connects to host:port.
	Dial(ctx context.Context, address string) (net.Conn, error)
	// TLS is how the connection to a host is encrypted.
	TLS(host string) *tls.Config
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
	login := login{user: e.text("username", r.username), password: e.text("password", r.password)}
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
		if result := r.send(ctx, server, address, login, msg); result.Failure != nil {
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

type login struct{ user, password string }

// message writes the mail. Its id is the same for every attempt, so that who gets it twice can tell.
func (r *emailRunner) message(e *evaluator, call Call) (msg *mail.Msg, recipients int) {
	msg = mail.NewMsg()
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
func (r *emailRunner) bodies(e *evaluator, msg *mail.Msg) {
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
		msg.SetBodyString(mail.TypeTextPlain, plain)
	case r.config.Text == "":
		msg.SetBodyString(mail.TypeTextHTML, page)
	default:
		msg.SetBodyString(mail.TypeTextPlain, plain)
		msg.AddAlternativeString(mail.TypeTextHTML, page)
	}
}

func (r *emailRunner) attach(e *evaluator, msg *mail.Msg) {
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
		var options []mail.FileOption
		if f.ContentType != "" {
			options = append(options, mail.WithFileContentType(mail.ContentType(f.ContentType)))
		}
		e.keep(name, msg.AttachReader(name, bytes.NewReader(content), options...))
	}
}

// smtpPatience bounds the wait for one answer of a mail server; the whole is bounded by the attempt's time.
const smtpPatience = 10 * time.Minute

// send hands the mail to the server.
func (r *emailRunner) send(ctx context.Context, server, address string, l login, msg *mail.Msg) Result {
	var dialed error
	hangUp := func() {}
	defer func() { hangUp() }()
	attempt := ctx
	dial := func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		if conn, err = r.network.Dial(ctx, address); err != nil {
			dialed = err
			return nil, err
		}
		wire := conn
		unwatch := context.AfterFunc(attempt, func() { _ = wire.Close() }) // whatever waits for the server ends
		hangUp = func() { unwatch(); _ = wire.Close() }
		if r.config.TLSMode() == workflow.EmailTLS {
			encrypted := tls.Client(conn, r.network.TLS(server))
			if err := encrypted.HandshakeContext(ctx); err != nil {
				_ = conn.Close()
				return nil, fmt.Errorf("encrypt the connection: %w", err)
			}
			return encrypted, nil
		}
		return conn, nil
	}
	options := []mail.Option{
		mail.WithPort(r.config.PortNumber()), mail.WithTimeout(smtpPatience), mail.WithDialContextFunc(dial), mail.WithHELO("orquestador"),
		mail.WithTLSConfig(r.network.TLS(server)), mail.WithoutNoop(),
	}
	switch r.config.TLSMode() {
	case workflow.EmailStartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case workflow.EmailTLS:
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if l.password != "" {
		options = append(options, mail.WithUsername(l.user), mail.WithPassword(l.password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	client, err := mail.NewClient(server, options...)
	if err != nil {
		return unsent(run.FailureConfig, "%s", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return smtpFailure(ctx, server, errors.Join(dialed, err), true)
	}
	defer func() { _ = client.CloseWithSMTPClient(conn) }()
	if err := client.SendWithSMTPClient(conn, msg); err != nil && !msg.IsDelivered() {
		var said *mail.SendError
		begun := !errors.As(err, &said) || said.Reason == mail.ErrWriteContent || said.Reason == mail.ErrSMTPDataClose
		return smtpFailure(ctx, server, err, !begun)
	}
	return Result{}
}

// smtpFailure says why a server did not take a mail. What it refuses for now may be tried again; what it refuses for good
// is not. clean tells that it cannot have got the mail.
func smtpFailure(ctx context.Context, server string, err error, clean bool) Result {
	code, said := answerOf(err)
	var result Result
	switch {
	case ctx.Err() != nil:
		result = failed(run.FailureTimeout, "%s did not take the mail within the step's timeout", server)
	case code >= 500:
		result = failed(run.FailureRejected, "%s refuses the mail: %s", server, said)
	case code > 0:
		result = failed(run.FailureDeferred, "%s does not take the mail now: %s", server, said)
	default:
		result = httpFailure(ctx, err)
		if result.Failure.Class == run.FailureConnection {
			result.Failure.Message = server + ": " + result.Failure.Message
		}
	}
	// A server that answered has said that it did not take it.
	result.Failure.Unsent = clean || code > 0
	return result
}

// answerOf reads what the server said; zero when it said nothing.
func answerOf(err error) (code int, said string) {
	var answer *textproto.Error
	var sending *mail.SendError
	switch {
	case errors.As(err, &answer):
		return answer.Code, answer.Error()
	case errors.As(err, &sending):
		said, _, _ = strings.Cut(sending.Error(), ", affected message ID")
		return sending.ErrorCode(), said
	}
	return 0, ""
}
