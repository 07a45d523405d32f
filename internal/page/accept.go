package page

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// Limits of the header Accept.
const (
	// maxAccept is the length of the longest Accept, in bytes. Parsing a longer one
	// could take a thousand times as long. Browsers send less than 200.
	maxAccept = 1 << 10
	// maxRanges is how many media ranges of Accept are read. Browsers send less
	// than ten.
	maxRanges = 32
)

// Preferred reports whether the request is for a page, as those of links and forms
// are: its Accept prefers text/html to application/json. Scripts that accept any type,
// requests without Accept, and those with more than maxAccept bytes of it get JSON.
func Preferred(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if len(accept) > maxAccept {
		return false
	}
	return quality(accept, "text", "html") > quality(accept, "application", "json")
}

// quality returns the weight of a media type, 0 to 1: that of the most specific range
// which contains it (RFC 9110, section 12.5.1).
func quality(accept, major, minor string) float64 {
	best, specificity := 0.0, 0
	for i, part := range strings.SplitN(accept, ",", maxRanges+1) {
		if i == maxRanges {
			break
		}
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		specific := map[string]int{major + "/" + minor: 3, major + "/*": 2, "*/*": 1}[name]
		if specific > specificity {
			best, specificity = weight(params["q"]), specific
		}
	}
	return best
}

// weight parses a weight (RFC 9110, section 12.4.2). A malformed one is 0.
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
