// Package testkit runs a test binary and ends what its tests shared, such as a database server. The packages below
// it start such things; only tests import them.
package testkit

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

var (
	mu    sync.Mutex
	atEnd []func() error
)

// AtEnd has f called after the last test, in reverse order of registration.
func AtEnd(f func() error) {
	mu.Lock()
	defer mu.Unlock()
	atEnd = append(atEnd, f)
}

// Main is a TestMain: it runs the tests, ends what they shared, and fails when a goroutine is left over.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a TestMain that has more to do; it answers the exit code.
func Run(m *testing.M) int {
	code := m.Run()
	if err := end(); err != nil {
		fmt.Fprintln(os.Stderr, "ending what the tests shared:", err)
		code = max(code, 1)
	}
	if code == 0 {
		// go-redis, while it cannot connect, looks once a second whether its pool was closed: give that a few looks.
		err := goleak.Find()
		for range 5 {
			if err != nil {
				err = goleak.Find()
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "goroutines left over after the tests:", err)
			code = 1
		}
	}
	return code
}

func end() error {
	mu.Lock()
	defer mu.Unlock()
	for _, f := range slices.Backward(atEnd) {
		if err := f(); err != nil {
			return err
		}
	}
	atEnd = nil
	return nil
}
