// Package httpx is what all of the API's operations share: errors as problem+json, requests held against the contract,
// and who makes them.
package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// Problem is the body of every error (RFC 9457).
type Problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail,omitempty"`
	Instance string        `json:"instance,omitempty"` // the request's id, for the logs
	Code     string        `json:"code"`
	Errors   []fault.Field `json:"errors,omitempty"`
}

var statuses = map[fault.Kind]int{
	fault.Malformed:    http.StatusBadRequest,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.Forbidden:    http.StatusForbidden,
	fault.NotFound:     http.StatusNotFound,
	fault.Gone:         http.StatusGone,
	fault.Conflict:     http.StatusConflict,
	fault.Precondition: http.StatusPreconditionFailed,
	fault.TooLarge:     http.StatusRequestEntityTooLarge,
	fault.Unsupported:  http.StatusUnsupportedMediaType,
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.RateLimited:  http.StatusTooManyRequests,
	fault.Unavailable:  http.StatusServiceUnavailable,
}

// internalDetail is all that a client learns of an error that is nobody's business but ours.
const internalDetail = "Something went wrong on our side; the log says more under this request's id"

// problemOf turns any error into what the client sees; internal tells that the error must be logged.
func problemOf(err error) (p Problem, internal bool) {
	if f, ok := fault.Of(err); ok {
		status := statuses[f.Kind]
		return Problem{Title: http.StatusText(status), Status: status, Detail: f.Message, Code: f.Code, Errors: f.Fields}, false
	}
	var h *echo.HTTPError
	if errors.As(err, &h) && h.Code < http.StatusInternalServerError {
		detail, _ := h.Message.(string)
		return Problem{Title: http.StatusText(h.Code), Status: h.Code, Detail: detail, Code: codeOf(h.Code)}, false
	}
	if errors.Is(err, context.DeadlineExceeded) || postgres.Away(err) {
		return Problem{
			Title: http.StatusText(http.StatusServiceUnavailable), Status: http.StatusServiceUnavailable,
			Detail: "The database does not answer at the moment; try again", Code: "unavailable",
		}, true
	}
	return Problem{
		Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError,
		Detail: internalDetail, Code: "internal",
	}, true
}

func codeOf(status int) string {
	for kind, s := range statuses {
		if s == status {
			return string(kind)
		}
	}
	if status == http.StatusMethodNotAllowed {
		return "method_not_allowed"
	}
	return "http_" + strconv.Itoa(status)
}

// ErrorHandler writes every error of the API; it is the one place where an internal one is logged.
func ErrorHandler(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		ctx := c.Request().Context()
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return // the client left; nobody reads an answer
		}
		p, internal := problemOf(err)
		if internal {
			log.ErrorContext(ctx, "request failed", "method", c.Request().Method, "path", c.Path(), "error", err)
		}
		if c.Response().Committed {
			return
		}
		if f, ok := fault.Of(err); ok && f.RetryAfter > 0 {
			c.Response().Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
		}
		p.Instance = telemetry.Value(ctx, telemetry.RequestID)
		WriteProblem(c.Response(), p)
	}
}

// WriteProblem writes p with its status.
func WriteProblem(w http.ResponseWriter, p Problem) {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="orquestador"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", "5")
		}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	// The status is out: a client that cannot be written to any more has left.
	_ = json.NewEncoder(w).Encode(p)
}
