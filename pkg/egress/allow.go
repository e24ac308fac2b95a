package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// Setting is the name of the setting that holds the allow list.
const Setting = "ORQ_EGRESS_ALLOW"

// Allow is what may be called beyond public addresses.
type Allow struct {
	prefixes []netip.Prefix
	sockets  []netip.AddrPort
	hosts    []hostRule
}

type hostRule struct {
	name string // lower case, without final dot; ".example.com" stands for all below example.com
	port uint16 // 0: any
}

// ParseAllow reads an allow list. An entry is a network (10.0.0.0/8), an address (127.0.0.1, ::1), an address with a
// port (127.0.0.1:9000, [::1]:9000), a host (intern.example.com), a host with a port (localhost:9000), or all hosts
// below a name (*.intern.example.com). Empty entries are left out. Its error names every entry that cannot be read.
//
// A host is trusted to point anywhere but to the addresses where clouds keep their credentials; those must be listed
// as addresses.
func ParseAllow(list []string) (Allow, error) {
	var a Allow
	var errs []error
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		if err := a.add(entry); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q %w", Setting, entry, err))
		}
	}
	return a, errors.Join(errs...)
}

func (a *Allow) add(entry string) error {
	if strings.Contains(entry, "://") {
		return errors.New("is a URL: give its host, or host:port")
	}
	if prefix, err := netip.ParsePrefix(entry); err == nil {
		a.prefixes = append(a.prefixes, prefix.Masked())
		return nil
	}
	if strings.Contains(entry, "/") {
		return errors.New("is not a network such as 10.0.0.0/8")
	}
	if address, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil {
		address = address.Unmap()
		a.prefixes = append(a.prefixes, netip.PrefixFrom(address, address.BitLen()))
		return nil
	}
	if socket, err := netip.ParseAddrPort(entry); err == nil {
		a.sockets = append(a.sockets, netip.AddrPortFrom(socket.Addr().Unmap(), socket.Port()))
		return nil
	}
	rule := hostRule{}
	name, port, found := strings.Cut(entry, ":")
	if found {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return errors.New("has a port that is no number from 1 to 65535")
		}
		rule.port = uint16(n)
	}
	rule.name = canonical(strings.TrimPrefix(name, "*"))
	if !hostName(strings.TrimPrefix(rule.name, ".")) || strings.HasPrefix(name, "*") && !strings.HasPrefix(rule.name, ".") {
		return errors.New("is no address, network or host")
	}
	a.hosts = append(a.hosts, rule)
	return nil
}

func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return false // an address in another notation, such as 127.1 (https://url.spec.whatwg.org/#ends-in-a-number-checker)
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, r := range label {
			if r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
				return false
			}
		}
	}
	return true
}

// host tells whether a name is allowed, whatever it points to.
func (a Allow) host(name string, port uint16) bool {
	name = canonical(name)
	return slices.ContainsFunc(a.hosts, func(r hostRule) bool {
		same := r.name == name || strings.HasPrefix(r.name, ".") && strings.HasSuffix(name, r.name)
		return same && (r.port == 0 || r.port == port)
	})
}

// clouds are the addresses at which clouds hand out credentials; the first network is link-local as a whole.
var clouds = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure; a public address by its number
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
	netip.MustParsePrefix("fe80::/10"),
}

// guard decides about each address just before it is dialed.
type guard struct {
	allow    Allow
	guardian *ssrf.Guardian
}

func newGuard(allow Allow) *guard {
	var v4, v6 []netip.Prefix
	for _, p := range allow.prefixes {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return &guard{allow: allow, guardian: ssrf.New(
		ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(v4...),
		ssrf.WithAllowedV6Prefixes(v6...),
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")),
	)}
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
		if slices.Contains(g.allow.sockets, socket) {
			return nil
		}
		inCloud := slices.ContainsFunc(clouds, func(p netip.Prefix) bool { return p.Contains(socket.Addr().WithZone("")) })
		if !inCloud && g.allow.host(host, socket.Port()) {
			return nil
		}
		if err := g.guardian.Safe(network, socket.String(), c); err != nil {
			return &blocked{host: host, cause: err}
		}
		return nil
	}
}

// blocked is the refusal of an address. The address behind a name is not told: it would map the private network.
type blocked struct {
	host  string
	cause error
}

func (b *blocked) Error() string {
	kind := "points to an address that is not public"
	if _, err := netip.ParseAddr(b.host); err == nil {
		kind = "is not a public address"
	}
	return fmt.Sprintf("%s %s, and calls to it are blocked; an administrator can allow it with the setting %s=%s",
		b.host, kind, Setting, b.host)
}

func (b *blocked) Unwrap() error { return b.cause }
