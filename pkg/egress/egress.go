// Package egress is the only client that may call addresses which users typed. It checks the address that is
// really dialed, so that neither a name, nor a redirect, nor a change of DNS leads into the private network; it bounds
// what it reads; and it sends a user's headers only to the origin they were meant for.
package egress

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Defaults and fixed bounds.
const (
	DefaultMaxKept        = 1 << 20
	DefaultMaxRead        = 10 << 20
	DefaultConnectTimeout = 5 * time.Second
	MaxRedirects          = 5

	maxRequestBody   = 10 << 20
	maxURL           = 16 << 10
	maxHeaderBytes   = 64 << 10
	maxResponseHeads = 256 << 10
	maxDrain         = 64 << 10 // read from an answer that is not wanted, so that its connection can be used again
)

// Config says what a Client may do. The zero value allows public addresses only.
type Config struct {
	Allow          []string       // addresses, networks and hosts that are allowed beyond the public ones; see ParseAllow
	MaxKept        int64          // bytes of a body that are returned; 0: 1 MiB
	MaxRead        int64          // bytes of a body that are read at all, decompressed; 0: 10 MiB
	ConnectTimeout time.Duration  // for finding the address and connecting; 0: 5 s
	RootCAs        *x509.CertPool // nil: the machine's

	resolver *net.Resolver // for tests
}

// Client makes calls. It is safe for concurrent use and keeps connections open until Close.
type Client struct {
	plain   *way // of calls without rules
	ruled   ways
	maxKept int64
	maxRead int64
}

// New makes a Client; its error names each entry of cfg.Allow that cannot be read.
func New(cfg Config) (*Client, error) {
	allow, err := ParseAllow(cfg.Allow)
	if err != nil {
		return nil, err
	}
	c := &Client{maxKept: cfg.MaxKept, maxRead: cfg.MaxRead}
	if c.maxKept <= 0 {
		c.maxKept = DefaultMaxKept
	}
	if c.maxRead <= 0 {
		c.maxRead = DefaultMaxRead
	}
	c.maxRead = max(c.maxRead, c.maxKept)
	if cfg.ConnectTimeout <= 0 {
		cfg.ConnectTimeout = DefaultConnectTimeout
	}
	c.plain = cfg.way(newGuard(nil, allow))
	c.ruled = ways{known: map[string]*way{}, make: func(r Rules) (*way, error) {
		g, err := guardFor(allow, r)
		if err != nil {
			return nil, err
		}
		return cfg.way(g), nil
	}}
	return c, nil
}

// way makes a way that a guard watches over.
func (cfg Config) way(g *guard) *way {
	timeout := cfg.ConnectTimeout
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := g.early(address); err != nil {
			return nil, err
		}
		dialer := &net.Dialer{Timeout: timeout, Resolver: cfg.resolver, Control: g.control(address)}
		return dialer.DialContext(ctx, network, address)
	}
	return &way{dial: dial, transport: &http.Transport{
		Proxy:                  nil, // behind a proxy the dialer would see the proxy's address only
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    2 * timeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // its decompression has no bound
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    64,
		MaxConnsPerHost:        256,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxResponseHeads,
	}}
}

// Close closes idle connections; calls that are going on end undisturbed.
func (c *Client) Close() {
	c.plain.transport.CloseIdleConnections()
	c.ruled.close()
}

// Request is one call.
type Request struct {
	Method          string // empty: GET
	URL             string // http or https
	Header          http.Header
	Body            []byte
	FollowRedirects bool // up to MaxRedirects
}

// Response is an answer, of any status.
type Response struct {
	Status    int
	Header    http.Header // without those that described a compression which was undone
	Body      []byte      // decompressed; at most MaxKept bytes
	Truncated bool        // the body was longer
	URL       string      // where the answer came from, without query and password
	Redirects int         // how many were followed
}

// hop is one request on the way along redirects.
type hop struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

// Do makes the call within ctx, which should have a deadline: there is no other limit on the whole. Its error is an
// *Error. It obeys the rules of the context (Under). It never repeats a call by itself, except that net/http sends a GET, HEAD or OPTIONS once more when the kept
// connection turns out to be closed.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	response, err := c.call(ctx, r)
	var e *Error
	if errors.As(err, &e) {
		e.Sent = sent.Load()
	}
	return response, err
}

// call follows the redirects.
func (c *Client) call(ctx context.Context, r Request) (*Response, error) {
	at, err := firstHop(r)
	if err != nil {
		return nil, err
	}
	for redirects := 0; ; redirects++ {
		answer, err := c.send(ctx, at)
		if err != nil {
			return nil, err
		}
		location := answer.Header.Get("Location")
		if !r.FollowRedirects || !isRedirect(answer.StatusCode) || location == "" {
			response, err := c.read(ctx, at, answer)
			if err != nil {
				return nil, err
			}
			response.Redirects = redirects
			return response, nil
		}
		_, _ = io.CopyN(io.Discard, answer.Body, maxDrain)
		_ = answer.Body.Close()
		if redirects == MaxRedirects {
			return nil, failed(KindRedirect, nil, "%s redirects more than %d times", shownURL(at.url), MaxRedirects)
		}
		if at, err = at.follow(answer.StatusCode, location); err != nil {
			return nil, err
		}
	}
}

