package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// sink is the server that workflows call. It remembers every request by the run and the step that made it.
type sink struct {
	url string
	srv *http.Server

	mu       sync.Mutex
	requests map[string][]request // by path and Idempotency-Key
	hanging  int
	changed  chan struct{}
}

type request struct {
	at      time.Time
	attempt string
}

func newSink(ctx context.Context) (*sink, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &sink{url: "http://" + l.Addr().String(), requests: map[string][]request{}, changed: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		answer(w)
	})
	// The first request of each run hangs until its caller is gone; the next one is answered.
	mux.HandleFunc("/hang-once", func(w http.ResponseWriter, r *http.Request) {
		if s.note(r) > 1 {
			answer(w)
			return
		}
		s.count(1)
		<-r.Context().Done()
		s.count(-1)
	})
	s.srv = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.srv.Serve(l) }()
	return s, nil
}

func answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"ok":true}`))
}

func (s *sink) note(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.URL.Path + " " + r.Header.Get("Idempotency-Key")
	s.requests[key] = append(s.requests[key], request{time.Now(), r.Header.Get("Orq-Attempt")})
	return len(s.requests[key])
}

func (s *sink) count(n int) {
	s.mu.Lock()
	s.hanging += n
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// awaitHanging waits until n requests hang.
func (s *sink) awaitHanging(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		have := s.hanging
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests hang: %w", have, n, ctx.Err())
		}
	}
}

// repeated counts the steps of a path that were called more than once, and finds the newest call.
func (s *sink) repeated(path string) (keys, more int, newest time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, list := range s.requests {
		if len(key) <= len(path) || key[:len(path)+1] != path+" " {
			continue
		}
		keys++
		if len(list) > 1 {
			more++
		}
		if at := list[len(list)-1].at; at.After(newest) {
			newest = at
		}
	}
	return keys, more, newest
}
