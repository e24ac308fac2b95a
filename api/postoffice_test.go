package api_test

import (
	"io"
	"mime/quotedprintable"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// postOffice is a mail server that keeps what it gets.
type postOffice struct {
	address string
	mails   chan letter
}

type letter struct{ from, to, subject, text string }

func openPostOffice(t *testing.T) *postOffice {
	t.Helper()
	office := &postOffice{mails: make(chan letter, 100)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{office: office}, nil }))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	office.address = listener.Addr().String()
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return office
}

// publicHost is where an installation that sends mails says that it is.
const publicHost = "orq.example.org"

// serves lets an installation send its mails there.
func (o *postOffice) serves(c *api.Config) {
	c.SMTPURL = telemetry.Secret("smtp://" + o.address + "?encryption=none")
	c.MailFrom, c.PublicURL = "Orquestador <orq@example.org>", "https://"+publicHost+"/"
}

type visit struct {
	office *postOffice
	letter letter
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error { v.letter.from = from; return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error   { v.letter.to = to; return nil }
func (v *visit) Reset()                                      {}
func (v *visit) Logout() error                               { return nil }

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n") {
		if subject, ok := strings.CutPrefix(line, "Subject: "); ok {
			v.letter.subject = subject
		}
	}
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
	v.letter.text = string(text)
	v.office.mails <- v.letter
	return err
}
