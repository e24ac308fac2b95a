package httpx

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// PagePolicy is the content security policy of our own pages: nothing but what this server serves.
const PagePolicy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// Headers sets what every answer carries. A group with other needs replaces the policy.
func Headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", PagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if IsTLS(c.Request()) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(c.Request().URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		return next(c)
	}
}

// IsTLS tells whether the client's connection is encrypted, here or at the proxy before us.
func IsTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// SameOrigin refuses writes that another site makes a browser send (cross-site request forgery). Programs that are no
// browser send none of the headers it looks at. trusted are origins whose pages may write; what lies below open is for everybody, and is nothing that a cookie
// opens.
func SameOrigin(trusted []string, open ...string) (echo.MiddlewareFunc, error) {
	guard := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := guard.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("read ORQ_CORS_ORIGINS: %w", err)
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if slices.ContainsFunc(open, func(prefix string) bool { return strings.HasPrefix(c.Request().URL.Path, prefix) }) {
				return next(c)
			}
			if err := guard.Check(c.Request()); err != nil {
				return echo.NewHTTPError(http.StatusForbidden, "This request comes from another site")
			}
			return next(c)
		}
	}, nil
}

// Observe gives each request an id, logs it, counts it, and turns a panic into an error.
func Observe(log *slog.Logger, clk clock.Clock, reg prometheus.Registerer) echo.MiddlewareFunc {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "orq_http_request_seconds", Help: "Requests by route and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"method", "route", "status"})
	if reg != nil {
		reg.MustRegister(seconds)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := clk.Now()
			id := uuid.NewString()
			c.Response().Header().Set("X-Request-Id", id)
			c.SetRequest(c.Request().WithContext(telemetry.With(c.Request().Context(), telemetry.RequestID, id)))
			err := guarded(next, c)
			if err != nil {
				c.Error(err) // writes the answer, so that its status is known below
			}
			took := clk.Now().Sub(began)
			route := c.Path()
			if route == "" {
				route = "none"
			}
			seconds.WithLabelValues(methodLabel(c.Request().Method), route, strconv.Itoa(c.Response().Status)).Observe(took.Seconds())
			log.DebugContext(c.Request().Context(), "request", "method", c.Request().Method, "route", route,
				"status", c.Response().Status, "took", took.Round(time.Microsecond))
			return nil
		}
	}
}

// methodLabel keeps made-up methods from becoming a time series each.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func guarded(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return next(c)
}
