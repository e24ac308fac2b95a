// Package redistest gives each test a Redis of its own: a redis-server child where one is installed, else one inside
// the test binary. Queue keys are global to a Redis, so sharing one would make tests see each other.
package redistest

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
)

// Start starts an empty Redis; it ends with the test.
func Start(t testing.TB) *local.Redis {
	t.Helper()
	// Not t.TempDir: a root process's server runs as another user, who could not enter it.
	dir, err := os.MkdirTemp("", "orq-test-*")
	if err != nil {
		t.Fatalf("make a folder for Redis: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // rests in the temporary folder harm nobody
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatalf("open the folder for Redis: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	redis, err := local.StartRedis(ctx, local.Config{
		DataDir: dir, Throwaway: true, Log: slog.New(slog.DiscardHandler), Clock: clock.System{},
	})
	if err != nil {
		t.Fatalf("start Redis for tests: %v", err)
	}
	t.Cleanup(func() {
		if err := redis.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop Redis: %v", err)
		}
	})
	return redis
}

// URL starts an empty Redis for the test and returns its URL.
func URL(t testing.TB) string {
	t.Helper()
	return Start(t).URL
}
