package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	guessedAccounts = 25  // so that none is guessed at often enough to be slowed down
	logins          = 200 // of each kind
	guesses         = 1000
)

// loginTimes compares how long a wrong password takes with how long an account takes that does not exist, in turns, and then
// guesses at one account until it is told to wait.
func loginTimes(ctx context.Context, r *rig) (values, error) {
	base, _, stop, err := r.serveAPI(ctx)
	if err != nil {
		return nil, err
	}
	v, err := guess(ctx, base)
	return v, errors.Join(err, stop())
}

func guess(ctx context.Context, base string) (values, error) {
	for i := range guessedAccounts {
		account := map[string]string{
			"email": known(i), "username": fmt.Sprintf("known-%d", i), "password": "a password for measuring",
		}
		if err := post(ctx, http.DefaultClient, base+"/api/v1/auth/register", "", account, http.StatusCreated, nil); err != nil {
			return nil, err
		}
	}
	var there, missing []time.Duration
	for i := range logins {
		took, status, err := login(ctx, base, known(i%guessedAccounts), i)
		if err != nil || status != http.StatusUnauthorized {
			return nil, fmt.Errorf("a wrong password was answered %d (%w)", status, err)
		}
		there = append(there, took)
		took, status, err = login(ctx, base, fmt.Sprintf("nobody-%d@example.com", i), i)
		if err != nil || status != http.StatusUnauthorized {
			return nil, fmt.Errorf("an unknown account was answered %d (%w)", status, err)
		}
		missing = append(missing, took)
	}
	v := values{"logins": logins, "guesses": guesses}
	for name, list := range map[string][]time.Duration{"known": there, "unknown": missing} {
		slices.Sort(list)
		for _, q := range []int{5, 25, 50, 75, 95} {
			v[fmt.Sprintf("%s_p%d_ms", name, q)] = ms(list[len(list)*q/100])
		}
	}
	v["medians_differ_percent"] = 100 * math.Abs(v["known_p50_ms"]-v["unknown_p50_ms"]) / v["known_p50_ms"]
	for range guesses {
		_, status, err := login(ctx, base, "victim@example.com", 0)
		if err != nil {
			return nil, err
		}
		if status == http.StatusTooManyRequests {
			v["refused"]++
		}
	}
	return v, nil
}

func known(i int) string { return fmt.Sprintf("known-%d@example.com", i) }

// login tries a wrong password, from an address of its own for each number.
func login(ctx context.Context, base, email string, from int) (time.Duration, int, error) {
	body := fmt.Sprintf(`{"email": %q, "password": "this is not the password"}`, email)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/auth/login", strings.NewReader(body))
	if err != nil {
		return 0, 0, fmt.Errorf("request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", from%250+1))
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("log in: %w", err)
	}
	took := time.Since(began)
	return took, resp.StatusCode, resp.Body.Close()
}
