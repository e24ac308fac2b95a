package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// perHerd is how many triggers one workflow of the herd has.
const perHerd = 50

// gatherHerd makes schedules that are all due at the same instant.
func gatherHerd(ctx context.Context, t *trial) error {
	size := pick(t.form, 100_000, 2_000)
	at := time.Now().Add(pick(t.form, 60*time.Second, 12*time.Second)).Truncate(time.Second)
	steps := []object{{"id": "only", "action": "log_message", "config": object{"message": "here"}}}
	ids := make([]string, size/perHerd)
	errs := make([]error, 4)
	var making sync.WaitGroup
	for worker := range errs {
		making.Go(func() {
			for i := worker; i < len(ids) && errs[worker] == nil; i += len(errs) {
				triggers := make([]object, perHerd)
				for j := range triggers {
					triggers[j] = object{"id": fmt.Sprintf("t%d", j), "type": "schedule", "at": at.UTC(), "overlap": "allow"}
				}
				ids[i], errs[worker] = t.client.create(ctx, object{"name": fmt.Sprintf("herd %d", i), "triggers": triggers, "steps": steps})
			}
		})
	}
	making.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if time.Until(at) < 4*time.Second {
		return fmt.Errorf("this machine was too slow to save %d schedules in time", size)
	}
	t.notes["saved_before_seconds"] = seconds(time.Until(at))
	for _, id := range ids {
		workflow, err := uuid.Parse(id)
		if err != nil {
			return fmt.Errorf("read an id: %w", err)
		}
		t.steps[workflow] = nil
		for j := range perHerd {
			t.plans = append(t.plans, plan{workflow: workflow, trigger: fmt.Sprintf("t%d", j), first: at})
		}
	}
	// The load begins shortly before.
	return pause(ctx, time.Until(at)-4*time.Second)
}

// awaitHerd lets the load go on until all of the herd have run.
func awaitHerd(ctx context.Context, t *trial) error {
	mended := t.broken()
	defer mended()
	t.injected = len(t.plans)
	at := t.plans[0].first
	if err := pause(ctx, time.Until(at)); err != nil {
		return err
	}
	db, err := t.admin(ctx)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	for time.Since(at) < t.limit+patience {
		var written, ended int
		if err := db.QueryRow(ctx, `select count(*), count(finished_at) from runs where fire_at = $1`, at).Scan(&written, &ended); err != nil {
			return fmt.Errorf("count runs: %w", err)
		}
		if _, ok := t.notes["inserted_seconds"]; !ok && written >= len(t.plans) {
			t.notes["inserted_seconds"] = seconds(time.Since(at))
		}
		if ended >= len(t.plans) {
			t.notes["ended_seconds"] = seconds(time.Since(at))
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// mostSchedulerMemory is what a scheduler may take for 100,000 due at once, in bytes.
const mostSchedulerMemory = 300 << 20

func schedulersStaySmall(t *trial, _ repeats) {
	peak := t.peak("scheduler")
	t.note("scheduler_peak_mib", int(peak>>20))
	if peak > mostSchedulerMemory {
		t.problem("a scheduler took %d MiB", peak>>20)
	}
}
