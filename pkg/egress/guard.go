package egress

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"code.dny.dev/ssrf"
)

// guard decides about each address just before it is dialed.
type guard struct {
	allow    []Allow // of the installation, and of the project
	only     *Allow  // what the project may call at all; nil: anything
	guardian *ssrf.Guardian
}

func newGuard(only *Allow, allow ...Allow) *guard {
	var v4, v6 []netip.Prefix
	for _, a := range allow {
		for _, p := range a.prefixes {
			if p.Addr().Is4() {
				v4 = append(v4, p)
			} else {
				v6 = append(v6, p)
			}
		}
	}
	return &guard{only: only, allow: allow, guardian: ssrf.New(
		ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(v4...),
		ssrf.WithAllowedV6Prefixes(v6...),
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")),
	)}
}

// early refuses a host that no address could make right, before its name is looked up: that tells its name servers something.
func (g *guard) early(target string) error {
	if g.only == nil || len(g.only.prefixes) > 0 || len(g.only.sockets) > 0 {
		return nil
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return &unlisted{host: target}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || !g.only.host(host, uint16(n)) {
		return &unlisted{host: host}
	}
	return nil
}

// control is net.Dialer's Control for a dial of target, the host:port that was asked for.
func (g *guard) control(target string) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, c syscall.RawConn) error {
		host, _, err := net.SplitHostPort(target)
		if err != nil {
			return &blocked{host: target}
		}
		socket, err := netip.ParseAddrPort(address)
		if err != nil {
			return &blocked{host: host}
		}
		socket = netip.AddrPortFrom(socket.Addr().Unmap(), socket.Port())
		if g.only != nil && !g.only.host(host, socket.Port()) && !g.only.address(socket) {
			return &unlisted{host: host}
		}
		if slices.ContainsFunc(g.allow, func(a Allow) bool { return slices.Contains(a.sockets, socket) }) {
			return nil
		}
		inCloud := slices.ContainsFunc(clouds, func(p netip.Prefix) bool { return p.Contains(socket.Addr().WithZone("")) })
		if !inCloud && slices.ContainsFunc(g.allow, func(a Allow) bool { return a.host(host, socket.Port()) }) {
			return nil
		}
		if err := g.guardian.Safe(network, socket.String(), c); err != nil {
			return &blocked{host: host, cause: err}
		}
		return nil
	}
}

// blocked is the refusal of an address that is not public. The address behind a name is not told: it would map the private
// network.
type blocked struct {
	host  string
	cause error
}

func (b *blocked) Error() string {
	kind := "points to an address that is not public"
	if _, err := netip.ParseAddr(b.host); err == nil {
		kind = "is not a public address"
	}
	return fmt.Sprintf("%s %s, and calls to it are blocked; an administrator can allow it with the setting %s=%s, or for this project alone under Administration",
		b.host, kind, Setting, b.host)
}

func (b *blocked) Unwrap() error { return b.cause }

// unlisted is the refusal of a host that a project's own list does not name.
type unlisted struct{ host string }

func (u *unlisted) Error() string {
	return u.host + " is not in the list of hosts that this project may call; its owners and admins can add it on the project's page, under Outgoing calls"
}
