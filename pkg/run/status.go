// Package run knows what a run is: its statuses and which may follow which, its steps and their attempts, and when a
// failed attempt is tried again. It touches neither database nor network.
package run

import "slices"

// Status is where a run, or a step of it, stands.
type Status string

// The statuses of a run. Steps have the same and Skipped.
const (
	Queued    Status = "queued"    // wants a worker
	Running   Status = "running"   // a worker has it
	Waiting   Status = "waiting"   // has an instant to wait for: the next attempt
	Held      Status = "held"      // has a person to wait for
	Succeeded Status = "succeeded" // ended well
	Failed    Status = "failed"    // ended badly
	Cancelled Status = "cancelled" // ended because somebody said so
	Skipped   Status = "skipped"   // steps only: its condition was false, or nothing it runs after succeeded
)

// Statuses are those of a run, in the order people meet them.
var Statuses = []Status{Queued, Running, Waiting, Held, Succeeded, Failed, Cancelled}

// transitions is the one table of what may follow what; the code, docs/state-machine.md and the tests are held
// against it.
var transitions = map[Status][]Status{
	Queued:  {Running, Cancelled, Failed},
	Running: {Succeeded, Failed, Cancelled, Waiting, Held, Queued},
	Waiting: {Running, Cancelled, Failed},
	Held:    {Queued, Failed, Cancelled},
}

// Finished tells whether nothing follows.
func (s Status) Finished() bool { return len(transitions[s]) == 0 }

// May tells whether next may follow s.
func (s Status) May(next Status) bool { return slices.Contains(transitions[s], next) }

// Next lists what may follow s.
func (s Status) Next() []Status { return slices.Clone(transitions[s]) }

// Valid tells whether s is a status of a run.
func (s Status) Valid() bool { return slices.Contains(Statuses, s) }

// Trigger says what started a run.
type Trigger string

// What starts runs.
const (
	Manual    Trigger = "manual"    // a person or a program, through the API
	Scheduled Trigger = "schedule"  // an occurrence of a schedule
	Rerun     Trigger = "rerun"     // a person who wants an earlier run again
	Backfill  Trigger = "backfill"  // a fire of the past that somebody wants to run after all
	Webhook   Trigger = "webhook"   // a request to a trigger's address
	After     Trigger = "after"     // the end of a run of another workflow
	Heartbeat Trigger = "heartbeat" // a ping that did not come, or that came again
	Called    Trigger = "workflow"  // a step of another run
)
