package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/bench"
	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// benchCmd tells somebody who sizes an installation what a machine and its servers do.
type benchCmd struct {
	DatabaseURL   telemetry.Secret `env:"ORQ_DATABASE_URL" help:"PostgreSQL, where a database of its own is made and dropped; when it is not set, one is started."`
	RedisURL      telemetry.Secret `env:"ORQ_REDIS_URL" help:"Redis, of which an empty database is used; when it is not set, one is started."`
	RedisDatabase int              `default:"15" help:"Number of that database; it must be empty, and is emptied at the end."`
	PostgresBin   string           `env:"ORQ_POSTGRES_BIN" help:"Folder with initdb and postgres to use instead of searching." type:"path"`
	Concurrency   int              `default:"100" env:"ORQ_WORKER_CONCURRENCY" help:"How many runs the worker does at a time."`
	Runs          int              `default:"20000" help:"Whole runs, as fast as they go."`
	Rate          int              `default:"500" help:"Runs to start per second while latency is measured."`
	Duration      time.Duration    `default:"10s" help:"For how long latency is measured."`
	Due           int              `default:"1000" help:"Schedules that are due at the same instant."`
	Output        string           `default:"table" enum:"table,json" help:"${enum}."`
}

// measured is what the command prints as JSON.
type measured struct {
	Machine    machine    `json:"machine"`
	Throughput throughput `json:"throughput"`
	Latency    latency    `json:"latency"`
	Schedules  schedules  `json:"schedules"`
}

type machine struct {
	CPUs    int    `json:"cpus"`
	Servers string `json:"servers"`
	Version string `json:"version"` // of this program
}

// throughput is of whole runs of one log step, from the start to the recorded end.
type throughput struct {
	Runs      int     `json:"runs"`
	PerSecond float64 `json:"per_second"`
}

// latency is from the start of a run to its recorded end, at a steady rate.
type latency struct {
	PerSecond float64 `json:"per_second"` // that were really started
	Wanted    int     `json:"wanted_per_second"`
	spread
}

// schedules is how late runs begin whose schedules are due at the same instant.
type schedules struct {
	Due int `json:"due"`
	spread
}

// spread is how durations lie, in milliseconds.
type spread struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// String is for people.
func (s spread) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, at most %s", span(s.P50), span(s.P99), span(s.Max))
}

