package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/outside"
)

// program is `orq all` on an empty folder.
type program struct {
	url, dir string
	cmd      *exec.Cmd
	done     chan struct{}
	err      error // how it ended; read after done
}

const (
	startLimit = 2 * time.Minute
	stopLimit  = 40 * time.Second
)

func start(ctx context.Context, path string) (*program, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("find the program (try: make badinput): %w", err)
	}
	dir, err := os.MkdirTemp("", "orq-badinput-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // as root, the database runs as another user
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	address, err := outside.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p := &program{url: "http://" + address, dir: dir, done: make(chan struct{})}
	log, err := os.Create(p.log())
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	defer log.Close()
	p.cmd = exec.Command(path, "all")
	p.cmd.Env = append(outside.Environment(), "ORQ_LISTEN="+address, "ORQ_DATA_DIR="+filepath.Join(dir, "data"), "ORQ_LOG_FORMAT=json",
		"ORQ_RATE_LIMIT_USER=off", "ORQ_RATE_LIMIT_TOKEN=off", "ORQ_RATE_LIMIT_ADDRESS=off") // one user does it all
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for this command, which ends what it started
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := p.awaitReady(ctx); err != nil {
		p.stop()
		return nil, p.explain(err)
	}
	return p, nil
}

func (p *program) log() string { return filepath.Join(p.dir, "log") }

func (p *program) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("ask the program: %w", err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil { //nolint:forbidigo // the program's own address
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			return fmt.Errorf("the program ended: %w", p.err)
		case <-ctx.Done():
			return errors.New("the program was not ready in time")
		case <-tick.C:
		}
	}
}

// stop ends the program in good order and removes its folder.
func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(stopLimit):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
	_ = os.RemoveAll(p.dir) // what is left in the temporary folder harms nobody
}

// explain adds the end of the program's log to an error.
func (p *program) explain(err error) error {
	log, _ := os.ReadFile(p.log()) // without it there is less to read
	if len(log) > 4000 {
		log = log[len(log)-4000:]
	}
	return fmt.Errorf("%w\n--- the program's last words\n%s", err, log)
}

// complaints counts the panics and the errors in the log, and keeps the first few.
func (p *program) complaints() (panics, failures int, first []string, err error) {
	log, err := os.ReadFile(p.log())
	if err != nil {
		return 0, 0, nil, fmt.Errorf("read the log: %w", err)
	}
	for line := range bytes.Lines(log) {
		panicked := bytes.Contains(line, []byte("panic")) || bytes.HasPrefix(line, []byte("goroutine "))
		failed := bytes.Contains(line, []byte(`"level":"ERROR"`))
		if panicked {
			panics++
		} else if failed {
			failures++
		}
		if (panicked || failed) && len(first) < 10 {
			first = append(first, string(line[:min(len(line), 1000)]))
		}
	}
	return panics, failures, first, nil
}
