package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
)

const monitoringRoot = "/monitoring"

// monitoring mounts asynqmon, which has no authentication of its own, for administrators. It mends what asynqmon gets
// wrong: content types by which the logo would not show, links to fonts on the internet, and the lack of a policy.
func monitoring(e *echo.Echo, cfg Config, d Deps, callers *callers) {
	dashboard := queue.Dashboard(d.Queue, monitoringRoot, !cfg.MonitoringWrite)
	policy := monitoringPolicy(dashboard)
	guard := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			p, err := callers.authenticate(c)
			switch {
			case fault.Is(err, fault.Unauthorized) && wantsPage(c.Request()):
				return c.Redirect(http.StatusFound, "/login?next="+monitoringRoot)
			case err != nil:
				return err
			case !p.Administers():
				return fault.New(fault.Forbidden, "administrators_only", "The queue's dashboard is for administrators")
			}
			if err := callers.renew(c, p); err != nil {
				return err
			}
			if err := noteMonitor(c, d.DB, p, cfg); err != nil {
				return err
			}
			c.Response().Header().Set("Content-Security-Policy", policy)
			c.Response().Header().Set("Cache-Control", "no-store")
			return next(c)
		}
	}
	show := func(c echo.Context) error {
		w := &mending{ResponseWriter: c.Response(), path: c.Request().URL.Path}
		dashboard.ServeHTTP(w, c.Request())
		return w.flush()
	}
	g := e.Group(monitoringRoot, guard)
	g.Any("", show)
	g.Any("/*", show)
}

// noteMonitor notes what somebody changes in the monitor, which changes Redis alone: before, since it cannot be the same
// transaction.
func noteMonitor(c echo.Context, db *postgres.DB, who account.Principal, cfg Config) error {
	r := c.Request()
	if !cfg.MonitoringWrite || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	ctx := audit.With(r.Context(), originOf(c, who))
	return db.InTx(ctx, func(q postgres.Querier) error {
		what := strings.TrimPrefix(r.URL.Path, monitoringRoot+"/api")
		return postgres.Note(ctx, q, audit.Change{Action: audit.QueueMonitor, Object: audit.Named(what), After: audit.Data{"method": r.Method, "path": what}})
	})
}

// wantsPage tells a person at a browser from a program.
func wantsPage(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Authorization") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// monitoringPolicy allows asynqmon's own inline scripts, by their hashes, and no others. They are the same for as long as
// the process lives. Its components write their styles into the page.
func monitoringPolicy(dashboard http.Handler) string {
	rec := httptest.NewRecorder()
	dashboard.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, monitoringRoot, nil))
	hashes := ""
	for _, m := range inlineScript.FindAllSubmatch(mendPage(rec.Body.Bytes()), -1) {
		sum := sha256.Sum256(m[1])
		hashes += fmt.Sprintf(" 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
	}
	return "default-src 'self'; script-src 'self'" + hashes + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
}

// mending holds an answer of asynqmon back until it can be mended.
type mending struct {
	http.ResponseWriter
	path   string
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (m *mending) WriteHeader(status int) { m.status = status }

// Write implements http.ResponseWriter.
func (m *mending) Write(b []byte) (int, error) { return m.body.Write(b) }

func (m *mending) flush() error {
	body := m.body.Bytes()
	h := m.Header()
	switch {
	case m.status >= http.StatusBadRequest:
		h.Set("Content-Type", "text/plain; charset=utf-8") // its errors are lines of text
	case strings.HasPrefix(m.path, monitoringRoot+"/api/"):
		h.Set("Content-Type", "application/json")
	case strings.HasSuffix(m.path, ".svg"):
		h.Set("Content-Type", "image/svg+xml")
	case strings.HasSuffix(m.path, ".json"):
		h.Set("Content-Type", "application/json")
		body = bytes.ReplaceAll(body, []byte(`"/android-chrome`), []byte(`"`+monitoringRoot+`/android-chrome`))
	case strings.HasSuffix(m.path, ".js"):
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	case strings.HasSuffix(m.path, ".css"):
		h.Set("Content-Type", "text/css; charset=utf-8")
	case bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(body)), []byte("<!doctype html")):
		h.Set("Content-Type", "text/html; charset=utf-8")
		body = mendPage(body)
	}
	h.Del("Content-Length")
	if m.status != 0 {
		m.ResponseWriter.WriteHeader(m.status)
	}
	if _, err := m.ResponseWriter.Write(body); err != nil {
		return fmt.Errorf("write the dashboard: %w", err)
	}
	return nil
}

var fontLink = regexp.MustCompile(`<link[^>]*fonts\.(googleapis|gstatic)\.com[^>]*>`)

// mendPage takes out what the page would fetch from the internet.
func mendPage(page []byte) []byte { return fontLink.ReplaceAll(page, nil) }
