package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// target is a place that does harm to whoever calls it, and how a run has to end that does.
type target struct {
	path   string
	status string // of the run
	says   string // part of the step's failure; empty when it succeeds
	cut    bool   // its output says that it was cut
}

// targets are the hostile ones. An answer that is too long is no failure: the step has its beginning, and says so.
func targets() []target {
	return []target{
		{path: "/hang", status: "failed", says: "timeout"},
		{path: "/drip", status: "failed", says: "timeout"},
		{path: "/huge", status: "succeeded", cut: true},
		{path: "/bomb", status: "succeeded", cut: true},
		{path: "/loop", status: "failed", says: "redirects more than"},
		{path: "/inside", status: "failed", says: "not a public address"},
		{path: "/headers", status: "failed", says: "headers"},
	}
}

// bombSize is the size of the bomb once it is decompressed.
const bombSize = 256 << 20

func (s *sink) addTargets(mux *http.ServeMux) {
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/drip", func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.WriteString(w, "."); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush() // an error comes with the next write
			select {
			case <-time.After(100 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("x", 64<<10))
		for range bombSize / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	bomb := sync.OnceValue(makeBomb)
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, bomb())
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop?hop=1", http.StatusFound)
	})
	mux.HandleFunc("/inside", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.forbidden+"/secret", http.StatusFound)
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 1000 {
			w.Header().Set(fmt.Sprintf("X-Header-%d", i), strings.Repeat("h", 1000))
		}
		answer(w)
	})
}

// makeBomb compresses bombSize zeros.
func makeBomb() string {
	var b strings.Builder
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	zeros := make([]byte, 1<<20)
	for range bombSize / len(zeros) {
		_, _ = w.Write(zeros) // into memory
	}
	_ = w.Close()
	return b.String()
}
