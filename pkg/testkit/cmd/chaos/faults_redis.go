package main

import (
	"context"
	"time"
)

// queued is how many runs are started at once, so that some are in the queue when it is lost.
const queued = 250

// flushRedis empties Redis while runs are queued in it.
func flushRedis(ctx context.Context, t *trial) error {
	for i := range pick(t.form, 3, 2) {
		if i > 0 {
			if err := pause(ctx, pick(t.form, 12*time.Second, 4*time.Second)); err != nil {
				return err
			}
		}
		t.load.burst(ctx, queued)
		mended := t.broken()
		if err := t.flush(ctx); err != nil {
			return err
		}
		mended()
	}
	return nil
}

func restartRedis(ctx context.Context, t *trial) error {
	t.load.burst(ctx, queued)
	mended := t.broken()
	if err := t.stopRedis(ctx); err != nil {
		return err
	}
	if err := t.startRedis(ctx); err != nil {
		return err
	}
	mended()
	return nil
}

// slowestStart is how long a start may take while Redis is away: twice the time that one attempt to hand out may take, for
// a start that arrives while another attempt is under way, and as much again on a busy machine.
const slowestStart = 3 * time.Second

// startsWereTaken checks that the API went on taking starts.
func startsWereTaken(t *trial, _ repeats) {
	if n := t.load.lost.Load(); n > 0 {
		t.problem("%d requests got no answer", n)
	}
	if t.load.slowest > slowestStart {
		t.problem("a start took %s; the limit is %s", t.load.slowest, slowestStart)
	}
}

// redisOutage is longer than the limit in every form: else it would be over before anybody has to do without.
func (t *trial) redisOutage() time.Duration { return pick(t.form, 60*time.Second, 15*time.Second) }

func refuseRedis(ctx context.Context, t *trial) error {
	mended := t.broken()
	t.proxy.refuse()
	if err := pause(ctx, t.redisOutage()); err != nil {
		return err
	}
	mended()
	return t.proxy.restore(ctx)
}

func freezeRedis(ctx context.Context, t *trial) error {
	mended := t.broken()
	t.proxy.freeze()
	if err := pause(ctx, t.redisOutage()); err != nil {
		return err
	}
	mended()
	return t.proxy.restore(ctx)
}
