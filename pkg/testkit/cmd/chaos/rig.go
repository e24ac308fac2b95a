package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/local"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
)

// rig is one installation of real processes, with a PostgreSQL and a Redis of its own. The processes reach Redis through
// a proxy, so that its address stays when it is another.
type rig struct {
	form        form
	dir         string
	stack       *local.Stack // PostgreSQL; nil while it is stopped
	redis       *local.Redis // nil while it is stopped
	proxy       *proxy
	sink        *sink
	databaseURL string // as the owner of the tables
	redisURL    string // of the proxy

	mu        sync.Mutex
	processes []*process // all that were ever started
	started   map[string]int
	apis      []*process
	addresses []string // of apis
	away      []window // when PostgreSQL was away
}

// window is a time. It has not ended while to is zero.
type window struct{ from, to time.Time }

func newRig(ctx context.Context, f form, dir string) (*rig, error) {
	r := &rig{form: f, dir: dir, started: map[string]int{}}
	if err := r.open(ctx); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *rig) open(ctx context.Context) error {
	for _, dir := range []string{r.dir, filepath.Join(r.dir, "logs")} {
		if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // as root, the database runs as another user
			return fmt.Errorf("make a folder: %w", err)
		}
	}
	if err := r.startPostgres(ctx); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, r.databaseURL); err != nil {
		return err
	}
	passwords := map[string]string{}
	for _, role := range roles {
		passwords[role] = rolePassword
	}
	if err := postgres.SetLogins(ctx, r.databaseURL, passwords); err != nil {
		return err
	}
	if err := r.startRedis(ctx); err != nil {
		return err
	}
	var err error
	r.sink, err = newSink(ctx)
	return err
}

// roles are those of the database that the programs log in as, so that what they may not do shows here, too.
var roles = map[string]string{"api": postgres.RoleAPI, "scheduler": postgres.RoleScheduler, "worker": postgres.RoleWorker}

const rolePassword = "only-good-for-breaking" //nolint:gosec // as it says

func (r *rig) config() local.Config {
	return local.Config{
		DataDir: filepath.Join(r.dir, "data"), NoRedis: true, Log: slog.New(slog.DiscardHandler), Clock: clock.System{},
		RedisPassword: "only-good-for-breaking",
	}
}

// startPostgres starts PostgreSQL, again on the same data and under the same address.
func (r *rig) startPostgres(ctx context.Context) error {
	stack, err := local.Start(ctx, r.config())
	if err != nil {
		return err
	}
	r.stack = stack
	if r.databaseURL != "" && r.databaseURL != stack.DatabaseURL {
		return errors.New("the address of PostgreSQL changed; try a shorter TMPDIR")
	}
	r.databaseURL = stack.DatabaseURL
	return nil
}

func (r *rig) stopPostgres(ctx context.Context) error {
	stack := r.stack
	r.stack = nil
	if stack == nil {
		return nil
	}
	return stack.Stop(ctx)
}

// startRedis starts a Redis that keeps nothing, and points the proxy at it.
func (r *rig) startRedis(ctx context.Context) error {
	cfg := r.config()
	cfg.Throwaway = true
	started, err := local.StartRedis(ctx, cfg)
	if err != nil {
		return err
	}
	r.redis = started
	u, err := url.Parse(started.URL)
	if err != nil {
		return fmt.Errorf("read the Redis URL: %w", err)
	}
	if r.proxy != nil {
		r.proxy.point(u.Host)
		return nil
	}
	if r.proxy, err = newProxy(ctx, u.Host); err != nil {
		return err
	}
	u.Host = r.proxy.address
	r.redisURL = u.String()
	return nil
}

func (r *rig) stopRedis(ctx context.Context) error {
	stopped := r.redis
	r.redis = nil
	if stopped == nil {
		return nil
	}
	return stopped.Stop(ctx)
}

// flush makes Redis forget everything.
func (r *rig) flush(ctx context.Context) error {
	opt, err := redis.ParseURL(r.redis.URL)
	if err != nil {
		return fmt.Errorf("read the Redis URL: %w", err)
	}
	client := redis.NewClient(opt)
	defer client.Close()
	if err := client.FlushAll(ctx).Err(); err != nil {
		return fmt.Errorf("flush Redis: %w", err)
	}
	return nil
}

// stopLimit bounds the end of the servers.
const stopLimit = 30 * time.Second

// close ends everything that the rig started.
func (r *rig) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	for _, p := range r.processes {
		p.asked.Store(true)
		p.signal(syscall.SIGKILL)
		<-p.done
	}
	if r.sink != nil {
		r.sink.close()
	}
	if r.proxy != nil {
		r.proxy.close()
	}
	err := errors.Join(r.stopRedis(ctx), r.stopPostgres(ctx))
	return errors.Join(err, os.RemoveAll(filepath.Join(r.dir, "data")))
}

// running lists the processes of a role that nobody ended.
func (r *rig) running(role string) []*process {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*process
	for _, p := range r.processes {
		if p.role == role && !p.asked.Load() {
			list = append(list, p)
		}
	}
	return list
}

// fallen lists the processes that ended although nobody told them to.
func (r *rig) fallen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, p := range r.processes {
		select {
		case <-p.done:
			if !p.asked.Load() {
				list = append(list, fmt.Sprintf("%s ended by itself: %v", p.name, p.err))
			}
		default:
		}
	}
	return list
}

// peak is the most memory that a process of a role had, in bytes.
func (r *rig) peak(role string) int64 {
	for _, p := range r.running(role) {
		p.memory = max(p.memory, peakMemory(p.cmd.Process.Pid))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var most int64
	for _, p := range r.processes {
		if p.role == role {
			most = max(most, p.memory)
		}
	}
	return most
}

// logged counts the lines that hold a text in the logs of a role.
func (r *rig) logged(role, text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, p := range r.processes {
		if p.role == role {
			n += p.logged(text)
		}
	}
	return n
}

func (r *rig) addAPI(p *process, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.apis, r.addresses = append(r.apis, p), append(r.addresses, address)
}

func (r *rig) dropAPI(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, api := range r.apis {
		if api == p {
			r.apis = append(r.apis[:i:i], r.apis[i+1:]...)
			r.addresses = append(r.addresses[:i:i], r.addresses[i+1:]...)
			return
		}
	}
}

func (r *rig) addressOf(p *process) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, api := range r.apis {
		if api == p {
			return r.addresses[i]
		}
	}
	return ""
}

// api is the address of one of the APIs, the next each time; false when there is none.
func (r *rig) api(turn int) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.addresses) == 0 {
		return "", false
	}
	return r.addresses[turn%len(r.addresses)], true
}

// gone notes that PostgreSQL is away from now on, until back is called.
func (r *rig) gone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = append(r.away, window{from: time.Now()})
}

func (r *rig) back() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away[len(r.away)-1].to = time.Now()
}

// stale is how long after PostgreSQL's return a pool may find connections that died, each by the answer 503.
const stale = 2 * time.Second

// wasAway tells whether PostgreSQL was away at some time between two instants.
func (r *rig) wasAway(from, to time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.away {
		if to.After(w.from) && (w.to.IsZero() || from.Before(w.to.Add(stale))) {
			return true
		}
	}
	return false
}
