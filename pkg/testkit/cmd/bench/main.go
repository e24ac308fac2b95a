// Command bench measures what an installation on this machine reaches: whole runs per second, latency, how late schedules
// start, and beside them, in the same run, raw asynq and the naive way of one statement per change. It prints one JSON
// line per row. It starts a PostgreSQL that commits durably and a Redis of its own; ORQ_BENCH_DATABASE_URL and
// ORQ_BENCH_REDIS_URL name others, which it fills with test data.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// row is one line of the report.
type row struct {
	Row    string             `json:"row"`
	Goal   string             `json:"goal,omitempty"`
	Met    *bool              `json:"met,omitempty"`
	Values map[string]float64 `json:"values"`
	Note   string             `json:"note,omitempty"`
}

// units is how many runs, or tasks, a measurement made.
func (r row) units() int { return int(max(r.Values["runs"], r.Values["tasks"])) }

// bench is a measurement by name.
type bench struct {
	name string
	run  func(ctx context.Context, r *rig) (row, error)
}

var benches = []bench{
	{"asynq", rawAsynq},
	{"naive", naive},
	{"noop", noop},
	{"api_http", apiHTTP},
	{"latency", latency},
	{"tick_1", ticks(1)},
	{"tick_100", ticks(100)},
	{"tick_1000", ticks(1000)},
}

func main() {
	only := flag.String("only", "", "names of the measurements to make, with commas; all when empty")
	size := flag.Int("size", 20_000, "runs per measurement of throughput")
	profile := flag.String("cpuprofile", "", "file for a CPU profile of the measurements")
	flag.Parse()
	if *profile != "" {
		stop, err := startProfile(*profile)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		defer stop()
	}
	if err := measure(os.Stdout, *only, *size); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func startProfile(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("make the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("start the profile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

func measure(out io.Writer, only string, size int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r, err := newRig(ctx, log, size)
	if err != nil {
		return err
	}
	defer r.close()
	encoder := json.NewEncoder(out)
	machine := row{Row: "machine", Values: map[string]float64{"cpus": float64(runtime.NumCPU()), "load1": load()}, Note: runtime.Version() + ", " + r.about}
	if err := encoder.Encode(machine); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	wanted := strings.Split(only, ",")
	for _, b := range benches {
		if only != "" && !slices.Contains(wanted, b.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", b.name)
		if err := r.reset(ctx); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		used := cpu()
		line, err := b.run(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		if n := line.units(); n > 0 {
			used.per(n, line.Values)
		}
		line.Row = b.name
		r.results[b.name] = line
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return r.compare(encoder)
}

// compare relates the engine to the baselines of the same run.
func (r *rig) compare(encoder *json.Encoder) error {
	noop, raw, naive := r.rate("noop"), r.rate("asynq"), r.rate("naive")
	if noop == 0 || raw == 0 || naive == 0 {
		return nil
	}
	line := row{Row: "ratios", Goal: "noop/asynq >= 0.4, noop/naive >= 2.2", Values: map[string]float64{
		"noop_to_asynq": round(noop / raw), "noop_to_naive": round(noop / naive),
	}}
	line.Met = met(noop/raw >= 0.4 && noop/naive >= 2.2)
	if err := encoder.Encode(line); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func (r *rig) rate(name string) float64 { return r.results[name].Values["per_second"] }

func met(b bool) *bool { return &b }

func round(f float64) float64 { return float64(int(f*100+0.5)) / 100 }

// load is the machine's load average; other work on it makes every figure worse.
func load() float64 {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	var one float64
	if _, err := fmt.Sscan(string(raw), &one); err != nil {
		return -1
	}
	return one
}

// quantiles answers the p-th parts of durations, in milliseconds.
func quantiles(list []time.Duration, prefix string, values map[string]float64) {
	if len(list) == 0 {
		return
	}
	slices.Sort(list)
	at := func(p float64) float64 {
		i := min(int(p*float64(len(list))), len(list)-1)
		return round(float64(list[i]) / float64(time.Millisecond))
	}
	values[prefix+"p50_ms"], values[prefix+"p99_ms"] = at(.5), at(.99)
	values[prefix+"max_ms"] = round(float64(list[len(list)-1]) / float64(time.Millisecond))
}
