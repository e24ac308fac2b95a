// Package webhook reads the requests that other services send: whether they are signed by who knows the secret, what tells two
// of the same thing, and what a run gets to see of them. It touches neither database nor network.
package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // some senders have nothing better; within HMAC it still holds
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Tolerance is how far a signed timestamp may lie from now.
const Tolerance = 5 * time.Minute

// ReplayWindow is how long the id of a signed request is remembered: longer than Tolerance in both directions, and long enough
// for most senders' own retries.
const ReplayWindow = 24 * time.Hour

// Request is what arrived.
type Request struct {
	Method string
	Header http.Header
	Query  string // as it arrived
	Body   []byte // as it arrived
}

// Verify finds out whether a request was signed with the secret. A secret of several lines is several secrets, any of which
// will do, so that a new one can be brought in. ids are what tells the request from others, and stays the same when it is sent
// again, as far as the scheme has such things. Errors: Unauthorized.
func Verify(s workflow.Signature, secret string, r Request, now time.Time) (ids []string, err error) {
	scheme, ok := schemes[s.Scheme]
	if !ok {
		return nil, refused("signature_scheme", "the trigger has an unknown scheme of signatures")
	}
	claim, err := scheme(s, r)
	if err != nil {
		return nil, err
	}
	if claim.timestamp != "" {
		if err := checkTime(claim.timestamp, now); err != nil {
			return nil, err
		}
	}
	for key := range strings.FieldsFuncSeq(secret, func(c rune) bool { return c == '\n' || c == '\r' }) {
		if mac := claim.by(key); mac != nil {
			return claim.ids(mac, r.Body), nil
		}
	}
	return nil, refused("signature_invalid", "the signature is not one of this body with the secret that is known here")
}

// claim is what a request says of its signature.
type claim struct {
	hash       func() hash.Hash
	signed     []byte   // what was signed
	signatures [][]byte // any of these
	timestamp  string   // seconds since 1970; empty when the scheme has none
	id         string   // the sender's; whether it is signed is the scheme's to say
	idSigned   bool
	member     string                     // of the signed body, holds an id
	key        func(secret string) []byte // nil: the secret's bytes
}

// by answers the code that the secret makes of what was signed, if that is one of the signatures. All are compared, and each
// in constant time.
func (c claim) by(secret string) (mac []byte) {
	key := []byte(secret)
	if c.key != nil {
		key = c.key(secret)
	}
	if len(bytes.TrimSpace(key)) == 0 {
		return nil // a blank line is no secret: everybody knows it
	}
	maker := hmac.New(c.hash, key)
	maker.Write(c.signed)
	want, found := maker.Sum(nil), false
	for _, signature := range c.signatures {
		found = hmac.Equal(signature, want) || found
	}
	if !found {
		return nil
	}
	return want
}

// ids are those of a request whose signature is good. One that is dated cannot be sent again under another id: the code
// itself, as it was calculated here, is one of its ids unless the signed body has its own.
func (c claim) ids(mac, body []byte) (ids []string) {
	if c.id != "" {
		ids = append(ids, c.id)
	}
	if id := member(body, c.member); id != "" {
		return append(ids, id)
	}
	if c.timestamp != "" && !c.idSigned {
		ids = append(ids, hex.EncodeToString(mac))
	}
	return ids
}

func checkTime(text string, now time.Time) error {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return refused("timestamp_invalid", "the signed timestamp is not a number of seconds since 1970")
	}
	if off := now.Sub(time.Unix(seconds, 0)); off > Tolerance || off < -Tolerance {
		return refused("timestamp_outside", "the signed timestamp is more than %s from now: an old request sent again, or a clock that is wrong", Tolerance)
	}
	return nil
}

func refused(code, format string, args ...any) error {
	return fault.New(fault.Unauthorized, code, format, args...)
}

func missing(header string) error {
	return refused("signature_missing", "the header %s is missing or cannot be read", header)
}

// schemes read a request's claim.
var schemes = map[string]func(workflow.Signature, Request) (claim, error){
	workflow.SchemeStandard: standard, workflow.SchemeGitHub: github, workflow.SchemeStripe: stripe, workflow.SchemeSlack: slack,
	workflow.SchemeHMAC: generic,
}

