package login

import (
	"net/http"
	"slices"
)

// fromAudience reports whether a post may have been sent by a page of one of the
// audiences, or by no page at all. Neither Host nor Referer counts: a proxy may
// change the first, and a page that forges a request can leave out the second.
//
//   - With an Origin, it is one of the audiences: the whole origin, scheme and
//     port included.
//   - The Origin null, which a page with Referrer-Policy: no-referrer has and so
//     do a sandboxed frame and a redirected form, needs Sec-Fetch-Site: same-origin.
//   - Without an Origin, Sec-Fetch-Site is same-origin, none or missing. Both are
//     missing in browsers older than 2020 and in programs, which can forge either.
func (l *Login[U]) fromAudience(r *http.Request) bool {
	origin, site := r.Header["Origin"], r.Header["Sec-Fetch-Site"]
	switch {
	case len(origin) > 1 || len(site) > 1:
		return false
	case len(origin) == 0:
		return len(site) == 0 || site[0] == "same-origin" || site[0] == "none"
	case origin[0] == "null":
		return len(site) == 1 && site[0] == "same-origin"
	}
	return slices.Contains(l.audiences, origin[0])
}
