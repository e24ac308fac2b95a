package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// dirLock keeps a second process off a data folder. The kernel drops it when the process ends, however it ends, so a
// lock file that is merely there says nothing.
type dirLock struct{ file *os.File }

// lockDir takes the folder, or fails with code data_dir_in_use and the holder's process id.
func lockDir(dir string) (*dirLock, error) {
	file, err := openLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, unusable(dir, err)
	}
	if err := flock(file, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 32)
		n, _ := file.ReadAt(holder, 0) // only decorates the message
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock data folder: %w", err)
		}
		return nil, fault.New(fault.Conflict, "data_dir_in_use",
			"The data folder %s is in use by process %s. Try: stop that one, or ORQ_DATA_DIR=/another/folder",
			dir, strings.TrimSpace(string(holder[:n])))
	}
	if err := file.Truncate(0); err == nil {
		_, err = file.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
		if err != nil {
			return nil, errors.Join(unusable(dir, err), file.Close())
		}
	}
	return &dirLock{file: file}, nil
}

func (l *dirLock) release() error { return l.file.Close() }

func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}

// flock repeats the call when a signal interrupts it.
func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
