package oidctest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Start starts an issuer on this machine that ends with the test.
func Start(t testing.TB, redirects []string, people ...Person) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Serve(listener, "127.0.0.1", redirects, people...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

var hiddenID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// Visit does what somebody does whose browser is sent to address: they log in on the issuer's page, and are sent back with
// what it answers. It goes to the issuer only.
func (s *Server) Visit(ctx context.Context, address, name string) (back *url.URL, err error) {
	form, err := s.follow(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	id := hiddenID.FindStringSubmatch(form.page)
	if id == nil {
		return form.back(s)
	}
	answer, err := s.follow(ctx, http.MethodPost, s.URL+"/login/username", url.Values{"username": {name}, "password": {name}, "id": {id[1]}})
	if err != nil {
		return nil, err
	}
	return answer.back(s)
}

// page is where somebody has got to: a page of the issuer, or an address elsewhere.
type page struct{ page, elsewhere string }

func (p page) back(s *Server) (*url.URL, error) {
	if p.elsewhere == "" {
		return nil, fmt.Errorf("%s shows a page: %.500s", s.URL, p.page)
	}
	return url.Parse(p.elsewhere) //nolint:wrapcheck // it says which address
}

// follow follows redirects as long as they stay with the issuer.
func (s *Server) follow(ctx context.Context, method, address string, form url.Values) (page, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for {
		if !strings.HasPrefix(address, s.URL+"/") {
			return page{elsewhere: address}, nil
		}
		r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
		if err != nil {
			return page{}, fmt.Errorf("visit: %w", err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := client.Do(r)
		if err != nil {
			return page{}, fmt.Errorf("visit: %w", err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return page{}, fmt.Errorf("visit: %w", err)
		}
		to, err := answer.Location()
		if err != nil {
			return page{page: string(body)}, nil //nolint:nilerr // it is a page, no redirect
		}
		method, address, form = http.MethodGet, to.String(), nil
	}
}
