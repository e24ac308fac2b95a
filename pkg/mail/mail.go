// Package mail hands messages to mail servers. It alone knows how a server is spoken to; where connections may lead is up to
// the network that it is given.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Network opens connections.
type Network interface {
	// Dial connects to host:port.
	Dial(ctx context.Context, address string) (net.Conn, error)
	// TLS is how the connection to a host is encrypted.
	TLS(host string) *tls.Config
}

// Encryption is how the way to a server is protected.
type Encryption string

// The ways. Opportunistic encryption, which anybody in between can switch off, is not among them.
const (
	StartTLS Encryption = "starttls"
	TLS      Encryption = "tls"
	None     Encryption = "none"
)

// Server is a mail server, with who hands over the message.
type Server struct {
	Host               string
	Port               int
	Encryption         Encryption
	Username, Password string // without a password nobody logs in
}

// Address is host:port.
func (s Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Failure is why a server did not take a message.
type Failure struct {
	Code  int    // the server's answer; zero when it said nothing
	Said  string // the answer's words
	Clean bool   // it cannot have got the message
	Setup bool   // the server cannot even be spoken to as it is described
	Err   error
}

// Error says why.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap answers the cause.
func (f *Failure) Unwrap() error { return f.Err }

// patience bounds the wait for one answer of a server; the whole is bounded by the context.
const patience = 10 * time.Minute

// Send hands the message to the server; its error is a *Failure.
func (s Server) Send(ctx context.Context, network Network, msg *mail.Msg) error {
	var dialed error
	hangUp := func() {}
	defer func() { hangUp() }()
	whole := ctx
	dial := func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
		if conn, err = network.Dial(ctx, s.Address()); err != nil {
			dialed = err
			return nil, err
		}
		wire := conn
		unwatch := context.AfterFunc(whole, func() { _ = wire.Close() }) // whatever waits for the server ends
		hangUp = func() { unwatch(); _ = wire.Close() }
		if s.Encryption != TLS {
			return conn, nil
		}
		encrypted := tls.Client(conn, network.TLS(s.Host))
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("encrypt the connection: %w", err)
		}
		return encrypted, nil
	}
	client, err := mail.NewClient(s.Host, append(s.options(network), mail.WithDialContextFunc(dial))...)
	if err != nil {
		return &Failure{Clean: true, Setup: true, Err: err}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return failure(errors.Join(dialed, err), true)
	}
	defer func() { _ = client.CloseWithSMTPClient(conn) }()
	if err := client.SendWithSMTPClient(conn, msg); err != nil && !msg.IsDelivered() {
		var said *mail.SendError
		begun := !errors.As(err, &said) || said.Reason == mail.ErrWriteContent || said.Reason == mail.ErrSMTPDataClose
		return failure(err, !begun)
	}
	return nil
}

func (s Server) options(network Network) []mail.Option {
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(patience), mail.WithHELO("orquestador"), mail.WithTLSConfig(network.TLS(s.Host)), mail.WithoutNoop(),
	}
	switch s.Encryption {
	case StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case TLS:
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if s.Password != "" {
		options = append(options, mail.WithUsername(s.Username), mail.WithPassword(s.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	return options
}

// failure reads what the server said. One that answered has said that it did not take the message.
func failure(err error, clean bool) *Failure {
	f := &Failure{Err: err}
	var answer *textproto.Error
	var sending *mail.SendError
	switch {
	case errors.As(err, &answer):
		f.Code, f.Said = answer.Code, answer.Error()
	case errors.As(err, &sending):
		f.Code = sending.ErrorCode()
		f.Said, _, _ = strings.Cut(sending.Error(), ", affected message ID")
	}
	f.Clean = clean || f.Code > 0
	return f
}
