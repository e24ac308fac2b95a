package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// program is what to start as a child.
type program struct {
	name    string // for messages
	path    string
	args    []string
	dir     string // working folder; also how an orphan is recognised later
	stdin   string
	libs    string // LD_LIBRARY_PATH, when the program needs one
	account account
	// onDeath is sent to the child by the kernel when this process dies, where the kernel can (Linux).
	onDeath syscall.Signal
}

// child is a running program.
type child struct {
	program
	pid  int
	done chan struct{} // closed once it has ended
	err  error         // how it ended; read after done
	tail *tail
}

// spawn starts p. Its output goes to log at debug level, and the last lines are kept for messages.
func spawn(p program, log *slog.Logger) (*child, error) {
	c := &child{program: p, done: make(chan struct{}), tail: &tail{log: log.With("server", p.name)}}
	cmd := exec.Command(p.path, p.args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	if p.libs != "" {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+p.libs, "DYLD_LIBRARY_PATH="+p.libs)
	}
	cmd.Stdin = strings.NewReader(p.stdin)
	cmd.Stdout, cmd.Stderr = c.tail, c.tail
	cmd.WaitDelay = 2 * time.Second // a grandchild that keeps the pipe open must not hold us up
	cmd.SysProcAttr = processAttributes(p.onDeath)
	cmd.SysProcAttr.Credential = p.account.credential()
	// A group of its own: Ctrl-C in a terminal reaches this process alone, which drains before it stops its servers.
	cmd.SysProcAttr.Setpgid = true

	started := make(chan error, 1)
	go func() {
		// The kernel's "parent died" is "the thread that forked ended": keep that thread for as long as the child lives.
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			c.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		c.err = cmd.Wait()
		c.tail.flush()
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return c, nil
}

// run starts p and waits for its end; ctx kills it.
func run(ctx context.Context, p program, log *slog.Logger) error {
	p.onDeath = syscall.SIGKILL
	c, err := spawn(p, log)
	if err != nil {
		return err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		c.signal(syscall.SIGKILL)
		<-c.done
		return fmt.Errorf("run %s: %w", p.name, ctx.Err())
	}
	if c.err != nil {
		return fmt.Errorf("run %s: %w", p.name, c.failure())
	}
	return nil
}

// alive tells whether the child has not ended yet.
func (c *child) alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// failure says how the child ended, with its last words.
func (c *child) failure() error {
	err := c.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	if words := c.tail.text(); words != "" {
		return fmt.Errorf("%w; its last words:\n%s", err, words)
	}
	return err
}

func (c *child) signal(s syscall.Signal) {
	_ = syscall.Kill(c.pid, s) // only fails when it has just ended
}

// stop sends each signal in turn and waits up to patience for the end; when all were in vain or ctx ends, it kills.
func (c *child) stop(ctx context.Context, clk clock.Clock, patience time.Duration, signals ...syscall.Signal) error {
	for _, s := range signals {
		if !c.alive() {
			return nil
		}
		c.signal(s)
		select {
		case <-c.done:
			return nil
		case <-clk.After(patience):
		case <-ctx.Done():
		}
	}
	if c.alive() {
		c.signal(syscall.SIGKILL)
		<-c.done
		return fmt.Errorf("stop %s: it did not stop in good order and was killed", c.name)
	}
	return nil
}

// tail logs lines and keeps the last of them.
type tail struct {
	log     *slog.Logger
	mu      sync.Mutex
	partial string
	lines   []string
}

const tailLines = 12

var _ io.Writer = (*tail)(nil)

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	parts := strings.Split(t.partial+string(p), "\n")
	t.partial = parts[len(parts)-1]
	for _, line := range parts[:len(parts)-1] {
		t.add(line)
	}
	return len(p), nil
}

func (t *tail) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(t.partial)
	t.partial = ""
}

func (t *tail) add(line string) {
	if line = strings.TrimSpace(line); line == "" {
		return
	}
	t.log.Debug(line)
	t.lines = append(t.lines, line)
	if len(t.lines) > tailLines {
		t.lines = t.lines[1:]
	}
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
