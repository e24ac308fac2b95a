package workflow

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// HTTPConfig is the configuration of an http_endpoint step. URL, Query, Headers and Body may hold templates.
type HTTPConfig struct {
	Method          string            `json:"method,omitempty"` // GET when empty
	URL             string            `json:"url"`
	Query           map[string]string `json:"query,omitempty"`
	Headers         map[string]string `json:"headers,omitempty"`
	Body            *HTTPBody         `json:"body,omitempty"`
	Auth            *HTTPAuth         `json:"auth,omitempty"`
	ExpectStatus    []string          `json:"expect_status,omitempty"` // 200, 2xx; 2xx when empty
	ExpectBody      string            `json:"expect_body,omitempty"`   // a condition over AnswerNames
	Paginate        *HTTPPages        `json:"paginate,omitempty"`
	FollowRedirects *bool             `json:"follow_redirects,omitempty"`
}

// HTTPBody is the body of a request, in one of three forms.
type HTTPBody struct {
	JSON json.RawMessage   `json:"json,omitempty"`
	Text *string           `json:"text,omitempty"`
	Form map[string]string `json:"form,omitempty"`
}

// HTTPMethods are those an http_endpoint step may use.
var HTTPMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

var (
	statusPattern = regexp.MustCompile(`^[1-5]([0-9][0-9]|xx)$`)
	headerName    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") // RFC 9110 token
	contentType   = regexp.MustCompile(`^[a-z]+/[A-Za-z0-9.+-]+(; *[a-z]+=[A-Za-z0-9._-]+)*$`)
)

func (h HTTPConfig) check() ([]expr.Ref, error) {
	var c collector
	if h.Method != "" && !slices.Contains(HTTPMethods, h.Method) {
		c.add("/method", "method", "%q is not a method; use one of %s", h.Method, strings.Join(HTTPMethods, ", "))
	}
	switch {
	case strings.TrimSpace(h.URL) == "":
		c.add("/url", "required", "a URL is needed, as in https://api.example.com/rates")
	case !strings.HasPrefix(h.URL, "http://") && !strings.HasPrefix(h.URL, "https://") && !strings.HasPrefix(h.URL, "{{"):
		c.add("/url", "url_scheme", "the URL must begin with http:// or https://")
	case len(h.URL) > 8192:
		c.add("/url", "too_long", "the URL is longer than 8192 characters")
	}
	c.template("/url", h.URL)
	c.templates("/query", h.Query)
	for _, name := range sortedKeys(h.Headers) {
		if !headerName.MatchString(name) {
			c.add("/headers/"+escapePointer(name), "header_name", "%q is not a header name", name)
		}
		if strings.ContainsAny(h.Headers[name], "\r\n\x00") {
			c.add("/headers/"+escapePointer(name), "header_value", "a header cannot hold a line break")
		}
	}
	c.templates("/headers", h.Headers)
	h.checkBody(&c)
	h.Auth.check(&c, h.Headers)
	h.Paginate.check(&c, h.Method)
	if h.ExpectBody != "" {
		c.expression("/expect_body", h.ExpectBody, "true or false", AnswerNames)
	}
	for i, s := range h.ExpectStatus {
		if !statusPattern.MatchString(s) {
			c.add(fmt.Sprintf("/expect_status/%d", i), "status", "%q is neither a status (204) nor a class (2xx)", s)
		}
	}
	return c.refs, fault.InvalidFields(c.fields)
}

func (h HTTPConfig) checkBody(c *collector) {
	if h.Body == nil {
		return
	}
	forms := 0
	if len(h.Body.JSON) > 0 {
		forms++
		c.value("/body/json", h.Body.JSON)
	}
	if h.Body.Text != nil {
		forms++
		c.template("/body/text", *h.Body.Text)
	}
	if h.Body.Form != nil {
		forms++
		c.templates("/body/form", h.Body.Form)
	}
	if forms != 1 {
		c.add("/body", "body_form", "a body has exactly one of json, text and form")
	}
	if h.Method == "" || h.Method == "GET" || h.Method == "HEAD" {
		c.add("/body", "body_method", "a GET or HEAD request has no body; choose POST, PUT or PATCH")
	}
}
