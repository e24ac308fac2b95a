package workflow

import (
	"slices"
	"strings"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
)

// Signature is how the sender of a webhook's requests proves that it sent them.
type Signature struct {
	Scheme string `json:"scheme"`
	Secret string `json:"secret"` // the name of the project's secret that the sender has too

	// Of SchemeHMAC only.
	Header          string `json:"header,omitempty"`           // where the signature stands
	Algorithm       string `json:"algorithm,omitempty"`        // sha256 (default), sha1, sha512
	Encoding        string `json:"encoding,omitempty"`         // hex (default), base64
	Prefix          string `json:"prefix,omitempty"`           // what stands before the signature: sha256=
	TimestampHeader string `json:"timestamp_header,omitempty"` // seconds since 1970; then "<timestamp>.<body>" is signed
	IDHeader        string `json:"id_header,omitempty"`        // the delivery's id, the same when it is sent again
}

// The schemes of signatures.
const (
	SchemeStandard = "standard_webhooks"
	SchemeGitHub   = "github"
	SchemeStripe   = "stripe"
	SchemeSlack    = "slack"
	SchemeHMAC     = "hmac"
)

// SignatureSchemes are all schemes, in the order in which forms offer them.
var SignatureSchemes = []string{SchemeStandard, SchemeGitHub, SchemeStripe, SchemeSlack, SchemeHMAC}

// Dedupe says which deliveries are the same thing: only the first within the window starts a run. One of Header, JSONPath
// and Body is set.
type Dedupe struct {
	Header   string   `json:"header,omitempty"`
	JSONPath string   `json:"json_path,omitempty"` // data.id, items[0].id
	Body     bool     `json:"body,omitempty"`
	Window   Duration `json:"window,omitempty"` // DefaultDedupeWindow when zero
}

// Windows of Dedupe.
const (
	DefaultDedupeWindow = 24 * time.Hour
	maxDedupeWindow     = 30 * 24 * time.Hour
)

// For is how long a delivery's key counts.
func (d Dedupe) For() time.Duration {
	if d.Window == 0 {
		return DefaultDedupeWindow
	}
	return time.Duration(d.Window)
}

// Respond lets the sender wait for the run.
type Respond struct {
	Wait Duration `json:"wait"` // at most this long
}

// maxWait is less than the time that senders and proxies usually give a request.
const maxWait = 25 * time.Second

// webhookMethods are those that a webhook may take.
var webhookMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// Takes tells whether the webhook takes requests of a method.
func (t Trigger) Takes(method string) bool { return slices.Contains(t.TakenMethods(), method) }

// TakenMethods are the methods that the webhook takes.
func (t Trigger) TakenMethods() []string {
	if len(t.Methods) == 0 {
		return []string{"POST"}
	}
	return t.Methods
}

func checkWebhook(c *collector, at string, t Trigger) {
	for i, m := range t.Methods {
		if !slices.Contains(webhookMethods, m) {
			c.add(at+"/methods", "unknown_value", "%q is not a method that a webhook takes; use one of %s", m, strings.Join(webhookMethods, ", "))
		} else if slices.Index(t.Methods, m) < i {
			c.add(at+"/methods", "duplicate", "%s stands here twice", m)
		}
	}
	if t.Signature != nil {
		checkSignature(c, at+"/signature", *t.Signature)
	}
	if t.Dedupe != nil {
		checkDedupe(c, at+"/dedupe", *t.Dedupe)
	}
	if t.Filter != "" {
		checkFilter(c, at+"/filter", t.Filter)
	}
	if t.Respond != nil && (t.Respond.Wait <= 0 || time.Duration(t.Respond.Wait) > maxWait) {
		c.add(at+"/respond/wait", "range", "the wait must be up to %s", maxWait)
	}
}

func checkSignature(c *collector, at string, s Signature) {
	if !slices.Contains(SignatureSchemes, s.Scheme) {
		c.add(at+"/scheme", "unknown_value", "%q is not a scheme; use one of %s", s.Scheme, strings.Join(SignatureSchemes, ", "))
		return
	}
	if s.Secret == "" {
		c.add(at+"/secret", "required", "name the secret of the project that the sender signs with")
	}
	own := []struct{ name, value string }{
		{"header", s.Header},
		{"algorithm", s.Algorithm},
		{"encoding", s.Encoding},
		{"prefix", s.Prefix},
		{"timestamp_header", s.TimestampHeader},
		{"id_header", s.IDHeader},
	}
	if s.Scheme != SchemeHMAC {
		for _, f := range own {
			if f.value != "" {
				c.add(at+"/"+f.name, "not_for_scheme", "the scheme %s has its own %s; use the scheme hmac to choose it", s.Scheme, f.name)
			}
		}
		return
	}
	if s.Header == "" {
		c.add(at+"/header", "required", "name the header that holds the signature")
	}
	for _, f := range own {
		if strings.HasSuffix(f.name, "header") && f.value != "" && !isHeader(f.value) {
			c.add(at+"/"+f.name, "header_name", "%q cannot be the name of a header", f.value)
		}
	}
	if !slices.Contains([]string{"", "sha256", "sha1", "sha512"}, s.Algorithm) {
		c.add(at+"/algorithm", "unknown_value", "%q is not known; use sha256 (default), sha1 or sha512", s.Algorithm)
	}
	if !slices.Contains([]string{"", "hex", "base64"}, s.Encoding) {
		c.add(at+"/encoding", "unknown_value", "%q is not known; use hex (default) or base64", s.Encoding)
	}
}

func checkDedupe(c *collector, at string, d Dedupe) {
	said := 0
	for _, is := range []bool{d.Header != "", d.JSONPath != "", d.Body} {
		if is {
			said++
		}
	}
	if said != 1 {
		c.add(at, "exclusive", "say one of header, json_path and body: what tells two deliveries of the same thing")
	}
	if d.Header != "" && !isHeader(d.Header) {
		c.add(at+"/header", "header_name", "%q cannot be the name of a header", d.Header)
	}
	if d.JSONPath != "" {
		if _, err := ParsePath(d.JSONPath); err != nil {
			c.add(at+"/json_path", "json_path", "%s", err)
		}
	}
	if time.Duration(d.Window) > maxDedupeWindow {
		c.add(at+"/window", "too_long", "deliveries are remembered for 30 days at most")
	}
}

// checkFilter refuses a filter that looks at what is not there before a run is.
func checkFilter(c *collector, at, source string) {
	condition, err := expr.ParseCondition(source)
	if err != nil {
		c.addErr(at, err)
		return
	}
	for _, ref := range condition.Refs() {
		if ref.Root != "inputs" {
			c.add(at, "unknown_name", "a filter sees inputs only (inputs.body, inputs.headers, inputs.query), not %s", ref.Root)
			return
		}
	}
}

// isHeader tells whether a text can be the name of a header.
func isHeader(name string) bool { return len(name) <= 100 && headerName.MatchString(name) }
