package local

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// nobody is the user and group id used when the machine has no user "postgres".
const nobody = 65534

// account is the user that servers run as. PostgreSQL refuses to run as root.
type account struct {
	uid, gid int
	switched bool // another user than this process's
}

// serverAccount is this process's user, or for root: the owner of what is already in dataDir, else the user
// "postgres", else nobody.
func serverAccount(dataDir string) account {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}
	}
	var info syscall.Stat_t
	if syscall.Stat(filepath.Join(dataDir, "postgres"), &info) == nil && info.Uid != 0 {
		return account{uid: int(info.Uid), gid: int(info.Gid), switched: true}
	}
	if u, err := user.Lookup("postgres"); err == nil {
		uid, errU := strconv.Atoi(u.Uid)
		gid, errG := strconv.Atoi(u.Gid)
		if errU == nil && errG == nil {
			return account{uid: uid, gid: gid, switched: true}
		}
	}
	return account{uid: nobody, gid: nobody, switched: true}
}

// credential is nil when nothing has to change.
func (a account) credential() *syscall.Credential {
	if !a.switched {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// own makes dir (mode 0700) and gives it to the account.
func (a account) own(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return unusable(dir, err)
	}
	if !a.switched {
		return nil
	}
	if err := os.Chown(dir, a.uid, a.gid); err != nil {
		return unusable(dir, err)
	}
	return nil
}

// reach checks that the account can enter every folder above path; /root, for one, is closed to others.
func (a account) reach(path string) error {
	if !a.switched {
		return nil
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		var info syscall.Stat_t
		if err := syscall.Stat(dir, &info); err != nil {
			return unusable(path, err)
		}
		mode := os.FileMode(info.Mode)
		open := mode&0o001 != 0 || int(info.Uid) == a.uid && mode&0o100 != 0 || int(info.Gid) == a.gid && mode&0o010 != 0
		if !open {
			return fault.New(fault.Unavailable, "data_dir_closed",
				"The servers run as user %d, who cannot enter %s. Try: ORQ_DATA_DIR=/var/lib/%s", a.uid, dir, product)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func ownerOf(path string) (int, error) {
	var info syscall.Stat_t
	if err := syscall.Stat(path, &info); err != nil {
		return 0, fmt.Errorf("find owner: %w", err)
	}
	return int(info.Uid), nil
}
