package discovery_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/vepverify/vepverify/evp/internal/discovery"
	"github.com/vepverify/vepverify/internal/hosttest"
)

// nameServer is a DNS server on TCP, so that answers have up to 64 KiB.
type nameServer struct {
	addr string

	mu    sync.Mutex
	names map[string]zone // by name, such as "mail.example."
	asked []string        // names
}

// zone has the records of one name. A name without zone does not exist.
type zone struct {
	rcode     dnsmessage.RCode
	txt       [][]string // records, each of several strings
	addresses []string
	later     []string // addresses of all questions after the first
	silent    bool     // no answer
	referral  bool     // of a server that does not resolve for others
	malformed bool     // not a DNS message
}

func newNameServer(t testing.TB, names map[string]zone) *nameServer {
	s := &nameServer{names: names}
	s.addr = hosttest.Listen(t, s.serve)
	return s
}

// resolver returns Go's resolver with this server.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	}}
}

func (s *nameServer) serve(conn net.Conn) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		if answer := s.answer(query); answer != nil {
			conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
		}
	}
}

func (s *nameServer) answer(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, q.Name.String())
	z, found := s.names[q.Name.String()]
	m.Response, m.RecursionAvailable, m.Additionals, m.RCode = true, true, nil, z.rcode
	switch {
	case z.silent:
		return nil
	case z.malformed:
		return append(query[:2:2], "marker"...)
	case z.referral:
		m.RecursionAvailable = false
	case !found:
		m.RCode = dnsmessage.RCodeNameError
	case z.rcode == dnsmessage.RCodeSuccess:
		m.Answers = z.resources(q)
	}
	if q.Type == dnsmessage.TypeA && z.later != nil {
		z.addresses = z.later
		s.names[q.Name.String()] = z
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func (z zone) resources(q dnsmessage.Question) (all []dnsmessage.Resource) {
	h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}
	if q.Type == dnsmessage.TypeTXT {
		for _, record := range z.txt {
			all = append(all, dnsmessage.Resource{Header: h, Body: &dnsmessage.TXTResource{TXT: record}})
		}
	}
	for _, text := range z.addresses {
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

// TestDNS checks answers of DNS through Go's own resolver.
func TestDNS(t *testing.T) {
	many := make([][]string, 1000)
	for i := range many {
		many[i] = []string{record}
	}
	long := []string{record}
	for range 240 {
		long = append(long, strings.Repeat("x", 255))
	}
	const refused, unavailable = discovery.Refused, discovery.Unavailable
	for name, c := range map[string]struct {
		zone    *zone
		outcome discovery.Outcome // 0 means that it names the issuer
		rule    string
		reason  string // a part of it
	}{
		"one record":             {&zone{txt: [][]string{{record}}}, 0, "", ""},
		"in two strings":         {&zone{txt: [][]string{{"iss=accounts", ".issuer.example"}}}, 0, "", ""},
		"no such name":           {nil, refused, "8.no-issuer", ""},
		"no record":              {&zone{}, refused, "8.no-issuer", ""},
		"other records":          {&zone{addresses: []string{"192.0.2.1"}}, refused, "8.no-issuer", ""},
		"two records":            {&zone{txt: [][]string{{record}, {record}}}, refused, "8.record", ""},
		"1000 records":           {&zone{txt: many}, refused, "8.record", ""},
		"a record of 60 KiB":     {&zone{txt: [][]string{long}}, refused, "8.record", ""},
		"a record of no strings": {&zone{txt: [][]string{{""}}}, refused, "8.record", ""},
		"server failure":         {&zone{rcode: dnsmessage.RCodeServerFailure}, unavailable, "8.unavailable", "SERVFAIL"},
		"server refuses":         {&zone{rcode: dnsmessage.RCodeRefused}, unavailable, "8.unavailable", "refused the question"},
		"format error":           {&zone{rcode: dnsmessage.RCodeFormatError}, unavailable, "8.unavailable", "refused the question, or reported an error"},
		"referral":               {&zone{referral: true}, unavailable, "8.unavailable", "referral"},
		"malformed":              {&zone{malformed: true}, unavailable, "8.unavailable", "malformed"},
		"silent":                 {&zone{silent: true}, unavailable, "8.unavailable", "time"}, // timed out, or no answer in time: the limits are equal
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names := make(map[string]zone)
			if c.zone != nil {
				names[txtName+"."] = *c.zone
			}
			s := newNameServer(t, names)
			config := discovery.Config{Resolver: s.resolver()}
			if c.zone != nil && c.zone.silent {
				config.Timeout = 200 * time.Millisecond
			}
			host, err := open(t, config).Issuer(t.Context(), mail)
			if c.outcome == 0 {
				if err != nil || host != issuer {
					t.Errorf("%q, %v", host, err)
				}
			} else {
				e := checkError(t, name, err, c.outcome, c.rule)
				if e != nil && (!strings.Contains(e.Reason, c.reason) || e.Advice == "") {
					t.Errorf("reason %q, advice %q, want %q", e.Reason, e.Advice, c.reason)
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, asked := range s.asked { // the search list is not used
				if asked != txtName+"." {
					t.Errorf("asked for %q", asked)
				}
			}
		})
	}
}

// TestDeadNameServer checks that a DNS server that does not exist says nothing about the
// domain.
func TestDeadNameServer(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for reason, failure := range map[string]error{"TXT lookup failed": errors.New("marker"), "connection refused": refused} {
		r := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, failure }}
		_, err := open(t, discovery.Config{Resolver: r}).Issuer(t.Context(), mail)
		e := checkError(t, "no server", err, discovery.Unavailable, "8.unavailable")
		if e != nil && !strings.Contains(e.Reason, reason) {
			t.Errorf("reason %q, want %q", e.Reason, reason)
		}
	}
}
