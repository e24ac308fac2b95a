package main

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// proxy stands before a TCP server and can be told to fail as networks do. Its address stays the same.
type proxy struct {
	address string

	mu       sync.Mutex
	target   string
	listener net.Listener // nil while it refuses
	conns    map[net.Conn]struct{}
	open     chan struct{} // closed while bytes may pass
	frozen   bool
	done     chan struct{} // closed for good
	going    sync.WaitGroup
}

// newProxy listens on a port of the kernel's choice and forwards to target.
func newProxy(ctx context.Context, target string) (*proxy, error) {
	p := &proxy{target: target, conns: map[net.Conn]struct{}{}, open: make(chan struct{}), done: make(chan struct{})}
	close(p.open)
	if err := p.listen(ctx, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.address = p.listener.Addr().String()
	return p, nil
}

func (p *proxy) listen(ctx context.Context, address string) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for the proxy: %w", err)
	}
	p.listener = l
	p.going.Go(func() { p.accept(l) })
	return nil
}

func (p *proxy) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed
		}
		if !p.keep(conn) {
			return
		}
		p.going.Go(func() { p.serve(conn) })
	}
}

// keep notes a connection, so that it can be cut; false when it is too late.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		_ = conn.Close()
		return false
	default:
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *proxy) forget(conn net.Conn) {
	p.mu.Lock()
	delete(p.conns, conn)
	p.mu.Unlock()
	_ = conn.Close()
}

func (p *proxy) serve(client net.Conn) {
	defer p.forget(client)
	if !p.pass() {
		return
	}
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.forget(server)
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client) })
	both.Go(func() { p.copy(client, server) })
	both.Wait()
}

// copy forwards until one side ends, and holds back what it has read while the proxy is frozen.
func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !p.pass() {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				_ = from.Close()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits until bytes may pass; false when the proxy is closed.
func (p *proxy) pass() bool {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	select {
	case <-open:
		return true
	case <-p.done:
		return false
	}
}

// point forwards new connections to another server.
func (p *proxy) point(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// refuse cuts all connections and lets nobody connect.
func (p *proxy) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.cut()
}

func (p *proxy) cut() {
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// freeze makes a black hole: connections are accepted and kept, and nothing passes.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.frozen {
		p.frozen, p.open = true, make(chan struct{})
	}
}

// restore makes it forward again.
func (p *proxy) restore(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen {
		p.frozen = false
		close(p.open)
	}
	if p.listener == nil {
		return p.listen(ctx, p.address)
	}
	return nil
}

// close ends everything.
func (p *proxy) close() {
	p.refuse()
	p.mu.Lock()
	close(p.done)
	p.cut()
	p.mu.Unlock()
	p.going.Wait()
}
