// Command bench measures what an installation on this machine reaches, beside raw asynq and the naive way of one statement
// per change in the same run. It prints one JSON line per measurement. It starts a PostgreSQL that commits durably and a
// Redis of its own; ORQ_BENCH_DATABASE_URL and ORQ_BENCH_REDIS_URL name other servers, on which it works in a database
// that it makes and in an empty database of Redis.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// options say how much is measured.
type options struct {
	only      string
	times     int
	size      int           // runs per measurement of throughput
	schedules int           // that are enabled
	due       int           // of those, at the same instant
	runs      int           // that lists are read from
	quiet     time.Duration // over which idle costs are measured
}

// rig is an installation, with what is to be measured on it.
type rig struct {
	*bench.Rig
	options
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "names of the measurements to make, with commas; all when empty")
	flag.IntVar(&o.times, "times", 3, "how often each is made, except the long ones; the median counts")
	flag.IntVar(&o.size, "size", 20_000, "runs per measurement of throughput")
	flag.IntVar(&o.schedules, "schedules", 1_000_000, "enabled schedules, of which none is due for a while")
	flag.IntVar(&o.due, "due", 100_000, "of those, how many are then due at the same instant")
	flag.IntVar(&o.runs, "runs", 5_000_000, "runs that lists are read from")
	flag.DurationVar(&o.quiet, "quiet", 30*time.Second, "how long idle costs are measured")
	profile := flag.String("cpuprofile", "", "file for a CPU profile of the measurements")
	list := flag.Bool("list", false, "list the measurements and end")
	flag.Parse()
	if *list {
		for _, m := range measurements {
			fmt.Printf("%-16s %s\n", m.name, m.note)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := profiled(*profile, func() error { return measure(ctx, os.Stdout, o) })
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled writes a CPU profile of what do does, when there is a path for it.
func profiled(path string, do func() error) error {
	if path == "" {
		return do()
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(fmt.Errorf("start the profile: %w", err), f.Close())
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

// measure makes the measurements that are wanted and prints a line for each.
func measure(ctx context.Context, out io.Writer, o options) (err error) {
	wanted, err := choose(o.only)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r := &rig{options: o}
	r.Rig, err = bench.Open(ctx, bench.Config{
		DatabaseURL: os.Getenv("ORQ_BENCH_DATABASE_URL"), RedisURL: os.Getenv("ORQ_BENCH_REDIS_URL"), RedisDatabase: redisDatabase,
		Concurrency: 512, Progress: os.Stderr, Log: log, Clock: clock.System{},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(context.WithoutCancel(ctx))) }()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	done := map[string]line{}
	lines := []line{machine(r.About)}
	for _, m := range wanted {
		for _, l := range lines {
			if err := encoder.Encode(l); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		l, err := m.make(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		done[m.name], lines = l, []line{l}
	}
	lines = append(lines, ratios(done)...)
	if o.only == "" {
		lines = append(lines, elsewhere)
	}
	for _, l := range lines {
		if err := encoder.Encode(l); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

// elsewhere is what of the goals is measured by another program.
var elsewhere = line{
	Row:  "broken",
	Note: "make chaos measures what is broken under load: kill -9 of a worker (its runs run again within 20 s: worker_sigkill), FLUSHALL (0 lost, 0 doubled: redis_flushall)",
}

func choose(only string) ([]measurement, error) {
	if only == "" {
		return measurements, nil
	}
	var wanted []measurement
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(measurements, func(m measurement) bool { return m.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no measurement %q (try: -list)", name)
		}
		wanted = append(wanted, measurements[i])
	}
	return wanted, nil
}

// machine is what it is measured on. Other work on the machine makes every figure worse: the load averages tell of it, and
// cores_of_others of each measurement.
func machine(about string) line {
	v := values{"cpus": float64(runtime.NumCPU())}
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		var one, five, fifteen float64
		if _, err := fmt.Sscan(string(raw), &one, &five, &fifteen); err == nil {
			v["load_1"], v["load_5"], v["load_15"] = one, five, fifteen
		}
	}
	return line{Row: "machine", Values: v, Note: runtime.Version() + ", " + about}
}
