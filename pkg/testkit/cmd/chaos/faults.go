package main

import (
	"context"
	"time"
)

// form is how long and how hard things are broken.
type form struct {
	short           bool
	parallel        int           // faults at a time
	lostAfter, beat time.Duration // the program's ORQ_LOST_AFTER and ORQ_WORKER_BEAT
}

var (
	longForm  = form{parallel: 2, lostAfter: 15 * time.Second, beat: 3 * time.Second} // the program's defaults
	shortForm = form{short: true, parallel: 3, lostAfter: 4 * time.Second, beat: time.Second}
)

// pick is the value for the form.
func pick[T any](f form, long, short T) T {
	if f.short {
		return short
	}
	return long
}

// measure is what counts as the recovery from a fault.
type measure string

const (
	again    measure = "steps that a worker had under way when it went are made again"
	waiting  measure = "runs that become due while it is broken make their first request"
	draining measure = "runs that were due before it was mended have ended"
)

// fault is a way to break an installation, and what has to hold.
type fault struct {
	name        string
	breaks      string // what is done
	measure     measure
	limit       time.Duration // of recovery
	silence     bool          // ORQ_LOST_AFTER comes on top of limit: nobody can know before that
	because     string        // why that limit
	long, short time.Duration // how long the load lasts
	demand      demand        // standard when zero
	roles       []string
	env         []string // settings of the processes
	panicking   bool     // with the program that has the action panic
	alone       bool     // needs the whole machine

	prepare func(ctx context.Context, t *trial) error // before the load begins
	inject  func(ctx context.Context, t *trial) error // while it is on
	check   func(t *trial, r repeats)                 // at the end
	plans   []plan                                    // more than the load's
}

func (x fault) lengthIn(f form) time.Duration { return pick(f, x.long, x.short) }

func (x fault) limitIn(f form) time.Duration {
	if x.silence {
		return x.limit + f.lostAfter
	}
	return x.limit
}

// demandIn is the load: small, since what is looked for is what gets lost, and not how much there can be.
func (x fault) demandIn(f form) demand {
	d := x.demand
	if d.starts == 0 {
		d.starts = pick(f, 30, 20)
	}
	if d.schedules == 0 {
		d.schedules = 20
	}
	if d.slow == 0 {
		d.slow = 1500 * time.Millisecond
	}
	return d
}

var (
	pairs   = []string{"api", "api", "scheduler", "scheduler", "worker", "worker"}
	workers = []string{"api", "scheduler", "worker", "worker", "worker"}
)

