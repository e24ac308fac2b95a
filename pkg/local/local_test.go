package local_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
)

// heldFolder in the environment makes this test binary a program that starts a stack there and waits to be killed.
const heldFolder = "LOCAL_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(heldFolder); dir != "" {
		hold(dir)
	}
	goleak.VerifyTestMain(m)
}

func hold(dir string) {
	stack, err := local.Start(context.Background(), config(dir))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("ready", stack.DatabaseURL)
	fmt.Println("error", <-stack.Done()) // nobody stops them: only a kill ends this process
	os.Exit(0)
}

func config(dir string) local.Config {
	return local.Config{DataDir: dir, Log: slog.New(slog.DiscardHandler), Clock: clock.System{}}
}

// folder is t.TempDir that the servers' user can enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "orq-local-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // rests in the temporary folder harm nobody
	return dir
}

func start(t *testing.T, cfg local.Config) *local.Stack {
	t.Helper()
	stack, err := local.Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { stop(t, stack) })
	return stack
}

func stop(t *testing.T, stack *local.Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := stack.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func query[T any](t *testing.T, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) // the answer is what counts
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	f, ok := fault.Of(err)
	if !ok || f.Code != code {
		t.Fatalf("error %v, want the fault %s", err, code)
	}
}

func TestDataOutliveAStop(t *testing.T) {
	dir := folder(t)
	first := start(t, config(dir))
	execute(t, first.DatabaseURL, "create table kept (id int); insert into kept values (42)")
	stop(t, first)
	second := start(t, config(dir))
	if got := query[int](t, second.DatabaseURL, "select id from kept"); got != 42 {
		t.Errorf("read %d, want 42", got)
	}
	if first.DatabaseURL != second.DatabaseURL {
		t.Errorf("the URL changed from %s to %s", first.DatabaseURL, second.DatabaseURL)
	}
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) // the statement is done
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestThePasswordIsAskedFor(t *testing.T) {
	stack := start(t, config(folder(t)))
	cfg, err := pgx.ParseConfig(stack.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Password = "wrong"
	if conn, err := pgx.ConnectConfig(t.Context(), cfg); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password was taken")
	}
}

func TestTheServersOfARootProcessRunAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: only root can become another user")
	}
	dir := folder(t)
	start(t, config(dir))
	var info syscall.Stat_t
	if err := syscall.Stat(filepath.Join(dir, "postgres"), &info); err != nil {
		t.Fatal(err)
	}
	if info.Uid == 0 {
		t.Error("PostgreSQL's data belong to root")
	}
	if err := syscall.Stat(filepath.Join(dir, "postgres.password"), &info); err != nil {
		t.Fatal(err)
	}
	if info.Uid != 0 || info.Mode&0o077 != 0 {
		t.Errorf("the password file: owner %d, mode %o; want root alone", info.Uid, info.Mode&0o777)
	}
}

func TestASecondProcessIsKeptOut(t *testing.T) {
	dir := folder(t)
	start(t, config(dir))
	_, err := local.Start(t.Context(), config(dir))
	wantCode(t, err, "data_dir_in_use")
	if want := fmt.Sprintf("process %d", os.Getpid()); !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not name %s", err, want)
	}
}

// TestAfterKill kills a process that holds a stack, with its servers left to themselves, and starts again.
func TestAfterKill(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string, postmaster int)
	}{
		{"the servers run on", func(*testing.T, string, int) {}},
		{"the server is killed too", func(t *testing.T, _ string, postmaster int) { kill(t, postmaster) }},
		{"the server is killed, and its process id is another's by now", func(t *testing.T, dir string, postmaster int) {
			kill(t, postmaster)
			writePid(t, dir, os.Getppid())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t)
			killHolder, url := startHolder(t, dir)
			execute(t, url, "create table kept (id int); insert into kept values (42)")
			postmaster := readPid(t, dir)
			// Stopped, the server cannot act on the kernel's word that its parent died: an orphan, as on macOS.
			if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			killHolder()
			c.damage(t, dir, postmaster)
			_ = syscall.Kill(postmaster, syscall.SIGCONT) // killed in some cases
			stack := start(t, config(dir))
			if got := query[int](t, stack.DatabaseURL, "select id from kept"); got != 42 {
				t.Errorf("read %d, want 42", got)
			}
		})
	}
}

// startHolder starts the holding program; end kills it and waits until the kernel has given its lock free.
func startHolder(t *testing.T, dir string) (end func(), url string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), heldFolder+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // it may have failed to start its servers
		_ = cmd.Wait()         // a kill is its expected end
	})
	t.Cleanup(end)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ready {
		t.Fatalf("the holder says %q", line)
	}
	return end, url
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill %d: %v", pid, err)
	}
}

func readPid(t *testing.T, dir string) (pid int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func writePid(t *testing.T, dir string, pid int) {
	t.Helper()
	path := filepath.Join(dir, "postgres", "postmaster.pid")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d\n%s", pid, rest), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDoneTellsOfAServerThatDied(t *testing.T) {
	dir := folder(t)
	cfg := config(dir)
	cfg.NoRedis = true
	stack := start(t, cfg)
	kill(t, readPid(t, dir))
	select {
	case err := <-stack.Done():
		if !strings.Contains(err.Error(), "PostgreSQL") {
			t.Errorf("error %q does not name PostgreSQL", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was said")
	}
}

func TestDataOfAnotherMajorVersionAreLeftAlone(t *testing.T) {
	dir := folder(t)
	data := filepath.Join(dir, "postgres")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := local.Start(t.Context(), config(dir))
	wantCode(t, err, "postgres_major")
	if !strings.Contains(err.Error(), "PostgreSQL 11") {
		t.Errorf("error %q does not name the version", err)
	}
}

func TestALongPathStillHasRoomForTheSocket(t *testing.T) {
	dir := filepath.Join(folder(t), strings.Repeat("long/", 25))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for d := dir; strings.Contains(d, "orq-local-"); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cfg := config(dir)
	cfg.NoRedis = true
	stack := start(t, cfg)
	if got := query[string](t, stack.DatabaseURL, "select current_database()::text"); got != "orquestador" {
		t.Errorf("database %q", got)
	}
}

func TestAClosedParentFolderIsNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIP: only a root process's servers run as another user")
	}
	closed := folder(t) // mode 0700
	_, err := local.Start(t.Context(), config(filepath.Join(closed, "data")))
	wantCode(t, err, "data_dir_closed")
	if !strings.Contains(err.Error(), closed) {
		t.Errorf("error %q does not name %s", err, closed)
	}
}

func TestCancellingAStartLeavesNothing(t *testing.T) {
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := local.Start(ctx, config(dir)); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	start(t, config(dir)) // the folder is free and usable
}
