package webhook

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// Sign makes the headers with which Verify takes a body, for those who want to try a webhook. id names the request where the
// scheme has such a thing.
func Sign(s workflow.Signature, secret, id string, body []byte, now time.Time) (http.Header, error) {
	header := http.Header{}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	// What is to be signed, and how, is what Verify makes of a request whose signature is yet to come.
	blank := base64.StdEncoding.EncodeToString([]byte("."))
	switch s.Scheme {
	case workflow.SchemeStandard:
		header.Set("Webhook-Id", id)
		header.Set("Webhook-Timestamp", timestamp)
		header.Set("Webhook-Signature", "v1,"+blank)
	case workflow.SchemeGitHub:
		header.Set("X-Hub-Signature-256", "sha256=00")
		header.Set("X-Github-Delivery", id)
	case workflow.SchemeStripe:
		header.Set("Stripe-Signature", "t="+timestamp+",v1=00")
	case workflow.SchemeSlack:
		header.Set("X-Slack-Request-Timestamp", timestamp)
		header.Set("X-Slack-Signature", "v0=00")
	case workflow.SchemeHMAC:
		header.Set(s.Header, s.Prefix+"00")
		if s.Encoding == "base64" {
			header.Set(s.Header, s.Prefix+blank)
		}
		if s.TimestampHeader != "" {
			header.Set(s.TimestampHeader, timestamp)
		}
		if s.IDHeader != "" {
			header.Set(s.IDHeader, id)
		}
	default:
		return nil, errors.New("there is no such scheme of signatures")
	}
	c, err := schemes[s.Scheme](s, Request{Header: header, Body: body})
	if err != nil {
		return nil, err
	}
	key := []byte(secret)
	if c.key != nil {
		key = c.key(secret)
	}
	mac := hmac.New(c.hash, key)
	mac.Write(c.signed)
	sum := mac.Sum(nil)
	switch s.Scheme {
	case workflow.SchemeStandard:
		header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum))
	case workflow.SchemeGitHub:
		header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum))
	case workflow.SchemeStripe:
		header.Set("Stripe-Signature", "t="+timestamp+",v1="+hex.EncodeToString(sum))
	case workflow.SchemeSlack:
		header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(sum))
	case workflow.SchemeHMAC:
		encoded := hex.EncodeToString(sum)
		if s.Encoding == "base64" {
			encoded = base64.StdEncoding.EncodeToString(sum)
		}
		header.Set(s.Header, s.Prefix+encoded)
	}
	return header, nil
}
