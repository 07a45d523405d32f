package origin

import "strings"

// Mismatch is the first part in which two audiences differ. The constants are in
// the order in which Compare compares (PROTOCOL §5): of several mismatches, the
// greatest came closest to a match. Zero means that the audiences match.
type Mismatch int

// The parts that may differ.
const (
	Malformed Mismatch = iota + 1
	SchemeMismatch
	HostMismatch
	PortMismatch
	HasPath
)

// String returns what follows "audience mismatch: " in the reason of a failure
// (PROTOCOL §6), or "" for a match.
func (m Mismatch) String() string {
	switch m {
	case Malformed:
		return "malformed"
	case SchemeMismatch:
		return "scheme mismatch"
	case HostMismatch:
		return "domain mismatch"
	case PortMismatch:
		return "port mismatch"
	case HasPath:
		return "has non-empty path"
	}
	return ""
}

// Compare compares the audience that an assertion names with an origin, or a
// wildcard, that the relying party accepts (PROTOCOL §5). It returns zero if they
// match.
func Compare(signed, accepted string) Mismatch {
	got, ok := split(signed)
	if !ok {
		return Malformed
	}
	want, wildcard, ok := splitAccepted(accepted)
	if !ok {
		return Malformed
	}
	if got.scheme != want.scheme || !isAudienceScheme(got.scheme) {
		return SchemeMismatch
	}
	if mismatch := compareHosts(got.host, want.host, wildcard); mismatch != 0 {
		return mismatch
	}
	gotPort, gotOK := got.effectivePort()
	wantPort, wantOK := want.effectivePort()
	if !gotOK || !wantOK || gotPort != wantPort {
		return PortMismatch
	}
	if got.hasPath() || want.hasPath() {
		return HasPath
	}
	return 0
}

func isAudienceScheme(s string) bool { return s == "https" || s == "http" || s == "app" }

// hasPath reports whether anything other than "/" follows the port. An empty query
// or fragment counts.
func (p parts) hasPath() bool { return p.tail != "" && p.tail != "/" }

// splitAccepted splits the relying party's side, which may lack the scheme, be
// written in Unicode, and begin with a wildcard. The host is canonical, and without
// the "*." of the wildcard.
func splitAccepted(s string) (p parts, wildcard, ok bool) {
	if p, ok = split(s); !ok {
		return p, false, false
	}
	if p.scheme == "" {
		p.scheme = "http"
	}
	host, wildcard := strings.CutPrefix(p.host, "*.")
	if p.host, ok = canonicalHost(ASCII(host)); !ok {
		return p, wildcard, false
	}
	return p, wildcard, !wildcard || allowsWildcard(p.host)
}

// allowsWildcard reports whether "*." may stand before a host: it has at least two
// labels, none of them empty, and is not an IP address.
func allowsWildcard(host string) bool {
	dot := strings.LastIndexByte(host, '.')
	return dot >= 0 && !hasEmptyLabel(host) && strings.Trim(host[dot+1:], "0123456789") != "" && host[0] != '['
}

// hasEmptyLabel reports whether a name, or one of its labels, is empty.
func hasEmptyLabel(name string) bool {
	return name == "" || name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, "..")
}

// compareHosts compares the host that the assertion names with a canonical one. With
// wildcard, it must be one or more non-empty labels before want.
func compareHosts(signed, want string, wildcard bool) Mismatch {
	if strings.Contains(signed, "*") {
		return HostMismatch
	}
	host, ok := canonicalHost(signed)
	if !ok {
		return Malformed
	}
	if !wildcard {
		if host != want {
			return HostMismatch
		}
		return 0
	}
	rest, found := strings.CutSuffix(host, want)
	labels, dot := strings.CutSuffix(rest, ".")
	if !found || !dot || hasEmptyLabel(labels) {
		return HostMismatch
	}
	return 0
}

// CheckAudience checks an origin, or a wildcard such as https://*.rp.example, that a
// relying party has configured as an audience. It returns ErrSyntax or ErrWildcard
// unless some assertion's audience can match it and the scheme is written out.
func CheckAudience(s string) error {
	p, ok := split(s)
	if !ok || p.hasPath() {
		return ErrSyntax
	}
	base, wildcard := strings.CutPrefix(p.host, "*.")
	p.host = base
	o, err := p.origin()
	if err == nil && wildcard && !allowsWildcard(o.host) {
		return ErrWildcard
	}
	return err
}
