package mail

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/wneessen/go-mail"
)

// ParseServer reads a server from a URL: smtp://user:password@host:587 (encrypted with STARTTLS), smtps://user:password@host:465,
// or, for a server on the same machine, smtp://localhost:25?encryption=none. Its errors do not hold the password.
func ParseServer(raw string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Server{}, errors.New("it is no URL such as smtp://user:password@mail.example.com:587")
	}
	s := Server{Host: u.Hostname(), Username: u.User.Username()}
	s.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
		s.Encryption, s.Port = StartTLS, 587
	case "smtps":
		s.Encryption, s.Port = TLS, 465
	default:
		return s, errors.New("it must begin with smtp:// or smtps://")
	}
	if s.Host == "" || u.Path != "" && u.Path != "/" {
		return s, errors.New("it must name a host, and no path")
	}
	if text := u.Port(); text != "" {
		if s.Port, err = strconv.Atoi(text); err != nil || s.Port < 1 || s.Port > 65535 {
			return s, errors.New("its port must be a number from 1 to 65535")
		}
	}
	switch choice := u.Query().Get("encryption"); {
	case choice == "":
	case choice == string(None) && u.Scheme == "smtp" && s.Password == "":
		s.Encryption = None
	default:
		return s, errors.New("encryption can only be none, with smtp:// and without a password")
	}
	return s, nil
}

// Letter is a short message without formatting.
type Letter struct {
	From, To      string // addresses
	Subject, Text string
}

// SendLetter hands a letter to the server.
func (s Server) SendLetter(ctx context.Context, network Network, l Letter) error {
	msg := mail.NewMsg()
	msg.SetUserAgent("Orquestador")
	if err := errors.Join(msg.From(l.From), msg.To(l.To)); err != nil {
		return &Failure{Clean: true, Setup: true, Err: fmt.Errorf("address a mail: %w", err)}
	}
	msg.Subject(l.Subject)
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	return s.Send(ctx, network, msg)
}
