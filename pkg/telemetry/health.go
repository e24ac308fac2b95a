package telemetry

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// checkLimit is how long one check may take before it counts as failed.
const checkLimit = time.Second

// Health answers whether a process is alive and whether it can do its work. The zero value is ready to use.
type Health struct {
	mu       sync.Mutex
	checks   []check
	draining bool
}

type check struct {
	name string
	ask  func(context.Context) error
}

// State is what /readyz answers.
type State struct {
	Status string       `json:"status"` // ready, not_ready or draining
	Checks []CheckState `json:"checks"`
}

// CheckState is the outcome of one check. It says no more than the name and whether it passed: the answer is public,
// and what a driver says may hold addresses.
type CheckState struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Err  error  `json:"-"` // for logs and for `orq doctor`
}

// Ready tells whether every check passed.
func (s State) Ready() bool { return s.Status == "ready" }

// Add registers a check; ask gets one second.
func (h *Health) Add(name string, ask func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, check{name, ask})
}

// Drain makes the process not ready from now on, so that no new work is sent to it.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Check runs all checks at once. A check that does not return in time counts as failed and is not waited for.
func (h *Health) Check(ctx context.Context) State {
	h.mu.Lock()
	checks, draining := append([]check(nil), h.checks...), h.draining
	h.mu.Unlock()
	state := State{Status: "ready", Checks: make([]CheckState, len(checks))}
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			err := limited(ctx, c.ask)
			state.Checks[i] = CheckState{Name: c.name, OK: err == nil, Err: err}
		})
	}
	all.Wait()
	for _, c := range state.Checks {
		if !c.OK {
			state.Status = "not_ready"
		}
	}
	if draining {
		state.Status = "draining"
	}
	return state
}

func limited(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- ask(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServeAlive answers /healthz: 200 while the process serves at all. It looks at nothing else, because restarting this
// process cures no database.
func (h *Health) ServeAlive(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "alive"})
}

// ServeReady answers /readyz: 200 with State when ready, 503 otherwise.
func (h *Health) ServeReady(w http.ResponseWriter, r *http.Request) {
	state := h.Check(r.Context())
	status := http.StatusOK
	if !state.Ready() {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, state)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone; nobody is left to tell
}
