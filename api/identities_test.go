package api_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/oidctest"
)

// tourOfIdentities makes the operations about other services.
func (c *client) tourOfIdentities() {
	back := c.in.visit(c.post("/auth/identities", object{"provider": "oidc", "password": password}).want(200).text("url"), "dora")
	c.get(back).want(303)
	identity := c.get("/auth/identities").want(200).items("items")[0].text("id")
	c.get(c.in.visit(c.leave("oidc", object{}), "dora")).want(303)
	c.post("/auth/identities/"+identity+"/unlink", object{"password": password}).want(204)
}

// comeBack is the return of somebody who was sent to the issuer.
func comeBack(p place, _ *client) call {
	a := p.in.nobody(false).post("/auth/sso/oidc", object{})
	path := p.in.visit(a.want(200).text("url"), "carla")
	return call{path: path, with: []with{cookie(a.cookies[0].Name, a.cookies[0].Value)}}
}

// ofIdentity is about an identity of the caller's.
func ofIdentity(p place, who *client) call {
	id := uuid.NewString()
	p.in.sql(`insert into identities (id, user_id, issuer, subject, email) values ($1, $2, $3, 'x', '') returning 0`, id, who.me.text("id"), "https://old.example.com/"+id)
	return call{path: "/auth/identities/" + id + "/unlink", body: object{"password": password}}
}

// link links an account at the issuer to the caller's, and answers where the way ends.
func (c *client) link(provider, name string, body object) *url.URL {
	c.in.t.Helper()
	body["provider"] = provider
	return c.get(c.in.visit(c.post("/auth/identities", body).want(200).text("url"), name)).sentTo()
}

// inBrowser registers somebody who is logged in by cookies.
func (in *installation) inBrowser(name string) *client {
	in.t.Helper()
	in.user(name)
	c := in.nobody(true)
	c.login(name + "@example.org").want(200)
	return c
}

func TestLinkingAnAccountOfAnotherService(t *testing.T) {
	in := goAbroad(t)
	ana := in.inBrowser("ana")
	id := ana.get("/auth/me").want(200).text("id")
	// Whose address it is makes no difference: it is hers because she says so, logged in.
	for _, provider := range []string{"oidc", "github"} {
		if to := ana.link(provider, "carla", object{"password": password}); to.String() != "/settings?linked="+provider {
			t.Errorf("sent to %s", to)
		}
	}
	ways := ana.get("/auth/identities").want(200)
	if w := ways.items("items"); ways["password"] != true || len(w) != 2 || w[0].text("provider") != "oidc" || w[0].text("issuer") != in.issuer.URL ||
		w[0].text("email") != "carla@example.org" || w[0]["used_at"] != nil {
		t.Errorf("ways %v", ways)
	}
	elsewhere := in.nobody(true)
	in.enter(elsewhere, "oidc", "carla", object{})
	if me := elsewhere.get("/auth/me").want(200); me.text("id") != id || me.text("email") != "ana@example.org" {
		t.Errorf("me is %v", me)
	}

	for _, w := range ways.items("items") {
		ana.post("/auth/identities/"+w.text("id")+"/unlink", object{"password": password}).want(204)
		ana.post("/auth/identities/"+w.text("id")+"/unlink", object{"password": password}).want(404)
	}
	stranger := in.nobody(true)
	in.enter(stranger, "oidc", "carla", object{})
	if me := stranger.get("/auth/me").want(200); me.text("id") == id {
		t.Error("what was unlinked lets in all the same")
	}
}

// A way in that somebody else made is noticed.
func TestAMailTellsThatAnAccountWasLinked(t *testing.T) {
	office := openPostOffice(t)
	in := goAbroad(t, office.serves)
	ana := in.inBrowser("ana")
	back := in.visit(ana.post("/auth/identities", object{"provider": "oidc", "password": password}).want(200).text("url"), "carla")
	ana.get(back, header("Accept-Language", "es-ES,es")).want(303)
	mail := <-office.mails
	if mail.to != "ana@example.org" || !strings.Contains(mail.text, "una cuenta de Example") || !strings.Contains(mail.text, publicURL+"/settings") {
		t.Errorf("mail %+v", mail)
	}
}

