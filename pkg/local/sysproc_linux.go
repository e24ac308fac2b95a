package local

import "syscall"

// processAttributes asks the kernel to send onDeath when the parent is killed.
func processAttributes(onDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: onDeath}
}
