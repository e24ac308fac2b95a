package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/api/internal/wire"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// MaxBody is the size of a request's body, in bytes.
const MaxBody = 1 << 20

// Where the contract's paths begin, and where the contract itself is.
const (
	Prefix   = "/api/v1"
	SpecPath = Prefix + "/openapi.json"
)

// Contract holds requests against openapi.yaml: an operation that is not in it does not exist, and one that is says who
// may call it and with what.
type Contract struct {
	Doc      *openapi3.T
	compiled *openapi3.T // for holding values against it
	router   routers.Router
}

// LoadContract reads openapi.yaml.
func LoadContract(source []byte) (*Contract, error) {
	defineFormats()
	doc, err := openapi3.NewLoader().LoadFromData(source)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if PermissionOf(op) == "" {
				return nil, fmt.Errorf("read the contract: %s %s has no x-permission", method, path)
			}
		}
	}
	compiled, err := compile(source)
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(compiled)
	if err != nil {
		return nil, fmt.Errorf("route the contract: %w", err)
	}
	return &Contract{Doc: doc, compiled: compiled, router: router}, nil
}

// compile reads the contract for holding requests against it, as version 3.0: for 3.1 the library compiles a JSON schema
// anew for every value that it checks, which takes longer than everything else that a request does. Of 3.1 the contract
// uses lists of types, which are understood either way, and schemas without a type, which must be told to take null.
func compile(source []byte) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(source)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	doc.OpenAPI = "3.0.3"
	for _, schema := range doc.Components.Schemas {
		for _, property := range schema.Value.Properties {
			if v := property.Value; v.Type == nil && len(v.AllOf) == 0 {
				v.Nullable = true
			}
		}
	}
	return doc, nil
}

// defineFormats makes the library check what it would only note: an id that is none and a day that does not exist are
// found here, with a pointer, and not in the middle of an operation.
func defineFormats() {
	openapi3.DefineStringFormatValidator("uuid", openapi3.NewCallbackValidator(func(s string) error {
		if _, err := uuid.Parse(s); err != nil || len(s) != 36 {
			return errors.New("want an id such as 0190c0de-0000-7000-8000-000000000000")
		}
		return nil
	}))
	openapi3.DefineStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(s string) error {
		var at wire.Instant
		return at.UnmarshalText([]byte(s))
	}))
}

// The x-permission values that are no permission on a project's objects.
const (
	Public = "public" // anybody
	Self   = "self"   // anybody who is logged in
	// Session is what only people do, who are logged in: an API token must not make others, nor end what shuts it out.
	Session = "session"
	// Administrators are those who look after the installation.
	Administrators = "administrator"
)

// PermissionOf is what an operation asks of its caller.
func PermissionOf(op *openapi3.Operation) string {
	permission, _ := op.Extensions["x-permission"].(string)
	return permission
}

// Authenticate finds out who makes a request; it answers auth.ErrUnauthorized for nobody.
type Authenticate func(c echo.Context) (account.Principal, error)

// Count counts a request of somebody, or of nobody who is known, and refuses it when there were too many.
type Count func(c echo.Context, who account.Principal) error

// countsItself marks operations that have limits of their own, which are narrower.
const countsItself = "x-counts-itself"

// Explain says why an object is not there for a caller, whose operation needs the permission: err as it is, or that their
// role in the object's project does not carry it. kind is the first part of the path, as in "workflows".
type Explain func(ctx context.Context, who account.Principal, permission account.Permission, kind string, id uuid.UUID, err error) error

// Middleware lets through what the contract allows: known path, method and media type, a caller where one is needed, and
// input of the right shape. What is behind it can rely on all of that.
func (k *Contract) Middleware(authenticate Authenticate, count Count, explain Explain) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			req := c.Request()
			if !strings.HasPrefix(req.URL.Path, Prefix+"/") || req.URL.Path == SpecPath {
				return next(c)
			}
			route, params, err := k.router.FindRoute(req)
			if err != nil {
				return k.noRoute(c, err)
			}
			if err := k.enter(c, route.Operation, authenticate, count); err != nil {
				return err
			}
			if err := k.validate(c, route, params); err != nil {
				return err
			}
			if !streams(route.Operation) {
				ctx, cancel := context.WithTimeout(c.Request().Context(), answerTimeout)
				defer cancel()
				c.SetRequest(c.Request().WithContext(ctx))
			}
			return explained(c, explain, account.Permission(PermissionOf(route.Operation)), params["id"], next(c))
		}
	}
}

