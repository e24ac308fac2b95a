package egress

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// hostile is an address that must not be called. resolves is what a resolver that reads more notations than Go's makes of
// its host, as those of C libraries do, or what its name points to.
type hostile struct{ url, resolves string }

// hostileAddresses are by the trick.
var hostileAddresses = []struct {
	trick string
	list  []hostile
}{
	{"plain", []hostile{
		{"http://127.0.0.1/", ""},
		{"http://127.0.0.1:22/", ""},
		{"http://127.255.255.254/", ""},
		{"http://0.0.0.0/", ""},
		{"http://0.1.2.3/", ""},
		{"http://10.0.0.1/", ""},
		{"http://172.16.0.1/", ""},
		{"http://172.31.255.255/", ""},
		{"http://192.168.1.1/", ""},
		{"https://192.168.1.1/", ""},
	}},
	{"networks for special use", []hostile{
		{"http://100.64.0.1/", ""},
		{"http://100.127.255.254/", ""},
		{"http://192.0.0.8/", ""},
		{"http://192.0.2.1/", ""},
		{"http://192.88.99.1/", ""},
		{"http://198.18.0.1/", ""},
		{"http://198.51.100.1/", ""},
		{"http://203.0.113.1/", ""},
		{"http://224.0.0.1/", ""},
		{"http://240.0.0.1/", ""},
		{"http://255.255.255.255/", ""},
	}},
	{"metadata of clouds", []hostile{
		{"http://169.254.169.254/latest/meta-data/", ""},
		{"http://169.254.170.2/", ""},
		{"http://169.254.170.23/", ""},
		{"http://169.254.169.123/", ""},
		{"http://168.63.129.16/", ""},
		{"http://100.100.100.200/", ""},
		{"http://192.0.0.192/", ""},
		{"http://[fd00:ec2::254]/", ""},
		{"http://[fd20:ce::254]/", ""},
		{"http://metadata.google.internal/", "169.254.169.254"},
		{"http://metadata/", "169.254.169.254"},
		{"http://metadata.azure.test/", "168.63.129.16"},
		{"http://metadata.aws.test/", "fd00:ec2::254"},
	}},
	{"decimal, octal, hexadecimal, short", []hostile{
		{"http://2130706433/", "127.0.0.1"},
		{"http://017700000001/", "127.0.0.1"},
		{"http://0x7f000001/", "127.0.0.1"},
		{"http://0x7f.0x0.0x0.0x1/", "127.0.0.1"},
		{"http://0177.0.0.1/", "127.0.0.1"},
		{"http://0177.0000.0000.0001/", "127.0.0.1"},
		{"http://127.1/", "127.0.0.1"},
		{"http://127.0.1/", "127.0.0.1"},
		{"http://0x7f.1/", "127.0.0.1"},
		{"http://0/", "0.0.0.0"},
		{"http://2852039166/", "169.254.169.254"},
		{"http://0xa9fea9fe/", "169.254.169.254"},
		{"http://0251.0376.0251.0376/", "169.254.169.254"},
		{"http://0xa9.0xfe.0xa9.0xfe/", "169.254.169.254"},
		{"http://169.254.43518/", "169.254.169.254"},
		{"http://167772161/", "10.0.0.1"},
		{"http://10.1/", "10.0.0.1"},
		{"http://127.0.0.1./", "127.0.0.1"},
		{"http://000127.0.0.1/", "127.0.0.1"},
	}},
	{"IPv6", []hostile{
		{"http://[::]/", ""},
		{"http://[::1]/", ""},
		{"http://[0:0:0:0:0:0:0:1]/", ""},
		{"http://[0000:0000:0000:0000:0000:0000:0000:0001]/", ""},
		{"http://[fe80::1]/", ""},
		{"http://[fec0::1]/", ""},
		{"http://[fc00::1]/", ""},
		{"http://[fdff:ffff::1]/", ""},
		{"http://[ff02::1]/", ""},
		{"http://[100::1]/", ""},
		{"http://[2001:db8::1]/", ""},
		{"http://[3fff::1]/", ""},
		{"http://[5f00::1]/", ""},
		{"http://[2001:10::1]/", ""},
	}},
	{"IPv6 with a zone", []hostile{
		{"http://[fe80::1%25lo]/", ""}, {"http://[fe80::1%25eth0]/", ""}, {"http://[::1%25lo]/", ""}, {"http://[::1%251]/", ""},
	}},
	{"IPv4 within IPv6: mapped, compatible", []hostile{
		{"http://[::ffff:127.0.0.1]/", ""},
		{"http://[::ffff:7f00:1]/", ""},
		{"http://[::ffff:10.0.0.1]/", ""},
		{"http://[::ffff:a9fe:a9fe]/", ""},
		{"http://[::ffff:0:127.0.0.1]/", ""},
		{"http://[::127.0.0.1]/", ""},
		{"http://[::169.254.169.254]/", ""},
		{"http://[::ffff:168.63.129.16]/", ""},
		{"http://[0:0:0:0:0:ffff:c0a8:101]/", ""},
	}},
	{"IPv4 within IPv6: NAT64, 6to4, Teredo, ISATAP", []hostile{
		{"http://[64:ff9b::7f00:1]/", ""},
		{"http://[64:ff9b::10.0.0.1]/", ""},
		{"http://[64:ff9b::169.254.169.254]/", ""},
		{"http://[64:ff9b:1::1]/", ""},
		{"http://[2002:7f00:1::]/", ""},
		{"http://[2002:a9fe:a9fe::]/", ""},
		{"http://[2002:c0a8:101::1]/", ""},
		{"http://[2001::1]/", ""},
		{"http://[2001:0:53aa:64c:0:fbff:80ff:fffe]/", ""},
		{"http://[fe80::5efe:127.0.0.1]/", ""},
	}},
	{"names that lead inside", []hostile{
		{"http://localhost/", ""},
		{"http://LOCALHOST/", ""},
		{"http://localhost./", "127.0.0.1"},
		{"http://a.localhost/", "127.0.0.1"},
		{"http://private.test/", "10.0.0.1"},
		{"http://LoopBack.Test./", "127.0.0.1"},
		{"http://zero.test/", "0.0.0.0"},
		{"http://mapped.test/", "::ffff:127.0.0.1"},
		{"http://six.test/", "::1"},
		{"http://local.test/", "fe80::1"},
		{"http://unique.test/", "fd12:3456::1"},
		{"http://nat64.test/", "64:ff9b::a9fe:a9fe"},
		{"http://127.0.0.1.nip.test/", "127.0.0.1"},
		{"http://cgnat.test/", "100.64.0.1"},
	}},
	{"names with several addresses", []hostile{
		{"http://several.test/", "10.0.0.1 192.168.0.1"}, {"http://both.test/", "127.0.0.1 ::1"}, {"http://mixed.test/", "169.254.169.254 fd00:ec2::254"},
	}},
	{"other digits and dots", []hostile{
		{"http://①②⑦.⓪.⓪.①/", "127.0.0.1"},
		{"http://１２７.０.０.１/", "127.0.0.1"},
		{"http://127。0。0。1/", "127.0.0.1"},
		{"http://127．0．0．1/", "127.0.0.1"},
		{"http://127｡0｡0｡1/", "127.0.0.1"},
		{"http://ⓛocalhost/", "127.0.0.1"},
		{"http://loc\u00adalhost/", "127.0.0.1"},
		{"http://%31%32%37.0.0.1/", "127.0.0.1"},
		{"http://127%2e0%2e0%2e1/", "127.0.0.1"},
	}},
	{"userinfo, fragments, slashes", []hostile{
		{"http://example.com@127.0.0.1/", ""},
		{"http://example.com:80@127.0.0.1/", ""},
		{"http://127.0.0.1:80@169.254.169.254/", ""},
		{"http://example.com%2f@10.0.0.1/", ""},
		{"http://example.com%23@127.0.0.1/", ""},
		{"http://127.0.0.1#@example.com/", ""},
		{"http://127.0.0.1?@example.com/", ""},
		{"http://127.0.0.1/@example.com/", ""},
		{"http://example.com\\@127.0.0.1/", ""},
		{"http://127.0.0.1\\.example.com/", ""},
		{"http://127.0.0.1%00.example.com/", ""},
		{"http://127.0.0.1%09/", ""},
		{"http:127.0.0.1/", ""},
		{"http:/127.0.0.1/", ""},
		{"http:///127.0.0.1/", ""},
		{"HTTP://127.0.0.1/", ""},
		{" http://127.0.0.1/ ", ""},
	}},
	{"other schemes", []hostile{
		{"file:///etc/passwd", ""},
		{"gopher://127.0.0.1:6379/_INFO", ""},
		{"dict://127.0.0.1:11211/", ""},
		{"ftp://127.0.0.1/", ""},
		{"ldap://127.0.0.1/", ""},
		{"unix:///var/run/docker.sock", ""},
		{"jar:http://127.0.0.1!/", ""},
	}},
}

