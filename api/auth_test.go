package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api"
)

// callerLife is the time within which the end of a session takes effect everywhere.
const callerLife = 5*time.Second + time.Millisecond

func TestTheFirstToRegisterIsTheAdministrator(t *testing.T) {
	in := install(t)
	if s := in.nobody(false).get("/system").want(200); s["setup_required"] != true {
		t.Errorf("before: %v", s)
	}
	ana, bob := in.user("ana"), in.user("bob")
	if ana.me.text("role") != "administrator" || bob.me.text("role") != "member" {
		t.Errorf("roles %v, %v", ana.me, bob.me)
	}
	if s := ana.get("/system").want(200); s["setup_required"] != false {
		t.Errorf("after: %v", s)
	}
	me := bob.get("/auth/me").want(200)
	if p := me.items("projects"); len(p) != 1 || p[0].text("role") != "owner" || p[0].text("name") != "bob" {
		t.Errorf("projects %v, want one of his own", p)
	}
}

func TestRegisteringAtOnceMakesOneAdministrator(t *testing.T) {
	for _, registration := range []string{"open", "closed"} {
		in := install(t, func(c *api.Config) { c.Registration = registration })
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				name := "user" + strconv.Itoa(i)
				in.nobody(false).post("/auth/register", object{"email": name + "@example.org", "username": name, "password": password})
			})
		}
		wg.Wait()
		admins, all := in.sql(`select count(*) from users where role = 'administrator'`), in.sql(`select count(*) from users`)
		if admins != 1 || registration == "open" && all != 8 || registration == "closed" && all != 1 {
			t.Errorf("%s: %d users, %d administrators", registration, all, admins)
		}
	}
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	in := install(t)
	in.user("ana")
	nobody := in.nobody(false)
	good := func(field, value string) object {
		o := object{"email": "new@example.org", "username": "new", "password": password}
		o[field] = value
		return o
	}
	for _, c := range []struct {
		field, value  string
		status        int
		pointer, code string
	}{
		{"email", "ANA@example.org", 409, "/email", "email_taken"},
		{"username", "Ana", 409, "/username", "username_taken"},
		{"email", "not an address", 422, "/email", "email"},
		{"email", "Ana <a@example.org>", 422, "/email", "email"},
		{"email", "a@example.org, b@example.org", 422, "/email", "email"},
		{"email", strings.Repeat("a", 250) + "@b.org", 422, "/email", "maxLength"},
		{"username", "   ", 422, "/username", "username"},
		{"username", "a\nb", 422, "/username", "username"},
		{"username", strings.Repeat("a", 65), 422, "/username", "maxLength"},
		{"password", "short", 422, "/password", "minLength"},
		{"password", "1234567890", 422, "/password", "common"},
		{"password", "new@example.org", 422, "/password", "guessable"},
		{"password", strings.Repeat("p4", 37), 422, "/password", "maxLength"},
		{"password", strings.Repeat("ñ", 37), 422, "/password", "too_long"}, // 74 bytes of 37 characters
		{"admin", "true", 422, "/admin", "unknown_field"},
	} {
		a := nobody.post("/auth/register", good(c.field, c.value))
		a.want(c.status)
		a.at(c.pointer, c.code)
		if c.field == "password" && strings.Contains(string(a.body), c.value) {
			t.Errorf("the answer holds the password %q", c.value)
		}
	}
}

func TestRegistrationIsClosed(t *testing.T) {
	for _, registration := range []string{"invite", "closed"} {
		in := install(t, func(c *api.Config) { c.Registration = registration })
		in.user("ana") // the first one always may
		late := object{"email": "bob@example.org", "username": "bob", "password": password}
		in.nobody(false).post("/auth/register", late).refused(403, "registration_closed")
	}
}

func TestLoginDoesNotTellWhoHasAnAccount(t *testing.T) {
	in := install(t)
	in.user("ana")
	nobody := in.nobody(false)
	wrong := nobody.post("/auth/login", object{"email": "ana@example.org", "password": "not her password"}).want(401)
	unknown := nobody.post("/auth/login", object{"email": "eve@example.org", "password": "not her password"}).want(401)
	wrong["instance"], unknown["instance"] = nil, nil
	for name := range wrong {
		if wrong[name] != unknown[name] {
			t.Errorf("%s: %v for a wrong password, %v for an unknown user", name, wrong[name], unknown[name])
		}
	}
	nobody.login("ANA@Example.org ").want(200) // nobody should have to remember how they wrote it
}

