package workflow

import (
	"encoding/json"
	"strings"
)

// What becomes of an attempt of which nobody knows whether it happened: its worker was lost after it may have been sent.
const (
	UnknownRetry = "retry" // it is made again, under the same key
	UnknownFail  = "fail"  // the step fails
	UnknownHold  = "hold"  // a person decides
)

// UnknownPolicy is the step's, or the default: what may be done twice is; what may not waits for a person.
func (s Step) UnknownPolicy() string {
	if s.OnUnknown != "" {
		return s.OnUnknown
	}
	if method, _ := s.call(); method == "POST" || method == "PATCH" {
		return UnknownHold
	}
	if action, ok := ActionOf(s.Action); ok && action.Once {
		return UnknownHold
	}
	return UnknownRetry
}

// Deed names what a step does, for people: its action or, of an http_endpoint step, the call: POST
// https://api.example.com/orders. It is the URL as written, without what may be secret in it.
func (s Step) Deed() string {
	if s.Action != ActionHTTP {
		return s.Action
	}
	method, url := s.call()
	if scheme, rest, found := strings.Cut(url, "://"); found {
		authority, path, _ := strings.Cut(rest, "/")
		if at := strings.LastIndex(authority, "@"); at >= 0 {
			authority = authority[at+1:]
		}
		url = strings.TrimSuffix(scheme+"://"+authority+"/"+path, "/")
	}
	url, _, _ = strings.Cut(url, "?")
	return strings.TrimSpace(method + " " + url)
}

// call reads the request of an http_endpoint step; both are empty for others.
func (s Step) call() (method, url string) {
	if s.Action != ActionHTTP {
		return "", ""
	}
	var c struct{ Method, URL string }
	if json.Unmarshal(s.Config, &c) != nil {
		return "", ""
	}
	if c.Method == "" {
		c.Method = "GET"
	}
	return c.Method, c.URL
}

func checkUnknown(c *collector, at string, s Step, leaves bool) {
	switch s.OnUnknown {
	case "":
	case UnknownRetry, UnknownFail, UnknownHold:
		if !leaves {
			c.add(at, "on_unknown", "only a step that calls outside can end in a way that nobody knows; leave it out")
		}
	default:
		c.add(at, "on_unknown", "%q is not known; use retry, fail or hold", s.OnUnknown)
	}
}
