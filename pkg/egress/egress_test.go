package egress

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	if cfg.resolver == nil {
		cfg.resolver = newNames(t, nil)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s
}

func wantKind(t *testing.T, err error, kind Kind) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	if e.Kind != kind {
		t.Fatalf("%s: %s (%v); want %s", e.Kind, e.Message, e.Err, kind)
	}
	return e
}

func TestANameThatChanges(t *testing.T) {
	hits := atomic.Int32{}
	s := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	// The first answer is harmless, and would pass a check made before dialing.
	resolver := newNames(t, map[string][]string{"rebind.test": {"203.0.113.1", "127.0.0.1"}})
	c := newClient(t, Config{resolver: resolver})
	for range 3 {
		_, err := c.Do(t.Context(), Request{URL: "http://rebind.test" + port + "/"})
		wantKind(t, err, KindBlocked)
	}
	if hits.Load() != 0 {
		t.Fatal("it was called")
	}
}

func TestAllowList(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	u, _ := url.Parse(s.URL)
	port := u.Port()
	for _, c := range []struct {
		allow string
		url   string
		works bool
	}{
		{"127.0.0.1", "http://127.0.0.1:" + port, true},
		{"127.0.0.0/8", "http://127.0.0.1:" + port, true},
		{"127.0.0.1:" + port, "http://127.0.0.1:" + port, true},
		{"127.0.0.1:1", "http://127.0.0.1:" + port, false},
		{"127.0.0.2", "http://127.0.0.1:" + port, false},
		{"10.0.0.0/8", "http://127.0.0.1:" + port, false},
		{"127.0.0.1", "http://[::ffff:127.0.0.1]:" + port, true},
		{"127.0.0.1", "http://in.test:" + port, true},
		{"in.test", "http://in.test:" + port, true},
		{"IN.test.", "http://in.TEST.:" + port, true},
		{"in.test:" + port, "http://in.test:" + port, true},
		{"in.test:1", "http://in.test:" + port, false},
		{"in.test", "http://127.0.0.1:" + port, false},
		{"in.test", "http://other.test:" + port, false},
		{"*.in.test", "http://a.in.test:" + port, true},
		{"*.in.test", "http://in.test:" + port, false},
		{"*.in.test", "http://evilin.test:" + port, false},
		{"localhost:" + port, "http://localhost:" + port, true},
	} {
		client := newClient(t, Config{Allow: []string{" " + c.allow + " ", ""}, resolver: newNames(t, map[string][]string{
			"in.test": {"127.0.0.1"}, "other.test": {"127.0.0.1"}, "a.in.test": {"127.0.0.1"}, "evilin.test": {"127.0.0.1"},
		})})
		r, err := client.Do(t.Context(), Request{URL: c.url})
		switch {
		case c.works && (err != nil || string(r.Body) != "hello"):
			t.Errorf("allow %s: %s = %v", c.allow, c.url, err)
		case !c.works:
			wantKind(t, err, KindBlocked)
		}
	}
	// A name that is allowed must not lead to where clouds keep credentials.
	client := newClient(t, Config{Allow: []string{"in.test"}, resolver: newNames(t, map[string][]string{"in.test": {"169.254.169.254"}})})
	_, err := client.Do(t.Context(), Request{URL: "http://in.test/"})
	wantKind(t, err, KindBlocked)
}

func TestBadAllowLists(t *testing.T) {
	for entry, says := range map[string]string{
		"http://x.test":          "is a URL",
		"10.0.0.0/33":            "is not a network",
		"x.test/8":               "is not a network",
		"x.test:0":               "port",
		"x.test:http":            "port",
		"*":                      "no address, network or host",
		"*x.test":                "no address, network or host",
		"a..b":                   "no address, network or host",
		"a b":                    "no address, network or host",
		"-,x":                    "no address, network or host",
		strings.Repeat("a", 300): "no address, network or host",
	} {
		_, err := ParseAllow([]string{"127.0.0.1", entry})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), Setting) {
			t.Errorf("ParseAllow(%q) = %v, want %s", entry, err, says)
		}
	}
	if _, err := New(Config{Allow: []string{"*", "x.test:0"}}); err == nil || strings.Count(err.Error(), Setting) != 2 {
		t.Errorf("New = %v, want both entries named", err)
	}
}

