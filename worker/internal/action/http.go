package action

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
	"github.com/guildmember145/orquestador-plataforma/pkg/host"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// HTTPClient is the guarded client.
type HTTPClient interface {
	Do(ctx context.Context, req egress.Request) (*egress.Response, error)
}

// httpEndpoint calls an HTTP API.
type httpEndpoint struct{ client HTTPClient }

// Leaves implements Action.
func (httpEndpoint) Leaves() bool { return true }

// Prepare implements Action.
func (h httpEndpoint) Prepare(config json.RawMessage) (Runner, error) {
	var c workflow.HTTPConfig
	if err := workflow.DecodeConfig(config, &c); err != nil {
		return nil, err
	}
	r := &httpRunner{client: h.client, method: c.Method, expect: c.ExpectStatus, expectBody: c.ExpectBody, follow: c.FollowRedirects == nil || *c.FollowRedirects}
	if r.method == "" {
		r.method = http.MethodGet
	}
	if len(r.expect) == 0 {
		r.expect = []string{"2xx"}
	}
	var err error
	if r.url, err = expr.ParseTemplate(c.URL); err != nil {
		return nil, fmt.Errorf("parse url: %w", err)
	}
	r.secretURL = slices.ContainsFunc(r.url.Refs(), func(ref expr.Ref) bool { return ref.Root == workflow.RootSecrets })
	if r.query, err = parseAll(c.Query); err != nil {
		return nil, fmt.Errorf("parse query: %w", err)
	}
	if r.headers, err = parseAll(c.Headers); err != nil {
		return nil, fmt.Errorf("parse headers: %w", err)
	}
	if c.Body != nil {
		if r.body, err = prepareBody(*c.Body); err != nil {
			return nil, fmt.Errorf("parse body: %w", err)
		}
	}
	if r.auth, err = prepareAuth(c.Auth); err != nil {
		return nil, fmt.Errorf("parse auth: %w", err)
	}
	if c.ExpectBody != "" {
		if r.saying, err = expr.ParseCondition(c.ExpectBody, workflow.AnswerNames...); err != nil {
			return nil, fmt.Errorf("parse expect_body: %w", err)
		}
	}
	if r.pages, err = preparePages(c.Paginate); err != nil {
		return nil, fmt.Errorf("parse paginate: %w", err)
	}
	return r, nil
}

type httpRunner struct {
	client HTTPClient
	method string
	url    *expr.Template
	// secretURL tells that the URL is made of secrets.
	secretURL bool
	query     map[string]*expr.Template
	headers   map[string]*expr.Template
	body      bodyMaker
	auth      *httpAuth // nil: it says nothing about who calls
	expect    []string
	follow    bool
	// expectBody is what a good answer says, and saying its condition; nil: anything.
	expectBody string
	saying     *expr.Condition
	pages      *httpPages // nil: one answer
}

func parseAll(sources map[string]string) (map[string]*expr.Template, error) {
	parsed := make(map[string]*expr.Template, len(sources))
	for name, src := range sources {
		t, err := expr.ParseTemplate(src)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		parsed[name] = t
	}
	return parsed, nil
}

func evalAll(ctx context.Context, templates map[string]*expr.Template, env expr.Env) (map[string]string, error) {
	values := make(map[string]string, len(templates))
	for name, t := range templates {
		text, err := evalText(ctx, t, env)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values[name] = text
	}
	return values, nil
}

// Run implements Runner.
func (r *httpRunner) Run(ctx context.Context, call Call) Result { return r.Bind(ctx, call).Run(ctx) }

