package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
)

// maxSocketDir leaves room for "/.s.PGSQL.5432" in the 104 bytes that macOS gives a socket's path (Linux: 108).
const maxSocketDir = 88

// postgres is a running server that listens on a Unix socket only.
type postgres struct {
	url     string
	version string
	child   *child
	clock   clock.Clock
	sockets string // a folder to remove at the end; "" when it is in the data folder
}

// startPostgres starts the server on cfg.DataDir/postgres, making the cluster and its database first when there is none.
func startPostgres(ctx context.Context, cfg Config) (*postgres, error) {
	data := filepath.Join(cfg.DataDir, "postgres")
	major, err := clusterMajor(data)
	if err != nil {
		return nil, err
	}
	bins, err := findPostgres(ctx, cfg, major)
	if err != nil {
		return nil, err
	}
	as := serverAccount(cfg.DataDir)
	if err := as.reach(data); err != nil {
		return nil, err
	}
	if err := stopOrphans(ctx, cfg.Clock, data, filepath.Join(data, "postmaster.pid")); err != nil {
		return nil, err
	}
	password, _, err := keepSecret(filepath.Join(cfg.DataDir, "postgres.password"))
	if err != nil {
		return nil, err
	}
	pg := &postgres{version: bins.text, clock: cfg.Clock}
	sockets, err := pg.socketDir(cfg, as)
	if err != nil {
		return nil, err
	}
	if major == 0 {
		say(cfg, "Creating a PostgreSQL %s database in %s …", bins.text, cfg.DataDir)
		if err := createCluster(ctx, cfg, bins, as, data, password); err != nil {
			return nil, errors.Join(err, pg.removeSockets())
		}
	}
	if err := pg.launch(ctx, cfg, bins, as, data, sockets); err != nil {
		return nil, errors.Join(err, pg.removeSockets())
	}
	pg.url = (&url.URL{
		Scheme: "postgres", User: url.UserPassword(product, password), Path: "/" + product,
		RawQuery: url.Values{"host": {sockets}, "port": {"5432"}}.Encode(),
	}).String()
	return pg, nil
}

// clusterMajor is the major version of the server that made data; 0 when there is no data.
func clusterMajor(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, unusable(data, err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read PG_VERSION: %w", err)
	}
	return major, nil
}

// createCluster makes data with one superuser and one database. It works aside and renames at the end, so that a
// start that was cut off leaves nothing that looks like a cluster.
func createCluster(ctx context.Context, cfg Config, bins binaries, as account, data, password string) error {
	draft := data + ".new"
	if err := os.RemoveAll(draft); err != nil {
		return fmt.Errorf("remove half-made cluster: %w", err)
	}
	if err := as.own(draft); err != nil {
		return err
	}
	secret := filepath.Join(cfg.DataDir, "run", "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return unusable(cfg.DataDir, err)
	}
	defer os.Remove(secret) //nolint:errcheck // a copy of a file beside it, with the same mode
	if as.switched {
		if err := os.Chown(secret, as.uid, as.gid); err != nil {
			return unusable(cfg.DataDir, err)
		}
	}
	args := []string{
		"--pgdata=" + draft, "--username=" + product, "--pwfile=" + secret, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C",
	}
	if cfg.Throwaway {
		args = append(args, "--no-sync")
	}
	server := program{dir: draft, libs: bins.libs, account: as}
	initdb := server
	initdb.name, initdb.path, initdb.args = "initdb", filepath.Join(bins.dir, "initdb"), args
	if err := run(ctx, initdb, cfg.Log); err != nil {
		return err
	}
	single := server
	single.name, single.path = "postgres --single", filepath.Join(bins.dir, "postgres")
	single.args = []string{"--single", "-D", draft, "-c", "exit_on_error=on", "postgres"}
	single.stdin = "create database " + product + "\n"
	if err := run(ctx, single, cfg.Log); err != nil {
		return err
	}
	if err := os.Rename(draft, data); err != nil {
		return fmt.Errorf("keep new cluster: %w", err)
	}
	return nil
}

