package sso

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// The codes of what goes wrong with a service.
const (
	Away       = "sso_away"   // it cannot be reached, or is ill; later it may work
	Distrusted = "sso_failed" // it answers, but nothing that proves anything
)

// explain turns an error of the libraries into one for people. What the service wrote stays in the log.
func (p *Provider) explain(err error) error {
	if _, known := fault.Of(err); known {
		return err
	}
	var call *url.Error // of http.Client: nothing came back
	if errors.As(err, &call) || errors.Is(err, context.DeadlineExceeded) {
		return &fault.Error{Kind: fault.Unavailable, Code: Away, Message: p.Name + " cannot be reached right now; try again later, or log in another way", Err: cut(err)}
	}
	return p.distrusted("%w", cut(err))
}

// distrusted refuses an answer, for a reason that goes to the log.
func (p *Provider) distrusted(reason string, args ...any) error {
	return &fault.Error{
		Kind: fault.Forbidden, Code: Distrusted, Err: fmt.Errorf(reason, args...),
		Message: p.Name + " could not confirm who you are; try again, or ask an administrator, who finds the reason in the log",
	}
}

// cut keeps whole pages out of the log: the libraries quote what the service answered.
func cut(err error) error {
	if text := err.Error(); len(text) > 500 {
		return fmt.Errorf("%.500q …", text)
	}
	return err
}

// healthy makes an error of what a service answers when something is wrong with it, which each library would read in a way
// of its own.
type healthy struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (h healthy) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := h.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // http.Client says which call it was
	}
	if answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests {
		_ = answer.Body.Close()
		return nil, fmt.Errorf("it answered %s", answer.Status)
	}
	return answer, nil
}
