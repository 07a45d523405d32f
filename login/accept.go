package login

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// maxAccept is the longest Accept that is read, in bytes. Browsers send less than
// 200. Parsing a longer one could take a thousand times as long.
const maxAccept = 1 << 10

// wantsPage reports whether a browser that follows a link or sends a form asks:
// it prefers text/html to application/json. Scripts that take anything, requests
// without Accept and those with more than maxAccept bytes of it get JSON.
func wantsPage(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if len(accept) > maxAccept {
		return false
	}
	return quality(accept, "text", "html") > quality(accept, "application", "json")
}

// maxRanges is how many media ranges are looked at; browsers send less than ten.
const maxRanges = 32

// quality is how welcome a media type is, 0 to 1, by the range that names it
// most closely (RFC 9110, section 12.5.1).
func quality(accept, major, minor string) float64 {
	best, closeness := 0.0, 0
	for i, part := range strings.SplitN(accept, ",", maxRanges+1) {
		if i == maxRanges {
			break
		}
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		fits := map[string]int{major + "/" + minor: 3, major + "/*": 2, "*/*": 1}[name]
		if fits > closeness {
			best, closeness = weight(params["q"]), fits
		}
	}
	return best
}

func weight(q string) float64 {
	if q == "" {
		return 1
	}
	n, err := strconv.ParseFloat(q, 64)
	if err != nil || !(n >= 0 && n <= 1) {
		return 0
	}
	return n
}
