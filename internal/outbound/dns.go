package outbound

import (
	"errors"
	"net"
	"strings"
	"syscall"
)

// nameServerFailures are the errors of Go's resolver that are about a name server. The resolver
// tells them apart by text only, and SERVFAIL from other response codes by IsTemporary.
var nameServerFailures = []struct {
	text           string // at the end of the error's
	temporary      bool   // only if the error is temporary
	reason, advice string
}{
	{"server misbehaving", true, "the name server answered SERVFAIL",
		"try again later; if it stays so, the domain's name servers or its DNSSEC need to be corrected"},
	{"server misbehaving", false, "the name server refused the question, or reported an error in it",
		"use a name server that resolves all domains for this machine"},
	{"lame referral", false, "the name server answered with a referral",
		"use a name server that resolves all domains for this machine"},
	{"cannot unmarshal DNS message", false, "the name server's answer is malformed", "check what answers as this machine's name server"},
	{"invalid DNS response", false, "the name server's answer is malformed", "check what answers as this machine's name server"},
	{"no answer from DNS server", false, "the name server's answer is malformed", "check what answers as this machine's name server"},
	{syscall.ECONNREFUSED.Error(), false, "the name server: connection refused", adviceNameServer},
	{syscall.ENETUNREACH.Error(), false, "the name server: network is unreachable", adviceNameServer},
	{syscall.EHOSTUNREACH.Error(), false, "the name server: no route to host", adviceNameServer},
}

const adviceNameServer = "check the name servers of this machine, and its network"

// NameServerFailure returns what a name server did, and what to do about it, for an error of
// Go's resolver of class [DNSFailed]. The texts are empty if the error does not tell.
func NameServerFailure(err error) (reason, advice string) {
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		return "", ""
	}
	for _, f := range nameServerFailures {
		if strings.HasSuffix(dns.Err, f.text) && (dns.IsTemporary || !f.temporary) {
			return f.reason, f.advice
		}
	}
	return "", ""
}