// standard is https://www.standardwebhooks.com. Services that use Svix name its headers svix-*.
func standard(_ workflow.Signature, r Request) (claim, error) {
	prefix := "Webhook-"
	if r.Header.Get(prefix+"Id") == "" && r.Header.Get("Svix-Id") != "" {
		prefix = "Svix-"
	}
	id, timestamp := r.Header.Get(prefix+"Id"), r.Header.Get(prefix+"Timestamp")
	if id == "" || timestamp == "" {
		return claim{}, missing("webhook-id or webhook-timestamp")
	}
	c := claim{hash: sha256.New, signed: join(id, ".", timestamp, ".", r.Body), timestamp: timestamp, id: id, idSigned: true, key: standardKey}
	for _, one := range strings.Fields(r.Header.Get(prefix + "Signature")) {
		if encoded, v1 := strings.CutPrefix(one, "v1,"); v1 {
			c.signatures = appendDecoded(c.signatures, base64.StdEncoding.DecodeString, encoded)
		}
	}
	if len(c.signatures) == 0 {
		return c, missing("webhook-signature")
	}
	return c, nil
}

// standardKey is what a secret such as whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw stands for.
func standardKey(secret string) []byte {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return []byte(secret)
	}
	return key
}

// github is https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries. The delivery's id is not signed;
// it tells the sender's own repetitions.
func github(_ workflow.Signature, r Request) (claim, error) {
	c := claim{hash: sha256.New, signed: r.Body, id: r.Header.Get("X-GitHub-Delivery")}
	encoded, _ := strings.CutPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=")
	if c.signatures = appendDecoded(nil, hex.DecodeString, encoded); len(c.signatures) == 0 {
		return c, missing("X-Hub-Signature-256")
	}
	return c, nil
}

// stripe is https://docs.stripe.com/webhooks#verify-manually.
func stripe(_ workflow.Signature, r Request) (claim, error) {
	c := claim{hash: sha256.New, member: "id"}
	for part := range strings.SplitSeq(r.Header.Get("Stripe-Signature"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			c.timestamp = value
		case "v1":
			c.signatures = appendDecoded(c.signatures, hex.DecodeString, value)
		}
	}
	if c.timestamp == "" || len(c.signatures) == 0 {
		return c, missing("Stripe-Signature")
	}
	c.signed = join(c.timestamp, ".", r.Body)
	return c, nil
}

// slack is https://docs.slack.dev/authentication/verifying-requests-from-slack.
func slack(_ workflow.Signature, r Request) (claim, error) {
	c := claim{hash: sha256.New, timestamp: r.Header.Get("X-Slack-Request-Timestamp"), member: "event_id"}
	encoded, _ := strings.CutPrefix(r.Header.Get("X-Slack-Signature"), "v0=")
	c.signatures = appendDecoded(nil, hex.DecodeString, encoded)
	if c.timestamp == "" || len(c.signatures) == 0 {
		return c, missing("X-Slack-Signature or X-Slack-Request-Timestamp")
	}
	c.signed = join("v0:", c.timestamp, ":", r.Body)
	return c, nil
}

// generic is an HMAC whose details the trigger says.
func generic(s workflow.Signature, r Request) (claim, error) {
	c := claim{hash: sha256.New, signed: r.Body}
	switch s.Algorithm {
	case "sha1":
		c.hash = sha1.New
	case "sha512":
		c.hash = sha512.New
	}
	decode := hex.DecodeString
	if s.Encoding == "base64" {
		decode = base64.StdEncoding.DecodeString
	}
	encoded, _ := strings.CutPrefix(strings.TrimSpace(r.Header.Get(s.Header)), s.Prefix)
	if c.signatures = appendDecoded(nil, decode, encoded); len(c.signatures) == 0 {
		return c, missing(s.Header)
	}
	if s.TimestampHeader != "" {
		if c.timestamp = r.Header.Get(s.TimestampHeader); c.timestamp == "" {
			return c, missing(s.TimestampHeader)
		}
		c.signed = join(c.timestamp, ".", r.Body)
	}
	if s.IDHeader != "" {
		c.id = r.Header.Get(s.IDHeader)
	}
	return c, nil
}

// SignatureHeaders are the headers that hold signatures under a scheme; they are kept from runs and lists.
func SignatureHeaders(s *workflow.Signature) []string {
	names := []string{"Webhook-Signature", "Svix-Signature", "X-Hub-Signature", "X-Hub-Signature-256", "Stripe-Signature", "X-Slack-Signature"}
	if s != nil && s.Header != "" {
		names = append(names, s.Header)
	}
	return names
}

func appendDecoded(list [][]byte, decode func(string) ([]byte, error), encoded string) [][]byte {
	raw, err := decode(strings.TrimSpace(encoded))
	if err != nil || len(raw) == 0 {
		return list
	}
	return append(list, raw)
}

// member is a member of a JSON object that is a text; empty when there is none.
func member(body []byte, name string) string {
	var object map[string]json.RawMessage
	var text string
	if name == "" {
		return ""
	}
	if json.Unmarshal(body, &object) != nil || json.Unmarshal(object[name], &text) != nil {
		return ""
	}
	return text
}

func join(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}
