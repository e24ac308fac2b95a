package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/api"
)

var (
	html     = header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	assets   = regexp.MustCompile(`(?:src|href)="(/monitoring/[^"]+)"`)
	inline   = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	pathSVG  = regexp.MustCompile(`/monitoring/static/media/[a-z-]+\.[0-9a-f]+\.svg`)
	external = regexp.MustCompile(`(src|href)="(https?:)?//`)
)

func TestTheDashboardIsForAdministrators(t *testing.T) {
	in := install(t)
	ana, bob, nobody := in.user("ana"), in.user("bob"), in.nobody(false)
	for _, path := range []string{"/monitoring", "/monitoring/", "/monitoring/api/queues", "/monitoring/queues/default", "/monitoring/static/js/x.js"} {
		if a := nobody.fetch("GET", path, nil, html); a.status != 302 || a.header.Get("Location") != "/login?next=/monitoring" {
			t.Errorf("%s for a browser without session: %d %q", path, a.status, a.header.Get("Location"))
		}
		nobody.fetch("GET", path, nil, header("Accept", "application/json")).refused(401, "unauthorized")
		nobody.fetch("GET", path, nil, html, header("Authorization", "Bearer nonsense")).refused(401, "unauthorized")
		nobody.fetch("POST", path, nil, html).refused(401, "unauthorized")
		bob.fetch("GET", path, nil, html).refused(403, "administrators_only")
		if a := ana.fetch("GET", path, nil, html); a.status != 200 && !strings.HasSuffix(path, ".js") {
			t.Errorf("%s for the administrator: %d", path, a.status)
		}
	}
}

func TestTheDashboardsPage(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	page := ana.fetch("GET", "/monitoring", nil, html)
	page.want(200)
	if kind := page.header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Errorf("the page is %q", kind)
	}
	if external.Match(page.body) || strings.Contains(string(page.body), "fonts.googleapis") {
		t.Errorf("the page fetches from the internet: %s", page.body)
	}
	policy := page.header.Get("Content-Security-Policy")
	scripts := inline.FindAllSubmatch(page.body, -1)
	if len(scripts) == 0 {
		t.Fatal("the page has no inline script; the rest of this test has nothing to check")
	}
	for _, script := range scripts {
		sum := sha256.Sum256(script[1])
		if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("the policy %q does not allow the script %s", policy, script[1])
		}
	}
	if _, scriptSources, _ := strings.Cut(policy, "script-src"); strings.Contains(strings.Split(scriptSources, ";")[0], "unsafe") {
		t.Errorf("the policy allows any script: %q", policy)
	}
	found := map[string]bool{}
	for _, m := range assets.FindAllSubmatch(page.body, -1) {
		path := string(m[1])
		a := ana.fetch("GET", path, nil)
		kinds := map[string]string{
			".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
			".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/",
		}
		ext := path[strings.LastIndex(path, "."):]
		if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), kinds[ext]) {
			t.Errorf("%s: %d %q", path, a.status, a.header.Get("Content-Type"))
		}
		found[ext] = true
		if ext == ".js" {
			for _, svg := range pathSVG.FindAll(a.body, -1) {
				if s := ana.fetch("GET", string(svg), nil); s.status != 200 || s.header.Get("Content-Type") != "image/svg+xml" {
					t.Errorf("%s: %d %q", svg, s.status, s.header.Get("Content-Type"))
				}
			}
		}
		if ext == ".json" && !json.Valid(a.body) {
			t.Errorf("%s is no JSON: %s", path, a.body)
		}
	}
	if !found[".js"] {
		t.Errorf("the page has no script of its own: %s", page.body)
	}
}

// In the browser the dashboard only asks, again and again; it must not end when the access token does.
func TestTheDashboardLivesAsLongAsTheSession(t *testing.T) {
	in := install(t)
	in.user("ana")
	browser := in.nobody(true)
	browser.login("ana@example.org").want(200)
	for range 3 {
		in.clock.advance(8 * time.Minute)
		browser.fetch("GET", "/monitoring/api/queues", nil).want(200)
	}
	browser.post("/auth/logout", nil).want(204)
	browser.fetch("GET", "/monitoring/api/queues", nil).refused(401, "unauthorized")
}

func TestTheDashboardShowsTheQueue(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(logOnly("x"))
	if _, err := in.queue.Keep(context.Background()); err != nil { // as the scheduler does
		t.Fatal(err)
	}
	ana.post(path+"/runs", nil).want(202)
	a := ana.fetch("GET", "/monitoring/api/queues", nil)
	queues := a.want(200).items("queues")
	pending := map[string]string{}
	for _, q := range queues {
		pending[q.text("queue")] = q.number("pending")
	}
	if len(pending) != 3 || pending["default"] != "1" || pending["critical"] != "0" || pending["bulk"] != "0" {
		t.Errorf("queues: %s", a.body)
	}
}

func TestTheDashboardIsReadOnly(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	for _, c := range [][2]string{{"POST", "/monitoring/api/queues/default:pause"}, {"DELETE", "/monitoring/api/queues/default"}, {"POST", "/monitoring/api/queues/default/pending_tasks:delete_all"}} {
		if a := ana.fetch(c[0], c[1], nil); a.status != 405 {
			t.Errorf("%s %s: %d", c[0], c[1], a.status)
		}
	}
	open := install(t, func(c *api.Config) { c.MonitoringWrite = true })
	eva := open.user("eva")
	if _, err := open.queue.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := eva.fetch("POST", "/monitoring/api/queues/default:pause", nil, header("Sec-Fetch-Site", "cross-site")); a.status != 403 {
		t.Errorf("another site pauses the queue: %d", a.status)
	}
	if a := eva.fetch("POST", "/monitoring/api/queues/default:pause", nil); a.status != 204 && a.status != 200 {
		t.Errorf("pause where it is allowed: %d %s", a.status, a.body)
	}
	list := noted(eva, "queue.monitor")
	if len(list) != 1 || list[0].child("object").text("name") != "/queues/default:pause" || fmt.Sprint(list[0].child("after")) != "map[method:POST path:/queues/default:pause]" {
		t.Errorf("the audit log has %v", list)
	}
}
