package action

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
)

// postOffice is a mail server that speaks SMTP.
type postOffice struct {
	t    *testing.T
	port int

	mu        sync.Mutex
	encrypted []bool
	users     []string
	from      string
	to        []string
	mail      []byte
	refuse    map[string]*smtp.SMTPError // by recipient, or "data"
}

// open starts it: with STARTTLS, encrypted from the beginning, or without.
func (l *lab) open(mode string) *postOffice {
	l.t.Helper()
	p := &postOffice{t: l.t, refuse: map[string]*smtp.SMTPError{}}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &visitor{office: p, conn: c}, nil }))
	server.Domain = "127.0.0.1"
	if mode == "starttls" {
		server.TLSConfig = l.certificate.Clone()
		server.TLSConfig.NextProtos = nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	p.port = listener.Addr().(*net.TCPAddr).Port
	if mode == "tls" {
		config := l.certificate.Clone()
		config.NextProtos = nil
		listener = tls.NewListener(listener, config)
	}
	go server.Serve(listener)
	l.t.Cleanup(func() { server.Close() })
	return p
}

type visitor struct {
	office *postOffice
	conn   *smtp.Conn
	known  bool
}

func (v *visitor) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visitor) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		v.office.mu.Lock()
		defer v.office.mu.Unlock()
		v.office.users = append(v.office.users, user)
		if password != canary {
			return smtp.ErrAuthFailed
		}
		v.known = true
		return nil
	}), nil
}

func (v *visitor) Mail(from string, _ *smtp.MailOptions) error {
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	_, encrypted := v.conn.TLSConnectionState()
	v.office.encrypted = append(v.office.encrypted, encrypted)
	v.office.from, v.office.to = from, nil
	return nil
}

func (v *visitor) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	if err := v.office.refuse[to]; err != nil {
		return err
	}
	v.office.to = append(v.office.to, to)
	return nil
}

func (v *visitor) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	if refused := v.office.refuse["data"]; refused != nil {
		return refused
	}
	v.office.mail = raw
	return err
}

func (v *visitor) Reset()        {}
func (v *visitor) Logout() error { return nil }

// letter is a config for the office; more overwrites it.
func (p *postOffice) letter(mode string, more object) object {
	config := object{
		"host": "127.0.0.1", "port": p.port, "tls": mode, "from": "Reports <reports@example.com>", "to": []string{"ana@example.com"},
		"subject": "Rates of {{ inputs.date }}", "text": "1 EUR = {{ inputs.usd }} USD",
	}
	if mode != "none" {
		config["username"], config["password"] = "reports", "{{ secrets.token }}"
	}
	for k, v := range more {
		config[k] = v
	}
	return config
}

var inputs = expr.Env{"inputs": object{
	"date": "2026-11-25\r\nBcc: eve@example.com", "usd": 1.0842, "name": `<script>&"ñ"`, "team": "ana@example.com, Bob <bob@example.com>",
	"rows": []any{object{"a": 1.0}}, "more": "eve@example.com, Ana", "raw": "<b>ready</b>", "file": base64.StdEncoding.EncodeToString([]byte{0, 1, 2}),
}}

// parts reads a mail as a mail program does.
func (p *postOffice) parts() (netmail.Header, map[string]string) {
	p.t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(p.mail))
	if err != nil {
		p.t.Fatal(err)
	}
	parts := map[string]string{}
	p.read(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), "", m.Body, parts)
	return m.Header, parts
}

func (p *postOffice) read(contentType, encoding, name string, body io.Reader, parts map[string]string) {
	p.t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		p.t.Fatal(err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		for r := multipart.NewReader(body, params["boundary"]); ; {
			part, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				p.t.Fatal(err)
			}
			p.read(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part.FileName(), part, parts)
		}
	}
	switch encoding {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		p.t.Fatal(err)
	}
	parts[strings.TrimSpace(kind+" "+name)] = string(raw)
}

