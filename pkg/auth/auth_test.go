package auth

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

const secret = "a secret of at least 32 characters"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestPasswordsThatAreRefused(t *testing.T) {
	for password, code := range map[string]string{
		"short":                  "too_short",
		"ñññññññññ":              "too_short",
		strings.Repeat("x1", 37): "too_long",
		"Ana@Example.org":        "guessable",
		"anamariagomez":          "guessable",
		"aaaaaaaaaaaa":           "common",
		"Password123!":           "common",
		"passwordpassword":       "common",
		"1234567890":             "common",
		"9876543210":             "common",
		"contraseña1":            "common",
	} {
		f, ok := fault.Of(Check(password, "ana@example.org", "AnaMariaGomez"))
		if !ok || f.Fields[0].Code != code {
			t.Errorf("Check(%q) = %v, want %s", password, f, code)
		}
	}
	for _, password := range []string{"correct horse battery", "Tr3s tristes tigres", "qwerty and then some"} {
		if err := Check(password, "ana@example.org", "ana"); err != nil {
			t.Errorf("Check(%q) = %v", password, err)
		}
	}
}

func TestMatch(t *testing.T) {
	p, err := NewPasswords(bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("p", MaxPassword)
	hash, err := p.Hash(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"the password", hash, long, true},
		{"another", hash, "something else", false},
		{"one whose first 72 bytes match", hash, long + "!", false},
		{"a user who does not exist", "", long, false},
		{"the decoy's own", "", "nobody has this password", false},
	} {
		if got, err := p.Match(t.Context(), c.hash, c.password); err != nil || got != c.want {
			t.Errorf("%s: Match = %v, %v", c.name, got, err)
		}
	}
}

func TestTokens(t *testing.T) {
	clk := clock.NewFake(noon)
	tokens, err := NewTokens(secret, "", clk)
	if err != nil {
		t.Fatal(err)
	}
	user, session := uuid.New(), uuid.New()
	signed, err := tokens.Issue(user, session)
	if err != nil {
		t.Fatal(err)
	}
	if u, s, err := tokens.Read(signed); err != nil || u != user || s != session {
		t.Fatalf("Read = %v, %v, %v", u, s, err)
	}
	clk.Advance(AccessLife + leeway + time.Second)
	if _, _, err := tokens.Read(signed); err == nil {
		t.Error("an expired token is accepted")
	}
}

// What golang-jwt accepts unless it is told otherwise.
func TestForgedTokens(t *testing.T) {
	clk := clock.NewFake(noon)
	tokens, err := NewTokens(secret, "", clk)
	if err != nil {
		t.Fatal(err)
	}
	good := func() claims {
		return claims{RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: uuid.NewString(), ID: "1",
			IssuedAt: jwt.NewNumericDate(noon), ExpiresAt: jwt.NewNumericDate(noon.Add(time.Minute)),
		}}
	}
	sign := func(method jwt.SigningMethod, key any, kid string, change func(*claims)) string {
		c := good()
		change(&c)
		token := jwt.NewWithClaims(method, c)
		token.Header["kid"] = kid
		s, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	keep := func(*claims) {}
	if _, _, err := tokens.Read(sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], tokens.kid, keep)); err != nil {
		t.Fatalf("the control is refused: %v", err)
	}
	for name, forged := range map[string]string{
		"not a token":          "x.y.z",
		"another key":          sign(jwt.SigningMethodHS256, []byte("another key"), tokens.kid, keep),
		"another kid":          sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], "other", keep),
		"no signature":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, tokens.kid, keep),
		"another HMAC":         sign(jwt.SigningMethodHS512, tokens.keys[tokens.kid], tokens.kid, keep),
		"no expiry":            sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], tokens.kid, func(c *claims) { c.ExpiresAt = nil }),
		"another issuer":       sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], tokens.kid, func(c *claims) { c.Issuer = "x" }),
		"another audience":     sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], tokens.kid, func(c *claims) { c.Audience = nil }),
		"no id":                sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], tokens.kid, func(c *claims) { c.ID = "" }),
		"no subject":           sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], tokens.kid, func(c *claims) { c.Subject = "" }),
		"issued in the future": sign(jwt.SigningMethodHS256, tokens.keys[tokens.kid], tokens.kid, func(c *claims) { c.IssuedAt = jwt.NewNumericDate(noon.Add(time.Hour)) }),
	} {
		if _, _, err := tokens.Read(forged); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAShortSecretIsRefused(t *testing.T) {
	if _, err := NewTokens("too short", "", clock.System{}); err == nil {
		t.Error("accepted")
	}
}

func TestRefreshTokensDiffer(t *testing.T) {
	a, hash, err := NewToken()
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := NewToken()
	if err != nil {
		t.Fatal(err)
	}
	if a == b || string(HashToken(a)) != string(hash) {
		t.Error("refresh tokens repeat, or their hashes do not")
	}
}

// A new secret logs nobody out while the one before it is given too; without that, nothing of it is believed.
func TestKeysRotate(t *testing.T) {
	clk := clock.NewFake(noon)
	of := func(secret, previous string) *Tokens {
		tokens, err := NewTokens(secret, previous, clk)
		if err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	user, session := uuid.New(), uuid.New()
	before, err := of(secret, "").Issue(user, session)
	if err != nil {
		t.Fatal(err)
	}
	next := secret + " the second"
	rotated := of(next, secret)
	if u, s, err := rotated.Read(before); err != nil || u != user || s != session {
		t.Errorf("a token of the previous key: %v", err)
	}
	after, err := rotated.Issue(user, session)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := of(next, "").Read(after); err != nil {
		t.Errorf("the previous key signs: %v", err)
	}
	if _, _, err := of(next, "").Read(before); err == nil {
		t.Error("a key that was given up is believed")
	}
}

func TestAPITokens(t *testing.T) {
	token, hash, hint := NewAPIToken()
	if !IsAPIToken(token) || len(token) != len(apiTokenPrefix)+58 || token[len(token)-4:] != hint {
		t.Errorf("%q, %q", token, hint)
	}
	if got, err := HashAPIToken(token); err != nil || !bytes.Equal(got, hash) {
		t.Errorf("%x, %v; want %x", got, err, hash)
	}
	other, _, _ := NewAPIToken()
	if other == token {
		t.Error("two tokens are the same")
	}
	for _, wrong := range []string{"", "orq_", token[1:], token + "a", token[:len(token)-1], token[:20] + "a" + token[21:] + "x", strings.ToUpper(token)} {
		if _, err := HashAPIToken(wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}