func TestBadRequests(t *testing.T) {
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	for name, r := range map[string]Request{
		"no URL":            {},
		"no scheme":         {URL: "example.com"},
		"file":              {URL: "file:///etc/passwd"},
		"gopher":            {URL: "gopher://127.0.0.1/"},
		"no host":           {URL: "http:///x"},
		"opaque":            {URL: "http:x"},
		"port 0":            {URL: "http://127.0.0.1:0/"},
		"port too large":    {URL: "http://127.0.0.1:70000/"},
		"control character": {URL: s.URL + "/\r\nX: y"},
		"host with a break": {URL: "http://127.0.0.1%0d%0a/"},
		"too long":          {URL: s.URL + "/" + strings.Repeat("a", 20_000)},
		"CONNECT":           {URL: s.URL, Method: "CONNECT"},
		"method with break": {URL: s.URL, Method: "GET / HTTP/1.1\r\nX: y"},
		"header value CRLF": {URL: s.URL, Header: http.Header{"X-A": {"a\r\nX-B: b"}}},
		"header value LF":   {URL: s.URL, Header: http.Header{"X-A": {"a\nb"}}},
		"header value NUL":  {URL: s.URL, Header: http.Header{"X-A": {"a\x00b"}}},
		"header name CRLF":  {URL: s.URL, Header: http.Header{"X-A\r\nX-B": {"a"}}},
		"header name empty": {URL: s.URL, Header: http.Header{"": {"a"}}},
		"header name colon": {URL: s.URL, Header: http.Header{"X:A": {"a"}}},
		"header of ours":    {URL: s.URL, Header: http.Header{"transfer-encoding": {"chunked"}}},
		"content length":    {URL: s.URL, Header: http.Header{"Content-Length": {"5"}}},
		"bad host header":   {URL: s.URL, Header: http.Header{"Host": {"a b"}}},
	} {
		_, err := c.Do(t.Context(), r)
		if err == nil {
			t.Errorf("%s: it was accepted", name)
			continue
		}
		if e := wantKind(t, err, KindInvalid); strings.Contains(e.Message, "X-B: b") {
			t.Errorf("%s: the message shows the value: %s", name, e.Message)
		}
	}
	_, err := c.Do(t.Context(), Request{URL: s.URL, Header: http.Header{"X": {strings.Repeat("a", 70_000)}}})
	wantKind(t, err, KindTooLarge)
	_, err = c.Do(t.Context(), Request{URL: s.URL, Method: "POST", Body: make([]byte, 11<<20)})
	wantKind(t, err, KindTooLarge)
}

