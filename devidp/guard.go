package devidp

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/vepverify/vepverify/internal/domain"
	"github.com/vepverify/vepverify/internal/target"
)

// ServeHTTP answers requests that come from this machine and are addressed to
// it by a name of its own, with a request target that package target accepts. It
// refuses all others, in JSON, whatever the path.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	commonHeaders(w.Header())
	_, local := target.Local(r)
	switch {
	case !isLoopback(r.RemoteAddr):
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
	if isLoopback(host) || isLoopback(host+":80") {
		return true
	}
	parsed, ok := domain.Parse(host)
	name, _, _ := strings.Cut(parsed, ":")
	return ok && (name == "localhost" || name == p.domain && isLocalName(name))
}

// isLoopback reports whether an address and port are of the loopback interface.
// An address with a zone is not: a zone may hold any text.
func isLoopback(address string) bool {
	parsed, err := netip.ParseAddrPort(address)
	return err == nil && parsed.Addr().Zone() == "" && parsed.Addr().Unmap().IsLoopback()
}

// isLocalName says whether a name, in lower case, is the machine's own by RFC
// 6761, section 6.3.
func isLocalName(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// origin is the origin under which the client sees the provider.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + strings.ToLower(r.Host)
	}
	return "http://" + strings.ToLower(r.Host)
}