// Bind implements Outbound.
func (r *httpRunner) Bind(ctx context.Context, call Call) Bound {
	req, err := r.request(ctx, call)
	if err != nil {
		result := failed(run.FailureConfig, "%s", err)
		result.Failure.Unsent = true
		return Bound{Run: func(context.Context) Result { return result }}
	}
	key := host.KeyOf(req.URL)
	if r.secretURL && call.Secrets.Finds(key) {
		result := failed(run.FailureConfig, "a secret cannot be a host's name, which many can see; use a variable")
		result.Failure.Unsent = true
		return Bound{Run: func(context.Context) Result { return result }}
	}
	if r.pages != nil {
		return Bound{Host: key, Run: func(ctx context.Context) Result { return r.sendPages(ctx, call, req) }}
	}
	return Bound{Host: key, Run: func(ctx context.Context) Result { return r.send(ctx, call, req) }}
}

func (r *httpRunner) send(ctx context.Context, call Call, req egress.Request) Result {
	resp, err := r.client.Do(ctx, req)
	if err != nil {
		return httpFailure(ctx, err)
	}
	if resp.Truncated {
		resp.Body = []byte(call.Secrets.HideCut(text(resp.Body)))
	}
	output := responseOutput(resp)
	call.Log("debug", fmt.Sprintf("%s %s: %d, %d bytes", req.Method, redactQuery(req.URL), resp.Status, len(resp.Body)))
	if r.expected(resp.Status) {
		return Result{Output: output, Failure: r.saysOtherwise(ctx, call.Env, output)}
	}
	f := &Failure{
		Class:      strconv.Itoa(resp.Status),
		Message:    strings.TrimSpace(fmt.Sprintf("HTTP %d %s", resp.Status, http.StatusText(resp.Status))),
		RetryAfter: retryAfter(resp.Header),
	}
	if text := excerpt(call.Secrets.Hide(text(resp.Body))); text != "" {
		f.Message += ": " + text
	}
	return Result{Output: output, Failure: f}
}

// saysOtherwise is the failure of an answer that is not what expect_body says; nil when it is.
func (r *httpRunner) saysOtherwise(ctx context.Context, env expr.Env, output map[string]any) *Failure {
	if r.saying == nil {
		return nil
	}
	seen := maps.Clone(env)
	maps.Copy(seen, output)
	holds, err := r.saying.Eval(ctx, seen)
	switch {
	case err != nil:
		return &Failure{Class: run.FailureBody, Message: fmt.Sprintf("expect_body cannot be decided: %s", err)}
	case !holds:
		return &Failure{Class: run.FailureBody, Message: "the answer is not what expect_body says: " + r.expectBody}
	}
	return nil
}

