package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/outside"
)

// process is a role that runs.
type process struct {
	role, name string
	log        string // the file
	health     string // address of /readyz
	cmd        *exec.Cmd
	asked      atomic.Bool   // it was told to end
	done       chan struct{} // closed when it has ended
	err        error         // how it ended; read after done
	memory     int64         // the most it ever had in bytes, read before it was told to end; 0 where that cannot be known
}

// readyLimit bounds the start of a process.
const readyLimit = 30 * time.Second

// start starts a role as a process of its own and waits until it is ready.
func (r *rig) start(ctx context.Context, program, role string, env ...string) (*process, error) {
	health, err := outside.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	database, err := postgres.As(r.databaseURL, roles[role], rolePassword)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.started[role]++
	name := role + "-" + strconv.Itoa(r.started[role])
	r.mu.Unlock()
	p := &process{role: role, name: name, log: filepath.Join(r.dir, "logs", name+".log"), health: health, done: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	defer out.Close()
	p.cmd = exec.Command(program, role)
	p.cmd.Env = append(outside.Environment(),
		"ORQ_DATABASE_URL="+database, "ORQ_REDIS_URL="+r.redisURL, "ORQ_EGRESS_ALLOW=127.0.0.1", "ORQ_LISTEN=127.0.0.1:0",
		"ORQ_HEALTH_LISTEN="+health, "ORQ_LOG_FORMAT=json", "ORQ_SECRET_KEY=a key that is only good for breaking",
		"ORQ_RATE_LIMIT_USER=off", "ORQ_RATE_LIMIT_TOKEN=off", "ORQ_RATE_LIMIT_ADDRESS=off", // one user does it all
		"ORQ_LOST_AFTER="+r.form.lostAfter.String(), "ORQ_WORKER_BEAT="+r.form.beat.String())
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the suite, which ends what it started
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	r.mu.Lock()
	r.processes = append(r.processes, p)
	r.mu.Unlock()
	if err := p.awaitReady(ctx); err != nil {
		return nil, err
	}
	if role == "api" {
		address, err := p.listening(ctx)
		if err != nil {
			return nil, err
		}
		r.addAPI(p, "http://"+address)
	}
	return p, nil
}

func (p *process) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.health+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("ask %s: %w", p.name, err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %w; its log is %s", p.name, p.err, p.log)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// listening finds in the log where an API listens. It may say so a moment after it is ready: ready is what its pools are.
func (p *process) listening(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return "", fmt.Errorf("read a log: %w", err)
		}
		for line := range bytes.Lines(text) {
			var entry struct{ Msg, Address string }
			if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
				return entry.Address, nil
			}
		}
		if pause(ctx, 5*time.Millisecond) != nil {
			return "", fmt.Errorf("%s does not say where it listens; its log is %s", p.name, p.log)
		}
	}
}

// logged counts the lines of the log that hold a text.
func (p *process) logged(text string) int {
	all, err := os.ReadFile(p.log)
	if err != nil {
		return 0
	}
	return bytes.Count(all, []byte(text))
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // only fails when it has just ended

// kill ends a process as a crash does.
func (r *rig) kill(p *process) {
	p.end()
	p.signal(syscall.SIGKILL)
	<-p.done
	r.dropAPI(p)
}

// drain asks a process to stop and waits; it answers how it ended.
func (r *rig) drain(ctx context.Context, p *process) error {
	p.end()
	r.dropAPI(p)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("%s does not stop: %w", p.name, ctx.Err())
	}
}

// end notes that the process is told to end.
func (p *process) end() {
	p.memory = max(p.memory, peakMemory(p.cmd.Process.Pid))
	p.asked.Store(true)
}

// peakMemory is the most memory a process ever had, in bytes (Linux); 0 when it cannot be known.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
