// Package pgtest gives each test a PostgreSQL database of its own, cloned from a migrated template in a few
// milliseconds. The server is the one ORQ_TEST_DATABASE_URL names (`make test` starts one for all packages), else a
// throw-away one for this test binary.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit"
)

// ServerVariable names the environment variable with the URL of a server on which databases may be made.
const ServerVariable = "ORQ_TEST_DATABASE_URL"

// startLimit bounds the start of a server, the fetching of its programs on a bare machine included.
const startLimit = 5 * time.Minute

// Main is the TestMain of a package that uses this one: it runs the tests, stops the server and looks for goroutines
// left over.
func Main(m *testing.M) { testkit.Main(m) }

// server returns the URL of the server's first database.
var server = sync.OnceValues(func() (*url.URL, error) {
	if given := os.Getenv(ServerVariable); given != "" {
		u, err := url.Parse(given)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", ServerVariable, err)
		}
		return u, nil
	}
	started, stop, err := Start(context.Background(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	testkit.AtEnd(stop)
	return url.Parse(started)
})

// Start starts a throw-away server and returns its URL; stop ends it and removes its data.
func Start(ctx context.Context, log *slog.Logger) (databaseURL string, stop func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	dir, err := scratch()
	if err != nil {
		return "", nil, err
	}
	stack, err := local.Start(ctx, local.Config{
		DataDir: dir, NoRedis: true, Throwaway: true, Progress: os.Stderr, Log: log, Clock: clock.System{},
	})
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func() error { return errors.Join(stack.Stop(context.Background()), os.RemoveAll(dir)) }
	return stack.DatabaseURL, stop, nil
}

// memory is where Linux keeps files in memory, and leastMemory what has to be free there, in bytes: a server with the
// databases of some tests takes a quarter of it.
const (
	memory      = "/dev/shm"
	leastMemory = 2 << 30
)

// scratch makes the server's folder: in memory where that has room, because a database is some 800 files, and many a
// disk takes a millisecond to make one of them.
func scratch() (string, error) {
	if free(memory) >= leastMemory {
		if dir, err := os.MkdirTemp(memory, "orq-test-*"); err == nil {
			return dir, nil
		}
	}
	dir, err := os.MkdirTemp("", "orq-test-*")
	if err != nil {
		return "", fmt.Errorf("make test folder: %w", err)
	}
	return dir, nil
}
