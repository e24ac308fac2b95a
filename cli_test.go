package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/bcrypt"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/redistest"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"orq": func() {
			passwordCost = bcrypt.MinCost
			os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, os.Stdin))
		},
	})
}

// tests are this package's tests, with what they share ended after the last one.
type tests struct{ m *testing.M }

func (t tests) Run() int { return testkit.Run(t.m) }

// TestCommandLine runs the scripts of testdata/script, which read like a manual of the command line. Each has an empty
// database, one with the schema, and a Redis of its own.
func TestCommandLine(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		var vars []string
		for name, make := range map[string]func() string{
			"EMPTY_DATABASE_URL": func() string { return pgtest.Empty(t) },
			"DATABASE_URL":       func() string { return pgtest.DB(t) },
			"REDIS_URL":          func() string { return redistest.URL(t) },
		} {
			if strings.Contains(string(text), "$"+name) {
				vars = append(vars, name+"="+make())
			}
		}
		testscript.Run(t, testscript.Params{
			Files: []string{script},
			Setup: func(env *testscript.Env) error {
				env.Vars = append(env.Vars, vars...)
				return nil
			},
			Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		})
	}
}

// exits runs a program and looks at its exit code: exits 2 orq nonsense.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [arguments...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("%s exits with %d, want %d", strings.Join(args[1:], " "), code, want)
	}
}
