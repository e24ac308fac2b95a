// Package oidctest runs an OpenID Connect issuer for tests: the server of github.com/zitadel/oidc, with people and clients
// of the test's. It checks redirect addresses, client secrets, codes and PKCE, and signs what it says, as any issuer does. A
// test may forge what leaves it, to be the attacker or the fault in between.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The clients that the issuer knows, and their secret. Where they take people back to is what Serve is given.
const (
	Client = "orquestador"
	Other  = "another-client"
	Secret = "the client's secret"
)

// gitHubAPI is where GitHub's API is on a server of one's own.
const gitHubAPI = "/api/v3"

// gitHub is where GitHub has what the library has elsewhere.
var gitHub = map[string]string{"/login/oauth/authorize": "/auth", "/login/oauth/access_token": "/oauth/token"}

// Person is somebody with an account at the issuer. Their password is their name.
type Person struct {
	Subject  string // a number, for GitHub
	Name     string
	Email    string
	Verified bool
}

// Server is an issuer.
type Server struct {
	URL string // the issuer

	keys    *vault
	handler http.Handler
	server  *http.Server

	mu     sync.Mutex
	people map[string]Person
	// forge, when set, gets the claims of each ID token and makes the one that is sent instead.
	forge func(claims map[string]any) (token string)
	// answers takes the place of what the server answers to a path.
	answers map[string]http.HandlerFunc
	asked   map[string]int
}

// Serve starts an issuer on a listener, whose clients take people back to the addresses. It also has GitHub's addresses, and
// the part of GitHub's API that tells who somebody is.
func Serve(listener net.Listener, host string, redirects []string, people ...Person) (*Server, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{
		URL: "http://" + net.JoinHostPort(host, port), people: map[string]Person{}, answers: map[string]http.HandlerFunc{}, asked: map[string]int{},
	}
	for _, p := range people {
		s.people[p.Subject] = p
	}
	clients := map[string]*storage.Client{
		Client: storage.WebClient(Client, Secret, redirects...), Other: storage.WebClient(Other, Secret, redirects...),
	}
	s.keys = &vault{Storage: storage.NewStorageWithClients(users{s}, clients), key: key}
	s.handler = exampleop.SetupServer(s.URL, s.keys, nil, false, op.WithLogger(slog.New(slog.DiscardHandler)))
	s.server = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

// Close ends it.
func (s *Server) Close() { _ = s.server.Close() }

// Forge lets f make the ID tokens that are sent, out of the claims of those that would have been; nil: no more.
func (s *Server) Forge(f func(claims map[string]any) (token string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forge = f
}

// Answer lets f answer a path; nil: no more.
func (s *Server) Answer(path string, f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = f
}

// Change changes somebody, or brings them.
func (s *Server) Change(p Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[p.Subject] = p
}

// Asked tells how often a path was asked for.
func (s *Server) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	answer, forge := s.answers[r.URL.Path], s.forge
	s.mu.Unlock()
	if path, ok := gitHub[r.URL.Path]; ok {
		r.URL.Path = path
	}
	switch {
	case answer != nil:
		answer(w, r)
	case r.URL.Path == "/favicon.ico":
		w.WriteHeader(http.StatusNoContent) // which browsers ask for, and complain about
	case r.URL.Path == gitHubAPI+"/user" || r.URL.Path == gitHubAPI+"/user/emails":
		s.serveGitHub(w, r)
	case forge != nil && r.Method == http.MethodPost && r.URL.Path == "/oauth/token":
		s.serveForged(w, r, forge)
	default:
		s.handler.ServeHTTP(w, r)
	}
}

// serveForged sends the real answer with another ID token.
func (s *Server) serveForged(w http.ResponseWriter, r *http.Request, forge func(map[string]any) string) {
	real := httptest.NewRecorder()
	s.handler.ServeHTTP(real, r)
	var answer map[string]any
	if real.Code == http.StatusOK && json.Unmarshal(real.Body.Bytes(), &answer) == nil {
		token, _ := answer["id_token"].(string)
		answer["id_token"] = forge(Claims(token))
		real.Body.Reset()
		_ = json.NewEncoder(real.Body).Encode(answer)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(real.Code)
	_, _ = w.Write(real.Body.Bytes())
}

// serveGitHub answers as GitHub's API does. The token is checked by the server that issued it.
func (s *Server) serveGitHub(w http.ResponseWriter, r *http.Request) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, s.URL+"/userinfo", nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	ask.Header.Set("Authorization", r.Header.Get("Authorization"))
	info := httptest.NewRecorder()
	s.handler.ServeHTTP(info, ask)
	var who struct {
		Subject string `json:"sub"`
	}
	if info.Code != http.StatusOK || json.Unmarshal(info.Body.Bytes(), &who) != nil || who.Subject == "" {
		http.Error(w, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	p := s.people[who.Subject]
	s.mu.Unlock()
	id, _ := strconv.ParseInt(p.Subject, 10, 64)
	var answer any = map[string]any{"id": id, "login": p.Name, "email": nil, "type": "User"}
	if r.URL.Path == gitHubAPI+"/user/emails" {
		answer = []any{
			map[string]any{"email": p.Name + "@users.noreply.github.com", "primary": false, "verified": true, "visibility": nil},
			map[string]any{"email": p.Email, "primary": true, "verified": p.Verified, "visibility": "private"},
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}
