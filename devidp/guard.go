package devidp

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/target"
)

// ServeHTTP answers requests that come from this machine and are addressed to
// it by a name of its own, with a request target that package target accepts. It
// refuses all others, in JSON, whatever the path.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	commonHeaders(w.Header())
	_, local := target.Local(r)
	switch {
	case !isLoopbackPeer(r.RemoteAddr):
		(&refusal{Status: http.StatusForbidden, Problem: "this identity provider serves its own machine only"}).write(w)
	case !p.isOwn(r.Host):
		(&refusal{Status: http.StatusMisdirectedRequest, Problem: "this identity provider answers at localhost only: open it as http://localhost and its port"}).write(w)
	case !local:
		badRequest("", "the request target is not a path").write(w)
	default:
		p.handler.ServeHTTP(w, r)
	}
}

// isOwn reports whether a request's Host is a name that only this machine can
// have. Any other may be one whose owner has it point here, so that a page of
// his is same-origin with the provider (DNS rebinding). The port makes no
// difference: browsers connect to the one that they name.
func (p *Provider) isOwn(host string) bool {
	o, ok := origin.FromHost("http", host)
	return ok && (origin.IsLoopback(o.Host()) || o.Host() == p.domain && origin.IsLocal(o.Host()))
}

// isLoopbackPeer reports whether an address and port are of the loopback interface.
func isLoopbackPeer(address string) bool {
	parsed, err := netip.ParseAddrPort(address)
	return err == nil && origin.IsLoopbackIP(parsed.Addr())
}

// originOf returns the origin under which the client sees the provider.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + strings.ToLower(r.Host)
	}
	return "http://" + strings.ToLower(r.Host)
}
