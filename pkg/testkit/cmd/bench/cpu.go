package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is the processor time of this process and of those it started: of the roles, the client and the target together,
// of PostgreSQL, and of Redis. On a machine that is not idle it is the steadier figure. others is that of everybody else on
// the machine, servers included that were given by their URLs.
type usage struct{ program, postgres, redis, others time.Duration }

// tick is the unit of /proc/<pid>/stat; Linux has had 100 a second on every architecture for decades.
const tick = 10 * time.Millisecond

type process struct {
	parent int
	name   string
	used   time.Duration
	ended  time.Duration // used by children that have ended: PostgreSQL's closed connections
}

// cpu reads /proc; where there is none, the answer is zero.
func cpu() usage {
	processes := map[int]process{}
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return usage{}
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, p, ok := parseStat(string(raw))
		if ok {
			processes[pid] = p
		}
	}
	self := os.Getpid()
	u := usage{program: processes[self].used}
	for pid, p := range processes {
		if pid == self || !descends(processes, pid, self) {
			continue
		}
		switch {
		case strings.HasPrefix(p.name, "postgres"):
			u.postgres += p.used + p.ended
		case strings.Contains(p.name, "redis"), strings.Contains(p.name, "valkey"):
			u.redis += p.used
		}
	}
	u.others = busy() - u.program - u.postgres - u.redis
	return u
}

// busy is the processor time of the whole machine since it started.
func busy() time.Duration {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var user, nice, system, idle, wait, irq, soft, steal int64
	if _, err := fmt.Sscanf(string(raw), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &soft, &steal); err != nil {
		return 0
	}
	return time.Duration(user+nice+system+irq+soft+steal) * tick
}

func parseStat(s string) (pid int, p process, ok bool) {
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open {
		return 0, p, false
	}
	fields := strings.Fields(s[end+1:])
	if len(fields) < 15 {
		return 0, p, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(s[:open]))
	if err != nil {
		return 0, p, false
	}
	var user, system, childUser, childSystem int64
	_, err = fmt.Sscan(strings.Join(append([]string{fields[1]}, fields[11:15]...), " "), &p.parent, &user, &system, &childUser, &childSystem)
	if err != nil {
		return 0, p, false
	}
	p.name, p.used, p.ended = s[open+1:end], time.Duration(user+system)*tick, time.Duration(childUser+childSystem)*tick
	return pid, p, true
}

func descends(processes map[int]process, pid, from int) bool {
	for range 10 {
		p, ok := processes[pid]
		if !ok || p.parent <= 1 {
			return false
		}
		if p.parent == from {
			return true
		}
		pid = p.parent
	}
	return false
}

// since is what was used after an earlier look.
func (u usage) since(before usage) usage {
	return usage{
		program: u.program - before.program, postgres: u.postgres - before.postgres, redis: u.redis - before.redis,
		others: u.others - before.others,
	}
}

// per is that for each of n units, in microseconds.
func (u usage) per(n int) values {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	return values{"cpu_us_program": each(u.program), "cpu_us_postgres": each(u.postgres), "cpu_us_redis": each(u.redis)}
}
