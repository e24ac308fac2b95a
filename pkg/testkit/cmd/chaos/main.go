// Command chaos breaks installations on purpose and counts what came of it. It runs the real program as real processes
// against a PostgreSQL and a Redis of its own, loads it through the REST API and through schedules, lets workflows call a
// server that remembers every request, and works out by itself which runs there should have been. It prints one JSON line
// per fault and fails when one did not pass. docs/chaos.md says what is broken and what has to hold.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// programs are the builds of the program that take part.
type programs struct {
	normal    string
	next      string // the same, of another version
	panicking string // with the action panic, which no normal build has
}

func main() {
	var p programs
	short := flag.Bool("short", false, "shorter outages and smaller loads, for every change")
	only := flag.String("only", "", "names of the faults to inject, with commas; all when empty")
	list := flag.Bool("list", false, "list the faults and end")
	parallel := flag.Int("parallel", 0, "faults at a time, each in an installation of its own; 0: 3 with -short, else 2")
	keep := flag.Bool("keep", false, "keep the logs of faults that passed, too")
	flag.StringVar(&p.normal, "program", "bin/orq", "the program")
	flag.StringVar(&p.next, "next", "bin/chaos/next", "the program, of another version")
	flag.StringVar(&p.panicking, "panicking", "bin/chaos/panicking", "the program, built with -tags chaos")
	flag.Parse()
	f := longForm
	if *short {
		f = shortForm
	}
	if *list {
		describe(os.Stdout, f)
		return
	}
	if *parallel < 1 {
		*parallel = f.parallel
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := breakThings(ctx, f, p, *only, *parallel, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// describe lists the faults for people.
func describe(w io.Writer, f form) {
	for _, x := range faults {
		_, _ = fmt.Fprintf(w, "%-18s %s\n%-18s %s within %s: %s\n", x.name, x.breaks, "", x.measure, x.limitIn(f), x.because)
	}
}

// breakThings injects the faults and prints a line for each.
func breakThings(ctx context.Context, f form, p programs, only string, parallel int, keep bool) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	for _, program := range []*string{&p.normal, &p.next, &p.panicking} {
		if _, err := os.Stat(*program); err != nil {
			return fmt.Errorf("find the program (try: make chaos): %w", err)
		}
		if *program, err = filepath.Abs(*program); err != nil {
			return fmt.Errorf("find the program: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "orq-chaos-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // as root, the database runs as another user
		return fmt.Errorf("open the folder: %w", err)
	}
	r := &report{encoder: json.NewEncoder(os.Stdout)}
	together, alone := apart(chosen)
	slots := make(chan struct{}, parallel)
	var going sync.WaitGroup
	for _, x := range together {
		slots <- struct{}{}
		going.Go(func() {
			defer func() { <-slots }()
			r.add(x.name, func() (verdict, error) { return try(ctx, f, p, x, filepath.Join(dir, x.name)) })
		})
	}
	going.Wait()
	for _, x := range alone {
		r.add(x.name, func() (verdict, error) { return try(ctx, f, p, x, filepath.Join(dir, x.name)) })
	}
	if len(r.failed) > 0 && ctx.Err() == nil || keep {
		fmt.Fprintln(os.Stderr, "the logs are in", dir)
	} else {
		_ = os.RemoveAll(dir) // what is left in the temporary folder harms nobody
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if len(r.failed) > 0 {
		return errors.New("did not pass: " + strings.Join(r.failed, ", "))
	}
	return nil
}

// choose finds the faults by their names.
func choose(only string) ([]fault, error) {
	if only == "" {
		return faults, nil
	}
	var chosen []fault
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(faults, func(x fault) bool { return x.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no fault %q; try: -list", name)
		}
		chosen = append(chosen, faults[i])
	}
	return chosen, nil
}

// apart separates the faults that need the whole machine from the others.
func apart(chosen []fault) (together, alone []fault) {
	for _, x := range chosen {
		if x.alone {
			alone = append(alone, x)
		} else {
			together = append(together, x)
		}
	}
	// The longest first, so that none is left over at the end.
	slices.SortStableFunc(together, func(a, b fault) int { return int(b.long - a.long) })
	return together, alone
}

// report gathers the verdicts of faults that are injected at the same time.
type report struct {
	mu      sync.Mutex
	encoder *json.Encoder
	failed  []string
}

// add injects a fault and prints its line.
func (r *report) add(name string, try func() (verdict, error)) {
	fmt.Fprintf(os.Stderr, "%s %s …\n", time.Now().Format(time.TimeOnly), name)
	v, err := try()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.encoder.Encode(v)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s %s: %s\n", time.Now().Format(time.TimeOnly), name, err)
	}
	if err != nil || !v.Pass {
		r.failed = append(r.failed, name)
	}
}
