package vepauth

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/refusal"
)

// This file determines the origin of this server as clients see it, which they sign, and
// finds out when it is wrong: mostly because a proxy ends TLS or sends another Host, and
// neither PublicOrigin nor TrustForwarded is set.

// origin returns the origin to which a request was sent. It reports whether the request
// names one.
func (a *Authenticator) origin(r *http.Request) (origin.Origin, bool) {
	switch {
	case a.config.PublicOrigin != "":
		return a.public, true
	case a.config.TrustForwarded:
		return forwardedOrigin(r)
	}
	return origin.FromHost(ownScheme(r), r.Host)
}

// ownScheme returns the scheme of the connection.
func ownScheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// The headers of TrustForwarded.
const (
	forwardedProto = "X-Forwarded-Proto"
	forwardedHost  = "X-Forwarded-Host"
)

// forwardedOrigin returns the origin to which a request was sent according to the proxy.
// Of several values the last is that of the nearest proxy. Those before it may be the
// client's own.
func forwardedOrigin(r *http.Request) (origin.Origin, bool) {
	scheme, host := ownScheme(r), r.Host
	if proto := lastValue(r, forwardedProto); proto != "" {
		scheme = strings.ToLower(proto)
	}
	if forwarded := lastValue(r, forwardedHost); forwarded != "" {
		host = forwarded
	}
	return origin.FromHost(scheme, host)
}

// lastValue returns the last element of a header with comma-separated values, "" if there
// is none.
func lastValue(r *http.Request, header string) string {
	values := r.Header.Values(header)
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}

// checkOrigin returns an error if the requests that are signed with a token for own would
// be refused: most clients sign them for the origin for which they made the assertion. The
// audience of a Verifier other than that of package assertion may be none of the
// Audiences; then it is not compared.
func (a *Authenticator) checkOrigin(r *http.Request, own origin.Origin, audience string) error {
	isAudience := slices.ContainsFunc(a.config.Audiences, func(accepted string) bool {
		return origin.Compare(audience, accepted) == 0
	})
	if !isAudience || a.signsSame(own, audience) || !a.isMistaken(r, own, audience) {
		return nil
	}
	return &refusal.Refusal{
		Status: http.StatusBadRequest, Reason: reasonOrigin,
		Cause: a.wrongOrigin(r, own, "the assertion is for", audience),
	}
}

// checkPublicOrigin logs a warning if PublicOrigin is not one of the Audiences: checkOrigin
// refuses every assertion.
func (a *Authenticator) checkPublicOrigin() {
	c := a.config
	if c.PublicOrigin == "" || c.DisableTokenEndpoint || a.isServed(a.public) {
		return
	}
	c.Logger.Warn("vepauth: PublicOrigin is not one of Audiences: no token will be issued", slog.String("PublicOrigin", a.public.String()))
}

// isMistaken reports whether own is certainly not the origin to which a client sent a
// request that it meant for another:
//
//   - own is not one of the Audiences, and there are some.
//   - A proxy says that the request was sent to the other. With PublicOrigin, the header
//     Host says it too.
//
// Otherwise the server may have several origins.
func (a *Authenticator) isMistaken(r *http.Request, own origin.Origin, other string) bool {
	if len(a.config.Audiences) > 0 && !a.isServed(own) {
		return true
	}
	claimed, ok := claimedOrigin(r)
	if !ok && a.config.PublicOrigin != "" {
		scheme, _, _ := strings.Cut(other, "://")
		claimed, ok = origin.FromHost(strings.ToLower(scheme), r.Host)
	}
	return ok && a.signsSame(claimed, other)
}

// isServed reports whether o is one of the Audiences, as far as requests are signed.
func (a *Authenticator) isServed(o origin.Origin) bool {
	return slices.ContainsFunc(a.config.Audiences, func(accepted string) bool { return a.signsSame(o, accepted) })
}

// signsSame reports whether clients sign requests to o as they sign those to an audience,
// which may be a wildcard. MACBrowserID does not sign the scheme.
func (a *Authenticator) signsSame(o origin.Origin, audience string) bool {
	if scheme, _, found := strings.Cut(audience, "://"); found && a.config.Scheme == MACBrowserID {
		if with, ok := origin.FromHost(strings.ToLower(scheme), o.Host()+":"+o.EffectivePort()); ok {
			o = with
		}
	}
	return origin.Compare(o.String(), audience) == 0
}

// claimedOrigin returns the origin to which a request was sent according to headers that
// are perhaps not trusted: those of TrustForwarded, or Forwarded (RFC 7239). It reports
// whether there is one of them, and it names an origin.
func claimedOrigin(r *http.Request) (origin.Origin, bool) {
	proto, host := claimedParts(r)
	if proto == "" && host == "" {
		return origin.Origin{}, false
	}
	if proto == "" {
		proto = ownScheme(r)
	}
	if host == "" {
		host = r.Host
	}
	return origin.FromHost(strings.ToLower(proto), host)
}

// claimedParts returns the scheme and the host of claimedOrigin, as they are written.
func claimedParts(r *http.Request) (proto, host string) {
	proto, host = lastValue(r, forwardedProto), lastValue(r, forwardedHost)
	for pair := range strings.SplitSeq(lastValue(r, "Forwarded"), ";") {
		name, value, _ := strings.Cut(pair, "=")
		value = strings.Trim(value, `" `)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "proto":
			proto = cmp.Or(proto, value)
		case "host":
			host = cmp.Or(host, value)
		}
	}
	return proto, host
}

// maxShownOrigin is the length at which an origin in the log is cut off.
const maxShownOrigin = 300

// shown returns the text of an origin for the log.
func shown(o string) string {
	if len(o) > maxShownOrigin {
		return o[:maxShownOrigin] + "…"
	}
	return o
}
