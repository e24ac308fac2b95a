package api

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/audit"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// callerLife is how long it is remembered who a session belongs to. Changes of people are announced to every replica and
// take effect at once; while Redis is away, and for sessions that end by themselves, this is the time within which they do.
const callerLife = 5 * time.Second

// callers finds out who makes requests.
type callers struct {
	db     *postgres.DB
	tokens *auth.Tokens
	clock  clock.Clock

	mu     sync.Mutex
	known  map[string]caller // by what they came with
	forgot int               // counts what was forgotten: an answer that was asked for before that is not remembered
}

type caller struct {
	principal account.Principal
	until     time.Time
}

func newCallers(db *postgres.DB, tokens *auth.Tokens, clk clock.Clock) *callers {
	return &callers{db: db, tokens: tokens, clock: clk, known: map[string]caller{}}
}

// authenticate reads the bearer token, an API's or an access token, or, from a browser, the session cookie.
func (k *callers) authenticate(c echo.Context) (account.Principal, error) {
	ctx := c.Request().Context()
	token, err := tokenOf(c.Request())
	if err != nil {
		return account.Principal{}, err
	}
	if auth.IsAPIToken(token) {
		hash, err := auth.HashAPIToken(token)
		if err != nil {
			return account.Principal{}, err
		}
		return k.find(string(hash), func() (account.Principal, error) { return postgres.APITokens{Q: k.db}.Principal(ctx, hash) })
	}
	user, session, err := k.tokens.Read(token)
	if err != nil {
		return account.Principal{}, err
	}
	return k.inSession(ctx, user, session)
}

func (k *callers) inSession(ctx context.Context, user, session uuid.UUID) (account.Principal, error) {
	p, err := k.find(session.String(), func() (account.Principal, error) { return postgres.Users{Q: k.db}.Principal(ctx, user, session) })
	if err == nil && p.User.ID != user {
		return account.Principal{}, auth.ErrUnauthorized
	}
	return p, err
}

// again finds out what somebody may do now who made a request some time ago.
func (k *callers) again(ctx context.Context, p account.Principal) (account.Principal, error) {
	if p.Token == uuid.Nil {
		return k.inSession(ctx, p.User.ID, p.Session)
	}
	return k.find(p.Token.String(), func() (account.Principal, error) { return postgres.APITokens{Q: k.db}.ByID(ctx, p.Token) })
}

func tokenOf(r *http.Request) (string, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, found := strings.Cut(header, " ")
		if !found || !strings.EqualFold(scheme, "Bearer") {
			return "", auth.ErrUnauthorized
		}
		return token, nil
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return "", auth.ErrUnauthorized
	}
	return cookie.Value, nil
}

// find answers who came with something; ask finds it out when that is not known, or was long ago.
func (k *callers) find(with string, ask func() (account.Principal, error)) (account.Principal, error) {
	now := k.clock.Now()
	k.mu.Lock()
	found, ok := k.known[with]
	forgot := k.forgot
	k.mu.Unlock()
	if ok && now.Before(found.until) {
		return found.principal, nil
	}
	p, err := ask()
	if fault.Is(err, fault.NotFound) {
		return p, auth.ErrUnauthorized
	}
	if err != nil {
		return p, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forgot != forgot {
		return p, nil
	}
	if len(k.known) > 10_000 {
		clear(k.known)
	}
	k.known[with] = caller{principal: p, until: now.Add(callerLife)}
	return p, nil
}

// renew gives a browser another session cookie, so that a page that only asks and never logs in again, such as the
// queue's dashboard, lives as long as its session.
func (k *callers) renew(c echo.Context, p account.Principal) error {
	if c.Request().Header.Get("Authorization") != "" {
		return nil
	}
	access, err := k.tokens.Issue(p.User.ID, p.Session)
	if err != nil {
		return err
	}
	setCookie(c.Response(), sessionCookie, access, "/", auth.AccessLife, httpx.IsTLS(c.Request()))
	return nil
}

// forget makes the end of a session take effect here at once.
func (k *callers) forget(session uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgot++
	delete(k.known, session.String())
}

// forgetToken makes the end of an API token take effect here at once.
func (k *callers) forgetToken(id uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgot++
	maps.DeleteFunc(k.known, func(_ string, c caller) bool { return c.principal.Token == id })
}

// forgetPerson makes a change of somebody's account, memberships or sessions take effect here at once.
func (k *callers) forgetPerson(id uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgot++
	maps.DeleteFunc(k.known, func(_ string, c caller) bool { return c.principal.User.ID == id })
}

// clientAddress is where a request comes from. What proxies say is believed only from a private address, where ours are.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if ip == nil || !(ip.IsPrivate() || ip.IsLoopback()) {
		return host
	}
	// The last entry was written by the nearest proxy; those before it by whoever it was talking to.
	forwarded := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
	if last := net.ParseIP(strings.TrimSpace(forwarded[len(forwarded)-1])); last != nil {
		return last.String()
	}
	return host
}

// crossOrigins lets the pages of other origins call the API with a bearer token; cookies stay at home.
func crossOrigins(origins []string) echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins:  origins,
		AllowMethods:  []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete},
		AllowHeaders:  []string{"Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Accept-Language"},
		ExposeHeaders: []string{"ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"},
		MaxAge:        600,
	})
}

// compressFrom is the size from which an answer is worth compressing, in bytes.
const compressFrom = 1400

// compress shortens lists and the dashboard's pages on the way. Assets are compressed in advance, and a live stream must
// not wait for a buffer to fill. Most answers are short: gzhttp, unlike echo's own, prepares its compressor for those only
// that are long enough to use it.
func compress() (echo.MiddlewareFunc, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom))
	if err != nil {
		return nil, fmt.Errorf("compress answers: %w", err)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			path := c.Request().URL.Path
			if path == httpx.Prefix+"/events" || !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, monitoringRoot) {
				return next(c)
			}
			plain := c.Response().Writer
			var err error // it is answered further out, not compressed
			wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				c.Response().Writer = w
				defer func() { c.Response().Writer = plain }()
				err = next(c)
			})).ServeHTTP(plain, c.Request())
			return err
		}
	}, nil
}

type echoKey struct{}

// withEcho lets an operation see its request: cookies and addresses are not part of the generated types. Its context says
// whose changes it makes.
func withEcho(next oas.StrictHandlerFunc, _ string) oas.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		ctx := audit.With(c.Request().Context(), originOf(c, httpx.Principal(c.Request().Context())))
		c.SetRequest(c.Request().WithContext(context.WithValue(ctx, echoKey{}, c)))
		return next(c, request)
	}
}

// originOf is who makes a request, and from where, for the audit log.
func originOf(c echo.Context, who account.Principal) audit.Origin {
	o := audit.Origin{Actor: audit.Actor{Kind: audit.Nobody}, Address: c.RealIP(), RequestID: telemetry.Value(c.Request().Context(), telemetry.RequestID)}
	if who.User.ID != uuid.Nil {
		o.Actor = audit.Actor{Kind: audit.User, ID: who.User.ID, Name: who.User.Username, Session: who.Session, Token: who.Token}
	}
	return o
}

func echoOf(ctx context.Context) echo.Context {
	c, _ := ctx.Value(echoKey{}).(echo.Context)
	return c
}