// TestHostileAddresses: none of these may be dialed, neither when a step names it nor when somebody redirects there. go test -v
// prints the table.
func TestHostileAddresses(t *testing.T) {
	known := map[string][]string{}
	seen := map[string]bool{}
	for _, group := range hostileAddresses {
		for _, h := range group.list {
			if seen[h.url] {
				t.Errorf("%s is there twice", h.url)
			}
			seen[h.url] = true
			if u, err := url.Parse(strings.TrimSpace(h.url)); err == nil && h.resolves != "" {
				known[strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")] = []string{h.resolves}
			}
		}
	}
	home := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusFound)
	})
	// That one server of the test is allowed, and nothing else.
	c := newClient(t, Config{Allow: []string{strings.TrimPrefix(home.URL, "http://")}, resolver: newNames(t, known)})
	var table strings.Builder
	n := 0
	for _, group := range hostileAddresses {
		fmt.Fprintf(&table, "\n%s\n", group.trick)
		for _, h := range group.list {
			n++
			direct := refusalOf(t, c, h)
			h.refusedOnceResolved(t)
			_, err := c.Do(t.Context(), Request{URL: home.URL + "/?to=" + url.QueryEscape(h.url), FollowRedirects: true})
			redirected := kindOf(t, "a redirect to "+h.url, err)
			fmt.Fprintf(&table, "  %3d  %-55s %-22s %-8s redirect: %s\n", n, h.url, cmp.Or(h.resolves, "-"), direct, redirected)
		}
	}
	if n < 60 {
		t.Errorf("there are only %d addresses", n)
	}
	t.Logf("%d addresses, what each points to, and how it is refused:\n%s", n, table.String())
}