// faults is the table of all of them: docs/chaos.md says the same to people.
var faults = []fault{
	{
		name: "worker_sigkill", breaks: "SIGKILL for a worker, every 20 s",
		measure: again, limit: 5 * time.Second, silence: true,
		because: "the reconciler looks each second, and the run has to come through the queue: 20 s in all with the default of ORQ_LOST_AFTER",
		long:    70 * time.Second, short: 14 * time.Second, roles: workers, inject: killWorkers, check: someWereUnderWay,
	},
	{
		name: "worker_sigstop", breaks: "SIGSTOP for a worker, 90 s; then SIGCONT: what the zombie says has to be dropped",
		measure: again, limit: 5 * time.Second, silence: true,
		because: "as for a killed worker, which nobody can tell from one that is only still",
		long:    100 * time.Second, short: 24 * time.Second, roles: workers, inject: freezeWorker, check: zombieWasDropped,
	},
	{
		name: "scheduler_sigkill", breaks: "SIGKILL for the only scheduler in the middle of ticks of 200 due triggers, again and again",
		measure: waiting, limit: 15 * time.Second,
		because: "its transaction is rolled back at once; until the next scheduler is up, and its rounds have caught up, nothing else is missing",
		long:    40 * time.Second, short: 10 * time.Second, demand: demand{schedules: 200, starts: 10}, env: []string{"ORQ_SCHEDULER_BATCH=20"},
		roles: []string{"api", "scheduler", "worker", "worker"}, inject: killSchedulers,
	},
	{
		name: "after_sigkill", breaks: "SIGKILL for workers and schedulers while runs end that other workflows wait for",
		measure: again, limit: 5 * time.Second, silence: true,
		because: "as for a killed worker; the note of an end is written with the end, and taken with the making of the next run",
		long:    70 * time.Second, short: 16 * time.Second, demand: demand{starts: 30, schedules: 5}, roles: workers,
		inject: killFollowers, check: eachEndWasFollowed,
	},
	{
		name: "long_workflow", breaks: "SIGKILL for a worker at five random points of a run of 30 steps with branches, a list, a wait, an approval and a fallback",
		measure: again, limit: 5 * time.Second, silence: true,
		because: "as for a killed worker; each item of the list has one run, and no finished step is made again",
		long:    70 * time.Second, short: 16 * time.Second, demand: demand{starts: 5, schedules: 5}, roles: workers,
		inject: killThroughout, check: theWholeEndedRight,
	},
	{
		name: "three_schedulers", breaks: "three schedulers at once, of which one is stopped for a while, perhaps with rows locked",
		measure: waiting, limit: 15 * time.Second,
		because: "triggers whose rows the stopped one has locked wait for it, 10 s at most; all others are nobody's but the two that go on",
		long:    30 * time.Second, short: 10 * time.Second, demand: demand{schedules: 100, starts: 10}, env: []string{"ORQ_SCHEDULER_BATCH=20"},
		roles: []string{"api", "scheduler", "scheduler", "scheduler", "worker", "worker"}, inject: freezeScheduler,
	},
	{
		name: "api_sigkill", breaks: "SIGKILL for one of two APIs at random instants under load, so that some die between commit and hand-out",
		measure: waiting, limit: 15 * time.Second,
		because: "a run that was not handed out is found once it is older than ORQ_ENQUEUE_GRACE (5 s), or than twice the queue's own delay",
		long:    60 * time.Second, short: 12 * time.Second, demand: demand{starts: 60}, roles: []string{"api", "api", "scheduler", "worker", "worker"},
		inject: killAPIs,
	},
	{
		name: "redis_flushall", breaks: "FLUSHALL while hundreds of runs are in the queue",
		measure: draining, limit: 20 * time.Second,
		because: "the reconciler misses its mark within a second and fills the queue again; what was lost without a trace is found by ORQ_ENQUEUE_GRACE",
		long:    45 * time.Second, short: 12 * time.Second, roles: pairs, inject: flushRedis,
	},
	{
		name: "redis_restart", breaks: "Redis is restarted under load and has lost everything",
		measure: draining, limit: 20 * time.Second, because: "as for FLUSHALL",
		long: 40 * time.Second, short: 10 * time.Second, roles: pairs, inject: restartRedis,
	},
	{
		name: "redis_refused", breaks: "Redis refuses connections for 60 s",
		measure: waiting, limit: 10 * time.Second,
		because: "after 5 s without Redis workers take runs from PostgreSQL; as much again to take them. Slower, never stopped",
		long:    75 * time.Second, short: 20 * time.Second, roles: pairs, inject: refuseRedis, check: startsWereTaken,
	},
	{
		name: "redis_black_hole", breaks: "a black hole before Redis for 60 s: connections are accepted and kept, and nothing comes through",
		measure: waiting, limit: 10 * time.Second, because: "as for refused connections: who does not answer is no better than who refuses",
		long: 75 * time.Second, short: 20 * time.Second, roles: pairs, inject: freezeRedis, check: startsWereTaken,
	},
	{
		name: "postgres_restart", breaks: "PostgreSQL is restarted under load",
		measure: draining, limit: 5 * time.Second, silence: true,
		because: "everybody tries again each second; a run whose claim was committed and never answered is found like one of a lost worker",
		long:    40 * time.Second, short: 10 * time.Second, roles: pairs, inject: restartPostgres,
	},
	{
		name: "webhooks_postgres_restart", breaks: "PostgreSQL is restarted while webhooks arrive",
		measure: draining, limit: 5 * time.Second, silence: true,
		because: "as for a restart: a delivery that was answered 202 is stored with its run, and has exactly that one",
		long:    40 * time.Second, short: 10 * time.Second, demand: demand{starts: 60, schedules: 5, hooks: true}, roles: pairs,
		inject: restartPostgres, check: deliveriesHaveRuns,
	},
	{
		name: "postgres_down", breaks: "PostgreSQL is away for 60 s",
		measure: draining, limit: 10 * time.Second, silence: true,
		because: "as for a restart, and 5 s for what has gathered",
		long:    75 * time.Second, short: 14 * time.Second, roles: pairs, inject: stopPostgres,
	},
	{
		name: "pool_exhausted", breaks: "idle clients take every connection that PostgreSQL has, and ours are cut",
		measure: draining, limit: 5 * time.Second, silence: true, because: "as for a restart",
		long: 40 * time.Second, short: 12 * time.Second, roles: pairs, inject: exhaustPool,
	},
	{
		name: "read_only", breaks: "PostgreSQL takes no writes, as after a failover to a replica; connections are cut",
		measure: draining, limit: 5 * time.Second, silence: true, because: "as for a restart",
		long: 40 * time.Second, short: 12 * time.Second, roles: pairs, inject: denyWrites,
	},
	{
		name: "rolling_restart", breaks: "every process in turn is replaced by one of another version and asked to stop (SIGTERM), under load",
		measure: waiting, limit: 5 * time.Second,
		because: "each role has another process at all times: nothing has to wait for the restart, no request may go unanswered, no step be repeated",
		long:    40 * time.Second, short: 15 * time.Second, roles: pairs, inject: rollOver, check: nobodyNoticed,
	},
	{
		name: "panic", breaks: "steps whose action panics",
		measure: waiting, limit: 5 * time.Second, because: "the other runs must not notice",
		long: 20 * time.Second, short: 6 * time.Second, roles: workers, panicking: true, prepare: preparePanic, inject: panicAction,
	},
	{
		name: "hostile_targets", breaks: "targets that hang, drip, answer without end, redirect in circles and to inside addresses, and send bombs",
		measure: waiting, limit: 5 * time.Second,
		because: "the other runs must not notice; each of the runs ends within its step's timeout, and no worker takes more than 512 MiB",
		long:    40 * time.Second, short: 14 * time.Second, roles: workers, prepare: prepareTargets, inject: callTargets, check: memoryWasBounded,
	},
	{
		name: "herd", breaks: "100,000 schedules are due at the same instant",
		measure: waiting, limit: 40 * time.Second, because: "the goal for 100,000 on two cores",
		long: 60 * time.Second, short: 14 * time.Second, demand: demand{starts: 5, schedules: 5}, alone: true,
		roles: []string{"api", "scheduler", "scheduler", "worker", "worker"}, prepare: gatherHerd, inject: awaitHerd, check: schedulersStaySmall,
	},
}
