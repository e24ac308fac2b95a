package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// observed is what the database says in the end, and what it took.
type observed struct {
	runs      []seenRun
	waits     []wait
	successes map[string][]success // by run.step
	reasons   map[string]int       // of runs that did not end well
	ghosts    int                  // steps that called the sink for a run that does not exist
}

// wait is the time of one run.
type wait struct {
	due, first, finished time.Time // first is the first request that it made
}

// observe reads the runs and holds them against what the sink was asked. steps are those that have to have called it, by
// workflow; a workflow that is not in it is left out.
func observe(ctx context.Context, databaseURL string, steps map[uuid.UUID][]string, calls map[string][]call) (observed, error) {
	o := observed{successes: map[string][]success{}, reasons: map[string]int{}}
	db, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return o, fmt.Errorf("reach the database: %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	rows, err := db.Query(ctx, `
		select r.id, r.workflow_id, coalesce(t.key, ''), r.fire_at, coalesce(r.inputs ->> 'n', r.inputs -> 'body' ->> 'n', ''), r.status, coalesce(r.reason, ''),
		       r.created_at, r.finished_at
		  from runs r left join triggers t on t.id = r.trigger_id`)
	if err != nil {
		return o, fmt.Errorf("read runs: %w", err)
	}
	exists := map[string]bool{}
	var (
		r              seenRun
		number, reason string
		fireAt         *time.Time
		created        time.Time
		finished       *time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&r.id, &r.of.workflow, &r.of.trigger, &fireAt, &number, &r.status, &reason, &created, &finished}, func() error {
		exists[r.id.String()] = true
		names, ours := steps[r.of.workflow]
		if !ours {
			return nil
		}
		seen, w := r, wait{due: created}
		if fireAt != nil {
			seen.of.at, w.due = fireAt.Unix(), *fireAt
		} else {
			n, err := strconv.Atoi(number)
			if err != nil {
				return fmt.Errorf("run %s carries no number", r.id)
			}
			seen.of = occurrence{start: n}
		}
		seen.complete = true
		for i, name := range names {
			list := calls[r.id.String()+"."+name]
			seen.complete = seen.complete && len(list) > 0
			if i == 0 && len(list) > 0 {
				w.first = list[0].at
			}
		}
		if seen.ended = finished != nil; seen.ended {
			w.finished = *finished
			if seen.status != "succeeded" {
				o.reasons[reason]++
			}
		}
		o.runs, o.waits = append(o.runs, seen), append(o.waits, w)
		return nil
	})
	if err != nil {
		return o, fmt.Errorf("read runs: %w", err)
	}
	for key := range calls {
		if id, _, _ := strings.Cut(key, "."); !exists[id] {
			o.ghosts++
		}
	}
	return o, o.readSteps(ctx, db)
}

func (o *observed) readSteps(ctx context.Context, db *pgx.Conn) error {
	rows, err := db.Query(ctx, `select run_id || '.' || step, attempt, finished_at from step_runs where status = 'succeeded'`)
	if err != nil {
		return fmt.Errorf("read steps: %w", err)
	}
	var key string
	var s success
	_, err = pgx.ForEachRow(rows, []any{&key, &s.attempt, &s.at}, func() error {
		o.successes[key] = append(o.successes[key], s)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read steps: %w", err)
	}
	return nil
}

// waited is the longest from the instant a run was due, during one of the windows, to its first request; for runs that
// make none, to their end.
func waited(waits []wait, during []window) time.Duration {
	var longest time.Duration
	for _, w := range waits {
		for _, d := range during {
			if w.due.Before(d.from) || w.due.After(d.to) {
				continue
			}
			switch {
			case !w.first.IsZero():
				longest = max(longest, w.first.Sub(w.due))
			case !w.finished.IsZero():
				longest = max(longest, w.finished.Sub(w.due))
			}
		}
	}
	return longest
}

// drained is the longest from the end of a window to the end of a run that was due before.
func drained(waits []wait, during []window) time.Duration {
	var longest time.Duration
	for i, d := range during {
		for _, w := range waits {
			earlier := i > 0 && w.due.Before(during[i-1].to) // counted there
			if !earlier && !w.due.After(d.to) && !w.finished.IsZero() {
				longest = max(longest, w.finished.Sub(d.to))
			}
		}
	}
	return longest
}

// settle waits until nothing is live.
func settle(ctx context.Context, databaseURL string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	db, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	for {
		var live bool
		if err := db.QueryRow(context.WithoutCancel(ctx), `select exists (select from run_live) or exists (select from after_fires)`).Scan(&live); err != nil {
			return fmt.Errorf("look for live runs: %w", err)
		}
		if !live || pause(ctx, 100*time.Millisecond) != nil {
			return nil // what is left is counted
		}
	}
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
