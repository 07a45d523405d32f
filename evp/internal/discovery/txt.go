package discovery

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/vepverify/vepverify/internal/bundlename"
	"github.com/vepverify/vepverify/internal/outbound"
)

// TXTPrefix is before the email domain in the name of its TXT record.
const TXTPrefix = bundlename.TXTPrefix

// recordPrefix is before the issuer's host in a TXT record.
const recordPrefix = "iss="

// TXTResolver looks up TXT records. A [*net.Resolver] is one; it is asked for names with a
// dot at the end. Other resolvers are asked for names without it, which are absolute too: no
// search list applies.
//
// If the name does not exist or has no TXT record, it returns an error that is a
// [*net.DNSError] with IsNotFound, or no records. Every other error means that the records
// are not known.
type TXTResolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Advice about TXT records.
const (
	adviceNoIssuer = "the domain names no issuer: verify the address in another way, by a code in a mail"
	adviceRecord   = "the domain should have one TXT record at this name: iss= and a host name in lower case"
	adviceDNS      = "try again later; if it stays so, look at this machine's name servers and at the domain's"
)

// ParseRecords returns the issuer that the TXT records of an email domain name (rules
// 8.no-issuer and 8.record).
func ParseRecords(records []string) (issuer string, err *Error) {
	switch len(records) {
	case 0:
		return "", refused("8.no-issuer", "no TXT record").advise(adviceNoIssuer, "")
	case 1:
	default:
		return "", refused("8.record", "more than one TXT record").advise(adviceRecord, "")
	}
	host, found := strings.CutPrefix(records[0], recordPrefix)
	switch {
	case !found:
		return "", refused("8.record", "a TXT record that does not begin with iss=").advise(adviceRecord, "")
	case !IsHost(host):
		return "", refused("8.record", "a TXT record without a canonical host name after iss=").advise(adviceRecord, "")
	}
	return host, nil
}

// Limits of the records that are kept. A longer record, and one of many, is refused
// anyway.
const (
	maxRecords = 16
	maxRecord  = 512
)

// checkDomain returns an error if the domain of an address cannot have a TXT record.
func checkDomain(emailDomain string) *Error {
	switch {
	case !IsHost(emailDomain):
		return refused("8.no-issuer", "not a domain").advise(adviceNoIssuer, "").at(emailDomain)
	case len(TXTPrefix)+len(emailDomain) > maxHost:
		return refused("8.no-issuer", "no TXT record: its name would be too long").advise(adviceNoIssuer, "").at(emailDomain)
	}
	return nil
}

// LookUpTXT asks r for the TXT records of an email domain. It returns at most 16 records,
// each cut to 512 bytes, and none if the name has none. The error is unavailable.
func LookUpTXT(ctx context.Context, r TXTResolver, emailDomain string) ([]string, *Error) {
	name := TXTPrefix + emailDomain
	if _, ok := r.(*net.Resolver); ok {
		name += "." // without the system's search list
	}
	records, err := r.LookupTXT(ctx, name)
	switch {
	case err == nil:
		return bound(records), nil
	case outbound.Classify(err) == outbound.NoSuchHost:
		return nil, nil
	}
	return nil, txtError(err)
}

// bound returns copies of the first records, so that nothing keeps the others in memory.
func bound(records []string) []string {
	kept := make([]string, 0, min(len(records), maxRecords))
	for _, r := range records[:min(len(records), maxRecords)] {
		kept = append(kept, strings.Clone(r[:min(len(r), maxRecord)]))
	}
	return kept
}

// txtError returns the error of a lookup whose result is not known.
func txtError(err error) *Error {
	switch {
	case errors.Is(err, context.Canceled):
		return unavailable("8.unavailable", "TXT lookup ended by the caller", context.Canceled).advise("try again", "")
	case outbound.Classify(err) == outbound.TimedOut:
		return unavailable("8.unavailable", "TXT lookup timed out", context.DeadlineExceeded).advise(adviceDNS, "Timeout")
	}
	reason, advice := outbound.NameServerFailure(err)
	if reason == "" {
		return unavailable("8.unavailable", "TXT lookup failed", nil).advise(adviceDNS, "Resolver")
	}
	return unavailable("8.unavailable", "TXT lookup failed: "+reason, nil).advise(advice, "Resolver")
}