func TestWhatIsSent(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		w.Header().Set("X-Seen", fmt.Sprintf("%s %s %s %q %s:%s %s", r.Method, r.URL, r.Header.Get("X-Key"), body, user, password, r.Host))
		w.WriteHeader(http.StatusTeapot)
	})
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	at := strings.Replace(s.URL, "http://", "http://ana:pass@", 1) + "/a?b=c#d"
	r, err := c.Do(t.Context(), Request{Method: "put", URL: at, Header: http.Header{"X-Key": {"k"}, "Host": {"h.test"}}, Body: []byte("body")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Header.Get("X-Seen"), `PUT /a?b=c k "body" ana:pass h.test`; got != want || r.Status != http.StatusTeapot {
		t.Errorf("seen %s, status %d", got, r.Status)
	}
	if r.URL != s.URL+"/a" {
		t.Errorf("URL = %s; it must not show password and query", r.URL)
	}
}

func TestRedirects(t *testing.T) {
	var other *httptest.Server
	seen := func(r *http.Request) string {
		body, _ := io.ReadAll(r.Body)
		return fmt.Sprintf("%s key=%s auth=%s type=%s accept=%s body=%s", r.Method, r.Header.Get("X-Api-Key"),
			r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Accept"), body)
	}
	other = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if back := r.URL.Query().Get("back"); back != "" {
			http.Redirect(w, r, back, http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprint(w, seen(r))
	})
	home := serve(t, nil)
	home.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &status); err != nil {
			fmt.Fprint(w, seen(r))
			return
		}
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(status)
	})
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	const same = "key=k auth=Bearer t type=text/plain accept=a"
	for _, test := range []struct{ method, path, to, want string }{
		{"POST", "/307", "/end", "POST " + same + " body=b"},
		{"POST", "/308", home.URL + "/end", "POST " + same + " body=b"},
		{"PUT", "/302", "/end", "PUT " + same + " body=b"},
		{"POST", "/302", "/end", "GET key=k auth=Bearer t type= accept=a body="},
		{"POST", "/301", "/end", "GET key=k auth=Bearer t type= accept=a body="},
		{"PUT", "/303", "/end", "GET key=k auth=Bearer t type= accept=a body="},
		{"POST", "/307", other.URL + "/end", "POST key= auth= type=text/plain accept=a body=b"},
		{"POST", "/303", other.URL + "/end", "GET key= auth= type= accept=a body="},
		// Back home, the headers stay away: the way led through somebody else.
		{"POST", "/307", other.URL + "/?back=" + url.QueryEscape(home.URL+"/end"), "POST key= auth= type=text/plain accept=a body=b"},
		// A password that a redirect brings along is not sent.
		{"GET", "/302", strings.Replace(other.URL, "http://", "http://u:p@", 1), "GET key= auth= type= accept=a body="},
	} {
		body := []byte("b")
		if test.method == "GET" {
			body = nil
		}
		r, err := c.Do(t.Context(), Request{
			Method: test.method, URL: home.URL + test.path + "?to=" + url.QueryEscape(test.to), FollowRedirects: true, Body: body,
			Header: http.Header{"X-Api-Key": {"k"}, "Authorization": {"Bearer t"}, "Content-Type": {"text/plain"}, "Accept": {"a"}},
		})
		if err != nil {
			t.Errorf("%s %s to %s: %v", test.method, test.path, test.to, err)
			continue
		}
		if string(r.Body) != test.want || r.Redirects == 0 {
			t.Errorf("%s %s to %s:\n got %s\nwant %s", test.method, test.path, test.to, r.Body, test.want)
		}
	}

	for to, kind := range map[string]Kind{
		"http://169.254.169.254/latest/meta-data/": KindBlocked,
		"http://[::1]/":       KindBlocked,
		"//10.0.0.1/":         KindBlocked,
		"file:///etc/passwd":  KindRedirect,
		"javascript:alert(1)": KindRedirect,
		"http://":             KindRedirect,
		"http://%zz/":         KindRedirect,
	} {
		_, err := c.Do(t.Context(), Request{URL: home.URL + "/302?to=" + url.QueryEscape(to), FollowRedirects: true})
		wantKind(t, err, kind)
	}
	// Not followed unless asked for.
	r, err := c.Do(t.Context(), Request{URL: home.URL + "/302?to=/end"})
	if err != nil || r.Status != 302 || r.Redirects != 0 {
		t.Errorf("without FollowRedirects: %v, %v", r, err)
	}
}

func TestRedirectsEnd(t *testing.T) {
	hits := atomic.Int32{}
	s := serve(t, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	})
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	_, err := c.Do(t.Context(), Request{URL: s.URL, FollowRedirects: true})
	wantKind(t, err, KindRedirect)
	if hits.Load() != MaxRedirects+1 {
		t.Errorf("%d calls", hits.Load())
	}
}

