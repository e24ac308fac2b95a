package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// killFollowers makes the workflows that follow, and kills a worker and a scheduler at random instants.
func killFollowers(ctx context.Context, t *trial) error {
	before := t.load.quick
	for _, name := range []string{"then", "and then"} {
		id, err := t.client.create(ctx, object{
			"name": name, "triggers": []object{{"id": "after", "type": "after", "workflow": before, "on": "any"}},
			"steps": []object{{"id": "note", "action": "log_message", "config": object{"message": "{{ inputs.run.id }}"}}},
		})
		if err != nil {
			return err
		}
		before = id
	}
	mended := t.broken()
	defer mended()
	t.injected = 0
	for range pick(t.form, 8, 3) {
		if err := pause(ctx, pick(t.form, 4*time.Second, 2*time.Second)+rand.N(time.Second)); err != nil { //nolint:gosec // how long hides nothing
			return err
		}
		worker, err := t.busiestWorker(ctx)
		if err != nil {
			return err
		}
		t.injected++
		t.lost = append(t.lost, time.Now())
		t.kill(worker)
		t.kill(t.anyOf("scheduler"))
		for _, role := range []string{"scheduler", "worker"} {
			if _, err := t.start(ctx, t.normal, role, t.env...); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachEndWasFollowed counts the runs after each run that ended while it was waited for.
func eachEndWasFollowed(t *trial, _ repeats) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := t.countFollowers(ctx); err != nil {
		t.problem("count the runs that follow: %v", err)
	}
}

func (t *trial) countFollowers(ctx context.Context) error {
	db, err := t.admin(ctx)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	var ends, none, several int
	err = db.QueryRow(ctx, `
		select count(*), count(*) filter (where n = 0), count(*) filter (where n > 1)
		  from (select (select count(*) from runs f where f.cause = r.id and f.workflow_id = t.workflow_id) as n
		          from triggers t join runs r on r.workflow_id = t.after_workflow and r.finished_at > t.created_at + interval '1 second') e`).Scan(&ends, &none, &several)
	if err != nil {
		return fmt.Errorf("read runs: %w", err)
	}
	t.note("ends_followed", ends-none)
	if ends == 0 {
		return errors.New("no run ended that was waited for")
	}
	if none+several > 0 {
		t.problem("of %d ends that were waited for, %d have no run and %d have several", ends, none, several)
	}
	return nil
}