// refusalOf is how a call is refused. One that is blocked says what would allow it, and does not tell what is behind a name.
func refusalOf(t *testing.T, c *Client, h hostile) Kind {
	t.Helper()
	_, err := c.Do(t.Context(), Request{URL: h.url})
	kind := kindOf(t, h.url, err)
	if kind != KindBlocked {
		return kind
	}
	if !strings.Contains(err.Error(), Setting+"=") {
		t.Errorf("%s: %s: it does not say what would allow it", h.url, err)
	}
	for _, address := range strings.Fields(h.resolves) {
		if strings.Contains(err.Error(), address) && !strings.Contains(h.url, address) {
			t.Errorf("%s: the message tells the private address: %s", h.url, err)
		}
	}
	return kind
}

// refusedOnceResolved makes sure that a resolver which reads more notations than Go's is no way around: the address is what
// counts.
func (h hostile) refusedOnceResolved(t *testing.T) {
	t.Helper()
	for _, address := range strings.Fields(h.resolves) {
		var refused *blocked
		if err := newGuard(nil).control("some.test:80")("tcp", net.JoinHostPort(address, "80"), nil); !errors.As(err, &refused) {
			t.Errorf("%s: %s may be dialed (%v)", h.url, address, err)
		}
	}
}

func kindOf(t *testing.T, what string, err error) Kind {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%s: %v, want it refused", what, err)
		return ""
	}
	switch e.Kind {
	case KindBlocked, KindDNS, KindInvalid, KindRedirect: // nothing was dialed
	default:
		t.Errorf("%s: %s (%s), want it refused before anything is dialed", what, e.Kind, e.Message)
	}
	return e.Kind
}

// Of a name with several addresses only those are dialed that may be.
func TestANameWithSeveralAddresses(t *testing.T) {
	called := false
	inside := serve(t, func(http.ResponseWriter, *http.Request) { called = true }) // at 127.0.0.1
	port := inside.URL[strings.LastIndexByte(inside.URL, ':')+1:]
	for _, answer := range []string{"127.0.0.9 127.0.0.1", "127.0.0.1 127.0.0.9"} {
		// At the other one, which may be called, nobody listens.
		c := newClient(t, Config{Allow: []string{"127.0.0.9"}, resolver: newNames(t, map[string][]string{"several.test": {answer}})})
		if _, err := c.Do(t.Context(), Request{URL: "http://several.test:" + port + "/"}); err == nil || called {
			t.Errorf("%s: the address that is not public was called (%v)", answer, err)
		}
	}
}
