package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// rawOperation is what is written to the connection as it is.
const rawOperation = "raw"

// requests sends what no HTTP client would: odd lines, headers and framing, and paths beside the contract.
func (w *world) requests(ctx context.Context) error {
	if err := w.login(ctx); err != nil {
		return err
	}
	bearer := "Authorization: Bearer " + w.token + "\r\n"
	host := "Host: 127.0.0.1\r\n"
	body := `{"name": "x", "steps": []}`
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	asJSON := "Content-Type: application/json\r\n"
	post := "POST /api/v1/workflows HTTP/1.1\r\n"
	all := []string{
		"GET /api/v1/workflows HTTP/1.1\r\n\r\n", // no Host
		"GET /api/v1/workflows HTTP/1.1\r\n" + host + host + "\r\n",
		"GET /api/v1/workflows HTTP/1.1\r\nHost: attacker.example\r\n" + bearer + "\r\n",
		"GET /api/v1/workflows HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET /api/v1/workflows HTTP/9.9\r\n" + host + "\r\n",
		"GET  /api/v1/workflows HTTP/1.1\r\n" + host + "\r\n",
		"GET /api/v1/\x00 HTTP/1.1\r\n" + host + "\r\n",
		"GET http://elsewhere.example/api/v1/workflows HTTP/1.1\r\n" + host + bearer + "\r\n",
		"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + host + "\r\n",
		"OPTIONS * HTTP/1.1\r\n" + host + "\r\n",
		"hello\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", // TLS
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + bearer + "Authorization: Bearer x\r\n\r\n",
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + "Authorization: Bearer\r\n\r\n",
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + "Authorization: bearer " + w.token + "\r\n\r\n",
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + "Authorization: Bearer " + strings.Repeat("a", 100_000) + "\r\n\r\n",
		"GET /api/v1/auth/me?access_token=" + w.token + " HTTP/1.1\r\n" + host + "\r\n",
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + "Cookie: " + strings.Repeat("a=b; ", 3000) + "\r\n\r\n",
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + "Cookie: orq_session=\xff; orq_refresh=\"\r\n\r\n",
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", // a folded line
		"GET /api/v1/auth/me HTTP/1.1\r\n" + host + "X : a\r\n\r\n",
		"GET /api/v1/auth/me HTTP/1.1\n" + "Host: a\n\n",
		post + host + bearer + asJSON + "Content-Length: -1\r\n\r\n",
		post + host + bearer + asJSON + "Content-Length: 10\r\nContent-Length: 11\r\n\r\n" + body,
		post + host + bearer + asJSON + "Content-Length: 99999999999999999999\r\n\r\n",
		post + host + bearer + asJSON + "Content-Length: 5\r\n\r\n" + body,
		post + host + bearer + asJSON + length + "Transfer-Encoding: chunked\r\n\r\n" + "0\r\n\r\n",
		post + host + bearer + asJSON + "Transfer-Encoding: xchunked\r\n\r\n" + "0\r\n\r\n",
		post + host + bearer + asJSON + "Transfer-Encoding: chunked\r\n\r\n" + "zz\r\n\r\n",
		post + host + bearer + asJSON + "Transfer-Encoding: chunked\r\n\r\n" + "ffffffffffffffff\r\n\r\n",
		post + host + bearer + asJSON + length + "Content-Encoding: gzip\r\n\r\n" + body,
		post + host + bearer + asJSON + length + "Expect: 200-ok\r\n\r\n" + body,
		post + host + bearer + "Content-Type: application/json; charset=utf-16\r\n" + length + "\r\n" + body,
		post + host + bearer + asJSON + asJSON + length + "\r\n" + body,
		post + host + bearer + asJSON + length + "X-HTTP-Method-Override: DELETE\r\n\r\n" + body,
		post + host + bearer + asJSON + length + "Idempotency-Key: " + strings.Repeat("k", 300) + "\r\n\r\n" + body,
		post + host + bearer + asJSON + length + "X-Forwarded-For: " + strings.Repeat("1.2.3.4, ", 3000) + "\r\n\r\n" + body,
		post + host + bearer + asJSON + length + "X-Forwarded-For: a; drop table\r\nX-Forwarded-Proto: javascript\r\nX-Forwarded-Host: x y\r\n\r\n" + body,
		post + host + bearer + asJSON + length + "Origin: null\r\nSec-Fetch-Site: cross-site\r\n\r\n" + body,
		post + host + bearer + asJSON + length + "X-Request-Id: a\tb" + strings.Repeat("x", 5000) + "\r\n\r\n" + body,
	}
	for _, text := range all {
		if err := w.write(ctx, text); err != nil {
			return err
		}
	}
	var paths []request
	for _, path := range []string{
		"/api/v1", "/api/v1/", "/api", "/api/v2/workflows", "/api/v1//workflows", "//api/v1/workflows", "/api/v1/workflows/../auth/me", "/api/v1/./workflows",
		"/api/v1/%2e%2e/metrics", "/API/V1/workflows", "/api/v1/workflows;x=1", "/api/v1/openapi.json/", "/api/v1/openapi.json?x=%zz", "/api/v1/workflows.json",
		"/api/v1/users/configs", "/api/v1/queues/health", "/healthz/", "/readyz/x", "/metrics", "/debug/pprof/", "/monitoring", "/monitoring/", "/monitoring/api/queues",
		"/monitoring/../api/v1/users", "/monitoring/%2e%2e/%2e%2e/etc/passwd", "/docs/../..", "/docs/x", "/assets/nothing.js", "/assets/../index.html", "/assets/%00",
		"/.env", "/.git/config", "/index.html", "/robots.txt", "/hooks/", "/hooks", "/approve/", "/events", "/api/v1/events?topics=", "/api/v1/events?topics=run:x",
		"/api/v1/events?topics=" + strings.Repeat("runs,", 2000), "/" + strings.Repeat("a", 30_000), "/" + strings.Repeat("a/", 5_000), "/%", "/%zz", "/?%zz", "/\xff",
	} {
		for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "DELETE"} {
			paths = append(paths, request{operation: rawOperation, method: method, path: path})
		}
	}
	return w.all(ctx, append(paths, w.cursors(ctx)...))
}

