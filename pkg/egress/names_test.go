package egress

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server within the test: each name has a list of answers, one for each time it is asked; the last stays. An
// answer is an address, or several with blanks between them.
type names struct {
	mu    sync.Mutex
	known map[string][]string
	asked int // how often for names that are known
	wg    sync.WaitGroup
}

func newNames(t *testing.T, known map[string][]string) *net.Resolver {
	return (&names{known: known}).resolver(t)
}

func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Cleanup(n.wg.Wait)
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		n.wg.Go(func() { n.serve(server) })
		return client, nil
	}}
}

// serve answers queries in the form they have over TCP: two bytes of length, then the message.
func (n *names) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil {
			return
		}
		n.answer(&m)
		packed, err := m.AppendPack(make([]byte, 2))
		if err != nil {
			return
		}
		binary.BigEndian.PutUint16(packed, uint16(len(packed)-2))
		if _, err := c.Write(packed); err != nil {
			return
		}
	}
}

func (n *names) answer(m *dnsmessage.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	question := m.Questions[0]
	name := strings.TrimSuffix(strings.ToLower(question.Name.String()), ".")
	list, ok := n.known[name]
	if !ok {
		m.RCode = dnsmessage.RCodeNameError
		return
	}
	n.asked++
	head := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1}
	for _, text := range strings.Fields(list[0]) {
		address := netip.MustParseAddr(text)
		switch {
		case address.Is4() && question.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: address.As4()}})
		case address.Is6() && question.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	if len(list) > 1 && question.Type == dnsmessage.TypeA {
		n.known[name] = list[1:]
	}
}