// socketDir makes the folder for the socket, elsewhere when the data folder's path is too long for one.
func (pg *postgres) socketDir(cfg Config, as account) (string, error) {
	dir := filepath.Join(cfg.DataDir, "run")
	if err := as.own(dir); err != nil {
		return "", err
	}
	if len(dir) <= maxSocketDir {
		return dir, nil
	}
	short, err := os.MkdirTemp("", "orq-")
	if err != nil {
		return "", fmt.Errorf("make socket folder: %w", err)
	}
	pg.sockets = short
	return short, as.own(short)
}

// launch starts the server and waits until it takes connections. A backend that outlived a killed server keeps the
// shared memory for a moment, so that one refusal is tried again.
func (pg *postgres) launch(ctx context.Context, cfg Config, bins binaries, as account, data, sockets string) error {
	deadline := cfg.Clock.Now().Add(15 * time.Second)
	for {
		// No server lives on data (the lock is ours, orphans are gone): what these files say is out of date, and the
		// process id in them may be somebody else's by now.
		for _, stale := range []string{
			filepath.Join(data, "postmaster.pid"), filepath.Join(sockets, ".s.PGSQL.5432"), filepath.Join(sockets, ".s.PGSQL.5432.lock"),
		} {
			if err := os.Remove(stale); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove stale file: %w", err)
			}
		}
		c, err := spawn(program{
			name: "postgres", path: filepath.Join(bins.dir, "postgres"), args: serverArgs(cfg, data, sockets),
			dir: data, libs: bins.libs, account: as, onDeath: syscall.SIGINT, // fast shutdown
		}, cfg.Log)
		if err != nil {
			return err
		}
		pg.child = c
		err = pg.awaitReady(ctx, filepath.Join(data, "postmaster.pid"))
		if err == nil {
			return nil
		}
		if c.alive() {
			return errors.Join(err, pg.stopServer(context.WithoutCancel(ctx)))
		}
		if !strings.Contains(c.tail.text(), "shared memory block") || !cfg.Clock.Now().Before(deadline) {
			return err
		}
		if err := cfg.Clock.Sleep(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("start postgres: %w", err)
		}
	}
}

func serverArgs(cfg Config, data, sockets string) []string {
	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + sockets, "unix_socket_permissions=0700", "port=5432",
		"max_connections=200", "timezone=UTC", "log_timezone=UTC", "log_min_messages=warning", "logging_collector=off",
		"jit=off", // its compile time exceeds what these small queries could gain
	}
	if cfg.Throwaway {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
			"max_wal_size=256MB", "min_wal_size=80MB") // nothing is recovered from it, and it may be in memory
	}
	args := []string{"-D", data}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// awaitReady waits for the word "ready" that the server writes on line 8 of its pid file, the sign that pg_ctl waits
// for too. There is no time limit but ctx's: recovery after a crash takes as long as it takes.
func (pg *postgres) awaitReady(ctx context.Context, pidFile string) error {
	for {
		if text, err := os.ReadFile(pidFile); err == nil {
			lines := strings.Split(string(text), "\n")
			if len(lines) > 7 && strings.TrimSpace(lines[0]) == strconv.Itoa(pg.child.pid) && strings.TrimSpace(lines[7]) == "ready" {
				return nil
			}
		}
		select {
		case <-pg.child.done:
			return fmt.Errorf("start postgres: %w", pg.child.failure())
		case <-ctx.Done():
			return fmt.Errorf("start postgres: %w", ctx.Err())
		case <-pg.clock.After(10 * time.Millisecond):
		}
	}
}

// Stop shuts the server down: sessions are ended, data are written.
func (pg *postgres) Stop(ctx context.Context) error {
	return errors.Join(pg.stopServer(ctx), pg.removeSockets())
}

func (pg *postgres) stopServer(ctx context.Context) error {
	return pg.child.stop(ctx, pg.clock, 30*time.Second, syscall.SIGINT, syscall.SIGQUIT)
}

func (pg *postgres) removeSockets() error {
	if pg.sockets == "" {
		return nil
	}
	return os.RemoveAll(pg.sockets)
}
