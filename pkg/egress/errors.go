package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// Kind says why a call failed.
type Kind string

// The kinds.
const (
	KindInvalid   Kind = "invalid"   // the request itself cannot be sent: its URL, method or headers
	KindBlocked   Kind = "blocked"   // the address is not public and not allowed
	KindDNS       Kind = "dns"       // the host's name is not known, or cannot be looked up
	KindConnect   Kind = "connect"   // nobody answers there, or the connection broke before the answer
	KindTLS       Kind = "tls"       // the certificate or the handshake is wrong
	KindTimeout   Kind = "timeout"   // it took too long
	KindProtocol  Kind = "protocol"  // the answer is not HTTP, or was cut off
	KindTooLarge  Kind = "too_large" // the request, or the answer's headers, are over a limit
	KindRedirect  Kind = "redirect"  // too many redirects, or one that cannot be followed
	KindCancelled Kind = "cancelled" // the caller gave up
)

// Error is why a call has no answer. Its message is for people, and holds no header, no body and no password.
type Error struct {
	Kind    Kind
	Message string
	Err     error // the cause, for logs
	Sent    bool  // the request, or a part of it, may have been sent
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func failed(kind Kind, cause error, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Err: cause}
}

// shownURL is a URL for messages: without password and query, which may hold keys.
func shownURL(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return shown.String()
}

// explain turns an error of net/http into one for people.
func explain(ctx context.Context, u *url.URL, err error) error {
	var refused *blocked
	var left *unlisted
	var dns *net.DNSError
	var network net.Error
	var operation *net.OpError
	where := shownURL(u)
	switch {
	case errors.As(err, &refused):
		return failed(KindBlocked, err, "%s", refused)
	case errors.As(err, &left):
		return failed(KindBlocked, err, "%s", left)
	case errors.Is(ctx.Err(), context.Canceled):
		return failed(KindCancelled, ctx.Err(), "the call of %s was cancelled", where)
	case ctx.Err() != nil:
		return failed(KindTimeout, ctx.Err(), "%s did not answer in time", where)
	case errors.As(err, &dns) && dns.IsTimeout:
		return failed(KindTimeout, err, "the host %s could not be looked up in time", u.Hostname())
	case errors.As(err, &dns):
		return failed(KindDNS, err, "the host %s is not known", u.Hostname())
	case isTLS(err):
		return failed(KindTLS, err, "%s: the secure connection failed: %s", where, tlsReason(err))
	case errors.As(err, &network) && network.Timeout():
		return failed(KindTimeout, err, "%s could not be reached in time", where)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed(KindConnect, err, "%s refuses the connection", u.Host)
	case strings.Contains(err.Error(), "response headers exceeded"):
		return failed(KindTooLarge, err, "the headers of %s are larger than %d KiB", where, maxResponseHeads>>10)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return failed(KindProtocol, err, "the answer of %s was cut off", where)
	case errors.As(err, &operation) || errors.Is(err, io.EOF) || strings.Contains(err.Error(), "closed idle connection"):
		return failed(KindConnect, err, "the connection to %s broke", u.Host)
	}
	return failed(KindProtocol, err, "the answer of %s cannot be understood as HTTP", where)
}

func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) ||
		strings.HasPrefix(err.Error(), "tls: ")
}

func tlsReason(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return "its certificate is signed by nobody known here"
	case errors.As(err, &host):
		return "its certificate is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet"
	case errors.As(err, &record):
		return "the other side does not speak TLS"
	}
	return "the certificate or the handshake is not valid"
}
