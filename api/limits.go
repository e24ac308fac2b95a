package api

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
)

// limits bound how many requests somebody makes: an API token, a user with all sessions, or an address, for those who are not
// logged in. Not counted are the pages and health checks, which are served from memory, webhooks, which have their intake, and
// logins, which have their throttle. A live stream counts once, when it opens.
type limits struct {
	meters               *meters
	user, token, address counted
}

// counted is a kind of caller, with its limit.
type counted struct {
	kind   string
	limit  rate.Limit
	policy []string // what answers say of it
}

func newCounted(kind string, limit rate.Limit) counted {
	return counted{kind: kind, limit: limit, policy: []string{fmt.Sprintf("%q;q=%d;w=%d", kind, limit.Burst, seconds(limit.Period))}}
}

func newLimits(cfg Config, d Deps) *limits {
	return &limits{
		meters: newMeters(d.Queue, d.Clock, d.Log), user: newCounted("user", cfg.RateLimitUser), token: newCounted("token", cfg.RateLimitToken),
		address: newCounted("address", cfg.RateLimitAddress),
	}
}

// count implements httpx.Count, and tells the client what is left: the header fields are those of
// draft-ietf-httpapi-ratelimit-headers-10.
func (l *limits) count(c echo.Context, who account.Principal) error {
	by, id := l.user, who.User.ID.String()
	switch {
	case who.Token != uuid.Nil:
		by, id = l.token, who.Token.String()
	case who.User.ID == uuid.Nil:
		by, id = l.address, network(c.RealIP())
	}
	if by.limit.Off() {
		return nil
	}
	got := l.meters.spend(c.Request().Context(), "api:"+by.kind+":"+id, by.limit)
	h := c.Response().Header() // the names as net/http spells them, so that it need not do it for each request
	h["Ratelimit-Policy"] = by.policy
	h["Ratelimit"] = []string{`"` + by.kind + `";r=` + strconv.Itoa(got.Left) + ";t=" + strconv.Itoa(seconds(got.Reset))}
	if got.N > 0 {
		return nil
	}
	wait := seconds(got.Wait)
	h.Set("Retry-After", strconv.Itoa(wait))
	return fault.New(fault.RateLimited, "too_many_requests", "These are too many requests: %s is what a %s may make; try again in %d s",
		by.limit, by.kind, wait)
}

// seconds are whole ones, never too few.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// network is what an address is counted by. Whoever has an IPv6 address has the 2⁶⁴ of its network.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
