// Package sso asks other services who somebody is: Google, GitHub, and any issuer of OpenID Connect. It speaks OAuth 2.0
// (authorization code with PKCE) and OpenID Connect, and is the only package that imports their libraries. Whom an answer
// lets in, and as which account, is decided by who asks.
package sso

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// patience is how long one call to a service may take.
const patience = 10 * time.Second

// Identity is whom a service means. Issuer and Subject tell people apart and never change; everything else does.
type Identity struct {
	Issuer, Subject string
	Email           string // empty when the service told none
	Verified        bool   // the service says that the address is theirs
	Name            string // what they are called; perhaps empty
}

// Attempt is what is sent along with somebody, and has to come back with them.
type Attempt struct {
	State    string // tells the attempt
	Nonce    string // has to stand in the ID token
	Verifier string // PKCE: the service gets its hash first, and itself with the code
}

// Answer is what somebody brings back.
type Answer struct {
	Code   string
	Issuer string // who says that they answer (RFC 9207); empty where they do not say
}

// Provider is one service.
type Provider struct {
	ID     string // as in addresses: google, github, oidc
	Name   string // for people
	Issuer string // whose identities they are; another service under the same ID has another
	redirect,
	clientID,
	clientSecret string
	client *http.Client
	speaks protocol
}

// protocol is what differs between OpenID Connect and GitHub.
type protocol interface {
	// endpoint finds out where the service wants to be asked, and for what.
	endpoint(ctx context.Context) (oauth2.Endpoint, []string, error)
	// checkIssuer compares who says that they answer with who was asked.
	checkIssuer(ctx context.Context, said string) error
	// who reads the identity out of the token, or asks for it with it.
	who(ctx context.Context, token *oauth2.Token, nonce string) (Identity, error)
}

// Providers are the services that are set.
type Providers struct{ list []*Provider }

// New makes the providers of a configuration that has passed Check. People come back to base + "/" + the provider's ID +
// "/callback"; calls are made over the transport.
func New(cfg Config, base string, transport http.RoundTripper, clk clock.Clock) *Providers {
	client := &http.Client{
		Transport: healthy{transport}, Timeout: patience,
		// Nothing that is asked here leads elsewhere; a redirect would take the client's secret along.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	p := &Providers{}
	add := func(one Provider) {
		one.redirect, one.client = base+"/"+one.ID+"/callback", client
		p.list = append(p.list, &one)
	}
	if cfg.GoogleClientID != "" {
		add(Provider{
			ID: "google", Name: "Google", Issuer: google, clientID: cfg.GoogleClientID, clientSecret: cfg.GoogleClientSecret.Reveal(),
			speaks: &connect{issuer: google, clientID: cfg.GoogleClientID, scopes: []string{"openid", "email", "profile"}, clock: clk},
		})
	}
	if cfg.GitHubClientID != "" {
		at := strings.TrimRight(cfg.GitHubURL, "/")
		add(Provider{
			ID: "github", Name: "GitHub", Issuer: at, clientID: cfg.GitHubClientID, clientSecret: cfg.GitHubClientSecret.Reveal(),
			speaks: gitHub{at: at},
		})
	}
	if cfg.OIDCIssuer != "" {
		add(Provider{
			ID: "oidc", Name: strings.TrimSpace(cfg.OIDCName), Issuer: cfg.OIDCIssuer, clientID: cfg.OIDCClientID, clientSecret: cfg.OIDCClientSecret.Reveal(),
			speaks: &connect{issuer: cfg.OIDCIssuer, clientID: cfg.OIDCClientID, scopes: cfg.OIDCScopes, trustEmail: cfg.OIDCTrustEmail, clock: clk},
		})
	}
	return p
}

// All lists the providers.
func (p *Providers) All() []*Provider { return p.list }

// ByID finds a provider; nil when there is none.
func (p *Providers) ByID(id string) *Provider {
	return p.find(func(one *Provider) bool { return one.ID == id })
}

// ByIssuer finds the provider of an identity; nil when it is not asked any more.
func (p *Providers) ByIssuer(issuer string) *Provider {
	return p.find(func(one *Provider) bool { return one.Issuer == issuer })
}

func (p *Providers) find(is func(*Provider) bool) *Provider {
	if i := slices.IndexFunc(p.list, is); i >= 0 {
		return p.list[i]
	}
	return nil
}

// Issuers lists whose identities let somebody in.
func (p *Providers) Issuers() []string {
	issuers := make([]string, len(p.list))
	for i, one := range p.list {
		issuers[i] = one.Issuer
	}
	return issuers
}

// Begin answers where to send somebody. Errors: Away, Distrusted.
func (p *Provider) Begin(ctx context.Context, a Attempt) (address string, err error) {
	config, err := p.config(p.with(ctx))
	if err != nil {
		return "", err
	}
	return config.AuthCodeURL(a.State, oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("nonce", a.Nonce)), nil
}

// Finish finds out who came back. Errors: Away, Distrusted.
func (p *Provider) Finish(ctx context.Context, a Attempt, answer Answer) (Identity, error) {
	ctx = p.with(ctx)
	if err := p.speaks.checkIssuer(ctx, answer.Issuer); err != nil {
		return Identity{}, p.explain(err)
	}
	config, err := p.config(ctx)
	if err != nil {
		return Identity{}, err
	}
	token, err := config.Exchange(ctx, answer.Code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Identity{}, p.explain(err)
	}
	who, err := p.speaks.who(ctx, token, a.Nonce)
	if err != nil {
		return Identity{}, p.explain(err)
	}
	who.Issuer = p.Issuer
	return who.clean(p)
}

// with lets the libraries use our client.
func (p *Provider) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, p.client)
}

func (p *Provider) config(ctx context.Context) (*oauth2.Config, error) {
	endpoint, scopes, err := p.speaks.endpoint(ctx)
	if err != nil {
		return nil, p.explain(err)
	}
	if u, err := url.Parse(endpoint.AuthURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, p.distrusted("it sends people to %.200q", endpoint.AuthURL)
	}
	return &oauth2.Config{ClientID: p.clientID, ClientSecret: p.clientSecret, Endpoint: endpoint, RedirectURL: p.redirect, Scopes: scopes}, nil
}

// maxSubject is the length of a subject in bytes, as OpenID Connect has it.
const maxSubject = 255

// clean keeps what can be stored. A subject that cannot is none; an address that cannot is not told.
func (i Identity) clean(p *Provider) (Identity, error) {
	if i.Subject == "" || len(i.Subject) > maxSubject || !utf8.ValidString(i.Subject) || strings.ContainsRune(i.Subject, 0) {
		return i, p.distrusted("its subject is %.300q", i.Subject)
	}
	email, err := account.CleanEmail(i.Email)
	if err != nil || len(email) > maxEmail || strings.ContainsRune(email, 0) {
		email, i.Verified = "", false
	}
	i.Email = email
	return i, nil
}

const maxEmail = 254 // bytes
