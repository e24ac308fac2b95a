package local

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// Redis is a running Redis: a child process where redis-server or valkey-server is installed, else one inside this
// process. It listens on 127.0.0.1 and asks for a password.
type Redis struct {
	URL  string
	Real bool   // a child process, not the one inside this process
	Note string // for people: which it is, and what that means

	child *child
	clock clock.Clock
	mini  *miniredis.Miniredis
	stop  chan struct{}
	once  sync.Once // closes stop
	ticks sync.WaitGroup
}

// StartRedis starts a Redis that keeps its data in cfg.DataDir/redis; with cfg.Throwaway it keeps none.
func StartRedis(ctx context.Context, cfg Config) (*Redis, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return startServer(ctx, cfg, path)
		}
	}
	return startMini(cfg)
}

// portTries bounds the attempts to get a port: another process may take it between our choice and the server's start.
const portTries = 5

func startServer(ctx context.Context, cfg Config, path string) (*Redis, error) {
	dir := filepath.Join(cfg.DataDir, "redis")
	as := serverAccount(cfg.DataDir)
	if err := as.own(dir); err != nil {
		return nil, err
	}
	if err := as.reach(dir); err != nil {
		return nil, err
	}
	pidFile := filepath.Join(dir, "redis.pid")
	if err := stopOrphans(ctx, cfg.Clock, dir, pidFile); err != nil {
		return nil, err
	}
	password := cmp.Or(cfg.RedisPassword, newSecret())
	var failed error
	for range portTries {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		c, err := spawn(program{
			name: filepath.Base(path), path: path, args: []string{"-"}, dir: dir, account: as,
			stdin:   redisConfig(port, password, pidFile, cfg.Throwaway), // not as arguments: those everybody can read
			onDeath: syscall.SIGTERM,
		}, cfg.Log)
		if err != nil {
			return nil, err
		}
		r := &Redis{
			URL: redisURL(password, port), Real: true, child: c, clock: cfg.Clock,
			Note: "Redis: " + filepath.Base(path) + " keeps its data in " + dir,
		}
		if failed = r.awaitReady(ctx, port, password); failed == nil {
			return r, nil
		}
		if c.alive() {
			return nil, errors.Join(failed, r.Stop(context.WithoutCancel(ctx)))
		}
	}
	return nil, failed
}

func redisConfig(port int, password, pidFile string, throwaway bool) string {
	lines := []string{
		"bind 127.0.0.1", fmt.Sprintf("port %d", port), "requirepass " + password, "pidfile " + pidFile,
		"daemonize no", "save \"\"",
		"maxmemory-policy noeviction", // a queue that forgets is none
	}
	if throwaway {
		lines = append(lines, "appendonly no", "hz 100") // it looks that often whether it was told to stop
	} else {
		lines = append(lines, "appendonly yes", "appendfsync everysec")
	}
	return strings.Join(lines, "\n") + "\n"
}

func redisURL(password string, port int) string {
	return fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", password, port)
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// awaitReady waits until the server answers PING, which it does once its data are loaded.
func (r *Redis) awaitReady(ctx context.Context, port int, password string) error {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for !pings(ctx, r.clock, address, password) {
		select {
		case <-r.child.done:
			return fmt.Errorf("start redis: %w", r.child.failure())
		case <-ctx.Done():
			return fmt.Errorf("start redis: %w", ctx.Err())
		case <-r.clock.After(5 * time.Millisecond):
		}
	}
	return nil
}

func pings(ctx context.Context, clk clock.Clock, address, password string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close() // a probe
	if err := conn.SetDeadline(clk.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", password); err != nil {
		return false
	}
	answers := bufio.NewReader(conn)
	for _, want := range []string{"+OK", "+PONG"} {
		line, err := answers.ReadString('\n')
		if err != nil || strings.TrimSpace(line) != want {
			return false
		}
	}
	return true
}

// tickEvery is how often the built-in Redis is told that time passes; it has no clock of its own for expiries.
const tickEvery = 100 * time.Millisecond

func startMini(cfg Config) (*Redis, error) {
	mini := miniredis.NewMiniRedis()
	password := cmp.Or(cfg.RedisPassword, newSecret())
	mini.RequireAuth(password)
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start built-in redis: %w", err)
	}
	r := &Redis{
		URL:  "redis://:" + password + "@" + mini.Addr() + "/0",
		Note: "Redis: none is installed, so a built-in one is used; fine for trying out, slower, and refilled from PostgreSQL at each start. Try: apt install redis-server",
		mini: mini, clock: cfg.Clock, stop: make(chan struct{}),
	}
	r.ticks.Go(r.tick)
	return r, nil
}

func (r *Redis) tick() {
	last := r.clock.Now()
	for {
		select {
		case <-r.stop:
			return
		case <-r.clock.After(tickEvery):
			now := r.clock.Now()
			r.mini.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Stop ends the Redis; a child gets 10 s to write its data. Stopping it again does nothing.
func (r *Redis) Stop(ctx context.Context) error {
	if r.child != nil {
		return r.child.stop(ctx, r.clock, 10*time.Second, syscall.SIGTERM)
	}
	r.once.Do(func() { close(r.stop) })
	r.ticks.Wait()
	r.mini.Close()
	return nil
}
