package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
)

// values are figures by name. A name ends in its unit, unless the unit is runs or a plain number.
type values map[string]float64

// line is one line of the report.
type line struct {
	Row    string               `json:"row"`
	Goal   string               `json:"goal,omitempty"`
	Met    *bool                `json:"met,omitempty"`
	Values values               `json:"values,omitempty"` // of several times the median, each by itself
	All    map[string][]float64 `json:"all,omitempty"`    // of several times, in their order
	Note   string               `json:"note,omitempty"`
}

// measurement is something that can be measured.
type measurement struct {
	name string
	goal string
	met  func(values) bool // nil: there is no goal
	note string
	long bool // it is made once, however often the others are
	run  func(ctx context.Context, r *rig) (values, error)
}

// measurements are in the order in which they are made: beside what they are compared to, the long ones last.
var measurements = []measurement{
	{name: "raw_asynq", run: rawAsynq, note: "one asynq server with 50 slots; the tasks, which do nothing, are there before it starts"},
	{name: "raw_asynq_whole", run: rawAsynqWhole, note: "the same, enqueued by 16 clients meanwhile"},
	{name: "naive", run: naive, note: "a commit each for: insert the run, mark it running, record the step, record its log line, mark it finished"},
	{name: "naive_bare", run: naiveBare, note: "a commit each for: insert the run, mark it running, mark it finished; no steps, no log"},
	{
		name: "noop", run: noop, goal: ">= 6000 runs/s", met: atLeast("per_second", 6000),
		note: "whole runs of one log step, from the start to the recorded end, with step and log line",
	},
	{
		name: "api_http", run: apiHTTP, goal: ">= 3000 runs/s", met: atLeast("per_second", 3000),
		note: "started by POST over HTTP, one http_endpoint step each; client and target are in the same process",
	},
	{
		name: "webhook", run: webhooks(256), goal: ">= 3000 accepted/s", met: atLeast("per_second", 3000),
		note: "deliveries by 256 senders over HTTP, each stored with its run before it is answered 202; sender and API are in the same process; nobody works on the runs",
	},
	{
		name: "latency", run: latency, goal: "p50 < 5 ms, p99 < 30 ms",
		met:  func(v values) bool { return v["p50_ms"] < 5 && v["p99_ms"] < 30 },
		note: "1,000 runs/s for 10 s, to the announcement of the recorded end: since the ticket of the committed run goes into the queue, and (from_call) since the call that starts the run",
	},
	{name: "tick_1", run: ticks(1), goal: "p99 <= 50 ms", met: atMost("p99_ms", 50), note: "one schedule due, 20 times; " + lateness},
	{name: "tick_1000", run: ticks(1000), goal: "p99 <= 300 ms", met: atMost("p99_ms", 300), note: "1,000 schedules due in the same second; " + lateness},
	{name: "tick_10000", run: manyTicks, goal: "p99 <= 2500 ms", met: atMost("p99_ms", 2500), note: "10,000 schedules due in the same second; " + lateness},
	{
		name: "storage", run: storage, goal: "<= 700 bytes per run", met: atMost("bytes", 700),
		note: "runs of one log step, tables with their indexes, after all of them ended; bytes_later is for as many again after a vacuum; a run of a schedule has a row in the ledger besides",
	},
	{
		name: "logins", run: loginTimes, long: true, goal: "medians differ by < 10 %, >= 985 of 1,000 guesses refused",
		met:  func(v values) bool { return v["medians_differ_percent"] < 10 && v["refused"] >= 985 },
		note: "200 logins with a wrong password and 200 to accounts that do not exist, in turns; then 1,000 guesses at one account from one address",
	},
	{
		name: "schedules_idle", run: schedulesIdle, long: true, goal: "< 1 % of a core", met: func(v values) bool { return v["percent"] < 1 },
		note: "a scheduler with nothing due, its part of PostgreSQL included; percent_empty is the same without any schedule",
	},
	{
		name: "schedules_due", run: schedulesDue, long: true, goal: "inserted <= 10 s, finished <= 40 s",
		met:  func(v values) bool { return v["inserted_s"] <= 10 && v["finished_s"] <= 40 },
		note: "many schedules due at the same instant, among those that are not; since that instant",
	},
	{
		name: "run_list", run: runList, long: true, goal: "p99 < 5 ms, each",
		met: func(v values) bool {
			for _, kind := range listKinds {
				if v[kind+"_p99_ms"] >= 5 {
					return false
				}
			}
			return true
		},
		note: "pages of 50 for somebody who is in 3 of 200 projects, one connection, no HTTP",
	},
}

const lateness = "from that instant to the claim by a worker"

func atLeast(name string, goal float64) func(values) bool {
	return func(v values) bool { return v[name] >= goal }
}

func atMost(name string, goal float64) func(values) bool {
	return func(v values) bool { return v[name] <= goal }
}

// make makes the measurement as often as it is wanted.
func (m measurement) make(ctx context.Context, r *rig) (line, error) {
	times := r.times
	if m.long || times < 1 {
		times = 1
	}
	all := map[string][]float64{}
	for i := range times {
		fmt.Fprintf(os.Stderr, "measuring %s (%d of %d) …\n", m.name, i+1, times)
		v, err := m.once(ctx, r)
		if err != nil {
			return line{}, err
		}
		for name, figure := range v {
			all[name] = append(all[name], figure)
		}
	}
	l := line{Row: m.name, Goal: m.goal, Values: values{}, Note: m.note}
	for name, list := range all {
		sorted := slices.Sorted(slices.Values(list))
		l.Values[name] = sorted[len(sorted)/2]
	}
	if times > 1 {
		l.All = all
	}
	if m.met != nil {
		met := m.met(l.Values)
		l.Met = &met
	}
	return l, nil
}

// once makes the measurement once, on empty tables.
func (m measurement) once(ctx context.Context, r *rig) (values, error) {
	if err := r.Reset(ctx); err != nil {
		return nil, err
	}
	before, began := cpu(), time.Now()
	v, err := m.run(ctx, r)
	if err != nil {
		return nil, err
	}
	used := cpu().since(before)
	if n := int(v["runs"] + v["tasks"]); n > 0 && !m.long {
		maps.Copy(v, used.per(n))
	}
	v["cores_of_others"] = max(0, used.others.Seconds()/time.Since(began).Seconds())
	for name, figure := range v {
		v[name] = math.Round(figure*100) / 100
	}
	return v, nil
}

// spread says how durations lie, in milliseconds.
func spread(s bench.Spread, v values) values {
	v["p50_ms"], v["p99_ms"], v["max_ms"] = ms(s.P50), ms(s.P99), ms(s.Max)
	return v
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// ratios relate the engine to the baselines of the same run.
func ratios(done map[string]line) (lines []line) {
	rate := func(name string) float64 { return done[name].Values["per_second"] }
	noop := rate("noop")
	compare := func(row, to, other string, goal float64, note string) {
		if noop == 0 || rate(to) == 0 {
			return
		}
		ratio := noop / rate(to)
		met := ratio >= goal
		v := values{"ratio": math.Round(ratio*100) / 100}
		if r := rate(other); r > 0 {
			v["to_"+other] = math.Round(noop/r*100) / 100
		}
		lines = append(lines, line{Row: row, Goal: fmt.Sprint(">= ", goal), Met: &met, Values: v, Note: note})
	}
	compare("ratio_to_raw", "raw_asynq", "raw_asynq_whole", .4, "noop to raw_asynq")
	compare("ratio_to_naive", "naive", "naive_bare", 2.2, "noop to naive, which does the same work")
	return lines
}
