package wellknown_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/vepverify/vepverify/internal/hosttest"
	"github.com/vepverify/vepverify/wellknown"
)

// nameServer is a DNS server on UDP, for A and AAAA.
type nameServer struct {
	addr string

	mu    sync.Mutex
	open  []net.Conn         // of its clients
	shut  bool               // no more clients
	names map[string]records // by name, such as "idp.example."
	asked map[string]bool    // names
}

// records are the answers for one name, by the type of question. The answer for a name
// without records is NXDOMAIN.
type records struct {
	addresses  []string
	four, six  dnsmessage.RCode // of the answers for A and AAAA
	silentFour bool             // no answer for A
}

func newNameServer(t testing.TB, names map[string]records) *nameServer {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{addr: conn.LocalAddr().String(), names: names, asked: make(map[string]bool)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := s.answer(buf[:n]); answer != nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done; s.hangUp() })
	return s
}

func (s *nameServer) answer(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[q.Name.String()] = true
	known, ok := s.names[q.Name.String()]
	m.Response, m.RecursionAvailable, m.Additionals, m.RCode = true, true, nil, known.six
	if q.Type == dnsmessage.TypeA {
		if known.silentFour {
			return nil
		}
		m.RCode = known.four
	}
	if !ok {
		m.RCode = dnsmessage.RCodeNameError
	}
	if m.RCode == dnsmessage.RCodeSuccess {
		m.Answers = known.resources(q)
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// set changes the records of one name.
func (s *nameServer) set(name string, r records) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[name] = r
}

func (r records) resources(q dnsmessage.Question) (all []dnsmessage.Resource) {
	h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}
	for _, text := range r.addresses {
		ip := netip.MustParseAddr(text)
		switch {
		case ip.Is4() && q.Type == dnsmessage.TypeA:
			all = append(all, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
		case ip.Is6() && q.Type == dnsmessage.TypeAAAA:
			all = append(all, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	return all
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.shut {
			return nil, net.ErrClosed
		}
		conn, err := new(net.Dialer).DialContext(ctx, "udp", s.addr)
		if err == nil {
			s.open = append(s.open, conn)
		}
		return conn, err
	}}
}

// hangUp ends the lookups of net.Resolver that have no callers any more: they would wait
// for an answer for some seconds.
func (s *nameServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	for _, conn := range s.open {
		conn.Close()
	}
}

func TestDNS(t *testing.T) {
	const fails = dnsmessage.RCodeServerFailure
	for name, c := range map[string]struct {
		records map[string]records
		want    error
	}{
		"no such host":                {nil, row3},
		"no address":                  {map[string]records{host + ".": {}}, row3},
		"server failure":              {map[string]records{host + ".": {four: fails, six: fails}}, row4},
		"server refuses":              {map[string]records{host + ".": {four: dnsmessage.RCodeRefused, six: dnsmessage.RCodeRefused}}, row4},
		"A fails, AAAA is empty":      {map[string]records{host + ".": {four: fails}}, row4},
		"AAAA fails, A is empty":      {map[string]records{host + ".": {six: fails}}, row4},
		"A is silent, AAAA is empty":  {map[string]records{host + ".": {silentFour: true}}, row4},
		"A is silent, AAAA NXDOMAIN":  {map[string]records{host + ".": {silentFour: true, six: dnsmessage.RCodeNameError}}, row4},
		"AAAA fails, A is prohibited": {map[string]records{host + ".": {six: fails, addresses: []string{"10.0.0.1"}}}, row5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newNameServer(t, c.records)
			r := resolver(t, wellknown.Config{DNS: s.resolver(), Timeout: 2 * time.Second})
			if c.records[host+"."].silentFour {
				r = resolver(t, wellknown.Config{DNS: s.resolver(), Timeout: 200 * time.Millisecond})
			}
			if _, got := lookUp(t, r, host); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.asked) != 1 || !s.asked[host+"."] {
				t.Errorf("asked for %v", s.asked)
			}
		})
	}
}

// TestLargeDNSAnswer checks that an answer of thousands of addresses is not read: the resolver
// would open a socket for each of them.
func TestLargeDNSAnswer(t *testing.T) {
	for count, want := range map[int]error{100: row5, 250: row5, 260: row4, 4000: row4} {
		addresses := slices.Repeat([]string{"10.0.0.1"}, count)
		s := newNameServer(t, map[string]records{host + ".": {addresses: addresses}})
		dns := &net.Resolver{PreferGo: true, Dial: s.dialStream}
		r := resolver(t, wellknown.Config{DNS: dns})
		if _, got := lookUp(t, r, host); got != want {
			t.Errorf("%d addresses: %v, want %v", count, got, want)
		}
	}
}

// dialStream returns a connection to the server as over TCP, for one question.
func (s *nameServer) dialStream(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		var length [2]byte
		if _, err := io.ReadFull(server, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(server, query); err != nil {
			return
		}
		answer := s.answer(query)
		server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}()
	return client, nil
}

// TestDeadNameServer checks that a DNS server that does not exist says nothing about the
// host.
func TestDeadNameServer(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{addr: conn.LocalAddr().String()}
	conn.Close()
	r := resolver(t, wellknown.Config{DNS: s.resolver(), Timeout: time.Second})
	if _, got := lookUp(t, r, host); got != row4 {
		t.Errorf("%v, want %v", got, row4)
	}
}

// TestAddresses checks hosts with several addresses: one that answers is enough, and the
// host refuses connections only if all of them do.
func TestAddresses(t *testing.T) {
	n := newNetwork(t)
	n.Serve(host, jsonHandler(document(1)))
	addr, _ := n.Addr(host + ":443")
	port := portOf(t, addr) // listens on 127.0.0.1 only
	for name, c := range map[string]struct {
		addresses []string
		want      error
	}{
		"the first":                          {[]string{"127.0.0.1", "127.0.0.2"}, nil},
		"the second":                         {[]string{"127.0.0.2", "127.0.0.1"}, nil},
		"both refuse":                        {[]string{"127.0.0.2", "127.0.0.3"}, row3},
		"one refuses, one cannot be reached": {[]string{"127.0.0.2", "255.255.255.255"}, row4},
	} {
		s := newNameServer(t, map[string]records{host + ".": {addresses: c.addresses}})
		r := resolver(t, wellknown.Config{DNS: s.resolver(), InsecureAllowPrivate: true, RootCAs: hosttest.TrustedCA().Pool()})
		if _, got := lookUp(t, r, host+":"+port); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func portOf(t testing.TB, addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
