package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sink is the server that workflows call. It remembers every request by the run and the step that made it.
type sink struct {
	url       string // on 127.0.0.1, which the workers may call
	forbidden string // on another address of this machine, which they may not

	trespasses atomic.Int64 // requests that came to the forbidden address
	servers    []*http.Server

	mu    sync.Mutex
	calls map[string][]call // by Idempotency-Key, which is run.step
}

func newSink(ctx context.Context) (*sink, error) {
	s := &sink{calls: map[string][]call{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { answer(w) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		wait, err := time.ParseDuration(r.URL.Query().Get("for"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case <-time.After(wait):
			answer(w)
		case <-r.Context().Done():
		}
	})
	s.addTargets(mux)
	var err error
	if s.url, err = s.serve(ctx, "127.0.0.1:0", s.noting(mux)); err != nil {
		return nil, err
	}
	trespass := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.trespasses.Add(1)
		answer(w)
	})
	if s.forbidden, err = s.serve(ctx, "127.0.0.2:0", trespass); err != nil {
		s.forbidden, err = s.serve(ctx, "[::1]:0", trespass) // not every system has the former
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *sink) serve(ctx context.Context, address string, h http.Handler) (url string, err error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, srv)
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // without its sink the suite counts nonsense
		}
	}()
	return "http://" + l.Addr().String(), nil
}

func (s *sink) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := r.Header.Get("Idempotency-Key"); key != "" && r.URL.Query().Get("hop") == "" {
			attempt, err := strconv.Atoi(r.Header.Get("Orq-Attempt"))
			if err != nil {
				http.Error(w, "no Orq-Attempt", http.StatusBadRequest)
				return
			}
			s.mu.Lock()
			s.calls[key] = append(s.calls[key], call{at: time.Now(), attempt: attempt})
			s.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"ok":true}`))
}

// seen is a copy of what was called.
func (s *sink) seen() map[string][]call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make(map[string][]call, len(s.calls))
	for key, list := range s.calls {
		calls[key] = list[:len(list):len(list)]
	}
	return calls
}

func (s *sink) close() {
	for _, srv := range s.servers {
		_ = srv.Close()
	}
}
