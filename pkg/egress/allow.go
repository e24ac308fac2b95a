package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
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

// ParseAllow reads an allow list, whose entries are as CheckEntry wants them. Empty entries are left out. Its error names every
// entry that cannot be read.
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

// CheckEntry says what is wrong with an entry of a list of addresses and hosts. An entry is a network (10.0.0.0/8), an
// address (127.0.0.1, ::1), an address with a port (127.0.0.1:9000, [::1]:9000), a host (intern.example.com), a host with a
// port (localhost:9000), or all hosts below a name (*.intern.example.com).
//
// A host is trusted to point anywhere but to the addresses where clouds keep their credentials; those must be listed
// as addresses.
func CheckEntry(entry string) error {
	var a Allow
	return a.add(entry)
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

// address tells whether an address is allowed, whatever led to it.
func (a Allow) address(socket netip.AddrPort) bool {
	return slices.Contains(a.sockets, socket) ||
		slices.ContainsFunc(a.prefixes, func(p netip.Prefix) bool { return p.Contains(socket.Addr().WithZone("")) })
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
