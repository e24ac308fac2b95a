package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
)

// Dial connects to host:port for a protocol other than HTTP, under the same guard: what is really dialed has to be public
// or allowed. Its error is an *Error.
func (c *Client) Dial(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return nil, failed(KindInvalid, err, "the address is not host:port")
	}
	way, err := c.way(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := way.dial(ctx, "tcp", address)
	if err == nil {
		return conn, nil
	}
	err = explain(ctx, &url.URL{Host: address}, err)
	var e *Error
	if errors.As(err, &e) && e.Kind == KindProtocol {
		return nil, failed(KindConnect, e.Err, "%s could not be reached", address)
	}
	return nil, err
}

// TLS is how connections to a host are encrypted: with its name checked against its certificate.
func (c *Client) TLS(host string) *tls.Config {
	config := c.plain.transport.TLSClientConfig.Clone()
	config.ServerName = host
	config.NextProtos = nil // those of HTTP
	return config
}
