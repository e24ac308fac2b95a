// Command badinput sends what people and programs send by mistake, and what people send who look for holes, to every
// operation of the running program: JSON that is none, values of the wrong kind, texts that mean something elsewhere, odd
// paths, queries, headers and cursors. The answer has to be a problem that says what is wrong, or a success whose texts come
// back as they were; never a status from 500 on, and no panic in the log. It starts the program by itself, on an empty
// folder, and prints one JSON object; its exit code is 1 when anything was wrong.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	path := flag.String("program", "bin/orq", "the program")
	short := flag.Bool("short", false, "every third of the values for a place, for every change")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := run(ctx, *path, *short)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "badinput:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// run starts the program, sends everything and prints what came of it.
func run(ctx context.Context, path string, short bool) (ok bool, err error) {
	p, err := start(ctx, path)
	if err != nil {
		return false, err
	}
	defer p.stop()
	j := newJudge()
	world, err := settle(ctx, p.url, j)
	if err != nil {
		return false, p.explain(err)
	}
	for _, phase := range []struct {
		name string
		send func(context.Context) error
	}{
		{"grammar", world.grammar},
		{"members", func(ctx context.Context) error { return world.members(ctx, short) }},
		{"parameters", func(ctx context.Context) error { return world.parameters(ctx, short) }},
		{"requests", world.requests},
		{"texts", world.texts},
		{"hooks", world.hooks},
	} {
		before := j.requests()
		if err := phase.send(ctx); err != nil {
			return false, p.explain(fmt.Errorf("%s: %w", phase.name, err))
		}
		j.phase(phase.name, j.requests()-before)
		fmt.Fprintf(os.Stderr, "%-11s %6d requests\n", phase.name, j.requests()-before)
	}
	r, err := j.report(p)
	if err != nil {
		return false, err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return false, fmt.Errorf("print the report: %w", err)
	}
	return r.Pass, nil
}
