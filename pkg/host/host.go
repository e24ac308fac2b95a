// Package host knows how a destination host of HTTP steps is named, how much of it may be used, and what is known of its
// health. It touches neither database nor network.
package host

import (
	"math"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// KeyOf is the name of a URL's host: lower-case name and port, as in api.example.com:443; empty when the URL has none.
func KeyOf(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "443"
		if strings.EqualFold(u.Scheme, "http") {
			port = "80"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

var name = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_.])?$`)

// ParseKey reads what a person takes for a host: a name or an address, with a port or without, which then is 443.
func ParseKey(s string) (string, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"), "443"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || !name.MatchString(host) && net.ParseIP(host) == nil {
		return "", fault.At("host", "host", "%.60q is not a host; write a name and a port, as in api.example.com:443", s)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

// Limits are how much of a host all workers together may use; zero values do not limit.
type Limits struct {
	MaxConcurrent int     // calls at a time
	PerSecond     float64 // calls per second
	Burst         int     // calls at once after a pause; 1 when zero
}

// None tells whether there is nothing to keep to.
func (l Limits) None() bool { return l.MaxConcurrent == 0 && l.PerSecond == 0 }

// The greatest limits; more than that is none.
const (
	MaxConcurrent = 100_000
	MaxPerSecond  = 100_000
)

// Check reports what is wrong with limits that somebody wants to set.
func (l Limits) Check() error {
	switch {
	case l.None():
		return fault.At("", "no_limit", "give max_concurrent, per_second or both; to remove the limits, delete them")
	case l.MaxConcurrent < 0 || l.MaxConcurrent > MaxConcurrent:
		return fault.At("/max_concurrent", "range", "max_concurrent must be from 1 to %d", MaxConcurrent)
	case math.IsNaN(l.PerSecond) || l.PerSecond < 0 || l.PerSecond > MaxPerSecond:
		return fault.At("/per_second", "range", "per_second must be greater than 0, up to %d", MaxPerSecond)
	case l.Burst < 0 || l.Burst > MaxPerSecond:
		return fault.At("/burst", "range", "burst must be from 1 to %d", MaxPerSecond)
	}
	return nil
}

// State is what is known of a host that is not well; of the others nothing is.
type State struct {
	Host      string
	Failures  int           // calls that failed in a row
	ClosedFor time.Duration // from now on; zero when it takes calls
	Why       string        // it is closed, or its last call failed
}

// Breaker is when a host that fails gets no calls for a while.
type Breaker struct {
	Failures int           // in a row that close it; 0: never
	Cooldown time.Duration // for how long; it doubles each time that the call which tries again fails,
	Limit    time.Duration // up to this
}

// Refusal is why a step has to wait for a host.
type Refusal struct {
	Kind string // one of the kinds below
	Wait time.Duration
	Why  string // closed: what happened
}

// Why a host takes no call now.
const (
	Closed = "closed" // until an instant: it failed too often, or asked for it
	Probed = "probed" // one call is trying whether it is well again
	Full   = "full"   // as many calls as may be are under way
	Paced  = "paced"  // as many calls as may be were made this second
)