// enter finds out who makes a request, counts it, and refuses what does not depend on an object. Who sends a token that is
// not believed is nobody, and counted as such.
func (k *Contract) enter(c echo.Context, op *openapi3.Operation, authenticate Authenticate, count Count) error {
	if PermissionOf(op) == Public {
		if _, itself := op.Extensions[countsItself]; itself {
			return nil
		}
		return count(c, account.Principal{})
	}
	who, err := authenticate(c)
	if err != nil {
		if tooMany := count(c, account.Principal{}); tooMany != nil {
			return tooMany
		}
		return err
	}
	if err := count(c, who); err != nil {
		return err
	}
	if err := admit(who, PermissionOf(op)); err != nil {
		return err
	}
	c.SetRequest(c.Request().WithContext(WithPrincipal(c.Request().Context(), who)))
	return nil
}

// ErrSessionOnly is for API tokens that try what only people do.
var ErrSessionOnly = fault.New(fault.Forbidden, "session_only", "An API token cannot do this; log in with a password")

// admit refuses what does not depend on an object.
func admit(who account.Principal, permission string) error {
	switch {
	case permission == Administrators && who.User.Role != account.Administrator:
		return fault.New(fault.Forbidden, "administrators_only", "This is for administrators")
	case permission == Session && who.Token != uuid.Nil:
		return ErrSessionOnly
	case permission == Public, permission == Self, permission == Session, who.Within(account.Permission(permission)):
		return nil
	}
	return fault.New(fault.Forbidden, "scope_missing", "This API token has not the scope %s", permission)
}

// explained lets a member whom their role keeps from something know that, instead of that it is not there. Only what was
// refused is looked at again: what is allowed costs nothing more.
func explained(c echo.Context, explain Explain, permission account.Permission, id string, err error) error {
	object, bad := uuid.Parse(id)
	if bad != nil || !permission.IsOfProject() || !fault.Is(err, fault.NotFound) {
		return err
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(c.Request().URL.Path, Prefix+"/"), "/")
	return explain(c.Request().Context(), Principal(c.Request().Context()), permission, kind, object, err)
}

// answerTimeout is how long an operation may take. It is far more than any needs: what takes longer waits for a database
// that hangs.
const answerTimeout = 30 * time.Second

// streams tells whether an operation answers for as long as the client listens, or as there is something to say.
func streams(op *openapi3.Operation) bool {
	ok := op.Responses.Status(http.StatusOK)
	return ok != nil && (ok.Value.Content["text/event-stream"] != nil || ok.Value.Content["application/x-ndjson"] != nil)
}

func (k *Contract) noRoute(c echo.Context, err error) error {
	if !errors.Is(err, routers.ErrMethodNotAllowed) {
		return fault.New(fault.NotFound, "no_such_path", "There is nothing at %s; the reference is at /docs", shorten(c.Request().URL.Path))
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := c.Request().Clone(c.Request().Context())
		probe.Method = method
		if _, _, err := k.router.FindRoute(probe); err == nil {
			allowed = append(allowed, method)
		}
	}
	c.Response().Header().Set("Allow", strings.Join(allowed, ", "))
	return echo.NewHTTPError(http.StatusMethodNotAllowed, "Use "+strings.Join(allowed, " or "))
}

func (k *Contract) validate(c echo.Context, route *routers.Route, params map[string]string) error {
	req := c.Request()
	for name, value := range params {
		if strings.ContainsRune(value, 0) {
			return fault.New(fault.NotFound, "not_found", "There is no such %s", name)
		}
	}
	if err := checkParameters(req); err != nil {
		return err
	}
	if err := readBody(c, route.Operation); err != nil {
		return err
	}
	err := openapi3filter.ValidateRequest(req.Context(), &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
			// What the server sets may be sent back, and is ignored.
			ExcludeReadOnlyValidations: true,
			SkipSettingDefaults:        true,
		},
	})
	if err != nil {
		return requestFault(err)
	}
	return nil
}

// checkParameters refuses what the database cannot compare with.
func checkParameters(req *http.Request) error {
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Malformed, "query_syntax", "The query of the address cannot be read")
	}
	for name, values := range query {
		for _, value := range values {
			if err := checkText(name, value); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"Idempotency-Key", "If-Match", "Last-Event-ID"} {
		if err := checkText(name, req.Header.Get(name)); err != nil {
			return err
		}
	}
	return nil
}