func TestLinkingAsksForThePassword(t *testing.T) {
	in := goAbroad(t)
	ana := in.inBrowser("ana")
	ana.post("/auth/identities", object{"provider": "oidc"}).refused(422, "validation_failed").at("/password", "password_needed")
	ana.post("/auth/identities", object{"provider": "oidc", "password": ""}).refused(422, "validation_failed").at("/password", "password_needed")
	ana.post("/auth/identities", object{"provider": "oidc", "password": "not her password"}).refused(422, "validation_failed").at("/password", "wrong_password")
	ana.link("oidc", "carla", object{"password": password})
	identity := "/auth/identities/" + ana.get("/auth/identities").want(200).items("items")[0].text("id") + "/unlink"
	ana.post(identity, object{}).refused(422, "validation_failed").at("/password", "password_needed")
	ana.post(identity, object{"password": "not her password"}).refused(422, "validation_failed").at("/password", "wrong_password")
	for range 10 {
		ana.post(identity, object{"password": "guess"})
	}
	ana.post(identity, object{"password": "guess"}).refused(429, "too_many_attempts")
}

// Who gets in by another service, and who links an account or removes one, is in the audit log under their own name.
func TestWaysInAreNoted(t *testing.T) {
	in := goAbroad(t)
	ana := in.inBrowser("ana")
	ana.link("oidc", "carla", object{"password": password})
	identity := ana.get("/auth/identities").want(200).items("items")[0].text("id")
	ana.post("/auth/identities/"+identity+"/unlink", object{"password": password}).want(204)
	dora := in.nobody(true)
	in.enter(dora, "oidc", "dora", object{})
	for _, c := range []struct{ action, actor, after string }{
		{"identity.link", "ana", "carla@example.org"},
		{"identity.unlink", "ana", ""},
		{"account.register", "dora", "dora@example.org"},
		{"identity.link", "dora", "dora@example.org"},
		{"session.login", "dora", "service"},
	} {
		n := in.sql(`select count(*) from audit_entries where action = $1 and actor_kind = 'user' and actor_name = $2 and coalesce(after, '') like '%' || $3 || '%'`,
			c.action, c.actor, c.after)
		if n != 1 {
			t.Errorf("%d entries %s by %s", n, c.action, c.actor)
		}
	}
}

func TestAnIdentityIsOnePersons(t *testing.T) {
	in := goAbroad(t)
	ana, bob := in.inBrowser("ana"), in.inBrowser("bob")
	ana.link("oidc", "carla", object{"password": password})
	in.wantFailed(bob.link("oidc", "carla", object{"password": password}), "/settings", "identity_taken")
	in.wantFailed(ana.link("oidc", "dora", object{"password": password}), "/settings", "identity_exists")
	hers := ana.get("/auth/identities").want(200).items("items")[0].text("id")
	bob.post("/auth/identities/"+hers+"/unlink", object{"password": password}).want(404)
	if n := in.sql(`select count(*) from identities`); n != 1 {
		t.Errorf("%d identities", n)
	}
}

