package local

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// minMajor is the oldest PostgreSQL whose SQL this program speaks.
const minMajor = 15

// binaries is a folder with a PostgreSQL server's programs.
type binaries struct {
	dir   string
	major int
	text  string // as it names itself: 15.14
	libs  string // for LD_LIBRARY_PATH; only for the npm package
}

// packagedIn lists where systems keep PostgreSQL off the PATH, as patterns.
var packagedIn = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // Red Hat
	"/usr/lib64/pgsql/bin",                               // Fedora
	"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
}

// findPostgres returns the binaries to use: those cfg names, else what is on PATH, else the newest installed, else
// the npm package's, which it fetches when npm is there. major is the version that existing data needs; 0 means any.
func findPostgres(ctx context.Context, cfg Config, major int) (binaries, error) {
	var seen []string
	fits := func(b binaries) bool {
		seen = append(seen, fmt.Sprintf("%s in %s", b.text, b.dir))
		return b.major >= minMajor && (major == 0 || b.major == major)
	}
	if cfg.PostgresBin != "" {
		b, err := inspect(ctx, cfg.PostgresBin, "")
		if err != nil {
			return binaries{}, err
		}
		if !fits(b) {
			return binaries{}, wrongMajor(cfg.DataDir, major, seen)
		}
		return b, nil
	}
	for _, dir := range searchDirs() {
		if b, err := inspect(ctx, dir, ""); err == nil && fits(b) {
			return b, nil
		}
	}
	if major != 0 && major != npmMajor {
		return binaries{}, wrongMajor(cfg.DataDir, major, seen)
	}
	return npmBinaries(ctx, cfg)
}

// searchDirs lists folders that hold both programs: PATH first, then packages, newest version first.
func searchDirs() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	var packaged []string
	for _, pattern := range packagedIn {
		found, _ := filepath.Glob(pattern) // only fails on a bad pattern
		packaged = append(packaged, found...)
	}
	slices.SortStableFunc(packaged, func(a, b string) int { return cmp.Compare(numberIn(b), numberIn(a)) })
	dirs = append(dirs, packaged...)
	return slices.DeleteFunc(dirs, func(dir string) bool { return !isServerDir(dir) })
}

func isServerDir(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

var digits = regexp.MustCompile(`\d+`)

// numberIn is the last number in a path, which is the version in all of packagedIn; 0 when there is none.
func numberIn(path string) int {
	all := digits.FindAllString(path, -1)
	if len(all) == 0 {
		return 0
	}
	n, err := strconv.Atoi(all[len(all)-1])
	if err != nil {
		return 0
	}
	return n
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) (\d+)(\S*)`)

// inspect asks the binaries in dir for their version.
func inspect(ctx context.Context, dir, libs string) (binaries, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version")
	if libs != "" {
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libs)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return binaries{}, &fault.Error{
			Kind: fault.Unavailable, Code: "postgres_broken", Err: err,
			Message: fmt.Sprintf("The PostgreSQL in %s does not run: %v. %s", dir, err, strings.TrimSpace(string(out))),
		}
	}
	return parseVersion(dir, libs, string(out))
}

func parseVersion(dir, libs, text string) (binaries, error) {
	parts := versionText.FindStringSubmatch(text)
	if parts == nil {
		return binaries{}, fmt.Errorf("read PostgreSQL's version: %q", strings.TrimSpace(text))
	}
	major, err := strconv.Atoi(parts[1])
	if err != nil {
		return binaries{}, fmt.Errorf("read PostgreSQL's version: %w", err)
	}
	return binaries{dir: dir, major: major, text: parts[1] + parts[2], libs: libs}, nil
}

func wrongMajor(dataDir string, major int, seen []string) error {
	found := "none was found"
	if len(seen) > 0 {
		found = "found were only: " + strings.Join(seen, ", ")
	}
	if major == 0 {
		return fault.New(fault.Unavailable, "postgres_too_old", "PostgreSQL %d or newer is needed; %s. Try: ORQ_DATABASE_URL=postgres://…",
			minMajor, found)
	}
	return fault.New(fault.Unavailable, "postgres_major",
		"The data in %s were made by PostgreSQL %d, which alone can read them; %s. "+
			"Try: apt install postgresql-%d, or ORQ_DATABASE_URL=postgres://…, or ORQ_DATA_DIR=/another/folder to start with empty data",
		dataDir, major, found, major)
}
