package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

// noop is whole runs of one step that writes a log line, from the insert to the recorded end, all commits durable.
func noop(ctx context.Context, r *rig) (row, error) {
	wf, err := r.create(ctx, "noop", nil, logStep())
	if err != nil {
		return row{}, err
	}
	stop, err := r.start(ctx, true)
	if err != nil {
		return row{}, err
	}
	service := r.service()
	began := time.Now()
	err = parallel(concurrency, r.size, func(int) error {
		_, err := service.Start(ctx, r.who, wf.ID, nil, "")
		return err
	})
	if err == nil {
		err = r.await(ctx, r.size)
	}
	took := time.Since(began)
	if err := errors.Join(err, stop(), r.failures(ctx)); err != nil {
		return row{}, err
	}
	rate := float64(r.size) / took.Seconds()
	return row{
		Goal: ">= 6000/s", Met: met(rate >= 6000), Values: map[string]float64{"per_second": round(rate), "runs": float64(r.size)},
		Note: "start, one log step, end; steps and logs recorded",
	}, nil
}

// apiHTTP is the same through the REST API, with a step that calls an HTTP server.
func apiHTTP(ctx context.Context, r *rig) (row, error) {
	url, stopTarget, err := target(ctx)
	if err != nil {
		return row{}, err
	}
	defer stopTarget()
	config, err := json.Marshal(workflow.HTTPConfig{URL: url})
	if err != nil {
		return row{}, fmt.Errorf("encode: %w", err)
	}
	wf, err := r.create(ctx, "http", nil, workflow.Step{ID: "call", Action: workflow.ActionHTTP, Config: config})
	if err != nil {
		return row{}, err
	}
	base, token, stopAPI, err := r.serveAPI(ctx)
	if err != nil {
		return row{}, err
	}
	stop, err := r.start(ctx, true)
	if err != nil {
		return row{}, err
	}
	n := r.size / 2
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}
	began := time.Now()
	err = parallel(64, n, func(int) error {
		return post(ctx, client, base+"/api/v1/workflows/"+wf.ID.String()+"/runs", token, nil, http.StatusAccepted, nil)
	})
	if err == nil {
		err = r.await(ctx, n)
	}
	took := time.Since(began)
	if err := errors.Join(err, stop(), stopAPI(), r.failures(ctx)); err != nil {
		return row{}, err
	}
	rate := float64(n) / took.Seconds()
	return row{
		Goal: ">= 3000/s", Met: met(rate >= 3000), Values: map[string]float64{"per_second": round(rate), "runs": float64(n)},
		Note: "POST over HTTP, one http_endpoint step; client and target in the same process",
	}, nil
}

// serveAPI runs the API with a user who is logged in.
func (r *rig) serveAPI(ctx context.Context) (base, token string, stop func() error, err error) {
	db, err := postgres.Open(ctx, r.dbURL, postgres.Options{Application: "bench-api", Conns: 12})
	if err != nil {
		return "", "", nil, err
	}
	role, err := api.New(api.Config{Registration: "open", SecretKey: "a key that is only good for measuring"}, api.Deps{
		DB: db, Queue: r.queue, Clock: clock.System{}, Log: r.log, Health: &telemetry.Health{}, Version: "bench",
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
	home, _ := r.who.Home()
	_, err = r.db.Exec(ctx, `insert into project_members (project_id, user_id, role) select $1, id, 'editor' from users where email = $2`, home, email)
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

// parallel calls do n times, at most workers at once; it answers the first error.
func parallel(workers, n int, do func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

const (
	latencyRate = 1000 // runs per second
	latencyTime = 10 * time.Second
)

// latency starts runs at a steady pace, whether or not the earlier ones have ended, and measures from the moment at which
// each is started to the announcement of its end.
func latency(ctx context.Context, r *rig) (row, error) {
	wf, err := r.create(ctx, "latency", nil, logStep())
	if err != nil {
		return row{}, err
	}
	stop, err := r.start(ctx, true)
	if err != nil {
		return row{}, err
	}
	n := latencyRate * int(latencyTime.Seconds())
	var mu sync.Mutex
	started, last := make(map[uuid.UUID]time.Time, n), make(map[uuid.UUID]time.Time, n)
	listening, end := context.WithCancel(ctx)
	defer end()
	go r.queue.Changes(listening, func(changes []run.Change) {
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range changes {
			last[c.RunID] = now
		}
	})
	service := r.service()
	var wg sync.WaitGroup
	var failed atomic.Value
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / latencyRate)
		if wait := time.Until(due); wait > 0 {
			<-time.After(wait)
		}
		wg.Go(func() {
			at := time.Now()
			started1, err := service.Start(ctx, r.who, wf.ID, nil, "")
			if err != nil {
				failed.Store(err)
				return
			}
			mu.Lock()
			started[started1.ID] = at
			mu.Unlock()
		})
	}
	wg.Wait()
	offered := float64(n) / time.Since(began).Seconds()
	err = r.await(ctx, n)
	if e, ok := failed.Load().(error); ok {
		err = errors.Join(err, e)
	}
	if err := errors.Join(err, stop(), r.failures(ctx)); err != nil {
		return row{}, err
	}
	mu.Lock()
	defer mu.Unlock()
	list := make([]time.Duration, 0, n)
	for id, at := range started {
		list = append(list, last[id].Sub(at))
	}
	line := row{
		Goal:   "p50 < 5 ms, p99 < 30 ms at 1000/s",
		Values: map[string]float64{"offered_per_second": round(offered), "runs": float64(len(list))},
		Note:   "from the call that starts the run (insert committed within) to the announcement of its committed end",
	}
	quantiles(list, "", line.Values)
	line.Met = met(line.Values["p50_ms"] < 5 && line.Values["p99_ms"] < 30)
	return line, nil
}
