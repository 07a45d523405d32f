package login

import (
	"net/url"
	"strings"
)

// maxNext is the longest page, in bytes, that a browser is sent to.
const maxNext = 2 << 10

// isLocal says whether next is a page of this origin, and nothing else in any
// reading: a path that begins with one slash, as URLs are written (ASCII, the
// rest percent-encoded), without what browsers drop (tabs, line breaks, spaces),
// take for a slash (the backslash) or resolve ("." and "..", "//"). The same
// must hold for the path percent-decoded, however often, because proxies and
// routers on the way may do that. The query and the fragment are free.
func isLocal(next string) bool {
	if len(next) > maxNext || strings.ContainsFunc(next, neverInURL) {
		return false
	}
	if _, err := url.Parse(next); err != nil {
		return false
	}
	path := next
	if end := strings.IndexAny(next, "?#"); end >= 0 {
		path = next[:end]
	}
	for {
		if !isClean(path) {
			return false
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path { // "/100%25" stands for "/100%", and that for nothing more
			return true
		}
		path = decoded
	}
}

func neverInURL(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }

// isClean: path begins with one slash, and no browser or router would write it
// otherwise.
func isClean(path string) bool {
	path, rooted := strings.CutPrefix(path, "/")
	if !rooted || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	for path != "" { // what follows the last slash may be empty
		segment, rest, _ := strings.Cut(path, "/")
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
		path = rest
	}
	return true
}

// isRoute says whether path can stand in a pattern of any router and in a
// prefix: letters, digits, '-', '.', '_' between slashes, none at the end.
func isRoute(path string) bool {
	return isClean(path) && !strings.HasSuffix(path, "/") && !strings.ContainsFunc(path, notInRoute)
}

func notInRoute(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-._/", r) // '~' is kept for cookieName
}
