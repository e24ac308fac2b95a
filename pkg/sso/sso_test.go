package sso_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/sso"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/oidctest"
)

const base = "http://127.0.0.1:1/sso"

var ana = oidctest.Person{Subject: "4711", Name: "ana", Email: "ana@example.org", Verified: true}

// login is somebody on their way to an issuer and back.
type login struct {
	t        *testing.T
	issuer   *oidctest.Server
	cfg      sso.Config
	provider *sso.Provider
	attempt  sso.Attempt
}

func start(t *testing.T, asGitHub bool, change ...func(*sso.Config)) *login {
	t.Helper()
	issuer := oidctest.Start(t, []string{base + "/oidc/callback", base + "/github/callback"}, ana)
	l := &login{t: t, issuer: issuer, attempt: sso.Attempt{State: "the state", Nonce: "the nonce", Verifier: strings.Repeat("v", 43)}}
	l.cfg = sso.Config{OIDCIssuer: issuer.URL, OIDCClientID: oidctest.Client, OIDCClientSecret: oidctest.Secret, OIDCName: "Example", OIDCScopes: []string{"openid", "email", "profile"}}
	if asGitHub {
		l.cfg = sso.Config{GitHubURL: issuer.URL, GitHubClientID: oidctest.Client, GitHubClientSecret: oidctest.Secret}
	}
	for _, f := range change {
		f(&l.cfg)
	}
	if err := l.cfg.Check(); err != nil {
		t.Fatal(err)
	}
	l.provider = providers(t, l.cfg, clock.System{}).All()[0]
	return l
}

