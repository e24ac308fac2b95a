package main

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func at(second int64) time.Time { return time.Unix(1_000_000_000+second, 0) }

func TestWhenAPlanFires(t *testing.T) {
	for _, c := range []struct {
		name string
		plan plan
		want []int64
	}{
		{"every second", plan{every: time.Second, first: at(1), last: at(3)}, []int64{1, 2, 3}},
		{"every two, which begins between", plan{every: 2 * time.Second, first: at(1), last: at(5)}, []int64{2, 4}},
		{"every five, both ends included", plan{every: 5 * time.Second, first: at(5), last: at(15)}, []int64{5, 10, 15}},
		{"never", plan{every: 5 * time.Second, first: at(6), last: at(9)}, nil},
		{"once", plan{first: at(7)}, []int64{7}},
	} {
		var got []int64
		for _, s := range c.plan.fires() {
			got = append(got, s-at(0).Unix())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestWhatBecameOfWhatWasExpected(t *testing.T) {
	workflow, answered := uuid.New(), uuid.New()
	plans := []plan{{workflow: workflow, trigger: "t", every: time.Second, first: at(1), last: at(2)}}
	fire := func(second int64) occurrence {
		return occurrence{workflow: workflow, trigger: "t", at: at(second).Unix()}
	}
	good := func(of occurrence) seenRun {
		return seenRun{id: uuid.New(), of: of, ended: true, status: "succeeded", complete: true}
	}
	with := func(change func(*seenRun)) []seenRun {
		r := good(fire(1))
		change(&r)
		return []seenRun{r, good(fire(2))}
	}
	started := good(occurrence{start: 1})
	started.id = answered
	accepted, silent := []start{{n: 1, answered: true, run: answered}}, []start{{n: 1}}
	for _, c := range []struct {
		name   string
		starts []start
		runs   []seenRun
		want   tally
	}{
		{"all well", nil, []seenRun{good(fire(1)), good(fire(2))}, tally{expected: 2, ran: 2}},
		{"one was never made", nil, []seenRun{good(fire(2))}, tally{expected: 2, ran: 1, lost: 1}},
		{"one was made twice", nil, []seenRun{good(fire(1)), good(fire(1)), good(fire(2))}, tally{expected: 2, ran: 2, doubled: 1}},
		{"one did not end", nil, with(func(r *seenRun) { r.ended = false }), tally{expected: 2, ran: 1, stuck: 1}},
		{"one failed", nil, with(func(r *seenRun) { r.status = "failed" }), tally{expected: 2, ran: 1, lost: 1, failed: 1}},
		{"one succeeded without its calls", nil, with(func(r *seenRun) { r.complete = false }), tally{expected: 2, ran: 1, lost: 1}},
		{"one nobody asked for", nil, []seenRun{good(fire(1)), good(fire(2)), good(fire(3))}, tally{expected: 2, ran: 2, unexpected: 1}},
		{"a start ran", accepted, []seenRun{good(fire(1)), good(fire(2)), started}, tally{expected: 3, ran: 3}},
		{"a start was lost", accepted, []seenRun{good(fire(1)), good(fire(2))}, tally{expected: 3, ran: 2, lost: 1}},
		{
			"another run than was answered", accepted,
			[]seenRun{good(fire(1)), good(fire(2)), good(occurrence{start: 1})},
			tally{expected: 3, ran: 3, unexpected: 1},
		},
		{"no answer, no run", silent, []seenRun{good(fire(1)), good(fire(2))}, tally{expected: 2, ran: 2, unanswered: 1}},
		{"no answer, one run", silent, []seenRun{good(fire(1)), good(fire(2)), started}, tally{expected: 2, ran: 2, unanswered: 1, ofThoseRan: 1}},
		{
			"no answer, two runs", silent,
			[]seenRun{good(fire(1)), good(fire(2)), started, good(occurrence{start: 1})},
			tally{expected: 2, ran: 2, unanswered: 1, ofThoseRan: 1, doubled: 1},
		},
	} {
		if got := count(plans, c.starts, c.runs); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

func TestStepsThatWereMadeMoreThanOnce(t *testing.T) {
	killed := []time.Time{at(10)}
	done := func(attempt int, second int64) []success { return []success{{attempt: attempt, at: at(second)}} }
	for _, c := range []struct {
		name  string
		calls []call
		done  []success
		want  repeats
	}{
		{"once", []call{{at(1), 1}}, done(1, 2), repeats{}},
		{"under way when its worker was killed", []call{{at(9), 1}, {at(27), 2}}, done(2, 28), repeats{inFlight: 1, again: 17 * time.Second}},
		{"again after its success", []call{{at(1), 1}, {at(3), 2}}, done(1, 2), repeats{doubled: 1, inFlight: 1}},
		{"twice under one attempt", []call{{at(1), 1}, {at(2), 1}}, done(1, 3), repeats{doubled: 1}},
		{"two successes", []call{{at(1), 1}, {at(3), 2}}, append(done(1, 4), done(2, 4)...), repeats{doubled: 1, inFlight: 1}},
		{"a zombie's request that came late", []call{{at(9), 2}, {at(12), 1}}, done(2, 10), repeats{inFlight: 1, late: 1, again: 2 * time.Second}},
	} {
		got := compare(map[string][]call{"run.step": c.calls}, map[string][]success{"run.step": c.done}, killed)
		if got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

func TestHowLongARunWaited(t *testing.T) {
	waits := []wait{
		{due: at(1), first: at(2), finished: at(3)},    // before
		{due: at(10), first: at(18), finished: at(26)}, // while it was broken
		{due: at(21), first: at(40), finished: at(41)}, // after
	}
	outage := []window{{from: at(9), to: at(20)}}
	if got := waited(waits, outage); got != 8*time.Second {
		t.Errorf("waited %s", got)
	}
	if got := drained(waits, outage); got != 6*time.Second {
		t.Errorf("drained after %s", got)
	}
}

func TestAFaultPassesOnlyWithNothingWrong(t *testing.T) {
	good := verdict{Injected: 1, Expected: 1, Ran: 1, Recovery: 2, Limit: 2}
	for _, c := range []struct {
		name     string
		change   func(*verdict)
		problems []string
		pass     bool
	}{
		{"nothing wrong", func(*verdict) {}, nil, true},
		{"lost", func(v *verdict) { v.Lost = 1 }, nil, false},
		{"doubled", func(v *verdict) { v.Doubled = 1 }, nil, false},
		{"doubled steps", func(v *verdict) { v.DoubledSteps = 1 }, nil, false},
		{"stuck", func(v *verdict) { v.Stuck = 1 }, nil, false},
		{"500", func(v *verdict) { v.HTTP500 = 1 }, nil, false},
		{"too slow", func(v *verdict) { v.Recovery = 2.1 }, nil, false},
		{"nothing expected", func(v *verdict) { v.Expected = 0 }, nil, false},
		{"nothing injected", func(v *verdict) { v.Injected = 0 }, nil, false},
		{"the fault's own", func(*verdict) {}, []string{"a worker ended by itself"}, false},
	} {
		v := good
		c.change(&v)
		if v.judge(c.problems); v.Pass != c.pass || v.Pass != (len(v.Why) == 0) {
			t.Errorf("%s: pass %v, because of %q", c.name, v.Pass, v.Why)
		}
	}
}
