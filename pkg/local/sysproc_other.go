//go:build unix && !linux

package local

import "syscall"

// processAttributes cannot ask for a signal at the parent's death here; the next start stops what was left.
func processAttributes(syscall.Signal) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
