package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("broken")

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// drains returns when it is asked to stop.
func drains(ctx, stop context.Context) error { <-stop.Done(); return nil }

// stubborn ends only when it is cancelled.
func stubborn(ctx, stop context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestTheFirstSignalDrainsEveryService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, signal := context.WithCancel(t.Context())
		finished := 0
		work := func(ctx, stop context.Context) error {
			<-stop.Done()
			// Work in hand is done under ctx, which must still live.
			if ctx.Err() != nil {
				return ctx.Err()
			}
			finished++
			return nil
		}
		one := func(ctx, stop context.Context) error { return work(ctx, stop) }
		time.AfterFunc(time.Hour, signal)
		if err := Run(stop, t.Context(), time.Minute, quiet(), Service{"one", one}); err != nil {
			t.Fatal(err)
		}
		if finished != 1 {
			t.Fatalf("finished = %d, want 1", finished)
		}
	})
}

func TestTheFirstToReturnStopsAll(t *testing.T) {
	for name, answer := range map[string]error{"with an error": errBroken, "well": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ends := func(ctx, stop context.Context) error { return answer }
				err := Run(t.Context(), t.Context(), time.Minute, quiet(),
					Service{"a", drains}, Service{"b", ends}, Service{"c", drains})
				if !errors.Is(err, answer) {
					t.Fatalf("Run = %v, want %v", err, answer)
				}
				if answer != nil && !strings.HasPrefix(err.Error(), "b: ") {
					t.Fatalf("error %q does not name the service", err)
				}
			})
		})
	}
}

func TestWhatIsLeftAfterTheGraceIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, signal := context.WithCancel(t.Context())
		start := time.Now()
		signal()
		if err := Run(stop, t.Context(), 30*time.Second, quiet(), Service{"slow", stubborn}); err != nil {
			t.Fatalf("the echo of the cancelling is no error: %v", err)
		}
		if got := time.Since(start); got != 30*time.Second {
			t.Fatalf("cancelled after %s, want 30s", got)
		}
	})
}

func TestASecondSignalMeansNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, first := context.WithCancel(t.Context())
		now, second := context.WithCancel(t.Context())
		start := time.Now()
		first()
		time.AfterFunc(2*time.Second, second)
		if err := Run(stop, now, time.Hour, quiet(), Service{"slow", stubborn}); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != 2*time.Second {
			t.Fatalf("ended after %s, want 2s", got)
		}
	})
}

func TestAServiceThatIgnoresTheCancellingIsNamedAndLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, signal := context.WithCancel(t.Context())
		signal()
		free := make(chan struct{})
		deaf := func(ctx, stop context.Context) error { <-free; return nil }
		err := Run(stop, t.Context(), time.Second, quiet(), Service{"good", drains}, Service{"deaf", deaf})
		if err == nil || !strings.Contains(err.Error(), "deaf") || strings.Contains(err.Error(), "good") {
			t.Fatalf("Run = %v, want an error that names deaf alone", err)
		}
		close(free)
	})
}

func TestAPanicIsTheServicesError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := func(ctx, stop context.Context) error { panic("index 3") }
		err := Run(t.Context(), t.Context(), time.Second, quiet(), Service{"bad", bad}, Service{"good", drains})
		if err == nil || !strings.HasPrefix(err.Error(), "bad: panic: index 3") {
			t.Fatalf("Run = %v", err)
		}
	})
}

func TestTheFirstErrorIsReturnedAndTheOthersAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		bad := func(ctx, stop context.Context) error { return errBroken }
		worse := func(ctx, stop context.Context) error { <-stop.Done(); return errors.New("could not save") }
		err := Run(t.Context(), t.Context(), time.Second, slog.New(slog.NewTextHandler(&out, nil)),
			Service{"bad", bad}, Service{"worse", worse})
		if !errors.Is(err, errBroken) {
			t.Fatalf("Run = %v, want the first error", err)
		}
		if !strings.Contains(out.String(), "could not save") {
			t.Fatalf("the second error was lost: %s", out.String())
		}
	})
}

func TestNoServices(t *testing.T) {
	if err := Run(t.Context(), t.Context(), time.Second, quiet()); err != nil {
		t.Fatal(err)
	}
}

func TestSignals(t *testing.T) {
	stop, now, release := Signals(t.Context())
	defer release()
	kill := func() {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	kill()
	<-stop.Done()
	if now.Err() != nil {
		t.Fatal("the first signal must leave now alone")
	}
	kill()
	<-now.Done()
}

func TestTheEndOfTheParentAsksForADrain(t *testing.T) {
	parent, end := context.WithCancel(t.Context())
	stop, now, release := Signals(parent)
	end()
	<-stop.Done()
	if now.Err() != nil {
		t.Fatal("the end of the parent must leave now alone")
	}
	release()
	release() // twice does no harm
	if now.Err() == nil {
		t.Fatal("release must end now")
	}
}
