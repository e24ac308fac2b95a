// Package outside is what commands need that run the real program as a process of its own: an address for it, and an
// environment without settings of whoever starts them.
package outside

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
)

// Environment is the environment without settings of the program that some developer has.
func Environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "ORQ_") {
			env = append(env, pair)
		}
	}
	return env
}

// FreeAddress is an address of this machine that the kernel has just chosen.
func FreeAddress(ctx context.Context) (string, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