func providers(t *testing.T, cfg sso.Config, clk clock.Clock) *sso.Providers {
	t.Helper()
	network, err := egress.New(egress.Config{Allow: cfg.Hosts()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(network.Close)
	return sso.New(cfg, base, network.RoundTripper(), clk)
}

// visit goes to the issuer and answers what comes back.
func (l *login) visit() sso.Answer {
	l.t.Helper()
	address, err := l.provider.Begin(l.t.Context(), l.attempt)
	if err != nil {
		l.t.Fatal(err)
	}
	back, err := l.issuer.Visit(l.t.Context(), address, "ana")
	if err != nil {
		l.t.Fatal(err)
	}
	if back.Query().Get("state") != "the state" || !strings.HasPrefix(back.String(), base+"/"+l.provider.ID+"/callback?") {
		l.t.Fatalf("back at %s", back)
	}
	return sso.Answer{Code: back.Query().Get("code"), Issuer: back.Query().Get("iss")}
}

func (l *login) wantCode(err error, code string) {
	l.t.Helper()
	if f, ok := fault.Of(err); !ok || f.Code != code {
		l.t.Errorf("%v (%v); want %s", err, f, code)
	}
}

func TestAnIssuerSaysWhoSomebodyIs(t *testing.T) {
	l := start(t, false)
	got, err := l.provider.Finish(t.Context(), l.attempt, l.visit())
	if want := (sso.Identity{Issuer: l.issuer.URL, Subject: "4711", Email: "ana@example.org", Verified: true, Name: "ana"}); err != nil || got != want {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
}

func TestGitHubSaysWhoSomebodyIs(t *testing.T) {
	l := start(t, true)
	got, err := l.provider.Finish(t.Context(), l.attempt, l.visit())
	if want := (sso.Identity{Issuer: l.issuer.URL, Subject: "4711", Email: "ana@example.org", Verified: true, Name: "ana"}); err != nil || got != want {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
	l.issuer.Answer("/api/v3/user", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"login":"ana"}`)) })
	_, err = l.provider.Finish(t.Context(), l.attempt, l.visit())
	l.wantCode(err, sso.Distrusted)
}

// The server of the tests is no yes-man: what an attacker could bring is refused by it.
func TestTheIssuerChecksWhoAsks(t *testing.T) {
	for name, change := range map[string]func(*login, *sso.Answer){
		"another verifier":  func(l *login, _ *sso.Answer) { l.attempt.Verifier = strings.Repeat("w", 43) },
		"no verifier":       func(l *login, _ *sso.Answer) { l.attempt.Verifier = "" },
		"another code":      func(_ *login, a *sso.Answer) { a.Code = "made up" },
		"no code":           func(_ *login, a *sso.Answer) { a.Code = "" },
		"the secret is old": func(l *login, _ *sso.Answer) { l.change(func(c *sso.Config) { c.OIDCClientSecret = "old" }) },
		"another client": func(l *login, _ *sso.Answer) {
			l.change(func(c *sso.Config) { c.OIDCClientID = oidctest.Other })
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, false)
			answer := l.visit()
			change(l, &answer)
			_, err := l.provider.Finish(t.Context(), l.attempt, answer)
			l.wantCode(err, sso.Distrusted)
		})
	}
	l := start(t, false)
	answer := l.visit()
	if _, err := l.provider.Finish(t.Context(), l.attempt, answer); err != nil {
		t.Fatal(err)
	}
	_, err := l.provider.Finish(t.Context(), l.attempt, answer)
	l.wantCode(err, sso.Distrusted) // a code works once
}

func (l *login) change(f func(*sso.Config)) {
	l.t.Helper()
	f(&l.cfg)
	l.provider = providers(l.t, l.cfg, clock.System{}).All()[0]
}

// What an ID token may not be, each in a real answer of the issuer.
func TestForgedIDTokens(t *testing.T) {
	l := start(t, false)
	sign := l.issuer.Sign
	with := func(name string, value any) func(map[string]any) string {
		return func(claims map[string]any) string {
			claims = maps.Clone(claims)
			claims[name] = value
			return sign(claims)
		}
	}
	stranger := jose.JSONWebKey{Key: []byte(strings.Repeat("k", 32))}
	for name, forge := range map[string]func(map[string]any) string{
		"for another login":       with("nonce", "another nonce"),
		"without a nonce":         with("nonce", ""),
		"for another client":      with("aud", oidctest.Other),
		"for nobody":              with("aud", []string{}),
		"given to another client": with("azp", oidctest.Other),
		"for several": func(c map[string]any) string {
			delete(c, "azp")
			c["aud"] = []string{oidctest.Client, "x"}
			return sign(c)
		},
		"of another issuer":                    with("iss", "https://id.example.com"),
		"of an issuer with a slash":            with("iss", l.issuer.URL+"/"),
		"expired":                              with("exp", time.Now().Add(-time.Minute).Unix()),
		"without an end":                       func(c map[string]any) string { delete(c, "exp"); return sign(c) },
		"for later":                            with("nbf", time.Now().Add(time.Hour).Unix()),
		"without a subject":                    with("sub", ""),
		"with a long subject":                  with("sub", strings.Repeat("s", 256)),
		"with a subject that cannot be stored": with("sub", "a\x00b"),
		"not signed":                           oidctest.Unsigned,
		"signed with the public key":           l.issuer.SignHS256,
		"signed by a stranger":                 func(c map[string]any) string { return oidctest.SignWith(jose.HS256, stranger.Key, c) },
		"cut off":                              func(c map[string]any) string { s := sign(c); return s[:len(s)-10] },
		"changed": func(c map[string]any) string {
			parts, other := strings.Split(sign(c), "."), maps.Clone(c)
			other["sub"] = "1"
			return parts[0] + "." + strings.Split(sign(other), ".")[1] + "." + parts[2]
		},
		"no token": func(map[string]any) string { return "hello" },
		"nothing":  func(map[string]any) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.issuer.Forge(forge)
			_, err := l.provider.Finish(t.Context(), l.attempt, l.visit())
			l.wantCode(err, sso.Distrusted)
		})
	}
	l.t = t
	l.issuer.Forge(sign) // and what is forged well is what the issuer says
	if got, err := l.provider.Finish(t.Context(), l.attempt, l.visit()); err != nil || got.Subject != "4711" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnAnswerOfAnotherIssuer(t *testing.T) {
	for _, asGitHub := range []bool{false, true} {
		l := start(t, asGitHub)
		answer := l.visit()
		tokens := l.issuer.Asked("/oauth/token") + l.issuer.Asked("/login/oauth/access_token")
		answer.Issuer = "https://attacker.example.com"
		_, err := l.provider.Finish(t.Context(), l.attempt, answer)
		l.wantCode(err, sso.Distrusted)
		if now := l.issuer.Asked("/oauth/token") + l.issuer.Asked("/login/oauth/access_token"); now != tokens {
			t.Error("the code was sent away all the same")
		}
	}
	// Where the issuer promises to say that it answers, who does not is somebody else.
	l := start(t, false)
	l.promise()
	answer := l.visit()
	answer.Issuer = ""
	_, err := l.provider.Finish(t.Context(), l.attempt, answer)
	l.wantCode(err, sso.Distrusted)
	answer = l.visit()
	answer.Issuer = l.issuer.URL
	if _, err := l.provider.Finish(t.Context(), l.attempt, answer); err != nil {
		t.Error(err)
	}
}

const discovery = "/.well-known/openid-configuration"

// promise adds to the issuer's document that its answers name it.
func (l *login) promise() {
	l.issuer.Answer(discovery, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"issuer":"` + l.issuer.URL + `","authorization_endpoint":"` + l.issuer.URL + `/auth","token_endpoint":"` + l.issuer.URL +
			`/oauth/token","jwks_uri":"` + l.issuer.URL + `/keys","userinfo_endpoint":"` + l.issuer.URL + `/userinfo","id_token_signing_alg_values_supported":["RS256","HS256","none"],` +
			`"token_endpoint_auth_methods_supported":["client_secret_post"],"authorization_response_iss_parameter_supported":true}`))
	})
}

func TestWhatIssuersSayAboutAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		email    string
		verified any
		trust    bool
		want     string
		is       bool
	}{
		"verified":                   {"ana@example.org", true, false, "ana@example.org", true},
		"verified, as a text":        {"ana@example.org", "true", false, "ana@example.org", true},
		"not verified":               {"ana@example.org", false, false, "ana@example.org", false},
		"not verified, as a text":    {"ana@example.org", "false", false, "ana@example.org", false},
		"nothing about that":         {"ana@example.org", nil, false, "ana@example.org", false},
		"nothing, but it is trusted": {"ana@example.org", nil, true, "ana@example.org", true},
		"no address":                 {"Ana <ana@example.org>", true, true, "", false},
		"several":                    {"ana@example.org, eve@example.org", true, true, "", false},
		"too long":                   {strings.Repeat("a", 300) + "@example.org", true, false, "", false},
	} {
		l := start(t, false, func(cfg *sso.Config) { cfg.OIDCTrustEmail = c.trust })
		l.issuer.Forge(func(claims map[string]any) string {
			claims["email"], claims["email_verified"] = c.email, c.verified
			return l.issuer.Sign(claims)
		})
		got, err := l.provider.Finish(t.Context(), l.attempt, l.visit())
		if err != nil || got.Email != c.want || got.Verified != c.is {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestInformationAboutSomebodyElse(t *testing.T) {
	l := start(t, false)
	l.issuer.Answer("/userinfo", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"sub":"1","email":"boss@example.org","email_verified":true}`))
	})
	_, err := l.provider.Finish(t.Context(), l.attempt, l.visit())
	l.wantCode(err, sso.Distrusted)
}

func TestAnIssuerThatIsIll(t *testing.T) {
	huge := strings.Repeat(" ", 3<<20)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"down":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, sso.Away},
		"busy":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, sso.Away},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sso.Away},
		"endless":  {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(huge)) }, sso.Away},
		"slow":     {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, sso.Away},
		"a page":   {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<h1>Welcome</h1>")) }, sso.Distrusted},
		"moved":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, sso.Distrusted},
		"nothing":  {func(w http.ResponseWriter, _ *http.Request) {}, sso.Distrusted},
		"half":     {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"issuer":`)) }, sso.Distrusted},
		"another's": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(`{"issuer":"https://attacker.example.com"}`))
		}, sso.Distrusted},
	} {
		for _, path := range []string{discovery, "/oauth/token"} {
			t.Run(name+path, func(t *testing.T) {
				l := start(t, false)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if name == "slow" {
					ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
					defer cancel()
				}
				if path == discovery {
					l.issuer.Answer(path, c.answer)
					_, err := l.provider.Begin(ctx, l.attempt)
					l.wantCode(err, c.code)
				} else {
					answer := l.visit()
					l.issuer.Answer(path, c.answer)
					_, err := l.provider.Finish(ctx, l.attempt, answer)
					l.wantCode(err, c.code)
				}
				if n := l.issuer.Asked("/elsewhere"); n != 0 {
					t.Errorf("a redirect was followed %d times", n)
				}
				l.issuer.Answer(path, nil) // once it is well again, so is the way in
				if _, err := l.provider.Finish(t.Context(), l.attempt, l.visit()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestTheDocumentIsReadAgainAfterAnHour(t *testing.T) {
	clk := clock.NewFake(time.Now())
	l := start(t, false)
	l.provider = providers(t, l.cfg, clk).All()[0]
	l.visit()
	l.visit()
	if n := l.issuer.Asked(discovery); n != 1 {
		t.Errorf("asked %d times within the hour", n)
	}
	clk.Advance(time.Hour)
	l.issuer.Answer(discovery, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	l.visit() // the old one is better than none
	l.issuer.Answer(discovery, nil)
	l.visit()
	l.visit()
	if n := l.issuer.Asked(discovery); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

// The issuer may be inside, since the administrator named it; what its document leads to may not.
func TestWhereAnIssuersDocumentMayLead(t *testing.T) {
	inside := oidctest.Start(t, nil)
	l := start(t, false)
	l.issuer.Answer(discovery, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"issuer":"` + l.issuer.URL + `","authorization_endpoint":"` + l.issuer.URL + `/auth","jwks_uri":"` + l.issuer.URL +
			`/keys","token_endpoint":"` + inside.URL + `/oauth/token"}`))
	})
	_, err := l.provider.Finish(t.Context(), l.attempt, l.visit())
	l.wantCode(err, sso.Away)
	if n := inside.Asked("/oauth/token"); n != 0 {
		t.Errorf("a service inside was called %d times", n)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	good := sso.Config{OIDCIssuer: "https://id.example.com", OIDCClientID: "x", OIDCClientSecret: "y", OIDCName: "Example", GitHubURL: "https://github.com"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	if err := (sso.Config{GitHubURL: "https://github.com"}).Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*sso.Config){
		"ORQ_OIDC_CLIENT_SECRET":     func(c *sso.Config) { c.OIDCClientSecret = "" },
		"ORQ_OIDC_ISSUER":            func(c *sso.Config) { c.OIDCIssuer = "" },
		"ORQ_OIDC_ISSUER must begin": func(c *sso.Config) { c.OIDCIssuer = "http://id.example.com" },
		"ORQ_OIDC_ISSUER must be":    func(c *sso.Config) { c.OIDCIssuer = "id.example.com" },
		"ORQ_OIDC_ISSUER must be an": func(c *sso.Config) { c.OIDCIssuer = "https://me:pw@id.example.com" },
		"ORQ_OIDC_ISSUER is Google": func(c *sso.Config) {
			c.GoogleClientID, c.GoogleClientSecret, c.OIDCIssuer = "x", "y", "https://accounts.google.com/"
		},
		"ORQ_OIDC_ISSUER is ORQ_GITHUB_URL": func(c *sso.Config) {
			c.GitHubClientID, c.GitHubClientSecret, c.GitHubURL = "x", "y", c.OIDCIssuer+"/"
		},
		"ORQ_GOOGLE_CLIENT_SECRET": func(c *sso.Config) { c.GoogleClientID = "x" },
		"ORQ_GITHUB_CLIENT_ID":     func(c *sso.Config) { c.GitHubClientSecret = "x" },
		"ORQ_GITHUB_URL must begin": func(c *sso.Config) {
			c.GitHubClientID, c.GitHubClientSecret, c.GitHubURL = "x", "y", "http://github.example.com"
		},
		"ORQ_OIDC_NAME must have from 1": func(c *sso.Config) { c.OIDCName = strings.Repeat("n", 41) },
	} {
		cfg := good
		change(&cfg)
		if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}
