package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// trial is one fault in one installation.
type trial struct {
	*rig
	fault
	programs
	others programs // as they were given, when programs.normal is another
	client *client
	load   *load
	steps  map[uuid.UUID][]string // that call the sink, by workflow; what is not in it is judged by the fault itself

	whole    string // the run of a workflow that has everything
	items    int    // of its list
	hostile  []hostile
	injected int
	lost     []time.Time // when workers went away
	outages  []window    // when something was broken
	problems []string    // what the fault found wrong
	notes    map[string]any
}

const (
	// warmUp is how long everything works before something breaks.
	warmUp = time.Second
	// patience is how long runs may take after the load's end before they count as stuck, beyond the limit of recovery.
	patience = 30 * time.Second
	// overtime bounds a trial beyond its length: the start of the installation, the settling and the counting.
	overtime = 5 * time.Minute
)

// try builds an installation, breaks it under load and judges what came of it.
func try(ctx context.Context, f form, p programs, x fault, dir string) (v verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, x.lengthIn(f)+overtime)
	defer cancel()
	r, err := newRig(ctx, f, dir)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	t := &trial{
		rig: r, fault: x, programs: p, others: p, client: newClient(r), steps: map[uuid.UUID][]string{},
		notes: map[string]any{},
	}
	if x.panicking {
		t.programs.normal = p.panicking
	}
	for _, role := range x.roles {
		if _, err := r.start(ctx, t.programs.normal, role, x.env...); err != nil {
			return v, err
		}
	}
	if err := t.client.login(ctx); err != nil {
		return v, err
	}
	if x.prepare != nil {
		if err := x.prepare(ctx, t); err != nil {
			return v, fmt.Errorf("prepare: %w", err)
		}
	}
	if err := t.underLoad(ctx); err != nil {
		return v, err
	}
	if err := settle(ctx, r.databaseURL, x.limitIn(f)+patience); err != nil {
		return v, err
	}
	return t.judge(ctx)
}

// underLoad injects the fault while the load is on.
func (t *trial) underLoad(ctx context.Context) error {
	d := t.demandIn(t.form)
	begin := time.Now().Add(2*time.Second + time.Duration(d.schedules)*10*time.Millisecond).Truncate(time.Second)
	end := begin.Add(t.lengthIn(t.form))
	l, err := newLoad(ctx, t.client, d, begin, end)
	if err != nil {
		return err
	}
	t.load = l
	t.steps[uuid.MustParse(l.quick)] = []string{"first", "last"}
	t.steps[uuid.MustParse(l.slow)] = []string{"first", "slow", "last"}
	for _, p := range l.plans {
		t.steps[p.workflow] = []string{"first", "last"}
	}
	if err := pause(ctx, time.Until(begin)); err != nil {
		return err
	}
	asking, giveUp := context.WithDeadline(ctx, end.Add(time.Minute))
	defer giveUp()
	until, stop := context.WithCancel(asking)
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		l.run(asking, until, d.starts)
	}()
	err = errors.Join(pause(ctx, warmUp), t.inject(ctx, t), pause(ctx, time.Until(end.Add(100*time.Millisecond))))
	stop()
	<-loaded
	return err
}

// judge counts.
func (t *trial) judge(ctx context.Context) (verdict, error) {
	calls := t.sink.seen()
	o, err := observe(ctx, t.databaseURL, t.steps, calls)
	if err != nil {
		return verdict{}, err
	}
	counted := count(append(t.load.plans, t.plans...), t.load.starts, o.runs)
	repeated := compare(calls, o.successes, t.lost)
	var recovery time.Duration
	switch t.measure {
	case again:
		recovery = repeated.again
	case waiting:
		recovery = waited(o.waits, t.outages)
	case draining:
		recovery = drained(o.waits, t.outages)
	}
	v := verdict{
		Fault: t.name, Injected: t.injected, Expected: counted.expected, Ran: counted.ran, Lost: counted.lost, Doubled: counted.doubled,
		DoubledSteps: repeated.doubled, Stuck: counted.stuck, HTTP500: int(t.client.broken.Load()),
		Recovery: seconds(recovery), Limit: seconds(t.limitIn(t.form)), Notes: t.notes,
	}
	t.note("repeated_in_flight", repeated.inFlight)
	t.note("late_requests", repeated.late)
	t.note("failed_runs", counted.failed)
	t.note("starts_without_answer", counted.unanswered)
	t.note("of_those_ran", counted.ofThoseRan)
	t.note("proper_503", int(t.client.unreachable.Load()))
	t.note("starts_left_out", int(t.load.late.Load()))
	t.note("results_dropped", t.logged("worker", "its result is dropped"))
	t.notes["slowest_202_seconds"] = seconds(t.load.slowest)
	if counted.unexpected > 0 {
		t.problem("%d runs that nobody asked for", counted.unexpected)
	}
	if o.ghosts > 0 {
		t.problem("%d steps called for runs that do not exist", o.ghosts)
	}
	if n := t.client.refused.Load(); n > 0 {
		t.problem("%d requests were refused", n)
	}
	if first, ok := t.client.firstBroken.Load().(string); ok {
		t.notes["first_wrong_answer"] = first
	}
	if len(o.reasons) > 0 {
		t.notes["reasons"] = o.reasons
	}
	t.problems = append(t.problems, t.fallen()...)
	if t.check != nil {
		t.check(t, repeated)
	}
	v.judge(t.problems)
	return v, nil
}

// note keeps a number that is not nothing.
func (t *trial) note(name string, n int) {
	if n != 0 {
		t.notes[name] = n
	}
}

// problem notes a reason for not passing.
func (t *trial) problem(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

// broken notes that something is broken from the time it is called until what it answers is called.
func (t *trial) broken() (mended func()) {
	t.outages = append(t.outages, window{from: time.Now()})
	t.injected++
	return func() { t.outages[len(t.outages)-1].to = time.Now() }
}
