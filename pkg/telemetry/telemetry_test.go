package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLogLinesCarryWhatTheContextCarries(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	ctx := telemetry.With(t.Context(), telemetry.RunID, "r1", telemetry.Attempt, 1)
	ctx = telemetry.With(ctx, telemetry.Attempt, 2, slog.String("step", "fetch"))
	log.With("role", "worker").InfoContext(ctx, "step ended")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%q: %v", out.String(), err)
	}
	for name, want := range map[string]any{"msg": "step ended", "role": "worker", "run_id": "r1", "attempt": 2.0, "step": "fetch"} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if n := strings.Count(out.String(), "attempt"); n != 1 {
		t.Errorf("attempt stands %d times in %s", n, out.String())
	}
	if got := telemetry.Value(ctx, telemetry.RunID); got != "r1" {
		t.Errorf("Value gives %q", got)
	}
}

func TestAContextIsNotChangedByItsChild(t *testing.T) {
	parent := telemetry.With(t.Context(), telemetry.RunID, "parent")
	telemetry.With(parent, telemetry.RunID, "child", "extra", 1)
	if got := telemetry.Value(parent, telemetry.RunID); got != "parent" {
		t.Errorf("the parent's run is now %q", got)
	}
}

func TestLoggerSettings(t *testing.T) {
	for _, c := range []struct {
		level, format string
		lines         int // of one debug, info, warn and error each
		ok            bool
	}{
		{"", "", 3, true},
		{"debug", "text", 4, true},
		{"info", "json", 3, true},
		{"warn", "text", 2, true},
		{"error", "json", 1, true},
		{"loud", "text", 0, false},
		{"info", "xml", 0, false},
	} {
		t.Run(c.level+" "+c.format, func(t *testing.T) {
			var out bytes.Buffer
			log, err := telemetry.NewLogger(&out, c.level, c.format)
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			log.Debug("a")
			log.Info("b")
			log.Warn("c")
			log.Error("d")
			if n := strings.Count(out.String(), "\n"); n != c.lines {
				t.Errorf("%d lines, want %d:\n%s", n, c.lines, out.String())
			}
		})
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	const text = "correct horse"
	secret := telemetry.Secret(text)
	holder := struct {
		Key telemetry.Secret `json:"key"`
	}{secret}
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("configured", "secret", secret, "holder", holder)
	printed := fmt.Sprintf("%v %s %q %#v %+v %#v %x", secret, secret, secret, secret, holder, holder, secret) + string(encoded) + out.String()
	if strings.Contains(printed, text) || strings.Contains(printed, fmt.Sprintf("%x", text)) {
		t.Errorf("it shows in %s", printed)
	}
	if secret.Reveal() != text || telemetry.Secret("").String() != "" {
		t.Error("Reveal or an empty Secret is wrong")
	}
}

func TestReadiness(t *testing.T) {
	fine := func(context.Context) error { return nil }
	broken := func(context.Context) error { return errors.New("dial tcp 10.0.0.7: refused") }
	for _, c := range []struct {
		name   string
		checks map[string]func(context.Context) error
		drain  bool
		status int
		body   string
	}{
		{"nothing to check", nil, false, 200, `{"status":"ready","checks":[]}`},
		{"all well", map[string]func(context.Context) error{"database": fine}, false, 200, `{"status":"ready","checks":[{"name":"database","ok":true}]}`},
		{"one broken", map[string]func(context.Context) error{"redis": broken}, false, 503, `{"status":"not_ready","checks":[{"name":"redis","ok":false}]}`},
		{"draining", map[string]func(context.Context) error{"database": fine}, true, 503, `{"status":"draining","checks":[{"name":"database","ok":true}]}`},
		{"one stuck", map[string]func(context.Context) error{"redis": nil}, false, 503, `{"status":"not_ready","checks":[{"name":"redis","ok":false}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var health telemetry.Health
			release := make(chan struct{})
			for name, ask := range c.checks {
				if c.name == "one stuck" {
					ask = func(context.Context) error { <-release; return nil }
				}
				health.Add(name, ask)
			}
			if c.drain {
				health.Drain()
			}
			answer := httptest.NewRecorder()
			health.ServeReady(answer, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			close(release)
			if got := strings.TrimSpace(answer.Body.String()); answer.Code != c.status || got != c.body {
				t.Errorf("%d %s, want %d %s", answer.Code, got, c.status, c.body)
			}
		})
	}
}

func TestChecksRunAtOnceAndForOneSecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var health telemetry.Health
		for range 5 {
			health.Add("slow", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*1e6) // less than two checks one after the other
		defer cancel()
		if state := health.Check(ctx); state.Ready() {
			t.Error("ready with five failed checks")
		}
		if ctx.Err() != nil {
			t.Error("the checks did not run at once")
		}
	})
}

func TestServe(t *testing.T) {
	registry := telemetry.NewRegistry()
	runs := prometheus.NewCounter(prometheus.CounterOpts{Name: "orq_runs_total", Help: "Runs."})
	registry.MustRegister(runs)
	runs.Inc()
	address := freeAddress(t)
	stop, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- telemetry.Serve(t.Context(), stop, address, telemetry.Handler(registry, &telemetry.Health{}))
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]string{
		"/metrics": "orq_runs_total 1", "/healthz": `"alive"`, "/readyz": `"ready"`,
	} {
		if body := get(t, client, "http://"+address+path); !strings.Contains(body, want) {
			t.Errorf("%s does not contain %s:\n%s", path, want, body)
		}
	}
	end()
	if err := <-served; err != nil {
		t.Errorf("Serve ended with %v", err)
	}
}

func TestServeSaysWhenThePortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() // nothing was written
	if err := telemetry.Serve(t.Context(), t.Context(), taken.Addr().String(), http.NotFoundHandler()); err == nil {
		t.Error("no error")
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nothing was written
	return l.Addr().String()
}

// get repeats until the server listens; the test's own limit ends it.
func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	for {
		response, err := client.Get(url)
		if err != nil {
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
			continue
		}
		body, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
}