// cursors are those of the list of workflows, with a change in every byte.
func (w *world) cursors(ctx context.Context) []request {
	list, err := w.must(ctx, "GET", "/workflows?limit=1", "")
	cursor, _ := list["next_cursor"].(string)
	if err != nil || cursor == "" {
		return nil
	}
	var all []request
	add := func(path, cursor string) {
		all = append(all, request{operation: rawOperation, method: "GET", path: prefix + path + "cursor=" + cursor})
	}
	for i := range cursor {
		add("/workflows?limit=1&", cursor[:i]+string(rune('A'+(cursor[i]+1)%26))+cursor[i+1:])
		add("/workflows?limit=1&", cursor[:i])
	}
	for _, path := range []string{"/runs?", "/workflows?q=other&", "/secrets?", "/alerts?", "/users?", "/workflows/" + w.things["$workflow"] + "/occurrences?"} {
		add(path, cursor)
	}
	add("/workflows?", strings.Repeat(cursor, 200))
	return all
}

// write sends bytes and reads what comes back, if anything does: a connection that is closed is an answer too.
func (w *world) write(ctx context.Context, text string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil { //nolint:forbidigo // a limit of the connection
		return fmt.Errorf("limit the connection: %w", err)
	}
	_, _ = io.WriteString(conn, text) // it may be closed before all of it is taken
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil //nolint:nilerr // closed, or still waiting for the rest
	}
	defer resp.Body.Close()
	a := answer{operation: rawOperation, request: fmt.Sprintf("%.300q", text), status: resp.StatusCode}
	a.kind, _, _ = strings.Cut(resp.Header.Get("Content-Type"), ";")
	a.body, _ = io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what came before the limit of time is enough
	w.judge.look(a)
	return nil
}