func TestLinkingNeedsTheSessionInWhichItBegan(t *testing.T) {
	in := goAbroad(t)
	ana := in.inBrowser("ana")
	begin := func() string {
		return in.visit(ana.post("/auth/identities", object{"provider": "oidc", "password": password}).want(200).text("url"), "carla")
	}
	// Nobody else can finish it, logged in or not: the link would give their account at the service to ana.
	bob := in.inBrowser("bob")
	in.wantFailed(bob.get(begin()).sentTo(), "/login", "sso_expired")
	for name, end := range map[string]func(){
		"the session ended":       func() { ana.post("/auth/logout", nil).want(204) },
		"the account is disabled": func() { in.sql(`update users set disabled_at = now() where username = 'ana' returning 0`) },
	} {
		path := begin()
		end()
		in.wantFailed(ana.get(path).sentTo(), "/settings", "sso_expired")
		if n := in.sql(`select count(*) from identities`); n != 0 {
			t.Errorf("%s, but the identity is linked", name)
		}
		in.sql(`update users set disabled_at = null returning 0`)
		ana.login("ana@example.org").want(200)
	}
	// A failure at the service leads back to the settings.
	address, _ := url.Parse(ana.post("/auth/identities", object{"provider": "oidc", "password": password}).want(200).text("url"))
	in.wantFailed(ana.get("/auth/sso/oidc/callback?error=access_denied&state="+address.Query().Get("state")).sentTo(), "/settings", "sso_denied")
}

func TestOneWayInStays(t *testing.T) {
	in := goAbroad(t)
	in.user("root")
	carla := in.nobody(true)
	in.enter(carla, "oidc", "carla", object{})
	first := carla.get("/auth/identities").want(200).items("items")[0].text("id")
	carla.post("/auth/identities/"+first+"/unlink", object{}).refused(409, "last_way_in")
	// Her session is enough where there is no password.
	carla.link("github", "carla", object{})
	second := carla.get("/auth/identities").want(200).items("items")[1].text("id")

	// Two at once do not take both.
	var wg sync.WaitGroup
	statuses := make(chan int, 2)
	for _, id := range []string{first, second} {
		wg.Go(func() { statuses <- carla.post("/auth/identities/"+id+"/unlink", object{}).status })
	}
	wg.Wait()
	if a, b := <-statuses, <-statuses; a+b != 204+409 {
		t.Errorf("answers %d and %d", a, b)
	}
	// A service that is not asked any more lets nobody in.
	in.sql(`insert into identities (id, user_id, issuer, subject, email) select gen_random_uuid(), user_id, 'https://old.example.com', 'x', '' from identities returning 0`)
	for _, w := range carla.get("/auth/identities").want(200).items("items") {
		if w["provider"] != nil {
			carla.post("/auth/identities/"+w.text("id")+"/unlink", object{}).refused(409, "last_way_in")
		}
	}
}

// Another service under the same settings has people with the same subjects, who are others.
func TestAnotherIssuerHasOtherPeople(t *testing.T) {
	in := goAbroad(t)
	in.user("root")
	carla := in.nobody(true)
	in.enter(carla, "oidc", "carla", object{})
	in.stop()
	next := oidctest.Start(t, []string{publicURL + "/api/v1/auth/sso/oidc/callback"}, oidctest.Person{Subject: "4711", Name: "eve", Email: "eve@example.org", Verified: true})
	in.cfg.SSO.OIDCIssuer, in.issuer = next.URL, next
	in.url, in.stop = in.serve(prometheus.NewRegistry())
	eve := in.nobody(true)
	in.enter(eve, "oidc", "eve", object{})
	if me := eve.get("/auth/me").want(200); me.text("username") != "eve" {
		t.Errorf("me is %v", me)
	}
	if n := in.sql(`select count(distinct user_id) from identities where subject = '4711'`); n != 2 {
		t.Errorf("%d people", n)
	}
}

func TestAnAPITokenHasNoWayIn(t *testing.T) {
	in := goAbroad(t, func(c *api.Config) {})
	ana := in.user("ana")
	token := ana.withToken("project.read")
	token.get("/auth/identities").refused(403, "session_only")
	token.post("/auth/identities", object{"provider": "oidc", "password": password}).refused(403, "session_only")
	token.post("/auth/identities/"+strings.Replace(nobodysID, "0", "1", 1)+"/unlink", object{"password": password}).refused(403, "session_only")
}
