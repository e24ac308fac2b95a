// Package auth proves who somebody is: passwords, access tokens, refresh tokens. It is the only package that imports
// bcrypt and golang-jwt.
package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// Limits of a password. bcrypt looks at 72 bytes and no more, so that longer ones are refused rather than cut.
const (
	MinPassword = 10 // characters
	MaxPassword = 72 // bytes
	// Cost is bcrypt's work factor: about a quarter of a second for each try.
	Cost = 12
)

// Passwords hashes and compares passwords, only a few at a time: each costs a core for a quarter of a second, and logins
// must not starve everything else.
type Passwords struct {
	cost  int
	slots chan struct{}
	decoy []byte // compared for users that do not exist, so that they cost the same time
}

// NewPasswords makes Passwords of a cost; Cost in production, bcrypt.MinCost in tests.
func NewPasswords(cost int) (*Passwords, error) {
	decoy, err := bcrypt.GenerateFromPassword([]byte("nobody has this password"), cost)
	if err != nil {
		return nil, fmt.Errorf("hash the decoy: %w", err)
	}
	return &Passwords{cost: cost, slots: make(chan struct{}, max(runtime.NumCPU()/2, 1)), decoy: decoy}, nil
}

// Check tells what is wrong with a new password; nil when it will do.
func Check(password, email, username string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return fault.At("/password", "too_short", "a password has at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return fault.At("/password", "too_long", "a password has at most %d bytes", MaxPassword)
	}
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	if lower == strings.ToLower(email) || lower == strings.ToLower(username) || lower == local {
		return fault.At("/password", "guessable", "the password must not be the e-mail address or the username")
	}
	if strings.Count(lower, lower[:1]) == len(lower) || common(lower) {
		return fault.At("/password", "common", "that is one of the passwords that are tried first; choose another")
	}
	return nil
}

// Hash makes what is stored. The password has passed Check.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), p.cost)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return string(hash), nil
}

// Match tells whether the password belongs to the hash. An empty hash stands for a user who does not exist; it takes as
// long and never matches. A password that is too long never matches: bcrypt would compare its beginning.
func (p *Passwords) Match(ctx context.Context, hash, password string) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	stored, known := []byte(hash), hash != "" && len(password) <= MaxPassword
	if !known {
		stored = p.decoy
	}
	err := bcrypt.CompareHashAndPassword(stored, []byte(password[:min(len(password), MaxPassword)]))
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return known && err == nil, nil
}

func (p *Passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn to check a password: %w", ctx.Err())
	}
}

func (p *Passwords) leave() { <-p.slots }