func compressed(t *testing.T, coding string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zlib":
		w = zlib.NewWriter(&out)
	default:
		w, _ = flate.NewWriter(&out, flate.BestSpeed)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBodies(t *testing.T) {
	const kept, most = 1000, 5000
	text := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	for _, test := range []struct {
		name      string
		coding    string
		body      []byte
		want      int
		truncated bool
		kind      Kind
	}{
		{"empty", "", nil, 0, false, ""},
		{"small", "", text(10), 10, false, ""},
		{"exactly what is kept", "", text(kept), kept, false, ""},
		{"one more", "", text(kept + 1), kept, true, ""},
		{"more than is read", "", text(10 * most), kept, true, ""},
		{"gzip", "gzip", compressed(t, "gzip", text(500)), 500, false, ""},
		{"x-gzip", "X-GZIP", compressed(t, "gzip", text(500)), 500, false, ""},
		{"deflate", "deflate", compressed(t, "zlib", text(500)), 500, false, ""},
		{"deflate without envelope", "deflate", compressed(t, "flate", text(500)), 500, false, ""},
		{"a coding of nothing", "gzip", nil, 0, false, ""},
		{"gzip that is none", "gzip", []byte("hello there"), 0, false, KindProtocol},
		{"deflate that is none", "deflate", []byte{0xff, 0xff, 0xff}, 0, false, KindProtocol},
		{"gzip cut off", "gzip", compressed(t, "gzip", text(500))[:20], 0, false, KindProtocol},
		{"another coding stays as it is", "br", text(7), 7, false, ""},
		{"a bomb", "gzip", compressed(t, "gzip", make([]byte, 64<<20)), kept, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if test.coding != "" {
					w.Header().Set("Content-Encoding", test.coding)
				}
				_, _ = w.Write(test.body)
			})
			c := newClient(t, Config{Allow: []string{"127.0.0.1"}, MaxKept: kept, MaxRead: most})
			r, err := c.Do(t.Context(), Request{URL: s.URL})
			if test.kind != "" {
				wantKind(t, err, test.kind)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Body) != test.want || r.Truncated != test.truncated {
				t.Errorf("%d bytes, truncated %v; want %d, %v", len(r.Body), r.Truncated, test.want, test.truncated)
			}
			undone := test.coding != "" && test.coding != "br"
			if undone && r.Header.Get("Content-Encoding") != "" {
				t.Error("the header still says it is compressed")
			}
		})
	}
}

func TestEndlessBody(t *testing.T) {
	written := make(chan int, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, chunk := 0, make([]byte, 64<<10)
		for {
			k, err := w.Write(chunk)
			if n += k; err != nil {
				written <- n
				return
			}
		}
	})
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	r, err := c.Do(t.Context(), Request{URL: s.URL})
	if err != nil || len(r.Body) != DefaultMaxKept || !r.Truncated {
		t.Fatalf("%v", err)
	}
	// What the client did not read may lie in the sockets' buffers.
	if n := <-written; n > DefaultMaxRead+(16<<20) {
		t.Errorf("the server could write %d MiB", n>>20)
	}
}

func TestSlowAnswersObeyTheContext(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"no header": func(http.ResponseWriter) {},
		"half a body": func(w http.ResponseWriter) {
			fmt.Fprint(w, "half")
			w.(http.Flusher).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			begun := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				begin(w)
				close(begun)
				<-r.Context().Done()
			})
			c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-begun; cancel() }()
			_, err := c.Do(ctx, Request{URL: s.URL})
			wantKind(t, err, KindCancelled)
			if !errors.Is(err, context.Canceled) {
				t.Error("the cause is lost")
			}
		})
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Do(ctx, Request{URL: s.URL})
	wantKind(t, err, KindTimeout)
}

// raw answers each connection with fixed bytes.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4096)
			_, _ = c.Read(buffer)
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "http://" + l.Addr().String()
}

