package oidctest

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// vault is the library's store in memory, with a key that the test can sign with too.
type vault struct {
	*storage.Storage
	key *rsa.PrivateKey
}

// keyID is the name of the issuer's key.
const keyID = "the issuer's key"

type signing struct{ *rsa.PrivateKey }

func (signing) ID() string                                  { return keyID }
func (signing) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k signing) Key() any                                  { return k.PrivateKey }

type public struct{ signing }

func (public) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (public) Use() string                        { return "sig" }
func (k public) Key() any                         { return &k.PublicKey }

// SigningKey implements op.Storage.
func (v *vault) SigningKey(context.Context) (op.SigningKey, error) { return signing{v.key}, nil }

// KeySet implements op.Storage.
func (v *vault) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{public{signing{v.key}}}, nil
}

// SetUserinfoFromToken implements op.Storage; whose token it is is told whatever it is for.
func (v *vault) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	err := v.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin)
	info.Subject = subject
	return err //nolint:wrapcheck // the library's own
}

// users are the people of a server.
type users struct{ s *Server }

// GetUserByID implements storage.UserStore.
func (u users) GetUserByID(id string) *storage.User {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	p, ok := u.s.people[id]
	if !ok {
		return nil
	}
	return &storage.User{ID: p.Subject, Username: p.Name, Password: p.Name, Email: p.Email, EmailVerified: p.Verified}
}

// GetUserByUsername implements storage.UserStore.
func (u users) GetUserByUsername(name string) *storage.User {
	u.s.mu.Lock()
	subject := ""
	for _, p := range u.s.people {
		if p.Name == name {
			subject = p.Subject
		}
	}
	u.s.mu.Unlock()
	return u.GetUserByID(subject)
}

// ExampleClientID implements storage.UserStore.
func (users) ExampleClientID() string { return storage.ServiceUserID }

// Claims reads what stands in a token, without believing it.
func Claims(token string) (claims map[string]any) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	_ = json.Unmarshal(raw, &claims)
	return claims
}

// Sign makes a token that the issuer could have made.
func (s *Server) Sign(claims map[string]any) string { return SignWith(jose.RS256, s.keys.key, claims) }

// SignHS256 makes a token whose key is the issuer's public one, taken for a password.
func (s *Server) SignHS256(claims map[string]any) string {
	key, _ := json.Marshal(jose.JSONWebKey{Key: &s.keys.key.PublicKey, KeyID: keyID})
	return SignWith(jose.HS256, key, claims)
}

// SignWith makes a token under a key of the test's, which has the name of the issuer's.
func SignWith(algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	options := (&jose.SignerOptions{}).WithHeader("kid", keyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		panic(err)
	}
	payload, _ := json.Marshal(claims)
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	token, _ := signed.CompactSerialize()
	return token
}

// Unsigned makes a token that says that it needs no signature.
func Unsigned(claims map[string]any) string {
	payload, _ := json.Marshal(claims)
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
}
