package main

import (
	"context"
	"fmt"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/workflow"
)

const recoveryLimit = 20 // seconds until a dead worker's runs go on

// exactlyOnce lets two schedulers and two workers loose on many schedules. Which fires there must be is worked out here,
// by counting even seconds.
func exactlyOnce(ctx context.Context, r *rig) (verdict, error) {
	step, err := call("call", r.sink.url+"/ok")
	if err != nil {
		return verdict{}, err
	}
	// Time enough to save all workflows before the first is due.
	begin := time.Now().Add(10*time.Second + time.Duration(r.workflows)*20*time.Millisecond).Truncate(2 * time.Second)
	end := begin.Add(time.Duration(r.seconds) * time.Second)
	for i := range r.workflows {
		_, err := r.create(ctx, fmt.Sprint("every two seconds ", i), []workflow.Trigger{{
			ID: "tick", Type: workflow.TriggerSchedule, Cron: "*/2 * * * * *", Overlap: "allow", StartsAt: &begin, EndsAt: &end,
		}}, step)
		if err != nil {
			return verdict{}, err
		}
	}
	if time.Now().After(begin) {
		return verdict{}, fmt.Errorf("the machine was too slow to save %d workflows in time", r.workflows)
	}
	expected := map[time.Time]bool{}
	for at := begin; !at.After(end); at = at.Add(2 * time.Second) {
		expected[at.UTC()] = true
	}
	if err := r.startAll(ctx, "scheduler", "scheduler", "worker", "worker"); err != nil {
		return verdict{}, err
	}
	<-time.After(time.Until(end.Add(time.Second)))
	drained := time.Now()
	v := verdict{Expected: len(expected) * r.workflows}
	if v.Stuck, err = r.settle(ctx, 2*time.Minute); err != nil {
		return v, err
	}
	v.Recovery = time.Since(drained).Seconds()
	if err := r.count(ctx, &v); err != nil {
		return v, err
	}
	rows, err := r.db.Query(ctx, `select fire_at, count(*), count(distinct trigger_id) from runs group by fire_at`)
	if err != nil {
		return v, fmt.Errorf("read runs: %w", err)
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		var at time.Time
		var runs, triggers int
		if err := rows.Scan(&at, &runs, &triggers); err != nil {
			return v, fmt.Errorf("read runs: %w", err)
		}
		v.Doubled += runs - triggers
		if expected[at.UTC()] {
			found += triggers
		}
	}
	v.Lost = v.Expected - found
	_, v.DoubledSteps, _ = r.sink.repeated("/ok")
	return v, rows.Err()
}

// workerKilled kills the only worker while its runs wait for an answer, and lets another one take over.
func workerKilled(ctx context.Context, r *rig) (verdict, error) {
	const runs = 50
	first, err := call("first", r.sink.url+"/ok")
	if err != nil {
		return verdict{}, err
	}
	slow, err := call("slow", r.sink.url+"/hang-once", "first")
	if err != nil {
		return verdict{}, err
	}
	wf, err := r.create(ctx, "slow", nil, first, slow)
	if err != nil {
		return verdict{}, err
	}
	victim, err := r.start(ctx, "worker")
	if err != nil {
		return verdict{}, err
	}
	if err := r.startAll(ctx, "scheduler"); err != nil {
		return verdict{}, err
	}
	if err := r.startRuns(ctx, wf, runs); err != nil {
		return verdict{}, err
	}
	if err := r.sink.awaitHanging(ctx, runs); err != nil {
		return verdict{}, err
	}
	if err := r.startAll(ctx, "worker"); err != nil {
		return verdict{}, err
	}
	killed := time.Now()
	if err := r.kill(victim); err != nil {
		return verdict{}, err
	}
	v := verdict{Injected: 1, Expected: runs, Limit: recoveryLimit}
	if v.Stuck, err = r.settle(ctx, time.Minute); err != nil {
		return v, err
	}
	if err := r.count(ctx, &v); err != nil {
		return v, err
	}
	_, again, newest := r.sink.repeated("/hang-once")
	v.Lost = runs - again
	v.Recovery = newest.Sub(killed).Seconds() // until the last of them was running again
	_, v.DoubledSteps, _ = r.sink.repeated("/ok")
	return v, nil
}

// redisFlushed empties Redis while runs are queued in it.
func redisFlushed(ctx context.Context, r *rig) (verdict, error) {
	const runs = 500
	step, err := call("call", r.sink.url+"/ok")
	if err != nil {
		return verdict{}, err
	}
	wf, err := r.create(ctx, "queued", nil, step)
	if err != nil {
		return verdict{}, err
	}
	if err := r.startAll(ctx, "scheduler"); err != nil {
		return verdict{}, err
	}
	if err := r.startRuns(ctx, wf, runs); err != nil {
		return verdict{}, err
	}
	if err := r.flush(ctx); err != nil {
		return verdict{}, err
	}
	flushed := time.Now()
	if err := r.startAll(ctx, "worker", "worker"); err != nil {
		return verdict{}, err
	}
	v := verdict{Injected: 1, Expected: runs, Limit: recoveryLimit}
	if v.Stuck, err = r.settle(ctx, time.Minute); err != nil {
		return v, err
	}
	v.Recovery = time.Since(flushed).Seconds()
	if err := r.count(ctx, &v); err != nil {
		return v, err
	}
	called, more, _ := r.sink.repeated("/ok")
	v.Lost, v.DoubledSteps = runs-called, more
	return v, nil
}