func TestGuessingIsSlowedDown(t *testing.T) {
	for _, redis := range []string{"there", "away"} {
		in := install(t)
		in.user("ana")
		in.user("bob")
		if redis == "away" {
			if err := in.redis.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		nobody := in.nobody(false)
		guess := func() answer {
			return nobody.post("/auth/login", object{"email": "ana@example.org", "password": "guess number 1"})
		}
		// Many guesses at once are no way around it.
		statuses := make(chan int, 25)
		var wg sync.WaitGroup
		for range cap(statuses) {
			wg.Go(func() {
				statuses <- in.nobody(false).post("/auth/login", object{"email": "ana@example.org", "password": "guess"}).status
			})
		}
		wg.Wait()
		close(statuses)
		compared := 0
		for s := range statuses {
			if s == http.StatusUnauthorized {
				compared++
			}
		}
		if compared == 0 || compared > 10 {
			t.Errorf("Redis %s: %d of 25 guesses were compared, want 10 at most", redis, compared)
		}
		a := guess().refused(429, "too_many_attempts")
		if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < 1 || s > 301 {
			t.Errorf("Redis %s: Retry-After is %q", redis, a.header.Get("Retry-After"))
		}
		nobody.login("bob@example.org").want(200) // others are not kept out
	}
}

func TestWhoKnowsThePasswordIsNotSlowedDown(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for range 60 { // more than either limit
		ana.login("ana@example.org").want(200)
	}
}

func TestCookies(t *testing.T) {
	in := install(t)
	in.user("ana")
	for _, c := range []struct {
		name   string
		proxy  with
		secure bool
	}{
		{"http", func(*http.Request) {}, false},
		{"https at the proxy", header("X-Forwarded-Proto", "https"), true},
	} {
		a := in.nobody(false).post("/auth/login", object{"email": "ana@example.org", "password": password}, c.proxy)
		a.want(200)
		if len(a.cookies) != 2 {
			t.Fatalf("%s: cookies %v", c.name, a.cookies)
		}
		paths := map[string]string{"orq_session": "/", "orq_refresh": "/api/v1/auth"}
		for _, k := range a.cookies {
			if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Secure != c.secure || k.Path != paths[k.Name] || k.Domain != "" {
				t.Errorf("%s: %s", c.name, k.Raw)
			}
		}
		if strings.Contains(string(a.body), a.cookies[1].Value) {
			t.Error("the refresh token is in the body")
		}
		if hsts := a.header.Get("Strict-Transport-Security"); (hsts != "") != c.secure {
			t.Errorf("%s: Strict-Transport-Security %q", c.name, hsts)
		}
	}
}

func TestASessionInTheBrowser(t *testing.T) {
	in := install(t)
	in.user("ana")
	browser := in.nobody(true)
	browser.get("/auth/me").refused(401, "unauthorized")
	browser.login("ana@example.org").want(200)
	if me := browser.get("/auth/me").want(200); me.text("username") != "ana" {
		t.Errorf("me is %v", me)
	}
	in.clock.advance(11 * time.Minute)
	browser.get("/auth/me").refused(401, "unauthorized") // the access token has expired
	browser.post("/auth/refresh", nil).want(200)
	browser.get("/auth/me").want(200)

	browser.post("/auth/logout", nil).want(204)
	browser.get("/auth/me").refused(401, "unauthorized")
	browser.post("/auth/refresh", nil).refused(401, "unauthorized")
	browser.post("/auth/logout", nil).want(204) // twice does no harm
}

func TestLogoutEndsEveryTokenOfTheSession(t *testing.T) {
	in := install(t)
	in.user("ana")
	browser := in.nobody(true)
	token := browser.login("ana@example.org").want(200).text("access_token")
	program := in.nobody(false)
	program.token = token
	program.get("/auth/me").want(200)
	refresh := browser.cookieValue("orq_refresh")
	program.post("/auth/logout", nil).want(204) // with nothing but its access token
	program.get("/auth/me").refused(401, "unauthorized")
	in.nobody(false).post("/auth/refresh", nil, cookie("orq_refresh", refresh)).refused(401, "unauthorized")
}

func TestARefreshTokenWorksOnce(t *testing.T) {
	in := install(t)
	in.user("ana")
	browser, thief := in.nobody(true), in.nobody(false)
	browser.login("ana@example.org").want(200)
	stolen := browser.cookieValue("orq_refresh")
	second := browser.post("/auth/refresh", nil).want(200).text("access_token")
	if browser.cookieValue("orq_refresh") == stolen {
		t.Fatal("the refresh token stays the same")
	}
	owner := in.nobody(false)
	owner.token = second
	owner.get("/auth/me").want(200)

	thief.post("/auth/refresh", nil, cookie("orq_refresh", stolen)).refused(401, "unauthorized")
	// Somebody else has a copy: nothing of the session is good any more, on any replica after callerLife.
	in.clock.advance(callerLife)
	owner.get("/auth/me").refused(401, "unauthorized")
	browser.post("/auth/refresh", nil).refused(401, "unauthorized")
	in.nobody(true).login("ana@example.org").want(200)
}

func TestRefreshingAtOnceGivesOneSession(t *testing.T) {
	in := install(t)
	in.user("ana")
	browser := in.nobody(true)
	browser.login("ana@example.org").want(200)
	token := browser.cookieValue("orq_refresh")
	good := make(chan bool, 10)
	var wg sync.WaitGroup
	for range cap(good) {
		wg.Go(func() {
			good <- in.nobody(false).post("/auth/refresh", nil, cookie("orq_refresh", token)).status == 200
		})
	}
	wg.Wait()
	close(good)
	n := 0
	for ok := range good {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("one token was exchanged %d times", n)
	}
}

func TestRefreshTokensThatAreRefused(t *testing.T) {
	in := install(t)
	in.user("ana")
	nobody := in.nobody(false)
	nobody.post("/auth/refresh", nil).refused(401, "unauthorized")
	for _, value := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 3000)} {
		nobody.post("/auth/refresh", nil, cookie("orq_refresh", value)).refused(401, "unauthorized")
	}
}

