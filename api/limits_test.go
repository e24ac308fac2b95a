package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
)

// five lets everybody make five requests an hour, which do not come back while a test runs.
var five = rate.Limit{Burst: 5, Period: time.Hour}

// allowed makes a request again and again, and answers how often before it was refused, with the refusal.
func allowed(ask func() answer) (n int, refusal answer) {
	for ; n < 100; n++ {
		if refusal = ask(); refusal.status == http.StatusTooManyRequests {
			return n, refusal
		}
	}
	return n, refusal
}

func TestRequestsAreCountedByUserTokenAndAddress(t *testing.T) {
	in := install(t, func(c *api.Config) { c.RateLimitUser, c.RateLimitToken = five, rate.Limit{Burst: 8, Period: time.Hour} })
	ana, bob := in.user("ana"), in.user("bob")
	program := ana.withToken(account.RunRead)
	again := in.nobody(false) // another session of hers
	again.token = again.login("ana@example.org").want(200).text("access_token")

	first := bob.get("/auth/me")
	first.want(200)
	if got := first.header.Get("RateLimit-Policy"); got != `"user";q=5;w=3600` {
		t.Errorf("RateLimit-Policy: %s", got)
	}
	if got := first.header.Get("RateLimit"); !strings.HasPrefix(got, `"user";r=4;t=`) {
		t.Errorf("RateLimit: %s", got)
	}
	sessions := []*client{ana, again}
	i := 0
	n, refusal := allowed(func() answer { i++; return sessions[i%2].get("/auth/me") })
	if n != 4 { // making the token was the fifth
		t.Errorf("ana's sessions made %d requests", n)
	}
	refusal.refused(429, "too_many_requests")
	if wait, err := strconv.Atoi(refusal.header.Get("Retry-After")); err != nil || wait < 1 || wait > 720 {
		t.Errorf("Retry-After: %q, want the fifth part of an hour at most", refusal.header.Get("Retry-After"))
	}
	if got := refusal.header.Get("RateLimit"); !strings.Contains(got, ";r=0;") {
		t.Errorf("RateLimit: %s", got)
	}
	if n, _ := allowed(func() answer { return program.get("/runs") }); n != 8 {
		t.Errorf("her token made %d requests", n)
	}
	if n, _ := allowed(func() answer { return bob.get("/auth/me") }); n != 4 {
		t.Errorf("bob made %d more requests", n)
	}
}

func TestWhoIsNotLoggedInIsCountedByAddress(t *testing.T) {
	in := install(t)
	ana := in.user("ana") // before there is a limit
	in.cfg.RateLimitAddress = five
	in.url, _ = in.serve(prometheus.NewRegistry())
	nobody := in.nobody(false)
	from := func(address string) with { return header("X-Forwarded-For", address) }
	count := func(address string, w ...with) int {
		n, refusal := allowed(func() answer { return nobody.get("/system", append(w, from(address))...) })
		refusal.refused(429, "too_many_requests")
		return n
	}
	if n := count("198.51.100.7"); n != 5 {
		t.Errorf("%d requests", n)
	}
	if n := count("198.51.100.8"); n != 5 {
		t.Errorf("%d requests from the address beside it", n)
	}
	// An IPv6 network of /64 is one.
	if n := count("2001:db8:1:2::1"); n != 5 {
		t.Errorf("%d requests", n)
	}
	nobody.get("/system", from("2001:db8:1:2:ffff::9")).refused(429, "too_many_requests")
	nobody.get("/system", from("2001:db8:1:3::1")).want(200)
	// A token that is not believed makes nobody somebody.
	guess := header("Authorization", "Bearer orq_guessed")
	if n, _ := allowed(func() answer { return nobody.get("/runs", guess, from("198.51.100.9")) }); n != 5 {
		t.Errorf("%d guesses", n)
	}
	// Who is logged in, and who logs in, does not suffer from others at the same address.
	ana.get("/auth/me", from("198.51.100.7")).want(200)
	nobody.post("/auth/login", object{"email": "ana@example.org", "password": password}, from("198.51.100.7")).want(200)
}

func TestLimitsHoldAcrossReplicas(t *testing.T) {
	limit := rate.Limit{Burst: 400, Period: time.Hour}
	in := install(t, func(c *api.Config) { c.RateLimitUser = limit })
	ana := in.user("ana")
	second, _ := in.serve(prometheus.NewRegistry())
	urls := []string{in.url, second}
	var let atomic.Int32
	var wg sync.WaitGroup
	for _, url := range urls {
		for range 8 {
			wg.Go(func() {
				for range 100 {
					req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/auth/me", nil)
					req.Header.Set("Authorization", "Bearer "+ana.token)
					resp, err := ana.http.Do(req)
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						let.Add(1)
					}
				}
			})
		}
	}
	wg.Wait()
	// Permits that one replica holds do not help the other.
	if n := int(let.Load()); n > limit.Burst || n < limit.Burst-limit.Burst/20 {
		t.Errorf("%d of 1600 requests were let through, want %d", n, limit.Burst)
	}
}

func TestWithoutRedisRequestsAreStillCounted(t *testing.T) {
	limit := rate.Limit{Burst: 5, Period: 10 * time.Minute}
	in := install(t, func(c *api.Config) { c.RateLimitUser, c.RateLimitAddress = limit, limit })
	ana := in.user("ana")
	if err := in.redis.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, refusal := allowed(func() answer { return ana.get("/auth/me") }); n != 5 {
		t.Errorf("%d requests", n)
	} else if refusal.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	in.clock.advance(limit.Period / 5)
	if n, _ := allowed(func() answer { return ana.get("/auth/me") }); n != 1 {
		t.Errorf("%d requests when there was room for one again", n)
	}
	if n, _ := allowed(func() answer { return in.nobody(false).get("/system") }); n == 0 || n > 5 {
		t.Errorf("%d requests of nobody", n)
	}
}
