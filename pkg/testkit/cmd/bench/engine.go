package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/rate"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

func noop(ctx context.Context, r *rig) (values, error) {
	rate, err := r.Throughput(ctx, r.size)
	return values{"per_second": rate, "runs": float64(r.size)}, err
}

const (
	latencyRate = 1000 // runs per second
	latencyTime = 10   // seconds
)

func latency(ctx context.Context, r *rig) (values, error) {
	took, err := r.Latency(ctx, latencyRate, latencyRate*latencyTime)
	return spread(took.FromQueue, values{
		"offered_per_second": took.Offered, "runs": latencyRate * latencyTime,
		"from_call_p50_ms": ms(took.FromCall.P50), "from_call_p99_ms": ms(took.FromCall.P99),
	}), err
}

// ticks measures how late runs begin when n schedules are due at once.
func ticks(n int) func(context.Context, *rig) (values, error) {
	rounds := 1
	if n == 1 {
		rounds = 20 // one start says little
	}
	return func(ctx context.Context, r *rig) (values, error) {
		late, err := r.Ticks(ctx, n, rounds)
		return spread(late, values{"due": float64(n * rounds)}), err
	}
}

// apiHTTP makes whole runs through the REST API, with a step that calls an HTTP server.
func apiHTTP(ctx context.Context, r *rig) (values, error) {
	url, stopTarget, err := target(ctx)
	if err != nil {
		return nil, err
	}
	defer stopTarget()
	config, err := json.Marshal(workflow.HTTPConfig{URL: url})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	wf, err := r.Create(ctx, "http", workflow.Step{ID: "call", Action: workflow.ActionHTTP, Config: config})
	if err != nil {
		return nil, err
	}
	base, token, stopAPI, err := r.serveAPI(ctx)
	if err != nil {
		return nil, err
	}
	stop, err := r.Start(ctx)
	if err != nil {
		return nil, err
	}
	n := r.size / 2
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}
	began := time.Now()
	err = bench.Parallel(64, n, func(int) error {
		return post(ctx, client, base+"/api/v1/workflows/"+wf.ID.String()+"/runs", token, nil, http.StatusAccepted, nil)
	})
	if err == nil {
		err = r.Await(ctx, n)
	}
	took := time.Since(began)
	if err := errors.Join(err, stop(), stopAPI(), r.Failures(ctx)); err != nil {
		return nil, err
	}
	return values{"per_second": float64(n) / took.Seconds(), "runs": float64(n)}, nil
}

// serveAPI runs the API with a user who is logged in.
func (r *rig) serveAPI(ctx context.Context) (base, token string, stop func() error, err error) {
	db, err := postgres.Open(ctx, r.DatabaseURL, postgres.Options{Application: "bench-api", Conns: 12})
	if err != nil {
		return "", "", nil, err
	}
	// Limits that are counted, and never reached.
	plenty := rate.Limit{Burst: 1_000_000, Period: time.Minute}
	cfg := api.Config{
		Registration: "open", SecretKey: "a key that is only good for measuring",
		RateLimitUser: plenty, RateLimitToken: plenty, RateLimitAddress: plenty,
	}
	role, err := api.New(cfg, api.Deps{
		DB: db, Queue: r.Queue, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Health: &telemetry.Health{}, Version: "bench",
	})
	if err != nil {
		return "", "", nil, err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, fmt.Errorf("listen: %w", err)
	}
	stopping, end := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- role.Serve(ctx, stopping, l) }()
	base = "http://" + l.Addr().String()
	stop = func() error {
		end()
		err := <-served
		db.Close()
		return err
	}
	email := uuid.NewString() + "@example.com"
	account := map[string]string{"email": email, "username": email[:30], "password": "a password for measuring"}
	if err := post(ctx, http.DefaultClient, base+"/api/v1/auth/register", "", account, http.StatusCreated, nil); err != nil {
		return "", "", nil, err
	}
	// The workflow is the bench user's: the new one is let into that project.
	home, _ := r.Who.Home()
	_, err = r.DB.Exec(ctx, `insert into project_members (project_id, user_id, role) select $1, id, 'editor' from users where email = $2`, home, email)
	if err != nil {
		return "", "", nil, fmt.Errorf("let the user in: %w", err)
	}
	delete(account, "username")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err = post(ctx, http.DefaultClient, base+"/api/v1/auth/login", "", account, http.StatusOK, &answer)
	return base, answer.AccessToken, stop, err
}

func post(ctx context.Context, client *http.Client, url, token string, body any, want int, into any) error {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, reader)
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("call: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		return fmt.Errorf("%s answered %s: %.200s (%w)", url, resp.Status, raw, err)
	}
	if into != nil {
		return json.Unmarshal(raw, into)
	}
	return nil
}

// target is an HTTP server that answers a little JSON.
func target(ctx context.Context) (url string, stop func(), err error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":true}`))
	})}
	go func() { _ = srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = srv.Close() }, nil
}
