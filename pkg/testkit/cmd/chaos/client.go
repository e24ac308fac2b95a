package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// client talks to the REST API as any program does, and counts the answers that no client should get.
type client struct {
	rig   *rig
	http  *http.Client
	token string
	turn  atomic.Int64

	requests, broken, refused, unreachable atomic.Int64
	firstBroken                            atomic.Value // string
}

// clientPatience is how long the client waits for an answer.
const clientPatience = 10 * time.Second

var errNoAPI = errors.New("no API runs")

func newClient(r *rig) *client {
	return &client{rig: r, http: &http.Client{Timeout: clientPatience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// login makes an account and enters.
func (c *client) login(ctx context.Context) error {
	account := map[string]string{"email": "chaos@example.com", "username": "chaos", "password": "only good for breaking"}
	if status, body, err := c.do(ctx, http.MethodPost, "/auth/register", account, ""); err != nil || status != http.StatusCreated {
		return fmt.Errorf("register: %d %s %w", status, body, err)
	}
	delete(account, "username")
	status, body, err := c.do(ctx, http.MethodPost, "/auth/login", account, "")
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("log in: %d %s %w", status, body, err)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	c.token = answer.Token
	return nil
}

// create saves a workflow.
func (c *client) create(ctx context.Context, definition any) (id string, err error) {
	status, body, err := c.do(ctx, http.MethodPost, "/workflows", definition, "")
	if err != nil {
		return "", err
	}
	if status != http.StatusCreated {
		return "", fmt.Errorf("save a workflow: %d %s", status, body)
	}
	return idIn(body)
}

func idIn(body []byte) (string, error) {
	var answer struct{ ID string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("read an id: %w", err)
	}
	return answer.ID, nil
}

// do makes one request of an API that runs, and watches the answer.
func (c *client) do(ctx context.Context, method, path string, body any, key string) (status int, answer []byte, err error) {
	return c.send(ctx, method, "/api/v1"+path, body, key)
}

// send is do for any path.
func (c *client) send(ctx context.Context, method, path string, body any, key string) (status int, answer []byte, err error) {
	address, ok := c.rig.api(int(c.turn.Add(1)))
	if !ok {
		return 0, nil, errNoAPI
	}
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, nil, fmt.Errorf("encode: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, address+path, content)
	if err != nil {
		return 0, nil, fmt.Errorf("make a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	if c.token == "" {
		req.Header.Del("Authorization")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	began := time.Now()
	c.requests.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the API: %w", err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer: %w", err)
	}
	c.watch(resp, answer, began)
	return resp.StatusCode, answer, nil
}

// watch counts answers of 500 and more, but for a proper 503 while PostgreSQL is away.
func (c *client) watch(resp *http.Response, answer []byte, began time.Time) {
	if resp.StatusCode < 500 {
		return
	}
	proper := resp.StatusCode == http.StatusServiceUnavailable &&
		strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") && resp.Header.Get("Retry-After") != ""
	if proper && c.rig.wasAway(began, time.Now()) {
		c.unreachable.Add(1)
		return
	}
	c.broken.Add(1)
	c.firstBroken.CompareAndSwap(nil, fmt.Sprintf("%s %s: %d %.300s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, answer))
}
