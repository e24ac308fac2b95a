package egress

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// RoundTripper is the client for libraries that insist on an http.Client of their own: the same guard and the same bounds,
// and a body that is longer than MaxKept is an error, since a library would take its beginning for the whole. Its errors
// are *Error. It follows no redirects; the http.Client around it should not either.
func (c *Client) RoundTripper() http.RoundTripper { return roundTripper{c} }

type roundTripper struct{ client *Client }

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1)); err != nil {
			return nil, fmt.Errorf("read the request's body: %w", err)
		}
	}
	answer, err := t.client.Do(r.Context(), Request{Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: body})
	if err != nil {
		return nil, err
	}
	if answer.Truncated {
		return nil, failed(KindTooLarge, nil, "%s answered with more than %d bytes", shownURL(r.URL), t.client.maxKept)
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", answer.Status, http.StatusText(answer.Status)), StatusCode: answer.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: answer.Header,
		Body: io.NopCloser(bytes.NewReader(answer.Body)), ContentLength: int64(len(answer.Body)), Request: r,
	}, nil
}
