package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// connect speaks OpenID Connect with an issuer.
type connect struct {
	issuer, clientID string
	scopes           []string
	trustEmail       bool
	clock            clock.Clock

	mu    sync.Mutex
	known *document
}

// document is what an issuer says about itself.
type document struct {
	*oidc.Provider
	verifier *oidc.IDTokenVerifier
	until    time.Time
	said     struct {
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		SaysIssuer  bool     `json:"authorization_response_iss_parameter_supported"`
	}
}

// documentLife is how long an issuer's document is believed before it is read again.
const documentLife = time.Hour

// discover reads the issuer's document when it is needed first, again after an hour, and again after each failure. An old
// document is better than none: where the issuer does not answer, it stays.
func (c *connect) discover(ctx context.Context) (*document, error) {
	now := c.clock.Now()
	c.mu.Lock()
	known := c.known
	c.mu.Unlock()
	if known != nil && now.Before(known.until) {
		return known, nil
	}
	fresh, err := c.read(ctx)
	switch {
	case err != nil && known != nil:
		return known, nil
	case err != nil:
		return nil, err
	}
	fresh.until = now.Add(documentLife)
	c.mu.Lock()
	c.known = fresh
	c.mu.Unlock()
	return fresh, nil
}

func (c *connect) read(ctx context.Context) (*document, error) {
	provider, err := oidc.NewProvider(ctx, c.issuer)
	if err != nil {
		return nil, fmt.Errorf("read the issuer's document: %w", err)
	}
	d := &document{Provider: provider}
	if err := provider.Claims(&d.said); err != nil {
		return nil, fmt.Errorf("read the issuer's document: %w", err)
	}
	d.verifier = provider.Verifier(&oidc.Config{ClientID: c.clientID, Now: c.clock.Now})
	return d, nil
}

// endpoint implements protocol. The way to send the secret is the one that the issuer names: trying both would spend the
// code on the first.
func (c *connect) endpoint(ctx context.Context) (oauth2.Endpoint, []string, error) {
	d, err := c.discover(ctx)
	if err != nil {
		return oauth2.Endpoint{}, nil, err
	}
	endpoint := d.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if methods := d.said.AuthMethods; len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return endpoint, c.scopes, nil
}

// checkIssuer implements protocol: an answer of another issuer is one that somebody was led to (mix-up).
func (c *connect) checkIssuer(ctx context.Context, said string) error {
	d, err := c.discover(ctx)
	if err != nil {
		return err
	}
	if said == "" && !d.said.SaysIssuer || said == c.issuer {
		return nil
	}
	return fmt.Errorf("the answer is of the issuer %.200q, not of %q", said, c.issuer)
}

// claims are what is read of an ID token, and of what the issuer says about its subject.
type claims struct {
	Subject    string `json:"sub"`
	Email      string `json:"email"`
	Verified   truth  `json:"email_verified"`
	Name       string `json:"name"`
	Username   string `json:"preferred_username"`
	Authorized string `json:"azp"`
}

// truth is true, or what some issuers write for it.
type truth bool

// UnmarshalJSON implements json.Unmarshaler.
func (t *truth) UnmarshalJSON(raw []byte) error {
	*t = string(raw) == `true` || string(raw) == `"true"`
	return nil
}

// who implements protocol. The library checks the token's signature, algorithm, issuer, audience and expiry.
func (c *connect) who(ctx context.Context, token *oauth2.Token, nonce string) (Identity, error) {
	d, err := c.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Identity{}, errors.New("there is no ID token in its answer")
	}
	id, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return Identity{}, fmt.Errorf("check the ID token: %w", err)
	}
	var said claims
	if err := id.Claims(&said); err != nil {
		return Identity{}, fmt.Errorf("read the ID token: %w", err)
	}
	switch {
	case nonce == "" || id.Nonce != nonce:
		return Identity{}, errors.New("the ID token was made for another login")
	case said.Authorized != "" && said.Authorized != c.clientID, len(id.Audience) > 1 && said.Authorized == "":
		return Identity{}, fmt.Errorf("the ID token was made for the client %.200q", said.Authorized)
	}
	if said.Email == "" && d.UserInfoEndpoint() != "" {
		if err := d.more(ctx, token, &said); err != nil {
			return Identity{}, err
		}
	}
	return Identity{
		Subject: id.Subject, Email: said.Email, Verified: bool(said.Verified) || c.trustEmail, Name: firstOf(said.Username, said.Name),
	}, nil
}

// more asks the issuer for what does not stand in its ID tokens.
func (d *document) more(ctx context.Context, token *oauth2.Token, said *claims) error {
	info, err := d.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("ask about the subject: %w", err)
	}
	if info.Subject != said.Subject {
		return fmt.Errorf("asked about %.300q, it told about %.300q", said.Subject, info.Subject)
	}
	if err := info.Claims(said); err != nil {
		return fmt.Errorf("read about the subject: %w", err)
	}
	return nil
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
