// Command chaos breaks a running installation on purpose and counts what came of it. It runs the real program as real
// processes against a PostgreSQL and a Redis of its own, lets workflows call a server that remembers every request, and
// works out by itself which runs there should have been. It prints one JSON line per fault and fails when one did not
// pass.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
)

// verdict is one line of the report.
type verdict struct {
	Fault        string  `json:"fault"`
	Injected     int     `json:"injected"` // how often
	Expected     int     `json:"expected"` // runs
	Ran          int     `json:"ran"`
	Lost         int     `json:"lost"`
	Doubled      int     `json:"doubled"`       // occurrences with more than one run
	DoubledSteps int     `json:"doubled_steps"` // finished steps that ran again
	Stuck        int     `json:"stuck"`         // runs that did not end
	Failed       int     `json:"failed"`
	Recovery     float64 `json:"recovery_seconds"`
	Limit        float64 `json:"recovery_limit,omitempty"`
	Pass         bool    `json:"pass"`
}

func (v *verdict) judge() {
	v.Pass = v.Lost == 0 && v.Doubled == 0 && v.DoubledSteps == 0 && v.Stuck == 0 && v.Failed == 0 && v.Ran == v.Expected &&
		(v.Limit == 0 || v.Recovery <= v.Limit)
}

type scenario struct {
	name string
	run  func(ctx context.Context, r *rig) (verdict, error)
}

var scenarios = []scenario{
	{"none_two_schedulers_two_workers", exactlyOnce},
	{"worker_sigkill", workerKilled},
	{"redis_flushall", redisFlushed},
}

func main() {
	only := flag.String("only", "", "name of the one fault to inject; all when empty")
	program := flag.String("program", "bin/orq", "the program")
	seconds := flag.Int("seconds", 60, "length of the measurement of exactly-once")
	workflows := flag.Int("workflows", 500, "workflows of that measurement, each due every two seconds")
	flag.Parse()
	if err := breakThings(*program, *only, *seconds, *workflows); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func breakThings(program, only string, seconds, workflows int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	encoder := json.NewEncoder(os.Stdout)
	var failed []string
	for _, s := range scenarios {
		if only != "" && s.name != only {
			continue
		}
		fmt.Fprintf(os.Stderr, "fault %s …\n", s.name)
		v, err := inRig(ctx, log, program, seconds, workflows, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		v.Fault = s.name
		v.judge()
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		if !v.Pass {
			failed = append(failed, s.name)
		}
	}
	if len(failed) > 0 {
		return errors.New("did not pass: " + strings.Join(failed, ", "))
	}
	return nil
}

func inRig(ctx context.Context, log *slog.Logger, program string, seconds, workflows int, s scenario) (verdict, error) {
	r, err := newRig(ctx, log, program)
	if err != nil {
		return verdict{}, err
	}
	defer r.close()
	r.seconds, r.workflows = seconds, workflows
	return s.run(ctx, r)
}