// readBody reads the body once, checks what the contract cannot express, and puts it back.
func readBody(c echo.Context, op *openapi3.Operation) error {
	req := c.Request()
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return fault.New(fault.TooLarge, "body_too_large", "The body is larger than 1 MiB")
		}
		return fault.New(fault.Malformed, "body_unreadable", "The body could not be read")
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.ContentLength = int64(len(body))
	if len(body) == 0 {
		req.Body = http.NoBody
		if op.RequestBody != nil && op.RequestBody.Value.Required {
			return fault.New(fault.Malformed, "body_missing", "A JSON body is needed")
		}
		req.Header.Del("Content-Type")
		return nil
	}
	if op.RequestBody == nil {
		return fault.New(fault.Malformed, "body_unexpected", "This operation takes no body")
	}
	mediaType, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || mediaType != echo.MIMEApplicationJSON {
		return fault.New(fault.Unsupported, "media_type", "Send the body as application/json")
	}
	if encoding := req.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return fault.New(fault.Unsupported, "content_encoding", "Send the body without compression")
	}
	req.Header.Set("Content-Type", echo.MIMEApplicationJSON)
	return CheckJSON(body)
}

// CheckValue holds JSON that came with an earlier request against one of the contract's schemas, as if it were a body.
func (k *Contract) CheckValue(schema string, raw []byte) error {
	var value any
	if err := DecodeJSON(raw, &value); err != nil {
		return err
	}
	err := k.compiled.Components.Schemas[schema].Value.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.MultiErrors(), openapi3.DisableReadOnlyValidation())
	if err != nil {
		return requestFault(err)
	}
	return nil
}

// requestFault turns what kin-openapi found into one fault with a field for each finding.
func requestFault(err error) error {
	var fields []fault.Field
	kind := fault.Invalid
	gather(err, "", &fields, &kind)
	slices.SortStableFunc(fields, func(a, b fault.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	if kind == fault.NotFound {
		return fault.Missing
	}
	if len(fields) == 0 {
		return fault.New(fault.Malformed, "request_invalid", "The request does not fit the contract")
	}
	return &fault.Error{Kind: kind, Code: "validation_failed", Message: "The input is not valid", Fields: slices.CompactFunc(fields, func(a, b fault.Field) bool { return a == b })}
}

func gather(err error, parameter string, fields *[]fault.Field, kind *fault.Kind) {
	// Layer by layer: what a parameter's error wraps does not know which parameter it is about.
	switch e := err.(type) { //nolint:errorlint // see above
	case openapi3.MultiError:
		for _, one := range e {
			gather(one, parameter, fields, kind)
		}
	case *openapi3filter.RequestError:
		if e.Parameter != nil {
			parameter = e.Parameter.Name
			if e.Parameter.In == "path" {
				*kind = fault.NotFound
			}
		}
		if e.Err == nil {
			*fields = append(*fields, fault.Field{Pointer: parameter, Code: "invalid", Message: e.Reason})
			return
		}
		gather(e.Err, parameter, fields, kind)
	case *openapi3.SchemaError:
		*fields = append(*fields, schemaField(e, parameter))
	default:
		*fields = append(*fields, fault.Field{Pointer: parameter, Code: "invalid", Message: plain(err)})
	}
}

func schemaField(e *openapi3.SchemaError, parameter string) fault.Field {
	pointer := parameter
	if pointer == "" {
		for _, token := range e.JSONPointer() {
			pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
		}
	}
	code := e.SchemaField
	if code == "" {
		code = "invalid"
	}
	message := e.Reason
	if name, ok := unknownField(e); ok {
		code, message = "unknown_field", "there is no such field here"
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return fault.Field{Pointer: pointer, Code: code, Message: message}
}

// unknownField reads the name out of the library's reason, the only place where it stands.
func unknownField(e *openapi3.SchemaError) (name string, ok bool) {
	quoted, ok := strings.CutSuffix(e.Reason, " is unsupported")
	if !ok || e.SchemaField != "properties" {
		return "", false
	}
	name, err := strconv.Unquote(strings.TrimPrefix(quoted, "property "))
	return name, err == nil
}

func plain(err error) string {
	var parse *openapi3filter.ParseError
	if errors.As(err, &parse) {
		return parse.Reason
	}
	return err.Error()
}

type principalKey struct{}

// WithPrincipal notes who makes the request.
func WithPrincipal(ctx context.Context, p account.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// Principal is who makes the request; nobody where the contract lets anybody in.
func Principal(ctx context.Context) account.Principal {
	p, _ := ctx.Value(principalKey{}).(account.Principal)
	return p
}
