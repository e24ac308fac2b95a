package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// anyOf chooses one of the processes of a role.
func (t *trial) anyOf(role string) *process {
	list := t.running(role)
	return list[rand.IntN(len(list))] //nolint:gosec // which one hides nothing
}

// busiestWorker is the worker with the most runs in its hands: whoever goes without any loses nothing. It waits until
// one has some.
func (t *trial) busiestWorker(ctx context.Context) (*process, error) {
	db, err := pgx.Connect(ctx, t.databaseURL)
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	for {
		var busiest *process
		most := 0
		for _, p := range t.running("worker") {
			var n int
			named := fmt.Sprintf("%%-%d-%%", p.cmd.Process.Pid)
			if err := db.QueryRow(ctx, `select count(*) from run_live where state = 'running' and worker like $1`, named).Scan(&n); err != nil {
				return nil, fmt.Errorf("count the runs of %s: %w", p.name, err)
			}
			if n > most {
				busiest, most = p, n
			}
		}
		if busiest != nil {
			return busiest, nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// killWorkers kills a worker, lets another take its place, and goes on like that.
func killWorkers(ctx context.Context, t *trial) error {
	for i := range pick(t.form, 3, 2) {
		if i > 0 {
			if err := pause(ctx, pick(t.form, 20*time.Second, 6*time.Second)); err != nil {
				return err
			}
		}
		p, err := t.busiestWorker(ctx)
		if err != nil {
			return err
		}
		t.injected++
		t.lost = append(t.lost, time.Now())
		t.kill(p)
		if _, err := t.start(ctx, t.normal, "worker"); err != nil {
			return err
		}
	}
	return nil
}

func someWereUnderWay(t *trial, r repeats) {
	if r.inFlight == 0 {
		t.problem("no step was under way when its worker was killed: nothing was tried")
	}
}

func freezeWorker(ctx context.Context, t *trial) error {
	p, err := t.busiestWorker(ctx)
	if err != nil {
		return err
	}
	t.injected++
	t.lost = append(t.lost, time.Now())
	p.signal(syscall.SIGSTOP)
	err = pause(ctx, pick(t.form, 90*time.Second, 20*time.Second))
	p.signal(syscall.SIGCONT)
	return err
}

func zombieWasDropped(t *trial, r repeats) {
	someWereUnderWay(t, r)
	if t.logged("worker", "its result is dropped") == 0 {
		t.problem("the stopped worker came back and had nothing to be dropped: nothing was tried")
	}
}

// killSchedulers kills the scheduler shortly after the full second, when everything is due.
func killSchedulers(ctx context.Context, t *trial) error {
	mended := t.broken()
	defer mended()
	t.injected = 0
	for range pick(t.form, 25, 6) {
		now := time.Now()
		instant := now.Truncate(time.Second).Add(time.Second + rand.N(120*time.Millisecond)) //nolint:gosec // which instant hides nothing
		if err := pause(ctx, instant.Sub(now)); err != nil {
			return err
		}
		t.injected++
		t.kill(t.anyOf("scheduler"))
		if _, err := t.start(ctx, t.normal, "scheduler", t.env...); err != nil {
			return err
		}
	}
	return nil
}

func freezeScheduler(ctx context.Context, t *trial) error {
	mended := t.broken()
	defer mended()
	p := t.anyOf("scheduler")
	// Shortly after the full second, so that it probably is in the middle of something.
	now := time.Now()
	if err := pause(ctx, now.Truncate(time.Second).Add(1010*time.Millisecond).Sub(now)); err != nil {
		return err
	}
	p.signal(syscall.SIGSTOP)
	err := pause(ctx, pick(t.form, 10*time.Second, 4*time.Second))
	p.signal(syscall.SIGCONT)
	return err
}

func killAPIs(ctx context.Context, t *trial) error {
	mended := t.broken()
	defer mended()
	t.injected = 0
	for range pick(t.form, 40, 8) {
		if err := pause(ctx, 100*time.Millisecond+rand.N(700*time.Millisecond)); err != nil { //nolint:gosec // how long hides nothing
			return err
		}
		t.injected++
		t.kill(t.anyOf("api"))
		if _, err := t.start(ctx, t.normal, "api"); err != nil {
			return err
		}
	}
	return nil
}

// noticeTime is how long a balancer takes to send nobody any more to an API that is about to stop.
const noticeTime = 300 * time.Millisecond

// rollOver replaces every process by one of the next version: first comes the new one, then the old one goes.
func rollOver(ctx context.Context, t *trial) error {
	mended := t.broken()
	defer mended()
	t.injected = 0
	for _, role := range []string{"api", "scheduler", "worker"} {
		for _, old := range t.running(role) {
			t.injected++
			if _, err := t.start(ctx, t.next, role); err != nil {
				return err
			}
			t.dropAPI(old)
			if err := pause(ctx, noticeTime); err != nil {
				return err
			}
			began := time.Now()
			if err := t.drain(ctx, old); err != nil {
				t.problem("%s did not stop in good order: %s", old.name, err)
			}
			t.notes["slowest_stop_seconds"] = max(seconds(time.Since(began)), noted(t.notes["slowest_stop_seconds"]))
			if err := pause(ctx, pick(t.form, 3*time.Second, 300*time.Millisecond)); err != nil {
				return err
			}
		}
	}
	return nil
}

func noted(v any) float64 {
	n, _ := v.(float64)
	return n
}

func nobodyNoticed(t *trial, r repeats) {
	if n := t.load.lost.Load(); n > 0 {
		t.problem("%d requests got no answer", n)
	}
	if r.inFlight > 0 {
		t.problem("%d steps were repeated", r.inFlight)
	}
}
