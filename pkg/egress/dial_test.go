package egress

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
)

// Other protocols meet the same guard as HTTP.
func TestDialIsGuarded(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	here := listener.Addr().String()
	dial := func(allow []string, address string) error {
		c, err := New(Config{Allow: allow})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conn, err := c.Dial(context.Background(), address)
		if err == nil {
			conn.Close()
		}
		return err
	}
	if err := dial([]string{here}, here); err != nil {
		t.Errorf("allowed: %v", err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := closed.Addr().String()
	closed.Close()
	for _, c := range []struct {
		allow   []string
		address string
		kind    Kind
	}{
		{nil, here, KindBlocked},
		{nil, "localhost:25", KindBlocked},
		{[]string{"127.0.0.1:1"}, here, KindBlocked},
		{[]string{gone}, gone, KindConnect},
		{nil, "127.0.0.1", KindInvalid},
		{nil, ":25", KindInvalid},
	} {
		var e *Error
		if err := dial(c.allow, c.address); !errors.As(err, &e) || e.Kind != c.kind {
			t.Errorf("%s with %v: %v", c.address, c.allow, err)
		} else if c.kind == KindBlocked && !strings.Contains(e.Message, Setting) {
			t.Errorf("%s: %s does not say which setting", c.address, e.Message)
		}
	}
}
