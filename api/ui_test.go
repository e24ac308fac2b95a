package api_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/frontend"
)

func TestThePageOfTheInterface(t *testing.T) {
	in := install(t)
	nobody := in.nobody(false)
	first := nobody.fetch("GET", "/", nil)
	first.want(200)
	etag := first.header.Get("ETag")
	if first.header.Get("Cache-Control") != "no-cache" || etag == "" || !strings.HasPrefix(first.header.Get("Content-Type"), "text/html") {
		t.Errorf("headers %v", first.header)
	}
	if a := nobody.fetch("GET", "/", nil, header("If-None-Match", etag)); a.status != 304 || len(a.body) != 0 {
		t.Errorf("asked with the ETag: %d, %d bytes", a.status, len(a.body))
	}
	if a := nobody.fetch("HEAD", "/", nil); a.status != 200 || len(a.body) != 0 {
		t.Errorf("HEAD: %d", a.status)
	}
	// The application decides what its paths show.
	for _, p := range []string{"/login", "/workflows/0190c0de-0000-7000-8000-000000000000", "/index.html", "/any/where"} {
		if a := nobody.fetch("GET", p, nil); a.status != 200 || string(a.body) != string(first.body) {
			t.Errorf("%s: %d", p, a.status)
		}
	}
}

// A program that mistypes a path must get an error, never a page with status 200.
func TestWhatIsNoPage(t *testing.T) {
	in := install(t)
	nobody := in.nobody(false)
	for _, p := range []string{
		"/api", "/api/", "/api/v2/runs", "/api/v1", "/api/v1/nothing", "/hooks/x", "/assets/gone.js", "/assets/", "/assets/../index.html",
		"/gone.png", "/assets/..%2f..%2fmain.go", "/.env", "/.gitkeep", "/wp-login.php",
	} {
		a := nobody.fetch("GET", p, nil)
		if a.status != 404 || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", p, a.status, a.header.Get("Content-Type"))
		}
		if strings.Contains(a.header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s: the error is cached: %s", p, a.header.Get("Cache-Control"))
		}
	}
	nobody.fetch("POST", "/api/v2/runs", nil).want(404)
	a := nobody.fetch("POST", "/login", nil)
	if a.status != 405 || !strings.Contains(a.header.Get("Allow"), "GET") || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("POST to a page: %d, Allow %q, %s", a.status, a.header.Get("Allow"), a.header.Get("Content-Type"))
	}
}

func TestAssets(t *testing.T) {
	built, err := fs.Glob(frontend.FS(), "assets/*.js.br")
	if err != nil || len(built) == 0 {
		t.Skip("the interface is not built; run: make build")
	}
	in := install(t)
	nobody := in.nobody(false)
	asset := "/" + strings.TrimSuffix(built[0], ".br")
	plain, err := fs.ReadFile(frontend.FS(), strings.TrimSuffix(built[0], ".br"))
	if err != nil {
		t.Fatal(err)
	}
	for accept, encoding := range map[string]string{
		"br, gzip": "br", "gzip, br;q=0.5": "br", "gzip": "gzip", "gzip, br;q=0": "gzip", "br;q=0.0, gzip;q=0": "", "identity": "", "*": "",
	} {
		a := nobody.fetch("GET", asset, nil, header("Accept-Encoding", accept))
		if a.status != 200 || a.header.Get("Content-Encoding") != encoding || a.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("accepting %q: %d as %q, Vary %q", accept, a.status, a.header.Get("Content-Encoding"), a.header.Get("Vary"))
		}
		if a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/javascript") {
			t.Errorf("accepting %q: %v", accept, a.header)
		}
		if encoding == "" && string(a.body) != string(plain) {
			t.Errorf("accepting %q: another text", accept)
		}
	}
	// Whatever is built is served, as what it is.
	err = fs.WalkDir(frontend.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") || path.Base(name)[0] == '.' {
			return err
		}
		a := nobody.fetch("GET", "/"+name, nil, header("Accept-Encoding", "identity"))
		kind := map[string]string{
			".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html", ".woff2": "font/woff2", ".json": "application/json", ".png": "image/png", ".ico": "image/", ".txt": "text/plain",
			".webmanifest": "application/manifest+json",
		}[path.Ext(name)]
		if a.status != 200 || kind == "" || !strings.HasPrefix(a.header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %q", name, a.status, a.header.Get("Content-Type"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheReference(t *testing.T) {
	in := install(t)
	nobody := in.nobody(false)
	a := nobody.fetch("GET", "/api/v1/openapi.json", nil)
	var spec struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal(a.body, &spec); a.status != 200 || err != nil || spec.OpenAPI != "3.1.0" || len(spec.Paths) != contract().doc.Paths.Len() {
		t.Errorf("openapi.json: %d, version %q, %d paths, %v", a.status, spec.OpenAPI, len(spec.Paths), err)
	}
	page := nobody.fetch("GET", "/docs", nil)
	page.want(200)
	for name, op := range operations() {
		method, p, _ := strings.Cut(name, " ")
		text := string(page.body)
		if !strings.Contains(text, op.OperationID) || !strings.Contains(text, "/api/v1"+strings.ReplaceAll(p, "{", "{")) || !strings.Contains(text, method) {
			t.Errorf("the page does not show %s", name)
		}
	}
	if strings.Contains(string(page.body), "<script") || external.Match(page.body) {
		t.Error("the page needs scripts, or the internet")
	}
	if css := nobody.fetch("GET", "/docs/style.css", nil); css.status != 200 || !strings.HasPrefix(css.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %s", css.status, css.header.Get("Content-Type"))
	}
}

func TestHealth(t *testing.T) {
	in := install(t)
	for _, p := range []string{"/healthz", "/readyz"} {
		if a := in.nobody(false).fetch("GET", p, nil); a.status != 200 {
			t.Errorf("%s: %d", p, a.status)
		}
	}
}
