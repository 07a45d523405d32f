package vepauth

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
)

// signable gives the origin of a request's URL, for which its credentials are. It
// errs with ErrChallenge where there are to be none.
func signable(r *http.Request) (origin, error) {
	at, ok := urlOrigin(r.URL)
	switch {
	case !ok:
		return at, fmt.Errorf("%w: the URL has no origin", ErrChallenge)
	case at.scheme != "https" && !at.isLoopback():
		return at, fmt.Errorf("%w: %s is plain http", ErrChallenge, at.text)
	case !isHostOf(r, at):
		return at, fmt.Errorf("%w: the request's Host is not that of its URL at %s", ErrChallenge, at.text)
	case redirectedTo(r, at):
		return at, fmt.Errorf("%w: another origin has redirected to %s", ErrChallenge, at.text)
	}
	return at, nil
}

// urlOrigin gives a URL's origin. A host with a zone has none, since others
// have the same address elsewhere.
func urlOrigin(u *url.URL) (origin, bool) {
	if u.Scheme != "https" && u.Scheme != "http" {
		return origin{}, false
	}
	return hostOrigin(u.Scheme, asciiHost(u.Host))
}

// isLoopback: the origin is on this machine, so that nobody listens in. Names
// below localhost are not counted, as Go's resolver asks others for them.
func (o origin) isLoopback() bool {
	if o.host == "localhost" {
		return true
	}
	host := o.host
	if host[0] == '[' {
		host = host[1 : len(host)-1]
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// isHostOf says whether the header Host names the origin, which whoever answers
// at the URL need not be otherwise.
func isHostOf(r *http.Request, at origin) bool {
	if r.Host == "" {
		return true
	}
	named, ok := hostOrigin(at.scheme, asciiHost(r.Host))
	return ok && named.text == at.text
}

// redirectedTo says whether a request comes from another origin by a redirect. That
// one must neither choose where an email address is told, nor what is asked
// for in somebody's name.
func redirectedTo(r *http.Request, at origin) bool {
	for via := r.Response; via != nil; via = via.Request.Response {
		if via.Request == nil || via.Request.URL == nil {
			return true // who knows
		}
		if from, ok := urlOrigin(via.Request.URL); !ok || from.text != at.text {
			return true
		}
	}
	return false
}

// endpointOf gives the URL of the token endpoint that a challenge names. It errs
// with ErrChallenge unless it is at the origin that was asked.
func endpointOf(asked *url.URL, at origin, c challenge) (*url.URL, error) {
	text := c.param("url")
	switch {
	case c.malformed:
		return nil, fmt.Errorf("%w: that of %s cannot be read", ErrChallenge, at.text)
	case text == "":
		return nil, fmt.Errorf("%w: that of %s names no token endpoint", ErrChallenge, at.text)
	}
	named, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the token endpoint of %s is no URL", ErrChallenge, at.text)
	}
	base := &url.URL{Scheme: asked.Scheme, Host: asked.Host, Path: asked.Path, RawPath: asked.RawPath}
	endpoint := base.ResolveReference(named)
	if there, ok := urlOrigin(endpoint); !ok || there.text != at.text || endpoint.User != nil {
		return nil, fmt.Errorf("%w: the token endpoint of %s is at another origin", ErrChallenge, at.text)
	}
	return endpoint, nil
}
