package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// Nothing but what is signed with the key is an access token. (Each process of the fuzzer makes tokens of its own.)
func FuzzReadAccessToken(f *testing.F) {
	tokens, err := NewTokens(secret, "", clock.NewFake(noon))
	if err != nil {
		f.Fatal(err)
	}
	made, err := tokens.Issue(uuid.New(), uuid.New())
	if err != nil {
		f.Fatal(err)
	}
	head, rest, _ := strings.Cut(made, ".")
	for _, seed := range []string{
		made, "", "..", head + "..", "eyJhbGciOiJub25lIn0." + rest, made[:len(made)-1], made + "=", made + ".x", head + "." + head + "." + head,
		"eyJhbGciOiJIUzI1NiIsImtpZCI6W119." + rest,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		_, _, err := tokens.Read(token)
		if err == nil {
			text, signature, _ := cutLast(token, ".")
			mac := hmac.New(sha256.New, tokens.keys[tokens.kid])
			mac.Write([]byte(text))
			if given, err := base64.RawURLEncoding.DecodeString(signature); err != nil || !hmac.Equal(given, mac.Sum(nil)) {
				t.Errorf("%q is taken for a token", token)
			}
		}
		if err != nil && !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%q: %v", token, err)
		}
	})
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Of the texts that look like an API token only one in four milliards is asked for in the database: its checksum is right.
func FuzzHashAPIToken(f *testing.F) {
	made, _, _ := NewAPIToken()
	for _, seed := range []string{made, apiTokenPrefix, "", made[:20], strings.ToUpper(made), made + "a", "orq_\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		hash, err := HashAPIToken(token)
		if (err == nil) != (len(hash) > 0) || err != nil && !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%q: %x, %v", token, hash, err)
		}
	})
}
