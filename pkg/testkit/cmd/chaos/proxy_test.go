package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// echo is a server that answers every line with its name and the line.
func echo(t *testing.T, name string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintf(conn, "%s %s\n", name, lines.Text())
				}
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// caller is a client's connection.
type caller struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, address string) caller {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return caller{t, conn, bufio.NewReader(conn)}
}

func (c caller) say(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.conn, line); err != nil {
		c.t.Fatal(err)
	}
}

func (c caller) hear(want string) {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := c.in.ReadString('\n')
	if err != nil || strings.TrimSpace(line) != want {
		c.t.Fatalf("heard %q (%v), want %q", line, err, want)
	}
}

// hearNothing looks for an answer that must not come; that it does not come later is shown by what is heard next.
func (c caller) hearNothing() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if line, err := c.in.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("heard %q (%v)", line, err)
	}
}

func open(t *testing.T, target string) *proxy {
	t.Helper()
	p, err := newProxy(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func TestAProxyForwards(t *testing.T) {
	p := open(t, echo(t, "one"))
	c := dial(t, p.address)
	c.say("hello")
	c.hear("one hello")
	p.point(echo(t, "two"))
	d := dial(t, p.address)
	d.say("hello")
	d.hear("two hello")
	c.say("again") // what was connected stays
	c.hear("one again")
}

func TestAProxyRefuses(t *testing.T) {
	p := open(t, echo(t, "one"))
	c := dial(t, p.address)
	c.say("hello")
	c.hear("one hello")
	p.refuse()
	if conn, err := net.Dial("tcp", p.address); err == nil {
		_ = conn.Close()
		t.Error("it takes connections")
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the old connection was not cut: %v", err)
	}
	if err := p.restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := dial(t, p.address)
	d.say("back")
	d.hear("one back")
}

func TestAProxyIsABlackHole(t *testing.T) {
	p := open(t, echo(t, "one"))
	old := dial(t, p.address)
	old.say("hello")
	old.hear("one hello")
	p.freeze()
	fresh := dial(t, p.address) // connections are taken
	old.say("from before")
	fresh.say("from within")
	old.hearNothing()
	fresh.hearNothing()
	if err := p.restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	old.hear("one from before") // as when a network is mended: what was held back comes through
	fresh.hear("one from within")
}
