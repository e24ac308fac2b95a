package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/guildmember145/orquestador-plataforma/api/internal/httpx"
	"github.com/guildmember145/orquestador-plataforma/api/internal/oas"
	"github.com/guildmember145/orquestador-plataforma/pkg/auth"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/egress"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/queue"
	"github.com/guildmember145/orquestador-plataforma/pkg/sso"
)

const (
	// ssoPath is where browsers come back to, below the provider's id. It is told to the services, and never changes.
	ssoPath = httpx.Prefix + "/auth/sso"
	// attemptLife is how long somebody has to come back from a service.
	attemptLife = 10 * time.Minute
	// attemptCookie and the beginning of the state name the cookie by which a browser is known again; each tab has its own.
	attemptCookie = "orq_sso_"
	// The pages to which browsers are sent on.
	loginPage    = "/login"
	settingsPage = "/settings"
)

// ssoPerAddress keeps one address from filling the table of attempts, and from making us call services all the time.
var ssoPerAddress = queue.Limit{Burst: 300, Period: 10 * time.Minute}

var (
	errAttempt = fault.New(fault.Gone, "sso_expired", "That took too long, began in another browser, or is over already; try again")
	errDenied  = fault.New(fault.Forbidden, "sso_denied", "The other service did not let you go on; try again")
)

// checkSSO tells what is wrong with the settings about other services.
func (c Config) checkSSO() error {
	if c.SSO.Any() && c.PublicURL == "" {
		return errors.Join(c.SSO.Check(), errors.New("ORQ_PUBLIC_URL must be set, since people can log in with other services: it is where they come back to"))
	}
	return c.SSO.Check()
}

// newProviders makes the services' clients. What an administrator names as a service may be inside, and so may what
// ORQ_EGRESS_ALLOW lists; nothing else may.
func newProviders(cfg Config, clk clock.Clock) (*sso.Providers, error) {
	network, err := egress.New(egress.Config{Allow: append(cfg.SSO.Hosts(), cfg.EgressAllow...)})
	if err != nil {
		return nil, fmt.Errorf("read where single sign-on may lead: %w", err)
	}
	return sso.New(cfg.SSO, trimSlash(cfg.PublicURL)+ssoPath, network.RoundTripper(), clk), nil
}

func (s *server) provider(id oas.ProviderID) (*sso.Provider, error) {
	if p := s.providers.ByID(string(id)); p != nil {
		return p, nil
	}
	return nil, fault.New(fault.NotFound, "no_such_provider", "This installation does not ask that service")
}

// StartSSO implements the contract.
func (s *server) StartSSO(ctx context.Context, req oas.StartSSORequestObject) (oas.StartSSOResponseObject, error) {
	next, err := localAddress(textOr(req.Body.Next))
	if err != nil {
		return nil, err
	}
	return s.sendAway(ctx, req.Provider, postgres.Attempt{Next: next, Invitation: linkHash(req.Body.Invitation)})
}

// sendAway begins an attempt. The browser is known again by the PKCE verifier, which nobody else gets to know before the
// attempt is used up; its hash is all that is stored.
func (s *server) sendAway(ctx context.Context, id oas.ProviderID, a postgres.Attempt) (sentAway, error) {
	provider, err := s.provider(id)
	if err != nil {
		return sentAway{}, err
	}
	r := echoOf(ctx)
	if wait := s.throttle.spend(ctx, "sso:address:"+r.RealIP(), ssoPerAddress); wait > 0 {
		return sentAway{}, tooMany(ctx, wait)
	}
	state, stateHash, err := auth.NewToken()
	if err != nil {
		return sentAway{}, err
	}
	verifier, browser, err := auth.NewToken()
	if err != nil {
		return sentAway{}, err
	}
	nonce, _, err := auth.NewToken()
	if err != nil {
		return sentAway{}, err
	}
	to, err := provider.Begin(ctx, sso.Attempt{State: state, Nonce: nonce, Verifier: verifier})
	if err != nil {
		s.distrust(ctx, provider, err)
		return sentAway{}, err
	}
	a.State, a.Browser, a.Issuer, a.Nonce = stateHash, browser, provider.Issuer, nonce
	if err := (postgres.Attempts{Q: s.db}).Begin(ctx, a, attemptLife); err != nil {
		return sentAway{}, err
	}
	return sentAway{to: to, cookie: attemptCookieOf(state, verifier, attemptLife, httpx.IsTLS(r.Request()))}, nil
}

