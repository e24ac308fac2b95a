package egress

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// Whatever an allow list holds, it is read or refused, and never lets out more than it says: without an entry for them the
// addresses where clouds keep credentials stay closed.
func FuzzParseAllow(f *testing.F) {
	for _, seed := range []string{
		"10.0.0.0/8", "127.0.0.1", "[::1]:9000", "localhost:9000", "*.intern.example.com", "http://x", "::ffff:10.0.0.1/104", "0.0.0.0/0", "a..b", "*", "x:0",
		"fe80::1%eth0", "１0.0.0.0/8", "10.0.0.0/33", "x y", "\x00", "[::1", ".", "*.", "-", strings.Repeat("a", 300),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		allow, err := ParseAllow([]string{entry})
		if err != nil {
			return
		}
		if len(allow.prefixes)+len(allow.sockets)+len(allow.hosts) > 1 {
			t.Errorf("%q is more than one entry: %+v", entry, allow)
		}
		for _, p := range allow.prefixes {
			if !p.IsValid() || p != p.Masked() {
				t.Errorf("%q is the network %s", entry, p)
			}
		}
		for _, h := range allow.hosts {
			if h.name == "" || h.name == "." || strings.ContainsAny(h.name, " \t\r\n/@") {
				t.Errorf("%q is the host %q", entry, h.name)
			}
			if _, err := netip.ParseAddr(h.name); err == nil {
				t.Errorf("%q is an address, taken for the host %q", entry, h.name)
			}
		}
	})
}

// A URL that is called has a scheme, a host and perhaps a port that everybody reads the same way.
func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{
		"https://api.example.com/a?b=c#d", "http://127.1/", "http://[::ffff:127.0.0.1]:80/", "http://user:pw@h/", "//h/x", "gopher://h", "http:///x", "http://h:99999/",
		"http://[fe80::1%25lo]/", "http://①②⑦.⓪.⓪.①/", "http://a\r\nb/", "http://h\\@g/", "HTTP://H", "http://h:/", "http://%31.1.1.1/", "javascript:alert(1)", "http://a b/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := parseURL(raw)
		if err != nil {
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Fragment != "" {
			t.Errorf("%q is %q", raw, u)
		}
		if strings.ContainsAny(u.Host, " \r\n\t/\\") {
			t.Errorf("%q has the host %q", raw, u.Host)
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != u.Host {
			t.Errorf("%q is %q, which reads as %v, %v", raw, u, again, err)
		}
	})
}

// A body never gives more than is read of it, whatever it was packed with.
func FuzzReadBody(f *testing.F) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(bytes.Repeat([]byte("a"), 100_000)); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add("gzip", packed.Bytes())
	f.Add("gzip", packed.Bytes()[:20])
	f.Add("deflate", []byte{0x78, 0x9c, 1, 2, 3})
	f.Add("deflate", []byte{0x4b, 0x04, 0x00})
	f.Add("br", []byte("x"))
	f.Add("", []byte("hello"))
	c, err := New(Config{MaxKept: 1000, MaxRead: 5000})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		answer := &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Encoding": {coding}}, Body: io.NopCloser(bytes.NewReader(body)),
		}
		r, err := c.read(t.Context(), hop{url: &url.URL{Scheme: "http", Host: "h"}, method: http.MethodGet}, answer)
		if err == nil && len(r.Body) > 1000 {
			t.Errorf("%d bytes are kept", len(r.Body))
		}
	})
}
