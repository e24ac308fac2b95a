package workflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// The actions that exist.
const (
	ActionHTTP = "http_endpoint"
	ActionLog  = "log_message"
)

// Actions lists them for messages and forms.
var Actions = []string{ActionHTTP, ActionLog}

// HTTPConfig is the configuration of an http_endpoint step. URL, Query, Headers and Body may hold templates.
type HTTPConfig struct {
	Method          string            `json:"method,omitempty"` // GET when empty
	URL             string            `json:"url"`
	Query           map[string]string `json:"query,omitempty"`
	Headers         map[string]string `json:"headers,omitempty"`
	Body            *HTTPBody         `json:"body,omitempty"`
	ExpectStatus    []string          `json:"expect_status,omitempty"` // 200, 2xx; 2xx when empty
	FollowRedirects *bool             `json:"follow_redirects,omitempty"`
}

// HTTPBody is the body of a request, in one of three forms.
type HTTPBody struct {
	JSON json.RawMessage   `json:"json,omitempty"`
	Text *string           `json:"text,omitempty"`
	Form map[string]string `json:"form,omitempty"`
}

// LogConfig is the configuration of a log_message step. Message may hold templates.
type LogConfig struct {
	Message string `json:"message"`
	Level   string `json:"level,omitempty"` // info when empty
}

// LogLevels are the levels of a log line, least serious first.
var LogLevels = []string{"debug", "info", "warn", "error"}

// HTTPMethods are those an http_endpoint step may use.
var HTTPMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

var (
	statusPattern = regexp.MustCompile(`^[1-5]([0-9][0-9]|xx)$`)
	headerName    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") // RFC 9110 token
)

// DecodeConfig reads a step's configuration into a config struct; unknown fields are refused.
func DecodeConfig(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fault.At("", "config_shape", "%s", configMessage(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fault.At("", "config_shape", "something follows the configuration")
	}
	return nil
}

// configMessage says what a decoding error means without naming Go types.
func configMessage(err error) string {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Sprintf("%s cannot be a %s", wrongType.Field, wrongType.Value)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// checkConfig validates the configuration of a step and returns what its templates name. The faults' pointers are
// relative to the configuration.
func checkConfig(s Step) ([]expr.Ref, error) {
	switch s.Action {
	case ActionHTTP:
		var c HTTPConfig
		if err := DecodeConfig(s.Config, &c); err != nil {
			return nil, err
		}
		return c.check()
	case ActionLog:
		var c LogConfig
		if err := DecodeConfig(s.Config, &c); err != nil {
			return nil, err
		}
		return c.check()
	}
	return nil, nil // an unknown action is reported by its own field
}

// collector gathers faults and template references while a configuration is checked.
type collector struct {
	fields []fault.Field
	refs   []expr.Ref
}

func (c *collector) add(pointer, code, format string, args ...any) {
	c.fields = append(c.fields, fault.Field{Pointer: pointer, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (c *collector) addErr(pointer string, err error) {
	if f, ok := fault.Of(fault.Under(pointer, err)); ok {
		c.fields = append(c.fields, f.Fields...)
		return
	}
	c.add(pointer, "invalid", "%s", err)
}

func (c *collector) template(pointer, src string) {
	t, err := expr.ParseTemplate(src)
	if err != nil {
		c.addErr(pointer, err)
		return
	}
	c.refs = append(c.refs, t.Refs()...)
}

func (c *collector) templates(pointer string, values map[string]string) {
	for _, key := range sortedKeys(values) {
		c.template(pointer+"/"+escapePointer(key), values[key])
	}
}

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
		var v any
		if err := json.Unmarshal(h.Body.JSON, &v); err != nil {
			c.add("/body/json", "json", "not JSON")
		} else if refs, err := expr.ParseValue(v); err != nil {
			c.addErr("/body/json", err)
		} else {
			c.refs = append(c.refs, refs...)
		}
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

func (l LogConfig) check() ([]expr.Ref, error) {
	var c collector
	if l.Message == "" {
		c.add("/message", "required", "a message is needed")
	}
	c.template("/message", l.Message)
	if l.Level != "" && !slices.Contains(LogLevels, l.Level) {
		c.add("/level", "level", "%q is not a level; use one of %s", l.Level, strings.Join(LogLevels, ", "))
	}
	return c.refs, fault.InvalidFields(c.fields)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// escapePointer writes a key as a token of a JSON pointer (RFC 6901).
func escapePointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
