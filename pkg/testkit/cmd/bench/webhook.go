package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
)

// webhooks sends deliveries to a trigger's address as fast as they are accepted, each stored with its run before the answer.
// Nobody works on the runs meanwhile: what is measured is how much can arrive.
func webhooks(senders int) func(context.Context, *rig) (values, error) {
	return func(ctx context.Context, r *rig) (values, error) {
		base, token, stop, err := r.serveAPI(ctx)
		if err != nil {
			return nil, err
		}
		hook, err := r.hook(ctx, base, token)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders, MaxConnsPerHost: senders}}
		body := map[string]any{"action": "opened", "number": 1347, "repository": map[string]any{"full_name": "octocat/Hello-World"}}
		send := func() error { return post(ctx, client, hook, "", body, http.StatusAccepted, nil) }
		if err := bench.Parallel(senders, senders*2, func(int) error { return send() }); err != nil { // the connections are made
			return nil, errors.Join(err, stop())
		}
		n := r.size
		took := make([]time.Duration, n)
		began := time.Now()
		err = bench.Parallel(senders, n, func(i int) error {
			at := time.Now()
			err := send()
			took[i] = time.Since(at)
			return err
		})
		whole := time.Since(began)
		if err := errors.Join(err, stop()); err != nil {
			return nil, err
		}
		var stored int
		err = r.DB.QueryRow(ctx, `select count(*) from deliveries d join runs r on r.id = d.run_id where d.verdict = 'accepted'`).Scan(&stored)
		if err != nil || stored != n+senders*2 {
			return nil, fmt.Errorf("%d deliveries have a run, of %d that were accepted (%w)", stored, n+senders*2, err)
		}
		return spread(bench.SpreadOf(took), values{"per_second": float64(n) / whole.Seconds(), "runs": float64(n)}), nil
	}
}

// hook makes a workflow with a webhook trigger, and answers its address.
func (r *rig) hook(ctx context.Context, base, token string) (string, error) {
	definition := map[string]any{
		"name": "hooked", "triggers": []any{map[string]any{"id": "hook", "type": "webhook"}},
		"steps": []any{map[string]any{"id": "say", "action": "log_message", "config": map[string]any{"message": "{{ inputs.body.action }}"}}},
	}
	var answer struct{ Triggers []struct{ URL string } }
	if err := post(ctx, http.DefaultClient, base+"/api/v1/workflows", token, definition, http.StatusCreated, &answer); err != nil {
		return "", err
	}
	if _, err := url.Parse(answer.Triggers[0].URL); err != nil {
		return "", fmt.Errorf("read the address: %w", err)
	}
	return answer.Triggers[0].URL, nil
}