// span writes milliseconds as people say them.
func span(ms float64) string {
	if ms >= 1000 {
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// Validate implements kong's hook: everything that is wrong is said at once.
func (c benchCmd) Validate() error {
	var errs []error
	between := func(flag string, n, least, most int) {
		if n < least || n > most {
			errs = append(errs, fmt.Errorf("--%s is %d; it must be from %d to %d", flag, n, least, most))
		}
	}
	between("redis-database", c.RedisDatabase, 0, 1<<16)
	between("concurrency", c.Concurrency, 1, 1<<16)
	between("runs", c.Runs, 1, 10_000_000)
	between("rate", c.Rate, 1, 100_000)
	between("due", c.Due, 1, 100_000)
	if c.Duration < 100*time.Millisecond || c.Duration > time.Hour {
		errs = append(errs, fmt.Errorf("--duration is %s; it must be from 100ms to 1h", c.Duration))
	}
	return errors.Join(errs...)
}

// closing is how long it may take to remove what was made.
const closing = time.Minute

// Run measures and prints.
func (c *benchCmd) Run(a *app) error {
	// That roles start and stop is no news here.
	log, err := telemetry.NewLogger(a.stderr, "warn", "text")
	if err != nil {
		return err
	}
	rig, err := bench.Open(a.stop, bench.Config{
		DatabaseURL: c.DatabaseURL.Reveal(), RedisURL: c.RedisURL.Reveal(), RedisDatabase: c.RedisDatabase,
		PostgresBin: c.PostgresBin, Concurrency: c.Concurrency, Progress: a.stderr, Log: log, Clock: clock.System{},
	})
	if err != nil {
		return err
	}
	m, err := c.measure(a, rig)
	ctx, cancel := context.WithTimeout(a.now, closing)
	defer cancel()
	if err := rig.Close(ctx); err != nil {
		log.Error("something that was made for measuring is left", "error", err)
	}
	if a.stop.Err() != nil {
		return errors.New("stopped before everything was measured")
	}
	if err != nil {
		return err
	}
	if c.Output == "json" {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(m) //nolint:wrapcheck // standard output is gone
	}
	return m.print(a.stdout)
}

func (c *benchCmd) measure(a *app, rig *bench.Rig) (measured, error) {
	m := measured{Machine: machine{CPUs: runtime.NumCPU(), Servers: rig.About, Version: version}}
	began := time.Now()
	begin := func(what string, args ...any) {
		fmt.Fprintf(a.stderr, "%3.0f s  %s …\n", time.Since(began).Seconds(), fmt.Sprintf(what, args...))
	}

	begin("%d runs, as fast as they go", c.Runs)
	perSecond, err := rig.Throughput(a.stop, c.Runs)
	if err != nil {
		return m, fmt.Errorf("measure throughput: %w", err)
	}
	m.Throughput = throughput{Runs: c.Runs, PerSecond: rounded(perSecond)}

	begin("%d runs per second for %s", c.Rate, c.Duration)
	if err := rig.Reset(a.stop); err != nil {
		return m, err
	}
	took, err := rig.Latency(a.stop, c.Rate, max(1, int(float64(c.Rate)*c.Duration.Seconds())))
	if err != nil {
		return m, fmt.Errorf("measure latency: %w", err)
	}
	m.Latency = latency{PerSecond: rounded(took.Offered), Wanted: c.Rate, spread: milliseconds(took.FromCall)}

	begin("%d schedules, due at the same instant", c.Due)
	if err := rig.Reset(a.stop); err != nil {
		return m, err
	}
	late, err := rig.Ticks(a.stop, c.Due, 1)
	if err != nil {
		return m, fmt.Errorf("measure schedules: %w", err)
	}
	m.Schedules = schedules{Due: c.Due, spread: milliseconds(late)}
	return m, nil
}

func milliseconds(s bench.Spread) spread {
	ms := func(d time.Duration) float64 { return rounded(float64(d) / float64(time.Millisecond)) }
	return spread{P50: ms(s.P50), P99: ms(s.P99), Max: ms(s.Max)}
}

func rounded(f float64) float64 { return math.Round(f*10) / 10 }

// planned is the part of what a machine does at its best that an installation should be planned to need: the rest is for
// peaks, for vacuum and backups, and for catching up after something was away.
const planned = .5

// keepsUp is the part of a wanted rate below which what was offered was less than that.
const keepsUp = .95

// print says what was measured, and what it means.
func (m measured) print(w io.Writer) error {
	fmt.Fprintf(w, "%d processors. %s\n\n", m.Machine.CPUs, m.Machine.Servers)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "WHAT\tMEASURED\tHOW")
	fmt.Fprintf(table, "whole runs\t%.0f per second\t%d runs of one log step, each committed at its start and its end\n", m.Throughput.PerSecond, m.Throughput.Runs)
	fmt.Fprintf(table, "start to recorded end\t%s\t%.0f runs started per second\n", m.Latency.spread, m.Latency.PerSecond)
	fmt.Fprintf(table, "lateness of schedules\t%s\t%d due at the same instant\n", m.Schedules.spread, m.Schedules.Due)
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	fmt.Fprintf(w, "\nThis machine does about %.0f small runs per second. Plan for half of that: about %.0f per second, or %s a day.\n",
		m.Throughput.PerSecond, m.Throughput.PerSecond*planned, count(m.Throughput.PerSecond*planned*24*60*60))
	if m.Latency.PerSecond < keepsUp*float64(m.Latency.Wanted) || m.Throughput.PerSecond < float64(m.Latency.Wanted) {
		fmt.Fprintf(w, "It does not keep up with %d runs per second; measure latency again with a lower --rate.\n", m.Latency.Wanted)
	} else {
		fmt.Fprintf(w, "At %d runs per second, 99 of 100 have ended %s after their start, besides what their steps wait for others.\n",
			m.Latency.Wanted, span(m.Latency.P99))
	}
	_, err := fmt.Fprintf(w, "When %d schedules are due at once, 99 of 100 begin within %s.\n", m.Schedules.Due, span(m.Schedules.P99))
	return err //nolint:wrapcheck // standard output is gone
}

// count writes a large number as people say it.
func count(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.0f million", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0f thousand", n/1e3)
	default:
		return fmt.Sprintf("%.0f", n)
	}
}
