package main

import (
	"time"

	"github.com/google/uuid"
)

// plan is a schedule that was created: it fires at every whole multiple of every from first to last, both included.
// That is all that is known about schedules here, so that a mistake of the program's own cannot hide.
type plan struct {
	workflow    uuid.UUID
	trigger     string
	every       time.Duration // whole seconds that divide a minute; 0 for one fire, at first
	first, last time.Time
}

// fires lists when the plan fires, in Unix seconds.
func (p plan) fires() []int64 {
	if p.every == 0 {
		return []int64{p.first.Unix()}
	}
	every := int64(p.every / time.Second)
	var list []int64
	for at := p.first.Unix(); at <= p.last.Unix(); at++ {
		if at%every == 0 {
			list = append(list, at)
		}
	}
	return list
}

// start is a run that was asked for through the API.
type start struct {
	n        int       // the number it carries in its inputs
	answered bool      // 202: it has to run. Otherwise nobody knows, and it may have run once
	run      uuid.UUID // what was answered
}

// occurrence is something that has to become one run: a fire of a schedule, or a start.
type occurrence struct {
	workflow uuid.UUID
	trigger  string
	at       int64 // Unix seconds
	start    int   // else the number of a start, from 1
}

// seenRun is a run as the database has it in the end.
type seenRun struct {
	id       uuid.UUID
	of       occurrence
	ended    bool
	status   string
	complete bool // all of its steps were requested from the sink
}

// tally is what the oracle counts.
type tally struct {
	expected, ran, lost, doubled, stuck int
	failed                              int // runs that ended in another way than well
	unexpected                          int // runs that nobody asked for
	unanswered, ofThoseRan              int // starts without an answer, and how many of them ran
}

// count holds the runs that there were against those that there should have been.
func count(plans []plan, starts []start, runs []seenRun) tally {
	var t tally
	byOccurrence := map[occurrence][]seenRun{}
	for _, r := range runs {
		byOccurrence[r.of] = append(byOccurrence[r.of], r)
		if r.ended && r.status != "succeeded" {
			t.failed++
		}
		if !r.ended {
			t.stuck++
		}
	}
	known := map[occurrence]bool{}
	for _, p := range plans {
		for _, at := range p.fires() {
			o := occurrence{workflow: p.workflow, trigger: p.trigger, at: at}
			known[o] = true
			t.expect(byOccurrence[o])
		}
	}
	for _, s := range starts {
		o := occurrence{start: s.n}
		known[o] = true
		of := byOccurrence[o]
		if s.answered {
			t.expect(of)
			if len(of) > 0 && of[0].id != s.run {
				t.unexpected++ // another than was answered
			}
			continue
		}
		t.unanswered++
		t.ofThoseRan += min(len(of), 1)
		t.doubled += max(len(of)-1, 0)
	}
	for o, of := range byOccurrence {
		if !known[o] {
			t.unexpected += len(of)
		}
	}
	return t
}

// expect counts an occurrence that has to have one run.
func (t *tally) expect(of []seenRun) {
	t.expected++
	t.doubled += max(len(of)-1, 0)
	switch {
	case len(of) == 0:
		t.lost++
	case !of[0].ended: // stuck, and counted as that
	case of[0].status == "succeeded" && of[0].complete:
		t.ran++
	default:
		t.lost++
	}
}

// call is one request that the sink got for a step.
type call struct {
	at      time.Time
	attempt int
}

// success is an attempt of a step that is recorded as succeeded, and when.
type success struct {
	attempt int
	at      time.Time
}

// repeats is what the calls of all steps say about steps that were made more than once.
type repeats struct {
	doubled  int           // steps that were tried again after their success, or requested twice under the same attempt
	inFlight int           // attempts more than one of steps that were under way when their worker went away
	late     int           // requests of an older attempt that came after the success: a zombie had begun them
	again    time.Duration // the longest from a worker's end to the next attempt of a step it had under way
}

// compare looks for steps that were requested more than once. lost are the instants at which workers went away.
func compare(calls map[string][]call, successes map[string][]success, lost []time.Time) repeats {
	var r repeats
	for step, list := range calls {
		attempts := map[int]int{}
		doubled := len(successes[step]) > 1
		for i, c := range list {
			attempts[c.attempt]++
			doubled = doubled || attempts[c.attempt] > 1
			for _, s := range successes[step] {
				doubled = doubled || c.attempt > s.attempt
				if c.attempt < s.attempt && c.at.After(s.at) {
					r.late++
				}
			}
			if i > 0 {
				r.again = max(r.again, since(lost, list[i-1].at, c.at))
			}
		}
		if doubled {
			r.doubled++
		}
		r.inFlight += len(attempts) - 1
	}
	return r
}

// since is the time from the last of the instants between two calls to the second one; 0 when there is none.
func since(instants []time.Time, from, to time.Time) time.Duration {
	var d time.Duration
	for _, at := range instants {
		if at.After(from) && at.Before(to) {
			d = to.Sub(at)
		}
	}
	return d
}
