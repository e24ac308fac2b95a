package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/oidctest"
)

const publicURL = "https://" + publicHost

var (
	carla = oidctest.Person{Subject: "4711", Name: "carla", Email: "carla@example.org", Verified: true}
	dora  = oidctest.Person{Subject: "4712", Name: "dora", Email: "dora@example.org", Verified: true}
)

// goAbroad starts an installation that asks an issuer, also as if that were GitHub.
func goAbroad(t *testing.T, change ...func(*api.Config)) *installation {
	t.Helper()
	var back []string
	for _, provider := range []string{"oidc", "github"} {
		back = append(back, publicURL+"/api/v1/auth/sso/"+provider+"/callback")
	}
	issuer := oidctest.Start(t, back, carla, dora)
	set := func(c *api.Config) {
		c.PublicURL = publicURL + "/"
		c.SSO.OIDCIssuer, c.SSO.OIDCClientID, c.SSO.OIDCClientSecret = issuer.URL, oidctest.Client, oidctest.Secret
		c.SSO.OIDCName, c.SSO.OIDCScopes = "Example", []string{"openid", "email", "profile"}
		c.SSO.GitHubClientID, c.SSO.GitHubClientSecret = oidctest.Client, oidctest.Secret
		c.SSO.GitHubURL = strings.Replace(issuer.URL, "127.0.0.1", "localhost", 1)
	}
	in := install(t, append([]func(*api.Config){set}, change...)...)
	in.issuer = issuer
	return in
}

// leave begins a login, and answers where the browser is sent.
func (c *client) leave(provider string, body object) string {
	c.in.t.Helper()
	return c.post("/auth/sso/"+provider, body).want(200).text("url")
}

// visit logs somebody in at the issuer, and answers the path with which the browser is sent back.
func (in *installation) visit(address, name string) (path string) {
	in.t.Helper()
	address = strings.Replace(address, "localhost", "127.0.0.1", 1)
	back, err := in.issuer.Visit(in.t.Context(), address, name)
	if err != nil {
		in.t.Fatal(err)
	}
	if back.Scheme+"://"+back.Host != publicURL {
		in.t.Fatalf("sent back to %s", back)
	}
	return strings.TrimPrefix(back.Path, "/api/v1") + "?" + back.RawQuery
}

// enter goes the whole way, and answers where it ends.
func (in *installation) enter(c *client, provider, name string, body object) *url.URL {
	in.t.Helper()
	return c.get(in.visit(c.leave(provider, body), name)).sentTo()
}

// sentTo is the page that an answer leads to.
func (a answer) sentTo() *url.URL {
	a.t.Helper()
	a.want(http.StatusSeeOther)
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || to.Host != "" {
		a.t.Fatalf("sent to %s (%v)", a.header.Get("Location"), err)
	}
	return to
}

func (in *installation) wantFailed(to *url.URL, page, code string) {
	in.t.Helper()
	if to.Path != page || to.Query().Get("failed") != code {
		in.t.Errorf("sent to %s, want %s with %s", to, page, code)
	}
}

func TestLoggingInWithAnotherService(t *testing.T) {
	for _, provider := range []string{"oidc", "github"} {
		in := goAbroad(t)
		in.user("ana")
		carla := in.nobody(true)
		if to := in.enter(carla, provider, "carla", object{"next": "/runs?status=failed"}); to.String() != "/login?next=%2Fruns%3Fstatus%3Dfailed" {
			t.Errorf("sent to %s", to)
		}
		me := carla.get("/auth/me").want(200)
		if me.text("username") != "carla" || me.text("email") != "carla@example.org" || me.text("role") != "member" || len(me.items("projects")) != 1 {
			t.Errorf("me is %v", me)
		}
		if sessions := carla.get("/auth/sessions").want(200).items("items"); len(sessions) != 1 || sessions[0]["current"] != true {
			t.Errorf("sessions %v", sessions)
		}
		// It is a session like any other.
		in.clock.advance(11 * time.Minute)
		carla.post("/auth/refresh", nil).want(200)
		carla.post("/auth/logout", nil).want(204)
		carla.get("/auth/me").refused(401, "unauthorized")

		// The next time it is the same account, whatever the address is by then.
		in.issuer.Change(oidctest.Person{Subject: "4711", Name: "carla-b", Email: "carla@new.example.org"})
		in.enter(carla, provider, "carla-b", object{})
		again := carla.get("/auth/me").want(200)
		if again.text("id") != me.text("id") || again.text("email") != "carla@example.org" {
			t.Errorf("me is %v", again)
		}
		ways := carla.get("/auth/identities").want(200)
		if w := ways.items("items"); ways["password"] != false || len(w) != 1 || w[0].text("provider") != provider || w[0].text("email") != "carla@new.example.org" || w[0].text("used_at") == "" {
			t.Errorf("ways %v", ways)
		}
	}
}

