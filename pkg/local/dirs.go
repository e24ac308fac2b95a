package local

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

const product = "orquestador"

// DefaultDataDir is the folder used when none is named: /var/lib/orquestador for root, whose home others cannot
// enter, and the user's data folder (XDG) otherwise.
func DefaultDataDir() (string, error) {
	if os.Geteuid() == 0 {
		return filepath.Join("/var/lib", product), nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, product), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.New(fault.Unavailable, "data_dir_unknown",
			"No home folder is set for the data. Try: ORQ_DATA_DIR=/some/folder")
	}
	return filepath.Join(home, ".local", "share", product), nil
}

// DefaultCacheDir is a folder for downloads that can be made again: /var/cache/orquestador for root, the user's cache
// folder otherwise, and a private folder under the system's temporary one where neither can be written.
func DefaultCacheDir() (string, error) {
	preferred := filepath.Join("/var/cache", product)
	if os.Geteuid() != 0 {
		preferred = ""
		if base, err := os.UserCacheDir(); err == nil {
			preferred = filepath.Join(base, product)
		}
	}
	if preferred != "" && os.MkdirAll(preferred, 0o755) == nil && writable(preferred) {
		return preferred, nil
	}
	fallback := filepath.Join(os.TempDir(), fmt.Sprintf("%s-cache-%d", product, os.Geteuid()))
	if err := os.MkdirAll(fallback, 0o755); err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}
	// Anybody can make a folder of that name under /tmp, and programs are started from it.
	if owner, err := ownerOf(fallback); err != nil || owner != os.Geteuid() {
		return "", fault.New(fault.Unavailable, "cache_dir_foreign", "The folder %s belongs to another user", fallback)
	}
	return fallback, nil
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return false
	}
	_ = f.Close()           // nothing was written
	_ = os.Remove(f.Name()) // an empty file left behind does no harm
	return true
}

func unusable(dir string, err error) error {
	return &fault.Error{
		Kind: fault.Unavailable, Code: "data_dir_unusable", Err: err,
		Message: fmt.Sprintf("The data folder %s cannot be used: %v. Try: ORQ_DATA_DIR=/some/other/folder", dir, err),
	}
}
