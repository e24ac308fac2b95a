package workflow

import (
	"fmt"
	"net/mail"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// EmailConfig is the configuration of a send_email step. All texts may hold templates; an address may be a list of them,
// separated by commas.
type EmailConfig struct {
	Host        string            `json:"host"`
	Port        int               `json:"port,omitempty"` // that of TLS when zero: 587, 465 or 25
	TLS         string            `json:"tls,omitempty"`  // one of EmailTLS; starttls when empty
	Username    string            `json:"username,omitempty"`
	Password    string            `json:"password,omitempty"`
	From        string            `json:"from"`
	ReplyTo     string            `json:"reply_to,omitempty"`
	To          []string          `json:"to,omitempty"`
	Cc          []string          `json:"cc,omitempty"`
	Bcc         []string          `json:"bcc,omitempty"`
	Subject     string            `json:"subject"`
	Text        string            `json:"text,omitempty"`
	HTML        string            `json:"html,omitempty"` // values that templates put into it are escaped
	Attachments []EmailAttachment `json:"attachments,omitempty"`
}

// EmailAttachment is a file that goes with a mail.
type EmailAttachment struct {
	Name        string `json:"name"`
	Content     string `json:"content"` // a value that is no text is written as JSON
	ContentType string `json:"content_type,omitempty"`
	Base64      bool   `json:"base64,omitempty"` // the content is written in base64
}

// How a mail server is reached: encrypted after a word in the clear, from the beginning, or not at all.
const (
	EmailStartTLS = "starttls"
	EmailTLS      = "tls"
	EmailNoTLS    = "none"
)

// Limits of a mail.
const (
	MaxRecipients  = 100 // in the definition, of all kinds together
	MaxAttachments = 10
)

// TLSMode is how the server is reached.
func (e EmailConfig) TLSMode() string {
	if e.TLS == "" {
		return EmailStartTLS
	}
	return e.TLS
}

// PortNumber is the server's port.
func (e EmailConfig) PortNumber() int {
	if e.Port != 0 {
		return e.Port
	}
	return map[string]int{EmailStartTLS: 587, EmailTLS: 465, EmailNoTLS: 25}[e.TLSMode()]
}

func (e EmailConfig) check() ([]expr.Ref, error) {
	var c collector
	c.required("/host", e.Host, "a mail server is needed, as in smtp.example.com")
	c.template("/host", e.Host)
	if !strings.Contains(e.Host, "{{") && strings.ContainsAny(e.Host, ":/ ") {
		c.add("/host", "host", "this is the name of a server alone; its port has a field of its own")
	}
	if e.Port < 0 || e.Port > 65535 {
		c.add("/port", "range", "a port is a number from 1 to 65535")
	}
	e.checkLogin(&c)
	c.required("/from", e.From, "say who the mail is from")
	c.address("/from", e.From)
	c.address("/reply_to", e.ReplyTo)
	for kind, list := range map[string][]string{"to": e.To, "cc": e.Cc, "bcc": e.Bcc} {
		for i, address := range list {
			at := fmt.Sprintf("/%s/%d", kind, i)
			c.required(at, address, "an address is needed")
			c.address(at, address)
		}
	}
	switch n := len(e.To) + len(e.Cc) + len(e.Bcc); {
	case n == 0:
		c.add("/to", "required", "say whom the mail is for")
	case n > MaxRecipients:
		c.add("/to", "too_many", "a mail has at most %d recipients", MaxRecipients)
	}
	c.required("/subject", e.Subject, "a subject is needed")
	c.template("/subject", e.Subject)
	if strings.ContainsAny(e.Subject, "\r\n") {
		c.add("/subject", "line_break", "a subject is one line")
	}
	if e.Text == "" && e.HTML == "" {
		c.add("/text", "required", "a mail has a text, HTML or both")
	}
	c.template("/text", e.Text)
	c.template("/html", e.HTML)
	e.checkAttachments(&c)
	return c.refs, fault.InvalidFields(c.fields)
}

func (e EmailConfig) checkLogin(c *collector) {
	switch e.TLSMode() {
	case EmailStartTLS, EmailTLS:
	case EmailNoTLS:
		if e.Password != "" {
			c.add("/tls", "password_in_the_clear", "a password is not sent without TLS; use starttls or tls")
		}
	default:
		c.add("/tls", "tls", "%q is not known; use %s, %s or %s", e.TLS, EmailStartTLS, EmailTLS, EmailNoTLS)
	}
	if (e.Username == "") != (e.Password == "") {
		c.add("/username", "login", "a user name and a password go together")
	}
	c.template("/username", e.Username)
	if e.Password != "" {
		c.secret("/password", e.Password)
	}
}

func (e EmailConfig) checkAttachments(c *collector) {
	if len(e.Attachments) > MaxAttachments {
		c.add("/attachments", "too_many", "a mail has at most %d attachments", MaxAttachments)
		return
	}
	for i, a := range e.Attachments {
		at := fmt.Sprintf("/attachments/%d", i)
		c.required(at+"/name", a.Name, "an attachment needs a name, as in report.csv")
		c.template(at+"/name", a.Name)
		c.template(at+"/content", a.Content)
		if a.ContentType != "" && !contentType.MatchString(a.ContentType) {
			c.add(at+"/content_type", "content_type", "%q is no content type; write one as text/csv", a.ContentType)
		}
	}
}

// address checks addresses as far as they stand there already.
func (c *collector) address(pointer, src string) {
	c.template(pointer, src)
	if src == "" || strings.Contains(src, "{{") {
		return
	}
	if _, err := mail.ParseAddressList(src); err != nil {
		c.add(pointer, "email", "%q is not an e-mail address; write ana@example.com or Ana <ana@example.com>", src)
	}
}