func firstHop(r Request) (hop, error) {
	at := hop{method: strings.ToUpper(r.Method), header: r.Header.Clone(), body: r.Body}
	switch at.method {
	case "":
		at.method = http.MethodGet
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		return at, failed(KindInvalid, nil, "the method %.20q cannot be used: use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS", r.Method)
	}
	if len(r.Body) > maxRequestBody {
		return at, failed(KindTooLarge, nil, "the request's body has %d bytes: at most %d", len(r.Body), maxRequestBody)
	}
	if err := checkHeader(at.header); err != nil {
		return at, err
	}
	if at.header == nil {
		at.header = http.Header{}
	}
	var err error
	if at.url, err = parseURL(r.URL); err != nil {
		return at, failed(KindInvalid, err, "%s", err)
	}
	if user := at.url.User; user != nil {
		if at.header.Get("Authorization") == "" {
			password, _ := user.Password()
			at.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
		}
		at.url.User = nil
	}
	return at, nil
}

func (c *Client) send(ctx context.Context, at hop) (*http.Response, error) {
	var body io.Reader
	if len(at.body) > 0 {
		body = bytes.NewReader(at.body)
	}
	request, err := http.NewRequestWithContext(ctx, at.method, at.url.String(), body)
	if err != nil {
		return nil, failed(KindInvalid, err, "the request cannot be made: %s", err)
	}
	// With GetBody net/http would repeat even a POST by itself when it carries an Idempotency-Key.
	request.GetBody = nil
	request.Header = at.header.Clone()
	if body == nil {
		respell(request.Header)
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
		request.Header.Del("Host")
	}
	if request.Header.Get("Accept-Encoding") == "" {
		request.Header.Set("Accept-Encoding", "gzip, deflate")
	}
	if _, ok := request.Header["User-Agent"]; !ok {
		request.Header.Set("User-Agent", "Orquestador")
	}
	way, err := c.way(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := way.transport.RoundTrip(request)
	if err != nil {
		return nil, explain(ctx, at.url, err)
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		_ = answer.Body.Close()
		return nil, failed(KindProtocol, nil, "%s switches to another protocol, which is not supported", shownURL(at.url))
	}
	return answer, nil
}

// respell writes the headers that make net/http repeat even a POST by itself, if it has no body, in a way that it does not
// look for; names of headers are the same in any case.
func respell(h http.Header) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = values
		}
	}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// keptAcrossOrigins are the headers that say nothing about who calls.
var keptAcrossOrigins = []string{"Accept", "Accept-Encoding", "Accept-Language", "User-Agent"}

// follow is the next hop. A user's headers may hold keys, under any name; they are meant for the origin the user typed.
func (h hop) follow(status int, location string) (hop, error) {
	target, err := h.url.Parse(location)
	if err == nil {
		target, err = parseURL(target.String())
	}
	if err != nil {
		return h, failed(KindRedirect, err, "%s redirects to an address that cannot be called: %s", shownURL(h.url), err)
	}
	target.User = nil
	next := hop{method: h.method, url: target, header: h.header.Clone(), body: h.body}
	turnsToGet := status == http.StatusSeeOther && h.method != http.MethodHead ||
		h.method == http.MethodPost && (status == http.StatusMovedPermanently || status == http.StatusFound)
	if turnsToGet {
		next.method, next.body = http.MethodGet, nil
	}
	if origin(h.url) != origin(target) {
		next.header = http.Header{}
		for _, name := range keptAcrossOrigins {
			if values := h.header.Values(name); len(values) > 0 {
				next.header[name] = values
			}
		}
		if next.body != nil && h.header.Get("Content-Type") != "" {
			next.header.Set("Content-Type", h.header.Get("Content-Type"))
		}
	}
	if next.body == nil {
		for name := range next.header {
			if strings.HasPrefix(name, "Content-") {
				next.header.Del(name)
			}
		}
	}
	return next, nil
}

func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// parseURL reads an absolute http or https URL.
func parseURL(raw string) (*url.URL, error) {
	if len(raw) > maxURL {
		return nil, fmt.Errorf("the URL has %d bytes: at most %d", len(raw), maxURL)
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, errors.New("the URL cannot be read") // it is not shown: it may hold a key, and is no URL to leave that out of
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the URL must begin with http:// or https://, here it is %q", u.Scheme)
	case u.Opaque != "" || u.Hostname() == "":
		return nil, fmt.Errorf("the URL names no host")
	case !httpguts.ValidHostHeader(u.Host):
		return nil, fmt.Errorf("the URL's host cannot be read")
	}
	if port := u.Port(); port != "" {
		if n, err := net.LookupPort("tcp", port); err != nil || n == 0 {
			return nil, errors.New("the URL's port is not a number from 1 to 65535")
		}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// ours are the headers that net/http writes, or that belong to one connection.
var ours = map[string]bool{
	"Connection": true, "Content-Length": true, "Expect": true, "Keep-Alive": true, "Proxy-Authorization": true,
	"Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

func checkHeader(h http.Header) error {
	size := 0
	for name, values := range h {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return failed(KindInvalid, nil, "the header name %.60q is not valid", name)
		case ours[http.CanonicalHeaderKey(name)]:
			return failed(KindInvalid, nil, "the header %s is set by the program and cannot be chosen", name)
		}
		for _, value := range values {
			// The value is not shown: it may be a secret.
			if !httpguts.ValidHeaderFieldValue(value) {
				return failed(KindInvalid, nil, "the value of the header %s holds a line break or another control character", name)
			}
			size += len(name) + len(value)
		}
	}
	if host := h.Get("Host"); host != "" && !httpguts.ValidHostHeader(host) {
		return failed(KindInvalid, nil, "the value of the header Host is not a host")
	}
	if size > maxHeaderBytes {
		return failed(KindTooLarge, nil, "the headers have %d bytes: at most %d", size, maxHeaderBytes)
	}
	return nil
}
