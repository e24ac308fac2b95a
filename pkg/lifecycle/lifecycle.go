// Package lifecycle starts the parts of a process together and ends them together, in two steps: first each part
// is asked to take no more work and to finish what it holds (drain); what is left after a period of grace, or at a
// second signal, is cancelled.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// abandonAfter is how long Run waits for services that were cancelled and still do not return.
const abandonAfter = 10 * time.Second

// Service is one part of the process that runs until it is told to stop.
type Service struct {
	// Name is for logs and errors: "ticker".
	Name string
	// Run works until one of the two contexts ends. When stop ends, take no more work, finish what was begun and
	// return. When ctx ends, give up at once. ctx outlives stop, so work in hand is done under ctx. A return of nil
	// or of an error before stop ends makes every other service drain as well.
	Run func(ctx context.Context, stop context.Context) error
}

// within marks the context of services, so that a Run inside a service knows that it is a part.
type within struct{}

// Run starts the services together and returns once all have returned.
//
// They drain when stop ends or when the first of them returns, and are cancelled when grace has passed since then or
// when now ends. The answer is the first error that is not merely the echo of that cancelling, wrapped with the
// service's name; nil when all ended well. A panic in a service is its error. A service that returns neither then
// nor 10 s after it was cancelled is named in the error and left behind.
func Run(stop, now context.Context, grace time.Duration, log *slog.Logger, services ...Service) error {
	if len(services) == 0 {
		return nil
	}
	defer runtime.KeepAlive(ballast())
	drain, beginDrain := context.WithCancel(stop)
	defer beginDrain()
	ctx, cancel := context.WithCancel(context.WithValue(now, within{}, true))
	defer cancel()

	ended := make(chan result, len(services))
	running := make(map[int]string, len(services))
	for i, s := range services {
		running[i] = s.Name
		go func() { ended <- result{i, s.Name, guarded(ctx, drain, s)} }()
	}

	var first error
	note := func(r result) {
		delete(running, r.index)
		asked := drain.Err() != nil || ctx.Err() != nil
		switch {
		case r.err == nil:
			log.Debug("service ended", "service", r.name)
		case asked && errors.Is(r.err, context.Canceled):
			log.Debug("service was cancelled", "service", r.name)
		case first == nil:
			first = fmt.Errorf("%s: %w", r.name, r.err)
		default:
			// Only one error can be returned; this one would be lost otherwise.
			log.Error("service failed while stopping", "service", r.name, "error", r.err)
		}
	}

	select {
	case <-drain.Done():
		level := slog.LevelInfo
		if now.Value(within{}) != nil {
			level = slog.LevelDebug // the whole that this is a part of has said so
		}
		log.Log(ctx, level, "stopping: finishing what was begun", "grace", grace)
	case <-ctx.Done():
	case r := <-ended:
		note(r)
		log.Info("stopping because a service ended", "service", r.name)
	}
	beginDrain()

	patience, enough := context.WithTimeout(ctx, grace)
	defer enough()
	for len(running) > 0 && patience.Err() == nil {
		select {
		case r := <-ended:
			note(r)
		case <-patience.Done():
		}
	}
	if len(running) == 0 {
		return first
	}

	log.Warn("cancelling what is left", "services", names(running))
	cancel()
	last, lastEnough := context.WithTimeout(context.WithoutCancel(now), abandonAfter)
	defer lastEnough()
	for len(running) > 0 {
		select {
		case r := <-ended:
			note(r)
		case <-last.Done():
			left := fmt.Errorf("did not end %s after being cancelled: %s", abandonAfter, names(running))
			return errors.Join(first, left)
		}
	}
	return first
}

// Signals turns the process's signals into two contexts: the first SIGINT or SIGTERM, or the end of parent, ends
// stop; the second signal ends now. release gives the signals back and ends both.
func Signals(parent context.Context) (stop, now context.Context, release func()) {
	stop, endStop := context.WithCancel(parent)
	// The end of parent asks for a drain, which needs now to live on.
	now, endNow := context.WithCancel(context.WithoutCancel(parent))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range signals {
			if stop.Err() != nil {
				endNow()
			}
			endStop()
		}
	}()
	var released bool
	return stop, now, func() {
		if released {
			return
		}
		released = true
		signal.Stop(signals)
		close(signals)
		<-done
		endStop()
		endNow()
	}
}

type result struct {
	index int
	name  string
	err   error
}

func guarded(ctx, stop context.Context, s Service) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.Run(ctx, stop)
}

func names(running map[int]string) string {
	var list []string
	for i, found := 0, 0; found < len(running); i++ {
		if name, ok := running[i]; ok {
			list = append(list, name)
			found++
		}
	}
	return strings.Join(list, ", ")
}
