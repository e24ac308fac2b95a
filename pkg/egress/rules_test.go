package egress

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func under(t *testing.T, r Rules) context.Context {
	t.Helper()
	return Under(t.Context(), r)
}

func TestWhatAProjectMayCall(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	port := s.URL[strings.LastIndexByte(s.URL, ':')+1:]
	const (
		works    = ""
		notMine  = "its owners and admins can add it"
		notInner = "an administrator can allow it"
	)
	for _, c := range []struct {
		rules Rules
		host  string
		says  string
	}{
		// An administrator allows a project more.
		{Rules{}, "127.0.0.1", notInner},
		{Rules{Allow: []string{"127.0.0.1"}}, "127.0.0.1", works},
		{Rules{Allow: []string{"127.0.0.1:" + port}}, "in.test", works},
		{Rules{Allow: []string{"in.test"}}, "in.test", works},
		{Rules{Allow: []string{"in.test"}}, "127.0.0.1", notInner},
		{Rules{Allow: []string{"meta.test"}}, "meta.test", notInner}, // a name never leads to metadata
		{Rules{Allow: []string{"10.0.0.0/8"}}, "127.0.0.1", notInner},
		// What the installation allows is allowed in any case.
		{Rules{Allow: []string{"10.0.0.0/8"}}, "all.test", works},
		{Rules{}, "all.test", works},
		// A project restricts itself: to hosts, hosts below a name, networks.
		{Rules{Only: []string{"all.test"}}, "all.test", works},
		{Rules{Only: []string{"ALL.test."}}, "all.TEST", works},
		{Rules{Only: []string{"other.test"}}, "all.test", notMine},
		{Rules{Only: []string{"*.test"}}, "all.test", works},
		{Rules{Only: []string{"*.all.test"}}, "all.test", notMine},
		{Rules{Only: []string{"127.0.0.0/8"}}, "all.test", works},
		{Rules{Only: []string{"10.0.0.0/8"}}, "all.test", notMine},
		{Rules{Only: []string{"all.test:1"}}, "all.test", notMine},
		{Rules{Only: []string{"all.test", "in.test"}}, "127.0.0.1", notMine},
		// To restrict is not to allow.
		{Rules{Only: []string{"in.test"}}, "in.test", notInner},
		{Rules{Only: []string{"127.0.0.1"}}, "127.0.0.1", notInner},
		{Rules{Only: []string{"in.test"}, Allow: []string{"in.test"}}, "in.test", works},
	} {
		client := newClient(t, Config{Allow: []string{"all.test"}, resolver: newNames(t, map[string][]string{
			"in.test": {"127.0.0.1"}, "all.test": {"127.0.0.1"}, "meta.test": {"169.254.169.254"},
		})})
		_, err := client.Do(under(t, c.rules), Request{URL: "http://" + c.host + ":" + port})
		conn, dialed := client.Dial(under(t, c.rules), net.JoinHostPort(c.host, port))
		if dialed == nil {
			conn.Close()
		}
		for _, err := range []error{err, dialed} { // HTTP, and what mails go by
			switch {
			case c.says == works && err != nil:
				t.Errorf("%+v: %s: %v", c.rules, c.host, err)
			case c.says != works && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%+v: %s: %v, want it to say %q", c.rules, c.host, err, c.says)
			case c.says != works:
				wantKind(t, err, KindBlocked)
			}
		}
	}
}

func TestRedirectsObeyTheRules(t *testing.T) {
	away := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
	home := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	only := under(t, Rules{Only: []string{strings.TrimPrefix(home.URL, "http://")}})
	_, err := c.Do(only, Request{URL: home.URL + "/?to=" + url.QueryEscape(away.URL), FollowRedirects: true})
	wantKind(t, err, KindBlocked)
}

// A project that calls few hosts tells nothing to the name servers of others.
func TestNamesThatAreNotListedAreNotLookedUp(t *testing.T) {
	names := &names{known: map[string][]string{"data-in-a-name.evil.test": {"127.0.0.1"}, "good.test": {"127.0.0.1"}}}
	c := newClient(t, Config{resolver: names.resolver(t)})
	_, err := c.Do(under(t, Rules{Only: []string{"good.test"}}), Request{URL: "http://data-in-a-name.evil.test/"})
	wantKind(t, err, KindBlocked)
	if names.asked != 0 {
		t.Errorf("%d questions went to name servers", names.asked)
	}
}

func TestConnectionsBelongToTheRulesTheyWereMadeUnder(t *testing.T) {
	var mu sync.Mutex
	made := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			made++
			mu.Unlock()
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	call := func(r Rules, want int) {
		t.Helper()
		if _, err := c.Do(under(t, r), Request{URL: s.URL}); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if made != want {
			t.Errorf("%+v: %d connections were made, want %d", r, made, want)
		}
	}
	call(Rules{}, 1)
	call(Rules{}, 1)
	call(Rules{Only: []string{"127.0.0.1", "a.test"}}, 2)
	call(Rules{Only: []string{"a.test", "127.0.0.1"}}, 2) // the same in another order
	call(Rules{Allow: []string{"127.0.0.1"}}, 3)
	call(Rules{}, 3)
	// A host that is not listed is not reached by a connection that others have.
	_, err := c.Do(under(t, Rules{Only: []string{"a.test"}}), Request{URL: s.URL})
	wantKind(t, err, KindBlocked)
}

func TestWaysAreBounded(t *testing.T) {
	c := newClient(t, Config{})
	for i := range 3 * mostWays {
		if _, err := c.way(under(t, Rules{Only: []string{fmt.Sprintf("h%d.test", i)}})); err != nil {
			t.Fatal(err)
		}
		if _, err := c.way(under(t, Rules{Only: []string{"busy.test"}})); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.ruled.known) != mostWays || len(c.ruled.order) != mostWays {
		t.Errorf("%d ways are kept", len(c.ruled.known))
	}
	if _, ok := c.ruled.known[(Rules{Only: []string{"busy.test"}}).key()]; !ok {
		t.Error("the one that is used most was given up")
	}
}

// Rules that cannot be read, though they were checked when they were written, let nothing through.
func TestBrokenRulesCloseTheWay(t *testing.T) {
	c := newClient(t, Config{Allow: []string{"127.0.0.1"}})
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
	for _, r := range []Rules{{Only: []string{"http://x"}}, {Allow: []string{"*"}}} {
		_, err := c.Do(under(t, r), Request{URL: s.URL})
		wantKind(t, err, KindBlocked)
	}
}
