package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Rules are what holds for the calls of a project, besides what the installation allows. The zero Rules change nothing.
type Rules struct {
	Allow []string // addresses, networks and hosts that may be called although they are not public
	Only  []string // when there are any: what may be called at all; what of that is not public has to be allowed besides
}

type rulesKey struct{}

// Under makes the calls that are made within the context obey the rules.
func Under(ctx context.Context, r Rules) context.Context {
	return context.WithValue(ctx, rulesKey{}, r)
}

// RulesOf are the rules that calls within the context obey; false when nobody said which.
func RulesOf(ctx context.Context) (Rules, bool) {
	r, ok := ctx.Value(rulesKey{}).(Rules)
	return r, ok
}

// key is the same for rules that say the same.
func (r Rules) key() string {
	list := func(entries []string) string {
		sorted := slices.Clone(entries)
		slices.Sort(sorted)
		return strings.Join(slices.Compact(sorted), ",")
	}
	return list(r.Allow) + "|" + list(r.Only)
}

// way is how calls leave under one set of rules: with connections of their own, since a connection was allowed under the
// rules under which it was made.
type way struct {
	transport *http.Transport
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
}

// mostWays bounds the ways that are kept, and with them connections. Of those beyond the one that was not used for longest is
// given up: its calls end undisturbed.
const mostWays = 64

// ways are those by rules.
type ways struct {
	make func(Rules) (*way, error)

	mu    sync.Mutex
	known map[string]*way
	order []string // keys, the one that was used last at the end
}

func (w *ways) under(r Rules) (*way, error) {
	key := r.key()
	w.mu.Lock()
	defer w.mu.Unlock()
	if known, ok := w.known[key]; ok {
		w.used(key)
		return known, nil
	}
	made, err := w.make(r)
	if err != nil {
		return nil, err
	}
	w.known[key] = made
	w.used(key)
	if len(w.order) > mostWays {
		oldest := w.order[0]
		w.known[oldest].transport.CloseIdleConnections()
		delete(w.known, oldest)
		w.order = w.order[1:]
	}
	return made, nil
}

func (w *ways) used(key string) {
	if i := slices.Index(w.order, key); i >= 0 {
		w.order = slices.Delete(w.order, i, i+1)
	}
	w.order = append(w.order, key)
}

func (w *ways) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.known {
		one.transport.CloseIdleConnections()
	}
}

// way is the one for calls within the context.
func (c *Client) way(ctx context.Context) (*way, error) {
	r, _ := RulesOf(ctx)
	if len(r.Allow) == 0 && len(r.Only) == 0 {
		return c.plain, nil
	}
	w, err := c.ruled.under(r)
	if err != nil { // it was checked when it was written
		return nil, failed(KindBlocked, err, "the project's rules for outgoing calls cannot be read, so that nothing is called; its owners and administrators can write them anew")
	}
	return w, nil
}

// guardFor makes the guard of rules on top of what the installation allows.
func guardFor(installation Allow, r Rules) (*guard, error) {
	allow, errAllow := ParseAllow(r.Allow)
	only, errOnly := ParseAllow(r.Only)
	if err := errors.Join(errAllow, errOnly); err != nil {
		return nil, err
	}
	if len(r.Only) == 0 {
		return newGuard(nil, installation, allow), nil
	}
	return newGuard(&only, installation, allow), nil
}