func (r *httpRunner) request(ctx context.Context, call Call) (egress.Request, error) {
	req := egress.Request{Method: r.method, Header: http.Header{}, FollowRedirects: r.follow}
	raw, err := evalText(ctx, r.url, call.Env)
	if err != nil {
		return req, fmt.Errorf("url: %w", err)
	}
	query, err := evalAll(ctx, r.query, call.Env)
	if err != nil {
		return req, fmt.Errorf("query: %w", err)
	}
	if err := r.auth.apply(ctx, call.Env, query, req.Header); err != nil {
		return req, fmt.Errorf("auth: %w", err)
	}
	if req.URL, err = withQuery(raw, query); err != nil {
		return req, err
	}
	headers, err := evalAll(ctx, r.headers, call.Env)
	if err != nil {
		return req, fmt.Errorf("headers: %w", err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	if r.body != nil {
		body, contentType, err := r.body(ctx, call.Env)
		if err != nil {
			return req, fmt.Errorf("body: %w", err)
		}
		req.Body = body
		setDefault(req.Header, "Content-Type", contentType)
	}
	setDefault(req.Header, "User-Agent", "Orquestador")
	setDefault(req.Header, "Accept", "application/json, */*;q=0.8")
	// The same for every attempt: a target that honours it does a thing once, however often it is asked.
	setDefault(req.Header, "Idempotency-Key", call.RunID.String()+"."+call.Step)
	req.Header.Set("Orq-Run-Id", call.RunID.String())
	req.Header.Set("Orq-Attempt", strconv.Itoa(call.Attempt))
	return req, nil
}

func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

func withQuery(raw string, query map[string]string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return "", errors.New("this is not a URL: " + raw)
	}
	if len(query) > 0 {
		q := u.Query()
		for name, value := range query {
			q.Set(name, value)
		}
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

func (r *httpRunner) expected(status int) bool {
	text := strconv.Itoa(status)
	return slices.Contains(r.expect, text) || slices.Contains(r.expect, text[:1]+"xx")
}

// bodyMaker makes a request's body and its default content type.
type bodyMaker func(ctx context.Context, env expr.Env) (body []byte, contentType string, err error)

func prepareBody(b workflow.HTTPBody) (bodyMaker, error) {
	switch {
	case len(b.JSON) > 0:
		v, err := expr.DecodeJSON(b.JSON)
		if err != nil {
			return nil, fmt.Errorf("decode json: %w", err)
		}
		return func(ctx context.Context, env expr.Env) ([]byte, string, error) {
			filled, err := expr.EvalValue(ctx, v, env)
			if err != nil {
				return nil, "", fmt.Errorf("evaluate: %w", err)
			}
			raw, err := json.Marshal(filled)
			return raw, "application/json", err
		}, nil
	case b.Form != nil:
		form, err := parseAll(b.Form)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, env expr.Env) ([]byte, string, error) {
			values, err := evalAll(ctx, form, env)
			if err != nil {
				return nil, "", err
			}
			encoded := url.Values{}
			for name, value := range values {
				encoded.Set(name, value)
			}
			return []byte(encoded.Encode()), "application/x-www-form-urlencoded", nil
		}, nil
	case b.Text != nil:
		text, err := expr.ParseTemplate(*b.Text)
		if err != nil {
			return nil, fmt.Errorf("text: %w", err)
		}
		return func(ctx context.Context, env expr.Env) ([]byte, string, error) {
			filled, err := evalText(ctx, text, env)
			return []byte(filled), "text/plain; charset=utf-8", err
		}, nil
	}
	return nil, nil
}

// responseOutput is what later steps see of a response: status, headers (lower-case names), and the body, parsed when it
// is JSON.
func responseOutput(resp *egress.Response) map[string]any {
	headers := make(map[string]any, len(resp.Header))
	for name, values := range resp.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	output := map[string]any{"status": resp.Status, "headers": headers, "body": parseBody(resp)}
	if resp.Truncated {
		output["truncated"] = true
	}
	return output
}

func parseBody(resp *egress.Response) any {
	if len(resp.Body) == 0 {
		return nil
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	looksJSON := mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
	if looksJSON && !resp.Truncated {
		if v, err := expr.DecodeJSON(resp.Body); err == nil {
			return v
		}
	}
	return text(resp.Body)
}

func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string(bytes.ToValidUTF8(b, []byte("\uFFFD")))
}

func excerpt(body string) string {
	const most = 200
	s := strings.Join(strings.Fields(body), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// redactQuery keeps what may be secret in a URL out of the log.
func redactQuery(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	u.User = nil
	return strings.ReplaceAll(u.String(), "%E2%80%A6", "…")
}

// retryAfter reads the header of that name: seconds, or an HTTP date.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return min(time.Duration(seconds), 30*24*3600) * time.Second
	}
	when, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	// Both times are the other side's, so that its clock need not agree with ours.
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return max(when.Sub(date), 0)
	}
	return 0
}

func httpFailure(ctx context.Context, err error) Result {
	var e *egress.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failed(run.FailureTimeout, "no answer within the step's timeout")
	case !errors.As(err, &e):
		return failed(run.FailureConnection, "%s", err)
	}
	class := run.FailureConnection
	switch e.Kind {
	case egress.KindTimeout:
		class = run.FailureTimeout
	case egress.KindBlocked, egress.KindRedirect, egress.KindInvalid:
		class = run.FailureConfig
	}
	result := failed(class, "%s", e.Message)
	result.Failure.Unsent = !e.Sent
	return result
}