func TestAMailArrives(t *testing.T) {
	for _, mode := range []string{"starttls", "tls", "none"} {
		l := newLab(t)
		office := l.open(mode)
		out := l.good(l.run("send_email", office.letter(mode, object{
			"to": []string{"{{ inputs.team }}"}, "cc": []string{"eva@example.com"}, "bcc": []string{"boss@example.com", "{{ inputs.nobody }}"},
			"reply_to": "answers@example.com", "html": "<p>Hi {{ inputs.name }}</p>",
			"attachments": []object{
				{"name": "rows.json", "content": "{{ inputs.rows }}", "content_type": "application/json"},
				{"name": "../bin", "content": "{{ inputs.file }}", "base64": true},
			},
		}), inputs))
		if strings.Join(office.to, " ") != "ana@example.com bob@example.com eva@example.com boss@example.com" || office.from != "reports@example.com" {
			t.Errorf("%s: from %s to %v", mode, office.from, office.to)
		}
		if office.encrypted[0] != (mode != "none") || len(office.users) > 0 != (mode != "none") {
			t.Errorf("%s: encrypted %v, users %v", mode, office.encrypted, office.users)
		}
		header, parts := office.parts()
		id := "<01000000-0000-0000-0000-000000000000.s@orquestador>"
		if header.Get("Message-Id") != id || out["message_id"] != id || out["recipients"] != 4.0 {
			t.Errorf("%s: id %q, output %v", mode, header.Get("Message-Id"), out)
		}
		if header.Get("Bcc") != "" || header.Get("Reply-To") != "<answers@example.com>" || header.Get("Subject") != "Rates of 2026-11-25 Bcc: eve@example.com" {
			t.Errorf("%s: header %v", mode, header)
		}
		for part, want := range map[string]string{
			"text/plain": "1 EUR = 1.0842 USD", "text/html": "<p>Hi &lt;script&gt;&amp;&#34;ñ&#34;</p>",
			"application/json rows.json": `[{"a":1}]`, "application/octet-stream .._bin": "\x00\x01\x02",
		} {
			if parts[part] != want {
				t.Errorf("%s: %s is %q; parts %q", mode, part, parts[part], parts)
			}
		}
		if bytes.Contains(office.mail, []byte(canary)) || strings.Contains(strings.Join(l.log, " "), canary) {
			t.Errorf("%s: the password is in the mail or the log", mode)
		}
	}
}

func TestAWholeTemplateIsHTML(t *testing.T) {
	l := newLab(t)
	office := l.open("none")
	l.good(l.run("send_email", office.letter("none", object{"text": "", "html": "{{ inputs.raw }}"}), inputs))
	if _, parts := office.parts(); strings.TrimSpace(parts["text/html"]) != "<b>ready</b>" || len(parts) != 1 {
		t.Errorf("parts %q", parts)
	}
}

func TestMailsThatAreNotTaken(t *testing.T) {
	l := newLab(t)
	office := l.open("starttls")
	plain := l.open("none")
	office.refuse["full@example.com"] = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
	office.refuse["gone@example.com"] = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := closed.Addr().(*net.TCPAddr).Port
	closed.Close()
	send := func(o *postOffice, mode string, more object) Result {
		return l.run("send_email", o.letter(mode, more), inputs)
	}
	for _, c := range []struct {
		result         Result
		class, message string
	}{
		{send(office, "starttls", object{"to": []string{"full@example.com"}}), "deferred", "does not take the mail now"},
		{send(office, "starttls", object{"to": []string{"ana@example.com", "gone@example.com"}}), "rejected", "no such user"},
		{send(office, "starttls", object{"password": "wrong {{ secrets.token }}"}), "rejected", "Authentication failed"},
		{send(plain, "starttls", nil), "connection", "does not support STARTTLS"},
		{send(office, "tls", nil), "connection", ""},
		{send(office, "none", object{"port": gone}), "connection", "refuses the connection"},
		{send(office, "none", object{"host": "127.0.0.2"}), "config", "ORQ_EGRESS_ALLOW"},
		{send(office, "none", object{"host": "{{ inputs.raw }}"}), "config", "no name of a mail server"},
		{send(office, "none", object{"to": []string{"{{ inputs.name }}"}}), "config", "no list of e-mail addresses"},
		{send(office, "none", object{"to": []string{"{{ inputs.more }} <ana@example.com>"}}), "config", "2 addresses where one was written"},
		{send(office, "none", object{"to": []string{"{{ inputs.nobody }}"}}), "config", "nobody is left"},
		{send(office, "none", object{"attachments": []object{{"name": "a", "content": "?", "base64": true}}}), "config", "no base64"},
	} {
		f := l.bad(c.result, c.class, c.message)
		if !f.Unsent {
			t.Errorf("%s: it may have been sent", f.Message)
		}
	}
	office.refuse["data"] = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "looks like spam"}
	l.bad(send(office, "starttls", nil), "rejected", "looks like spam")
	if strings.Contains(strconv.Quote(string(office.mail)), "EUR") {
		t.Error("a refused mail arrived")
	}
}
