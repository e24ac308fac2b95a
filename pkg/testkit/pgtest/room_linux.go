package pgtest

import "syscall"

// free is how many bytes may still be written below dir; 0 where that is unknown.
func free(dir string) uint64 {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0
	}
	return fs.Bavail * uint64(fs.Bsize) //nolint:gosec // a size is not negative
}