func TestBrokenServers(t *testing.T) {
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	for name, test := range map[string]struct {
		answer string
		kind   Kind
	}{
		"no HTTP":         {"SSH-2.0-OpenSSH\r\n\r\n", KindProtocol},
		"nothing":         {"", KindConnect},
		"cut off":         {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", KindProtocol},
		"large headers":   {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 400<<10) + "\r\n\r\n", KindTooLarge},
		"other protocols": {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", KindProtocol},
	} {
		_, err := c.Do(t.Context(), Request{URL: raw(t, test.answer), Method: "POST", Body: []byte("x")})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wantKind(t, err, test.kind)
	}
	s := httptest.NewServer(nil)
	s.Close()
	_, err := c.Do(t.Context(), Request{URL: s.URL})
	wantKind(t, err, KindConnect)
	_, err = c.Do(t.Context(), Request{URL: "http://unknown.test/"})
	wantKind(t, err, KindDNS)
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "safe") }))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	_, err := newClient(t, Config{Allow: []string{"127.0.0.1"}}).Do(t.Context(), Request{URL: s.URL})
	if e := wantKind(t, err, KindTLS); !strings.Contains(e.Message, "signed by nobody known") {
		t.Error(e.Message)
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	trusting := newClient(t, Config{Allow: []string{"127.0.0.1", "wrong.test"}, RootCAs: pool, resolver: newNames(t, map[string][]string{"wrong.test": {"127.0.0.1"}})})
	r, err := trusting.Do(t.Context(), Request{URL: s.URL})
	if err != nil || string(r.Body) != "safe" {
		t.Fatal(err)
	}
	_, err = trusting.Do(t.Context(), Request{URL: strings.Replace(s.URL, "127.0.0.1", "wrong.test", 1)})
	if e := wantKind(t, err, KindTLS); !strings.Contains(e.Message, "for another host") {
		t.Error(e.Message)
	}
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err = trusting.Do(t.Context(), Request{URL: strings.Replace(plain.URL, "http://", "https://", 1)})
	wantKind(t, err, KindTLS)
}

// TestNoSecondCall: a POST that carries an Idempotency-Key is not repeated by net/http when its connection dies, neither
// with a body nor without; and that it may have happened is told.
func TestNoSecondCall(t *testing.T) {
	for _, body := range [][]byte{[]byte("x"), nil} {
		hits := atomic.Int32{}
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Idempotency-Key") != "k" {
				t.Errorf("the key is %q", r.Header.Get("Idempotency-Key"))
			}
			if hits.Add(1) == 1 {
				return // the first makes a connection that is kept
			}
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.Close()
		})
		c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
		r := Request{Method: "POST", URL: s.URL, Header: http.Header{"Idempotency-Key": {"k"}}, Body: body}
		if _, err := c.Do(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		_, err := c.Do(t.Context(), r)
		if e := wantKind(t, err, KindConnect); !e.Sent {
			t.Error("it is said not to have been sent")
		}
		if hits.Load() != 2 {
			t.Errorf("%d calls with the body %q, want 2", hits.Load(), body)
		}
	}
}

// What was refused, or given up before there was a connection, is known not to have happened.
func TestWhatWasNotSent(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	s.Close()
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	_, err := c.Do(t.Context(), Request{Method: "POST", URL: s.URL})
	if e := wantKind(t, err, KindConnect); e.Sent {
		t.Error("a refused connection is said to have carried the request")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Do(ctx, Request{Method: "POST", URL: s.URL})
	if e := wantKind(t, err, KindCancelled); e.Sent {
		t.Error("a call that was given up at once is said to have been sent")
	}
}

// Libraries that bring an http.Client of their own get the same guard and the same bounds.
func TestTheClientAsATransport(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/huge":
			_, _ = w.Write(bytes.Repeat([]byte("a"), 2000))
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		default:
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Method", r.Method)
			w.WriteHeader(http.StatusTeapot)
			_, _ = fmt.Fprintf(w, "%s %s", r.Header.Get("X-Sent"), body)
		}
	})
	transport := newClient(t, Config{Allow: []string{strings.TrimPrefix(s.URL, "http://")}, MaxKept: 1000}).RoundTripper()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/", strings.NewReader("hello"))
	r.Header.Set("X-Sent", "a header and")
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != http.StatusTeapot || string(body) != "a header and hello" || answer.Header.Get("X-Method") != "POST" {
		t.Errorf("%s %q", answer.Status, body)
	}
	if answer, err = client.Get(s.URL + "/moved"); err != nil || answer.StatusCode != http.StatusFound {
		t.Errorf("a redirect: %v", err)
	}
	_, err = client.Get(s.URL + "/huge")
	wantKind(t, err, KindTooLarge)
	_, err = (&http.Client{Transport: newClient(t, Config{}).RoundTripper()}).Get(s.URL)
	wantKind(t, err, KindBlocked)
}
