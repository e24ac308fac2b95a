// Package local finds, starts and stops a PostgreSQL and a Redis for a program that was given neither, so that a
// newcomer needs nothing but this program. It keeps their data in one folder, never listens beyond this machine, and
// cleans up after a program that was killed: what a former process left running on the folder is stopped first.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// Config says what to start and where. The zero value of every field but Clock and Log is a working choice.
type Config struct {
	DataDir     string    // keeps everything between two starts; "" means DefaultDataDir
	CacheDir    string    // keeps downloaded PostgreSQL binaries; "" means DefaultCacheDir
	PostgresBin string    // a folder with initdb and postgres to use instead of searching
	NoPostgres  bool      // leave PostgreSQL out, because the caller has one
	NoRedis     bool      // leave Redis out, because the caller has one
	Throwaway   bool      // trade durability for speed; for tests only
	Progress    io.Writer // gets a line for people before a step that takes long; nil means none
	Log         *slog.Logger
	Clock       clock.Clock
	// RedisPassword is what Redis asks for; "" means a new one at each start.
	RedisPassword string
}

// Stack is a running PostgreSQL and Redis.
type Stack struct {
	DatabaseURL string   // "" with Config.NoPostgres
	RedisURL    string   // "" with Config.NoRedis
	DataDir     string   // where the data is kept
	Notes       []string // sentences a person should see once, such as which Redis it is and its limits

	postgres *postgres
	redis    *Redis
	lock     *dirLock
	done     chan error
	stopping chan struct{}
	watchers sync.WaitGroup
	once     sync.Once
}

// Start brings up what cfg asks for. The servers outlive ctx, which bounds the start alone; Stop ends them. It fails
// with a fault that names the way out when a server cannot be found, when another process uses the data folder, and
// when the data was made by another major version of PostgreSQL.
func Start(ctx context.Context, cfg Config) (*Stack, error) {
	if cfg.DataDir == "" {
		dir, err := DefaultDataDir()
		if err != nil {
			return nil, err
		}
		cfg.DataDir = dir
	}
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("resolve data folder: %w", err)
	}
	cfg.DataDir = dir
	if err := prepareDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Stack{DataDir: dir, lock: lock, done: make(chan error, 2), stopping: make(chan struct{})}
	if err := s.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, cfg Config) error {
	if !cfg.NoPostgres {
		pg, err := startPostgres(ctx, cfg)
		if err != nil {
			return err
		}
		s.postgres, s.DatabaseURL = pg, pg.url
		s.Notes = append(s.Notes, "PostgreSQL "+pg.version+" keeps its data in "+s.DataDir)
		s.watch("PostgreSQL", pg.child)
	}
	if !cfg.NoRedis {
		redis, err := StartRedis(ctx, cfg)
		if err != nil {
			return err
		}
		s.redis, s.RedisURL = redis, redis.URL
		s.Notes = append(s.Notes, redis.Note)
		s.watch("Redis", redis.child)
	}
	return nil
}

// watch reports on Done when c ends before Stop was called.
func (s *Stack) watch(name string, c *child) {
	if c == nil {
		return
	}
	s.watchers.Go(func() {
		select {
		case <-s.stopping:
		case <-c.done:
			select {
			case <-s.stopping: // both at once: Stop ended it
			default:
				s.done <- fmt.Errorf("%s ended by itself: %w", name, c.failure())
			}
		}
	})
}

// Done delivers an error when a server ended although nobody stopped it.
func (s *Stack) Done() <-chan error { return s.done }

// Stop ends Redis and then PostgreSQL in good order and gives the data folder free. When ctx ends first, they are
// killed. Calls after the first do nothing.
func (s *Stack) Stop(ctx context.Context) error {
	var err error
	s.once.Do(func() {
		close(s.stopping)
		if s.redis != nil {
			err = errors.Join(err, s.redis.Stop(ctx))
		}
		if s.postgres != nil {
			err = errors.Join(err, s.postgres.Stop(ctx))
		}
		s.watchers.Wait()
		err = errors.Join(err, s.lock.release())
	})
	return err
}

// prepareDir makes the data folder. A root process lets others pass through it, because the servers run as another
// user; what is secret in it has its own mode.
func prepareDir(dir string) error {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return unusable(dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return unusable(dir, err)
	}
	if want := info.Mode().Perm() | mode; want != info.Mode().Perm() {
		if err := os.Chmod(dir, want); err != nil {
			return unusable(dir, err)
		}
	}
	return nil
}
