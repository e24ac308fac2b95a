// Command orq is Orquestador: every role of it, and the tools to look after it. This package reads the configuration and
// puts the parts together; what they do is in their packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/lifecycle"
	"github.com/guildmember145/orquestador-plataforma/pkg/telemetry"
)

// version is set by the build.
var version = "dev"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line: one struct is flags, environment variables, defaults and help.
type cli struct {
	LogLevel  string `default:"info" enum:"debug,info,warn,error" env:"ORQ_LOG_LEVEL" help:"Least serious lines to log: ${enum}."`
	LogFormat string `default:"text" enum:"text,json" env:"ORQ_LOG_FORMAT" help:"Form of the log: ${enum}."`

	All       allCmd       `cmd:"" help:"Run everything in one process; starts PostgreSQL and Redis when no URL is given."`
	API       apiCmd       `cmd:"" name:"api" help:"Serve the API and the web interface."`
	Scheduler schedulerCmd `cmd:"" help:"Turn due schedules into runs, and look after the queue."`
	Worker    workerCmd    `cmd:"" help:"Do the runs."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database's schema up to date, or show where it is."`
	User      userCmd      `cmd:"" help:"Look after accounts."`
	Secrets   secretsCmd   `cmd:"" help:"Look after the secrets."`
	Schedule  scheduleCmd  `cmd:"" help:"Look at schedules."`
	Webhook   webhookCmd   `cmd:"" help:"Try webhooks."`
	Audit     auditCmd     `cmd:"" help:"Look after the audit log."`
	Bench     benchCmd     `cmd:"" help:"Measure what this machine and its servers do, in a database of its own."`
	Doctor    doctorCmd    `cmd:"" help:"Check that everything this installation needs is there."`
	Health    healthCmd    `cmd:"" help:"Ask the process on this machine whether it is ready; for container health checks."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// app is what every command gets.
type app struct {
	stop, now context.Context //nolint:containedctx // the process's two signals; commands have nowhere else to get them from
	log       *slog.Logger
	stdout    io.Writer
	stderr    io.Writer // for progress; what a command answers goes to stdout
	stdin     io.Reader
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, os.Stdin)) }

func run(args []string, stdout, stderr io.Writer, stdin io.Reader) int {
	if err := errors.Join(dropBlankSettings(), readSecretFiles()); err != nil {
		return report(stderr, err)
	}
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("orq"), kong.Description("Orquestador: join triggers to actions, and see every run."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return report(stderr, err)
	}
	kctx, err := parser.Parse(args)
	if exit >= 0 {
		return exit // help was shown
	}
	if err != nil {
		fmt.Fprintf(stderr, "orq: %s\nTry: orq --help\n", err)
		return exitUsage
	}
	log, err := telemetry.NewLogger(stderr, c.LogLevel, c.LogFormat)
	if err != nil {
		return report(stderr, err)
	}
	stop, now, release := lifecycle.Signals(context.Background())
	defer release()
	err = kctx.Run(&app{stop: stop, now: now, log: log, stdout: stdout, stderr: stderr, stdin: stdin})
	if err != nil && !(errors.Is(err, context.Canceled) && stop.Err() != nil) {
		return report(stderr, err)
	}
	return 0
}

// report prints an error for a person.
func report(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "orq: %s\n", err)
	if fault.Is(err, fault.Invalid) {
		return exitUsage
	}
	return exitFailed
}

// dropBlankSettings takes settings that are only blanks for settings that are not there: in compose.yaml a blank stands for
// nothing, since podman-compose before 1.0.6 does not understand an empty default.
func dropBlankSettings() error {
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "ORQ_") && value != "" && strings.TrimSpace(value) == "" {
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("leave out %s: %w", name, err)
			}
		}
	}
	return nil
}

// readSecretFiles lets every setting come from a file: ORQ_DATABASE_URL_FILE names a file that holds ORQ_DATABASE_URL, as
// container secrets do.
func readSecretFiles() error {
	for _, pair := range os.Environ() {
		name, path, _ := strings.Cut(pair, "=")
		setting, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile || !strings.HasPrefix(name, "ORQ_") || path == "" {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if err := os.Setenv(setting, strings.TrimRight(string(raw), "\r\n")); err != nil {
			return fmt.Errorf("use %s: %w", name, err)
		}
	}
	return nil
}

type versionCmd struct{}

func (versionCmd) Run(a *app) error {
	_, err := fmt.Fprintln(a.stdout, version)
	return err //nolint:wrapcheck // standard output is gone
}