func TestADisabledAccount(t *testing.T) {
	in := install(t)
	in.user("ana")
	bob := in.user("bob")
	in.sql(`update users set disabled_at = now() where username = 'bob' returning 0`)
	in.clock.advance(callerLife)
	bob.get("/auth/me").refused(401, "unauthorized")
	bob.login("bob@example.org").refused(401, "bad_credentials")
}

// Another site can make a browser send requests with our cookies, were it not for SameSite; this is the second lock.
func TestWritesFromOtherSitesAreRefused(t *testing.T) {
	in := install(t)
	in.user("ana")
	browser := in.nobody(true)
	browser.login("ana@example.org").want(200)
	for _, c := range []struct {
		site   with
		status int
	}{
		{header("Sec-Fetch-Site", "cross-site"), 403},
		{header("Sec-Fetch-Site", "same-site"), 403}, // another host of the same domain
		{header("Origin", "https://evil.example"), 403},
		{header("Sec-Fetch-Site", "same-origin"), 201},
		{header("Sec-Fetch-Site", "none"), 201}, // typed by the person
		{header("Origin", in.url), 201},
	} {
		browser.post("/workflows", logOnly("x"), c.site).want(c.status)
	}
	browser.get("/auth/me", header("Sec-Fetch-Site", "cross-site")).want(200) // reading changes nothing
}

func TestOriginsThatMayCall(t *testing.T) {
	const friend, foe = "https://tools.example.com", "https://evil.example"
	in := install(t, func(c *api.Config) { c.CORSOrigins = []string{friend} })
	ana := in.user("ana")
	preflight := func(origin string) answer {
		return ana.fetch("OPTIONS", "/api/v1/workflows", nil, header("Origin", origin), header("Access-Control-Request-Method", "POST"))
	}
	if a := preflight(friend); a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != friend {
		t.Errorf("preflight of a friend: %d %v", a.status, a.header)
	}
	if a := preflight(foe); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of a stranger: %d %v", a.status, a.header)
	}
	a := ana.post("/workflows", logOnly("x"), header("Origin", friend), header("Sec-Fetch-Site", "cross-site"))
	a.want(201)
	if a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("cookies may come from other origins")
	}
	ana.post("/workflows", logOnly("x"), header("Origin", foe), header("Sec-Fetch-Site", "cross-site")).want(403)
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	in := install(t)
	nobody := in.nobody(false)
	for _, path := range []string{"/", "/docs", "/api/v1/system", "/api/v1/auth/me", "/api/v1/nothing", "/assets/nothing.js"} {
		h := nobody.fetch("GET", path, nil).header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if h.Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", path)
		}
		if strings.HasPrefix(path, "/api/") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control is %q", path, h.Get("Cache-Control"))
		}
	}
}
