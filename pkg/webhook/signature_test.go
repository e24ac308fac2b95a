package webhook

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// request makes one from lines "Name: value".
func request(body string, headers ...string) Request {
	r := Request{Method: "POST", Header: http.Header{}, Body: []byte(body)}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

const slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
	"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands" +
	"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"

// The examples that the services publish, where they do; those of Stripe and the generic scheme were made with openssl:
// printf '%s' "<signed>" | openssl dgst -sha256 -hmac "<secret>".
var signed = []struct {
	name, secret string
	how          workflow.Signature
	at           int64
	request      Request
	ids          string // joined by spaces
}{
	{
		"Standard Webhooks (the specification's example)", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		workflow.Signature{Scheme: "standard_webhooks"},
		1614265330, request(`{"test": 2432232314}`, "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp: 1614265330",
			"webhook-signature: v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
		"msg_p5jXN8AQM9LWM0D4loKWxJek",
	},
	{
		"Svix's own headers", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		workflow.Signature{Scheme: "standard_webhooks"},
		1614265330, request(`{"test": 2432232314}`, "svix-id: msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-timestamp: 1614265330",
			"svix-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), "msg_p5jXN8AQM9LWM0D4loKWxJek",
	},
	{
		"GitHub (its documentation's example)", "It's a Secret to Everybody",
		workflow.Signature{Scheme: "github"},
		0, request("Hello, World!", "X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958",
			"X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"), "72d3162e-cc78-11e3-81ab-4c9367dc0958",
	},
	{
		"Slack (its documentation's example)", "8f742231b10e8888abcd99yyyzzz85a5",
		workflow.Signature{Scheme: "slack"},
		1531420618, request(slackBody, "X-Slack-Request-Timestamp: 1531420618",
			"X-Slack-Signature: v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
		"a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
	},
	{
		"Stripe", "whsec_test_secret",
		workflow.Signature{Scheme: "stripe"},
		1492774577, request(`{"id":"evt_1","object":"event"}`,
			"Stripe-Signature: t=1492774577,v1=654b43d3508ecadb3f8cefc4bc7d3d2bdc5ba9e03bf2c89b2d0657a8e24e4543,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"), "evt_1",
	},
	{
		"a generic one in base64 with a prefix", "key",
		workflow.Signature{Scheme: "hmac", Header: "X-Sign", Algorithm: "sha1", Encoding: "base64", Prefix: "sha1="},
		0, request("The quick brown fox jumps over the lazy dog", "X-Sign: sha1=3nybhbi3iqa8ino29wqQcBydtNk="), "",
	},
	{
		"a generic one with a timestamp and an id", "key",
		workflow.Signature{Scheme: "hmac", Header: "X-Sign", TimestampHeader: "X-Time", IDHeader: "X-Id"},
		1700000000, request("hello", "X-Sign: 4d583a269f4f276a3fa80ff31b5a01879a848096983222a17893d198418939aa", "X-Time: 1700000000", "X-Id: 7"), "7 4d583a269f4f276a3fa80ff31b5a01879a848096983222a17893d198418939aa",
	},
}

func TestPublishedSignatures(t *testing.T) {
	for _, c := range signed {
		t.Run(c.name, func(t *testing.T) {
			now := time.Unix(c.at, 0).Add(4 * time.Minute)
			ids, err := Verify(c.how, "another secret\n"+c.secret, c.request, now)
			if err != nil || strings.Join(ids, " ") != c.ids {
				t.Fatalf("%q, %v; want %q", ids, err, c.ids)
			}
			for what, bad := range map[string]struct {
				secret string
				change func(*Request)
				now    time.Time
				code   string
			}{
				"another secret": {"x", func(*Request) {}, now, "signature_invalid"},
				"no secret":      {"", func(*Request) {}, now, "signature_invalid"},
				"a blank one":    {" \n\t", func(*Request) {}, now, "signature_invalid"},
				"another body":   {c.secret, func(r *Request) { r.Body = append([]byte("x"), r.Body...) }, now, "signature_invalid"},
				"no header":      {c.secret, func(r *Request) { r.Header = http.Header{} }, now, "signature_missing"},
			} {
				r := c.request
				bad.change(&r)
				if _, err := Verify(c.how, bad.secret, r, bad.now); codeOf(err) != bad.code {
					t.Errorf("%s: %v, want %s", what, err, bad.code)
				}
			}
			if c.at == 0 {
				return
			}
			for _, off := range []time.Duration{-2 * Tolerance, 2 * Tolerance} {
				if _, err := Verify(c.how, c.secret, c.request, time.Unix(c.at, 0).Add(off)); codeOf(err) != "timestamp_outside" {
					t.Errorf("%s from its time: %v", off, err)
				}
			}
		})
	}
}

func codeOf(err error) string {
	f, ok := fault.Of(err)
	if !ok || f.Kind != fault.Unauthorized {
		return ""
	}
	return f.Code
}

// Whatever is sent, it is refused and nothing breaks.
func FuzzVerify(f *testing.F) {
	f.Add("v1,g0hM=", "t=1,v1=00", "1614265330", "{}")
	f.Add("sha256=", "t=,v1=", "-1", "[")
	f.Add("\x00", "=,=,", "99999999999999999999", "")
	f.Fuzz(func(t *testing.T, signature, list, timestamp, body string) {
		for _, scheme := range workflow.SignatureSchemes {
			r := Request{Header: http.Header{}, Body: []byte(body)}
			for _, name := range []string{"Webhook-Signature", "X-Hub-Signature-256", "X-Slack-Signature", "X-Sign"} {
				r.Header.Set(name, signature)
			}
			r.Header.Set("Stripe-Signature", list)
			r.Header.Set("Webhook-Id", "1")
			r.Header.Set("Webhook-Timestamp", timestamp)
			r.Header.Set("X-Slack-Request-Timestamp", timestamp)
			how := workflow.Signature{Scheme: scheme, Header: "X-Sign"}
			if _, err := Verify(how, "a secret that nobody can know", r, time.Unix(1614265330, 0)); codeOf(err) == "" {
				t.Errorf("%s: %v", scheme, err)
			}
		}
	})
}

// What is signed here is taken here, under every scheme, with the id that it was given.
func TestSignAndVerify(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, how := range []workflow.Signature{
		{Scheme: "standard_webhooks"},
		{Scheme: "github"},
		{Scheme: "stripe"},
		{Scheme: "slack"},
		{Scheme: "hmac", Header: "X-Sign"},
		{Scheme: "hmac", Header: "X-Sign", Algorithm: "sha512", Encoding: "base64", Prefix: "v=", TimestampHeader: "X-At", IDHeader: "X-Id"},
	} {
		body := []byte(`{"id":"evt_7","event_id":"evt_7"}`)
		header, err := Sign(how, "whsec_c2VjcmV0", "evt_7", body, now)
		if err != nil {
			t.Fatal(err)
		}
		r := Request{Header: header, Body: body}
		ids, err := Verify(how, "whsec_c2VjcmV0", r, now)
		if err != nil || !slices.Contains(ids, "evt_7") && how.IDHeader+how.Scheme != "hmac" {
			t.Errorf("%+v: %q, %v", how, ids, err)
		}
		if _, err := Verify(how, "whsec_b3RoZXI=", r, now); codeOf(err) != "signature_invalid" {
			t.Errorf("%+v with another secret: %v", how, err)
		}
	}
}

// A captured request is not taken twice by writing it in another way: neither under other ids that nobody signed, nor with
// signatures that mean the same or nothing.
func TestARequestSentAgainIsKnown(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for name, c := range map[string]struct {
		how    workflow.Signature
		change func(http.Header)
	}{
		"stripe, another signature before it": {workflow.Signature{Scheme: "stripe"}, func(h http.Header) {
			h.Set("Stripe-Signature", strings.Replace(h.Get("Stripe-Signature"), "v1=", "v1=00,v1=", 1))
		}},
		"slack, in capitals": {workflow.Signature{Scheme: "slack"}, func(h http.Header) {
			h.Set("X-Slack-Signature", "v0="+strings.ToUpper(h.Get("X-Slack-Signature")[3:]))
		}},
		"generic, another id": {workflow.Signature{Scheme: "hmac", Header: "X-Sign", TimestampHeader: "X-At", IDHeader: "X-Id"}, func(h http.Header) {
			h.Set("X-Id", "another")
		}},
	} {
		header, err := Sign(c.how, "the secret", "", []byte(`{"a":1}`), now)
		if err != nil {
			t.Fatal(err)
		}
		r := Request{Header: header, Body: []byte(`{"a":1}`)}
		first, err := Verify(c.how, "the secret", r, now)
		if err != nil || len(first) == 0 {
			t.Fatalf("%s: %q, %v", name, first, err)
		}
		c.change(r.Header)
		second, err := Verify(c.how, "the secret", r, now)
		if err != nil || !slices.ContainsFunc(second, func(id string) bool { return slices.Contains(first, id) }) {
			t.Errorf("%s: %q at first, then %q, %v", name, first, second, err)
		}
	}
}
