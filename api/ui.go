package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/guildmember145/orquestador-plataforma/frontend"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// ui serves the web interface that is built into the binary. Assets carry a hash in their names and are kept for ever by
// browsers; every other path is the application's one page, which decides what to show.
func ui(e *echo.Echo) error {
	pages := &pages{files: frontend.FS()}
	index, err := fs.ReadFile(pages.files, "index.html")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		index = []byte(notBuilt)
	case err != nil:
		return fmt.Errorf("read the web interface: %w", err)
	}
	pages.index = index
	sum := sha256.Sum256(index)
	pages.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
	e.Match(read, "/assets/*", pages.asset)
	e.Match(read, "/*", pages.page)
	e.Any("/api/*", nothing)
	return nil
}

var read = []string{http.MethodGet, http.MethodHead}

// nothing answers below /api, whatever the method: a program that mistypes a path must not get a page.
func nothing(echo.Context) error {
	return fault.New(fault.NotFound, "no_such_path", "There is nothing here; the reference is at /docs")
}

const notBuilt = "<!doctype html><title>Orquestador</title><p>The web interface is not part of this binary; build it with: make build. " +
	"The API is at <a href=\"/docs\">/docs</a>."

type pages struct {
	files fs.FS
	index []byte
	etag  string
}

// asset serves a file below /assets; one that is missing is missing, never the page.
func (p *pages) asset(c echo.Context) error {
	name := strings.TrimPrefix(path.Clean(c.Request().URL.Path), "/")
	if !strings.HasPrefix(name, "assets/") {
		return nothing(c) // it climbed out with dots
	}
	return p.file(c, name, "public, max-age=31536000, immutable")
}

// page serves a file at the top (the icon) or the application.
func (p *pages) page(c echo.Context) error {
	name := strings.TrimPrefix(path.Clean(c.Request().URL.Path), "/")
	if name == "api" || strings.HasPrefix(name, "hooks/") || strings.HasPrefix(name, "ping/") {
		return nothing(c)
	}
	if path.Ext(name) != "" && name != "index.html" {
		return p.file(c, name, "public, max-age=3600")
	}
	c.Response().Header().Set("ETag", p.etag)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
	if c.Request().Header.Get("If-None-Match") == p.etag {
		return c.NoContent(http.StatusNotModified)
	}
	return c.HTMLBlob(http.StatusOK, p.index)
}

// file serves a file, compressed in advance when the client accepts that.
func (p *pages) file(c echo.Context, name, cache string) error {
	if strings.HasPrefix(path.Base(name), ".") {
		return nothing(c) // what the tools of the build keep is nobody's
	}
	accepted := c.Request().Header.Get("Accept-Encoding")
	h := c.Response().Header()
	for _, encoding := range []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}, {"", ""}} {
		if encoding.name != "" && !accepts(accepted, encoding.name) {
			continue
		}
		body, err := fs.ReadFile(p.files, name+encoding.suffix)
		if err != nil {
			continue
		}
		h.Set(echo.HeaderCacheControl, cache)
		h.Set("Vary", "Accept-Encoding")
		if encoding.name != "" {
			h.Set(echo.HeaderContentEncoding, encoding.name)
		}
		if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
			h.Set(echo.HeaderContentType, kind)
		}
		http.ServeContent(c.Response(), c.Request(), name, time.Time{}, bytes.NewReader(body))
		return nil
	}
	h.Set(echo.HeaderCacheControl, "no-store")
	return fault.New(fault.NotFound, "no_such_file", "There is no such file")
}

// accepts reads an Accept-Encoding header, where a weight of zero means no.
func accepts(header, encoding string) bool {
	for _, part := range strings.Split(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) != encoding {
			continue
		}
		weight, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
		if !found {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}