func TestTheServicesThatAreAsked(t *testing.T) {
	in := goAbroad(t)
	list := in.nobody(false).get("/system").want(200).items("providers")
	if len(list) != 2 || list[0].text("id") != "github" || list[1].text("id") != "oidc" || list[1].text("name") != "Example" {
		t.Errorf("providers %v", list)
	}
	in.nobody(true).post("/auth/sso/google", object{}).refused(404, "no_such_provider")
	in.nobody(true).post("/auth/sso/myspace", object{}).want(404)
	in.wantFailed(in.nobody(true).get("/auth/sso/google/callback?code=x&state=y").sentTo(), "/login", "sso_expired")
	in.user("ana").post("/auth/identities", object{"provider": "google", "password": password}).refused(404, "no_such_provider")
}

func TestServicesNeedAnAddressToComeBackTo(t *testing.T) {
	cfg := api.Config{SecretKey: "a key that is long enough for tests"}
	cfg.SSO.OIDCIssuer, cfg.SSO.OIDCName = "http://id.example.com", "Example"
	err := cfg.Check()
	for _, want := range []string{"ORQ_PUBLIC_URL must be set", "ORQ_OIDC_CLIENT_ID must be set", "must begin with https://"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func TestTheFirstAccountAdministersHoweverItIsMade(t *testing.T) {
	in := goAbroad(t, func(c *api.Config) { c.Registration = "closed" })
	carla := in.nobody(true)
	in.enter(carla, "oidc", "carla", object{})
	if me := carla.get("/auth/me").want(200); me.text("role") != "administrator" {
		t.Errorf("me is %v", me)
	}
	dora := in.nobody(true)
	in.wantFailed(in.enter(dora, "oidc", "dora", object{}), "/login", "registration_closed")
	dora.get("/auth/me").refused(401, "unauthorized")
}

func TestAccountsByInvitationOfAnotherService(t *testing.T) {
	in := goAbroad(t, func(c *api.Config) { c.Registration = "invite" })
	mine := in.place("ana")
	carla := in.nobody(true)
	in.wantFailed(in.enter(carla, "oidc", "carla", object{"next": "/runs"}), "/login", "registration_closed")

	forDora := mine.invite("editor", func(o object) { o["email"] = "dora@example.org" })
	in.wantFailed(in.enter(carla, "oidc", "carla", object{"invitation": forDora}), "/login", "invitation_for_another")
	in.wantFailed(in.enter(carla, "oidc", "carla", object{"invitation": strings.Repeat("x", 43)}), "/login", "link_spent")
	if n := in.sql(`select count(*) from users where username = 'carla'`); n != 0 {
		t.Fatal("carla has an account all the same")
	}

	dora := in.nobody(true)
	in.enter(dora, "oidc", "dora", object{"invitation": forDora})
	if p := dora.get("/auth/me").want(200).items("projects"); len(p) != 2 || p[0].text("role") != "editor" {
		t.Errorf("projects %v", p)
	}
	in.wantFailed(in.enter(carla, "oidc", "carla", object{"invitation": forDora}), "/login", "link_spent") // it worked once

	// Who has an account joins by it, and whoever is in already just logs in.
	other := mine.owner.post("/projects", object{"name": "Other"}).want(201).text("id")
	_, token, _ := strings.Cut(mine.owner.post("/projects/"+other+"/invitations", object{"role": "viewer"}).want(201).text("url"), "#")
	in.enter(dora, "oidc", "dora", object{"invitation": token})
	if p := dora.get("/auth/me").want(200).items("projects"); len(p) != 3 {
		t.Errorf("projects %v", p)
	}
	again := mine.invite("viewer")
	if to := in.enter(dora, "oidc", "dora", object{"invitation": again}); to.Query().Has("failed") {
		t.Errorf("sent to %s", to)
	}
	in.nobody(false).post("/invitations/look", object{"token": again}).want(200) // it is not used up
}

func TestAddressesThatMakeNoAccount(t *testing.T) {
	in := goAbroad(t)
	in.user("ana")
	for _, c := range []struct {
		person oidctest.Person
		code   string
	}{
		{oidctest.Person{Subject: "1", Name: "eve", Email: "eve@example.org"}, "sso_unverified"},
		{oidctest.Person{Subject: "1", Name: "eve", Email: "ANA@example.org"}, "sso_unverified"}, // without a word about ana
		{oidctest.Person{Subject: "1", Name: "eve", Email: "", Verified: true}, "sso_unverified"},
		{oidctest.Person{Subject: "1", Name: "eve", Email: "nonsense", Verified: true}, "sso_unverified"},
		{oidctest.Person{Subject: "1", Name: "eve", Email: "ANA@example.org", Verified: true}, "sso_email_taken"},
	} {
		in.issuer.Change(c.person)
		for _, provider := range []string{"oidc", "github"} {
			eve := in.nobody(true)
			in.wantFailed(in.enter(eve, provider, "eve", object{}), "/login", c.code)
			eve.get("/auth/me").refused(401, "unauthorized")
		}
	}
	if n := in.sql(`select count(*) from users`); n != 1 {
		t.Errorf("%d accounts, want ana's alone", n)
	}
}

func TestNamesThatAreTaken(t *testing.T) {
	in := goAbroad(t)
	for _, name := range []string{"Carla", "carla 2"} {
		in.nobody(false).post("/auth/register", object{"email": strings.ReplaceAll(name, " ", "") + "@elsewhere.org", "username": name, "password": password}).want(201)
	}
	carla := in.nobody(true)
	in.enter(carla, "oidc", "carla", object{})
	if me := carla.get("/auth/me").want(200); me.text("username") != "carla 3" {
		t.Errorf("me is %v", me)
	}
	long := strings.Repeat("ñ", 80)
	in.issuer.Change(oidctest.Person{Subject: "1", Name: long, Email: "n1@example.org", Verified: true})
	in.issuer.Change(oidctest.Person{Subject: "2", Name: long + "x", Email: "n2@example.org", Verified: true})
	for i, name := range []string{long, long + "x"} {
		c := in.nobody(true)
		in.enter(c, "oidc", name, object{})
		if got := []rune(c.get("/auth/me").want(200).text("username")); len(got) > 64 || i == 0 && len(got) != 64 {
			t.Errorf("named %s", string(got))
		}
	}
}

// A state is good once, for the browser and the service that it was made for, and for ten minutes.
func TestStatesThatAreRefused(t *testing.T) {
	in := goAbroad(t)
	t.Run("made up", func(t *testing.T) {
		c := in.nobody(true)
		path := in.visit(c.leave("oidc", object{}), "carla")
		u, _ := url.Parse(path)
		q := u.Query()
		q.Set("state", strings.Repeat("x", 43))
		in.wantFailed(c.get(u.Path+"?"+q.Encode()).sentTo(), "/login", "sso_expired")
		q.Del("state")
		in.wantFailed(c.get(u.Path+"?"+q.Encode()).sentTo(), "/login", "sso_expired")
		in.wantFailed(c.get(u.Path).sentTo(), "/login", "sso_expired")
	})
	t.Run("in another browser", func(t *testing.T) {
		c, other := in.nobody(true), in.nobody(true)
		path := in.visit(c.leave("oidc", object{}), "carla")
		other.leave("oidc", object{}) // it has a cookie of its own
		in.wantFailed(other.get(path).sentTo(), "/login", "sso_expired")
		other.get("/auth/me").refused(401, "unauthorized")
		in.wantFailed(c.get(path).sentTo(), "/login", "sso_expired") // and nobody's any more
	})
	t.Run("with another cookie", func(t *testing.T) {
		c := in.nobody(false)
		a := c.post("/auth/sso/oidc", object{})
		path := in.visit(a.want(200).text("url"), "carla")
		in.wantFailed(c.get(path, cookie(a.cookies[0].Name, strings.Repeat("x", 43))).sentTo(), "/login", "sso_expired")
	})
	t.Run("twice", func(t *testing.T) {
		c := in.nobody(false)
		a := c.post("/auth/sso/oidc", object{})
		path := in.visit(a.want(200).text("url"), "carla")
		known := cookie(a.cookies[0].Name, a.cookies[0].Value)
		if to := c.get(path, known).sentTo(); to.Query().Has("failed") {
			t.Fatalf("sent to %s", to)
		}
		in.wantFailed(c.get(path, known).sentTo(), "/login", "sso_expired")
	})
	t.Run("at once", func(t *testing.T) {
		c := in.nobody(false)
		a := c.post("/auth/sso/oidc", object{})
		path := in.visit(a.want(200).text("url"), "carla")
		good := make(chan bool, 8)
		var wg sync.WaitGroup
		for range cap(good) {
			wg.Go(func() {
				good <- !in.nobody(false).get(path, cookie(a.cookies[0].Name, a.cookies[0].Value)).sentTo().Query().Has("failed")
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
			t.Errorf("one state let in %d times", n)
		}
	})
	t.Run("of another service", func(t *testing.T) {
		c := in.nobody(true)
		path := in.visit(c.leave("oidc", object{}), "carla")
		in.wantFailed(c.get(strings.Replace(path, "/oidc/", "/github/", 1)).sentTo(), "/login", "sso_expired")
	})
	t.Run("too late", func(t *testing.T) {
		c := in.nobody(true)
		path := in.visit(c.leave("oidc", object{}), "carla")
		in.sql(`update sso_attempts set expires_at = now() returning 0`)
		in.wantFailed(c.get(path).sentTo(), "/login", "sso_expired")
	})
	t.Run("in two tabs", func(t *testing.T) {
		c := in.nobody(true)
		first, second := in.visit(c.leave("oidc", object{}), "carla"), in.visit(c.leave("oidc", object{}), "carla")
		for _, path := range []string{first, second} {
			if to := c.get(path).sentTo(); to.Query().Has("failed") {
				t.Errorf("sent to %s", to)
			}
		}
	})
}

func TestTheCookieOfAnAttempt(t *testing.T) {
	in := goAbroad(t)
	for _, secure := range []bool{false, true} {
		proxy := func(*http.Request) {}
		if secure {
			proxy = header("X-Forwarded-Proto", "https")
		}
		a := in.nobody(true).post("/auth/sso/oidc", object{}, proxy)
		a.want(200)
		k := a.cookies[0]
		if len(a.cookies) != 1 || !strings.HasPrefix(k.Name, "orq_sso_") || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Secure != secure ||
			k.Path != "/api/v1/auth/sso" || k.MaxAge != 600 || strings.Contains(string(a.body), k.Value) {
			t.Errorf("cookie %s", k.Raw)
		}
		// What is stored lets nobody go on with it.
		if n := in.sql(`select count(*) from sso_attempts a where position($1 in a::text) > 0`, k.Value); n != 0 {
			t.Error("the cookie is stored")
		}
	}
	c := in.nobody(true)
	a := c.get(in.visit(c.leave("oidc", object{}), "carla"))
	a.want(303)
	if len(a.cookies) != 3 || a.cookies[0].MaxAge >= 0 || a.cookies[1].Name != "orq_session" || a.cookies[1].SameSite != http.SameSiteStrictMode || a.cookies[2].Name != "orq_refresh" {
		t.Errorf("cookies %v", a.cookies)
	}
	// Another site cannot send a browser on its way.
	in.nobody(true).post("/auth/sso/oidc", object{}, header("Sec-Fetch-Site", "cross-site")).want(403)
}

func TestWhereALoginMayLead(t *testing.T) {
	in := goAbroad(t)
	nobody := in.nobody(true)
	for _, next := range []string{
		"https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "\\\\evil.example.com", "javascript:alert(1)", "runs",
		"/\tevil", "/\n/evil.example.com", "http:/evil", "/%zz",
	} {
		nobody.post("/auth/sso/oidc", object{"next": next}).refused(422, "validation_failed").at("/next", "next")
	}
	nobody.post("/auth/sso/oidc", object{"next": "/" + strings.Repeat("x", 2000)}).want(422)
	for _, next := range []string{"/", "/runs", "/runs?x=//evil.example.com", "/runs/1#log-2", "/workflows?q=a%20b"} {
		c := in.nobody(true)
		if to := in.enter(c, "oidc", "carla", object{"next": next}); to.Path != "/login" || to.Query().Get("next") != next {
			t.Errorf("%s leads to %s", next, to)
		}
	}
	// It comes back with a failure, too.
	c := in.nobody(true)
	path := c.leave("oidc", object{"next": "/runs"})
	u, _ := url.Parse(path)
	to := c.get("/auth/sso/oidc/callback?error=access_denied&error_description=%3Cscript%3E&state=" + u.Query().Get("state")).sentTo()
	in.wantFailed(to, "/login", "sso_denied")
	if to.Query().Get("next") != "/runs" || strings.Contains(to.String(), "script") || strings.Contains(to.String(), "access_denied") {
		t.Errorf("sent to %s", to)
	}
}

func TestAServiceThatIsAway(t *testing.T) {
	in := goAbroad(t)
	const discovery = "/.well-known/openid-configuration"
	in.issuer.Answer(discovery, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) })
	c := in.nobody(true)
	begin := func() answer {
		return c.fetch("POST", "/api/v1/auth/sso/oidc", []byte(`{}`), header("Content-Type", "application/json"))
	}
	begin().refused(503, "sso_away") // the start did not depend on it
	in.issuer.Answer(discovery, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<h1>Captive portal</h1>")) })
	c.post("/auth/sso/oidc", object{}).refused(403, "sso_failed")
	in.issuer.Answer(discovery, nil)
	path := in.visit(c.leave("oidc", object{}), "carla")
	in.issuer.Answer("/oauth/token", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	in.wantFailed(c.get(path).sentTo(), "/login", "sso_away")
	in.issuer.Answer("/oauth/token", nil)
	in.issuer.Forge(oidctest.Unsigned)
	in.wantFailed(c.get(in.visit(c.leave("oidc", object{}), "carla")).sentTo(), "/login", "sso_failed")
	in.issuer.Forge(nil)
	in.enter(c, "oidc", "carla", object{})
	c.get("/auth/me").want(200)

	in.stop()
	if text := in.log.String(); strings.Contains(text, oidctest.Secret) || strings.Contains(text, "Bearer ") || !strings.Contains(text, "502 Bad Gateway") {
		t.Errorf("the log tells too much, or too little: %s", text)
	}
}

func TestDisabledAccountsStayOutByEveryWay(t *testing.T) {
	in := goAbroad(t)
	in.user("ana")
	c := in.nobody(true)
	in.enter(c, "oidc", "carla", object{})
	in.sql(`update users set disabled_at = now() where username = 'carla' returning 0`)
	stranger := in.nobody(true)
	in.wantFailed(in.enter(stranger, "oidc", "carla", object{}), "/login", "account_disabled")
	stranger.get("/auth/me").refused(401, "unauthorized")
	// Another account of the same service makes no second account of hers.
	in.issuer.Change(oidctest.Person{Subject: "1", Name: "carla-2", Email: "carla@example.org", Verified: true})
	in.wantFailed(in.enter(stranger, "oidc", "carla-2", object{}), "/login", "sso_email_taken")
}

func TestAnAccountWithoutAPassword(t *testing.T) {
	office := openPostOffice(t)
	in := goAbroad(t, office.serves)
	root := in.user("root")
	carla := in.nobody(true)
	in.enter(carla, "oidc", "carla", object{})
	id := carla.get("/auth/me").want(200).text("id")

	// Nobody can guess what is not there, and nobody is told that it is not.
	nobody := in.nobody(false)
	none := nobody.post("/auth/login", object{"email": "carla@example.org", "password": password}).want(401)
	wrong := nobody.post("/auth/login", object{"email": "root@example.org", "password": "not the password"}).want(401)
	none["instance"], wrong["instance"] = nil, nil
	for name := range wrong {
		if none[name] != wrong[name] {
			t.Errorf("%s: %v without a password, %v with a wrong one", name, none[name], wrong[name])
		}
	}
	carla.put("/auth/password", object{"current_password": "anything at all", "password": "another horse battery"}).refused(422, "validation_failed").at("/current_password", "wrong_password")

	// A link by mail lets her choose one, and so does an administrator's.
	carla.post("/auth/password/forgot", object{"email": "carla@example.org"}).want(202)
	_, mailed, _ := strings.Cut((<-office.mails).text, "/reset#")
	mailed, _, _ = strings.Cut(mailed, "\n")
	nobody.post("/auth/password/reset", object{"token": strings.TrimSpace(mailed), "password": password}).want(204)
	carla.get("/auth/me").refused(401, "unauthorized") // as with any other password
	carla.login("carla@example.org").want(200)
	if ways := carla.get("/auth/identities").want(200); ways["password"] != true || len(ways.items("items")) != 1 {
		t.Errorf("ways %v", ways)
	}
	root.post("/users/"+id+"/password-reset", nil).want(201)
}

// Somebody may have registered with another's address, and linked an account of theirs before its owner comes: whoever shows
// that the address is theirs has the account to themselves.
func TestAnotherPasswordByALinkUnlinksWhatWasLinked(t *testing.T) {
	in := goAbroad(t)
	in.user("root")
	mallory := in.inBrowser("carla") // with carla's address
	mallory.link("oidc", "dora", object{"password": password})
	in.wantFailed(in.enter(in.nobody(true), "oidc", "carla", object{}), "/login", "sso_email_taken")
	in.nobody(false).post("/auth/password/reset", object{"token": in.resetToken("carla"), "password": "another horse battery"}).want(204)
	mallory.get("/auth/me").refused(401, "unauthorized")
	again := in.nobody(true)
	in.enter(again, "oidc", "dora", object{})
	if me := again.get("/auth/me").want(200); me.text("username") != "dora" {
		t.Errorf("dora is %v", me)
	}
	// Who had no password, and sets the first one, keeps what they came with.
	in.nobody(false).post("/auth/password/reset", object{"token": in.resetToken("dora"), "password": "another horse battery"}).want(204)
	in.enter(again, "oidc", "dora", object{})
	if ways := again.get("/auth/identities").want(200); ways["password"] != true || len(ways.items("items")) != 1 {
		t.Errorf("ways %v", ways)
	}
}

func TestAdministratorsSeeHowPeopleLogIn(t *testing.T) {
	in := goAbroad(t)
	root := in.inBrowser("root")
	in.enter(in.nobody(true), "oidc", "carla", object{})
	root.link("github", "dora", object{"password": password})
	in.sql(`insert into identities (id, user_id, issuer, subject, email) select gen_random_uuid(), id, 'https://old.example.com', 'x', '' from users where username = 'carla' returning 0`)
	ways := map[string][]any{}
	for _, p := range root.get("/users").want(200).items("items") {
		ways[p.text("username")] = append([]any{p["password"]}, p["services"].([]any)...)
	}
	if got, want := fmt.Sprint(ways), "map[carla:[false Example https://old.example.com] root:[true GitHub]]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
