package workflow

import (
	"net/textproto"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
)

// Ways in which an http_endpoint step says who it is.
const (
	AuthBearer = "bearer"
	AuthBasic  = "basic"
	AuthAPIKey = "api_key"
)

// HTTPAuth is how a request says who makes it. All fields but Type, Header and Query may hold templates; Token, Password
// and Value have to.
type HTTPAuth struct {
	Type     string `json:"type"`
	Token    string `json:"token,omitempty"`    // bearer
	Username string `json:"username,omitempty"` // basic
	Password string `json:"password,omitempty"` // basic
	Header   string `json:"header,omitempty"`   // api_key: the name of a header,
	Query    string `json:"query,omitempty"`    // or of a parameter of the query
	Value    string `json:"value,omitempty"`    // api_key
}

func (a *HTTPAuth) check(c *collector, headers map[string]string) {
	if a == nil {
		return
	}
	switch a.Type {
	case AuthBearer:
		c.secret("/auth/token", a.Token)
	case AuthBasic:
		c.required("/auth/username", a.Username, "a user name is needed")
		c.template("/auth/username", a.Username)
		c.secret("/auth/password", a.Password)
	case AuthAPIKey:
		if (a.Header == "") == (a.Query == "") {
			c.add("/auth", "api_key", "an API key is sent in a header or in the query: name one of the two")
		}
		if a.Header != "" && !headerName.MatchString(a.Header) {
			c.add("/auth/header", "header_name", "%q is not a header name", a.Header)
		}
		c.secret("/auth/value", a.Value)
	default:
		c.add("/auth/type", "auth_type", "%q is not a way to say who calls; use %s, %s or %s", a.Type, AuthBearer, AuthBasic, AuthAPIKey)
		return
	}
	for _, f := range []struct{ of, name, value string }{
		{AuthBearer, "token", a.Token},
		{AuthBasic, "username", a.Username},
		{AuthBasic, "password", a.Password},
		{AuthAPIKey, "header", a.Header},
		{AuthAPIKey, "query", a.Query},
		{AuthAPIKey, "value", a.Value},
	} {
		if f.value != "" && f.of != a.Type {
			c.add("/auth/"+f.name, "unused", "%s belongs to %s; take it out", f.name, f.of)
		}
	}
	for name := range headers {
		if strings.EqualFold(name, a.HeaderName()) {
			c.add("/headers/"+escapePointer(name), "set_twice", "auth sets the header %s already; keep one of the two", textproto.CanonicalMIMEHeaderKey(name))
		}
	}
}

// HeaderName is the header that it sets; empty when none.
func (a *HTTPAuth) HeaderName() string {
	if a.Type == AuthAPIKey {
		return a.Header
	}
	return "Authorization"
}

// What expect_body and paginate see of an answer, besides what all templates see.
var (
	AnswerNames = []string{"status", "headers", "body"}
	PageNames   = []string{"status", "headers", "body", "next_link", "page"}
)

// Limits of pages.
const (
	MaxPages     = 50
	DefaultPages = 10
)

// HTTPPages is how the answers that follow the first are found. Next and Collect are expressions over PageNames: next_link
// is the URL that the header Link calls the next, page the number of this page.
type HTTPPages struct {
	Next     string `json:"next"`    // gives the next URL, or nil after the last
	Collect  string `json:"collect"` // gives the items of a page, as a list
	MaxPages int    `json:"max_pages,omitempty"`
}

func (p *HTTPPages) check(c *collector, method string) {
	if p == nil {
		return
	}
	if method != "" && method != "GET" {
		c.add("/paginate", "method", "only what is read with GET has pages")
	}
	c.expression("/paginate/next", p.Next, "the next URL", PageNames)
	c.expression("/paginate/collect", p.Collect, "the items of a page, as in body.items", PageNames)
	if p.MaxPages < 0 || p.MaxPages > MaxPages {
		c.add("/paginate/max_pages", "range", "the pages must be from 1 to %d", MaxPages)
	}
}

// required refuses text that is missing.
func (c *collector) required(pointer, src, message string) {
	if strings.TrimSpace(src) == "" {
		c.add(pointer, "required", "%s", message)
	}
}

// secret checks a template of which the value must not stand in the definition.
func (c *collector) secret(pointer, src string) {
	t, err := expr.ParseTemplate(src)
	switch {
	case err != nil:
		c.addErr(pointer, err)
	case src == "":
		c.add(pointer, "required", "this is needed; store it as a secret and write {{ secrets.its_name }}")
	case len(t.Refs()) == 0:
		c.add(pointer, "literal_secret", "this must not stand in a workflow, which many can read and which is kept for ever; "+
			"store it as a secret, and write {{ secrets.its_name }} here")
	default:
		c.refs = append(c.refs, t.Refs()...)
	}
}

// expression checks an expression over further names; what says what it has to give.
func (c *collector) expression(pointer, src, what string, names []string) {
	if strings.TrimSpace(src) == "" {
		c.add(pointer, "required", "an expression is needed that gives %s", what)
		return
	}
	t, err := expr.ParseExpression(src, names...)
	if err != nil {
		c.addErr(pointer, err)
		return
	}
	c.refs = append(c.refs, t.Refs()...)
}
