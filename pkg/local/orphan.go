package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// stopOrphans ends what a former, killed process of ours left running on dir: first asked in good order, then made
// to. It knows them by their working folder (Linux), else by the process id in pidFile.
func stopOrphans(ctx context.Context, clk clock.Clock, dir, pidFile string) error {
	for _, attempt := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		left := orphansOf(dir, pidFile)
		if len(left) == 0 {
			return nil
		}
		// The oldest is the server itself, which ends its own children; without one, all are asked.
		targets := left
		if lead := leader(left, pidFile); lead != 0 && attempt.signal != syscall.SIGKILL {
			targets = []int{lead}
		}
		for _, pid := range targets {
			_ = syscall.Kill(pid, attempt.signal) // it may have just ended
		}
		deadline := clk.Now().Add(attempt.patience)
		for len(orphansOf(dir, pidFile)) > 0 && clk.Now().Before(deadline) {
			if err := clk.Sleep(ctx, 20*time.Millisecond); err != nil {
				return fmt.Errorf("stop orphans: %w", err)
			}
		}
	}
	if left := orphansOf(dir, pidFile); len(left) > 0 {
		return fmt.Errorf("stop orphans: processes %v still use %s", left, dir)
	}
	return nil
}

// orphansOf lists the processes that work in dir.
func orphansOf(dir, pidFile string) []int {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil // no folder, nobody in it
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return orphanByPidFile(pidFile)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		cwd, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		// In a container, root may not see where another user's process works; what is left is the pid file's word.
		here := cwd == real || errors.Is(err, fs.ErrPermission) && pid == pidIn(pidFile)
		if here && isServer(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// isServer keeps a shell or an editor that stands in the folder from being taken for an orphan, and a dead process
// that its parent has not asked about: in a container often nobody ever does.
func isServer(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // 42 (postgres) S 1 …
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(text), "(")
	end := strings.LastIndex(rest, ")") // a name may hold one too
	return end >= 0 && isServerName(rest[:end]) && !strings.HasPrefix(rest[end+1:], " Z")
}

func isServerName(name string) bool {
	for _, server := range []string{"postgres", "redis-server", "valkey-server"} {
		if strings.HasPrefix(name, server) {
			return true
		}
	}
	return false
}

func orphanByPidFile(pidFile string) []int {
	pid := pidIn(pidFile)
	if pid == 0 {
		return nil
	}
	// Ids are used again: without the name, a stale file could point at anybody.
	name, err := exec.Command("ps", "-p", strconv.Itoa(pid), "-o", "comm=").Output()
	if err != nil || !isServerName(filepath.Base(strings.TrimSpace(string(name)))) {
		return nil
	}
	return []int{pid}
}

func leader(pids []int, pidFile string) int {
	if pid := pidIn(pidFile); slices.Contains(pids, pid) {
		return pid
	}
	return 0
}

// pidIn reads the process id on a file's first line; 0 when there is none.
func pidIn(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid < 2 {
		return 0
	}
	return pid
}
