package auth

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Lives of tokens.
const (
	AccessLife  = 10 * time.Minute
	SessionLife = 30 * 24 * time.Hour
)

const (
	issuer   = "orquestador"
	audience = "orquestador-api"
	leeway   = 5 * time.Second // between the clocks of replicas
	// MinSecret is the shortest installation secret, in characters.
	MinSecret = 32
)

// ErrUnauthorized says that a token is not worth anything, without saying why.
var ErrUnauthorized = fault.New(fault.Unauthorized, "unauthorized", "Log in first")

// Tokens makes and reads access tokens.
type Tokens struct {
	kid   string            // of the key that signs
	keys  map[string][]byte // all that are believed, by kid
	clock clock.Clock
}

// NewTokens derives the signing key from the installation's secret, any text of MinSecret characters or more. What was
// signed under the secret before it, if there is one, is still believed: nobody is logged out by a new one.
func NewTokens(secret, previous string, clk clock.Clock) (*Tokens, error) {
	t := &Tokens{keys: map[string][]byte{}, clock: clk}
	secrets := []string{secret}
	if previous != "" {
		secrets = []string{previous, secret} // the last one signs
	}
	for _, s := range secrets {
		if len([]rune(s)) < MinSecret {
			return nil, fmt.Errorf("ORQ_SECRET_KEY must have at least %d characters; try: openssl rand -hex 32", MinSecret)
		}
		key, err := hkdf.Key(sha256.New, []byte(s), nil, "orquestador access token v1", 32)
		if err != nil {
			return nil, fmt.Errorf("derive the signing key: %w", err)
		}
		sum := sha256.Sum256(key)
		t.kid = hex.EncodeToString(sum[:4])
		t.keys[t.kid] = key
	}
	return t, nil
}

type claims struct {
	jwt.RegisteredClaims
	Session uuid.UUID `json:"sid"`
}

// Issue makes an access token for a user's session.
func (t *Tokens) Issue(user, session uuid.UUID) (string, error) {
	now := t.clock.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: user.String(), ID: uuid.NewString(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(AccessLife)),
		},
		Session: session,
	})
	token.Header["kid"] = t.kid
	signed, err := token.SignedString(t.keys[t.kid])
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	return signed, nil
}

// Read answers whose token it is; ErrUnauthorized when it is not ours, expired, or signed in any other way. Everything
// that the library does not ask for by itself is asked for here.
func (t *Tokens) Read(signed string) (user, session uuid.UUID, err error) {
	var c claims
	_, err = jwt.ParseWithClaims(signed, &c, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key, known := t.keys[kid]
		if !known {
			return nil, errors.New("unknown key")
		}
		return key, nil
	},
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithLeeway(leeway), jwt.WithTimeFunc(t.clock.Now),
	)
	if err != nil {
		return user, session, ErrUnauthorized
	}
	if user, err = uuid.Parse(c.Subject); err != nil || c.ID == "" || c.IssuedAt == nil {
		return user, session, ErrUnauthorized
	}
	return user, c.Session, nil
}

// NewToken makes a token that means nothing by itself (a refresh token, the token of a link) and the hash of it that is
// stored.
func NewToken() (token string, hash []byte, err error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", nil, fmt.Errorf("make a token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, HashToken(token), nil
}

// HashToken is what is stored of such a token. It has 256 random bits, so that a plain hash is enough.
func HashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
