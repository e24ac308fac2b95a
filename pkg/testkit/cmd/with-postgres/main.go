// Command with-postgres runs a command with ORQ_TEST_DATABASE_URL set to a throw-away PostgreSQL, so that the test
// binaries of many packages share one server: with-postgres go test ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: with-postgres COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "with-postgres:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run answers the command's exit status.
func run(args []string) (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv(pgtest.ServerVariable) == "" {
		url, end, failed := pgtest.Start(ctx, slog.New(slog.DiscardHandler))
		if failed != nil {
			return 1, failed
		}
		defer func() { err = errors.Join(err, end()) }()
		if failed := os.Setenv(pgtest.ServerVariable, url); failed != nil {
			return 1, failed
		}
	}
	// An interrupt reaches the command too, from the terminal or from here; the server ends after it.
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}