// FinishSSO implements the contract. Who comes here is a browser that another site has sent: whatever happens, it is sent on
// to a page of ours, which has words for it.
func (s *server) FinishSSO(ctx context.Context, req oas.FinishSSORequestObject) (oas.FinishSSOResponseObject, error) {
	r := echoOf(ctx).Request()
	state := textOr(req.Params.State)
	back := cameBack{drop: attemptCookieOf(state, "", -time.Second, httpx.IsTLS(r))}
	a, err := s.takeAttempt(ctx, r, state)
	if err == nil {
		if a.User != nil {
			back.to = settingsPage + "?linked=" + string(req.Provider)
			err = s.finishLink(ctx, a, req)
		} else {
			back.to = loginPage + "?next=" + url.QueryEscape(a.Next)
			back.granted, err = s.finishLogin(ctx, a, req)
		}
	}
	if err == nil {
		return back, nil
	}
	f, known := fault.Of(err)
	if !known {
		s.log.ErrorContext(ctx, "single sign-on failed", "provider", req.Provider, "error", err)
		f = fault.New(fault.Unavailable, "internal", "")
	} else {
		s.log.InfoContext(ctx, "single sign-on refused", "provider", req.Provider, "code", f.Code, "reason", f.Err)
	}
	back.to = loginPage + "?" + url.Values{"failed": {f.Code}, "next": {a.Next}}.Encode()
	if a.User != nil {
		back.to = settingsPage + "?failed=" + url.QueryEscape(f.Code)
	}
	return back, nil
}

// takeAttempt uses up the attempt of a state, also when the browser is another than the one that began.
func (s *server) takeAttempt(ctx context.Context, r *http.Request, state string) (postgres.Attempt, error) {
	a, err := postgres.Attempts{Q: s.db}.Take(ctx, auth.HashToken(state))
	if fault.Is(err, fault.NotFound) {
		return postgres.Attempt{}, errAttempt
	}
	if err != nil {
		return a, err
	}
	if subtle.ConstantTimeCompare(auth.HashToken(verifierOf(r, state)), a.Browser) != 1 {
		return postgres.Attempt{}, errAttempt
	}
	return a, nil
}

// identify asks the service who came back.
func (s *server) identify(ctx context.Context, a postgres.Attempt, req oas.FinishSSORequestObject) (sso.Identity, error) {
	provider, err := s.provider(req.Provider)
	if err != nil {
		return sso.Identity{}, err
	}
	if a.Issuer != provider.Issuer {
		return sso.Identity{}, errAttempt // the answer to a question that another service was asked
	}
	if said := textOr(req.Params.Error); said != "" || textOr(req.Params.Code) == "" {
		return sso.Identity{}, &fault.Error{Kind: errDenied.Kind, Code: errDenied.Code, Message: errDenied.Message, Err: fmt.Errorf("it says %.100q", said)}
	}
	state := textOr(req.Params.State)
	return provider.Finish(ctx,
		sso.Attempt{State: state, Nonce: a.Nonce, Verifier: verifierOf(echoOf(ctx).Request(), state)},
		sso.Answer{Code: *req.Params.Code, Issuer: textOr(req.Params.Iss)})
}

// distrust logs why a service is of no use.
func (s *server) distrust(ctx context.Context, provider *sso.Provider, err error) {
	if f, ok := fault.Of(err); ok {
		s.log.WarnContext(ctx, "a service for logging in is of no use", "provider", provider.ID, "code", f.Code, "reason", f.Err)
	}
}

// localAddress accepts an address on this installation: what a link says after "?next=" comes from anybody.
func localAddress(next string) (string, error) {
	if next == "" {
		return "/", nil
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsRune(next, '\\') || strings.ContainsFunc(next, unicode.IsControl) {
		return "", fault.At("/next", "next", "that is no address on this installation, such as /runs")
	}
	return next, nil
}

func attemptCookieOf(state, verifier string, life time.Duration, secure bool) *http.Cookie {
	return &http.Cookie{
		Name: attemptCookie + state[:min(len(state), 8)], Value: verifier, Path: ssoPath, MaxAge: int(life.Seconds()), HttpOnly: true, Secure: secure,
		SameSite: http.SameSiteLaxMode, // it comes along when another site sends the browser back
	}
}

func verifierOf(r *http.Request, state string) string {
	cookie, err := r.Cookie(attemptCookieOf(state, "", 0, false).Name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// sentAway is where to send a browser, and the cookie by which it is known when it is back.
type sentAway struct {
	to     string
	cookie *http.Cookie
}

// VisitStartSSOResponse implements the generated interface.
func (a sentAway) VisitStartSSOResponse(w http.ResponseWriter) error {
	http.SetCookie(w, a.cookie)
	return oas.StartSSO200JSONResponse{SentAwayJSONResponse: oas.SentAwayJSONResponse{Body: oas.Away{Url: a.to}}}.VisitStartSSOResponse(w)
}

// VisitLinkIdentityResponse implements the generated interface.
func (a sentAway) VisitLinkIdentityResponse(w http.ResponseWriter) error {
	return a.VisitStartSSOResponse(w)
}

// cameBack sends a browser on, logged in or not.
type cameBack struct {
	to      string
	granted *granted // nil: nobody was logged in
	drop    *http.Cookie
}

// VisitFinishSSOResponse implements the generated interface.
func (b cameBack) VisitFinishSSOResponse(w http.ResponseWriter) error {
	http.SetCookie(w, b.drop)
	if b.granted != nil {
		b.granted.setCookies(w)
	}
	w.Header().Set("Location", b.to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
