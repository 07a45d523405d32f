package origin_test

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/vepverify/vepverify/internal/origin"
)

// The oracle is a second implementation of the rules, in regular expressions. The
// fuzz targets compare the package with it.

var (
	oracleParts    = regexp.MustCompile(`(?s)^(?:([A-Za-z][A-Za-z0-9+.\-]*)://)?(\[[^\]/?#]*\](?:[^:/?#][^/?#]*)?|[^:/?#]*)(:[^/?#]*)?([/?#].*)?$`)
	oracleNever    = regexp.MustCompile(`[\x00-\x20\x7f\\%]|^(?:[A-Za-z][A-Za-z0-9+.\-]*://)?[^/?#]*@`)
	oracleName     = regexp.MustCompile(`^[A-Za-z0-9._\-]+$`)
	oracleDomain   = regexp.MustCompile(`^[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*$`)
	oracleWildcard = regexp.MustCompile(`^(?:[a-z0-9_\-]+\.)+[a-z0-9_\-]*[a-z_\-][a-z0-9_\-]*$`)
	oraclePort     = regexp.MustCompile(`^:([1-9][0-9]{0,4})$`)
	oracleUnicode  = regexp.MustCompile(`[^\x00-~]`)
	oracleDots     = regexp.MustCompile("[.\u3002\uff0e\uff61]")
)

func oracleASCII(host string) string {
	if !oracleUnicode.MatchString(host) || utf8.RuneCountInString(host) > 253 {
		return host
	}
	for _, label := range oracleDots.Split(host, -1) {
		if utf8.RuneCountInString(label) > 63 {
			return host
		}
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host
}

// oracleHost returns the canonical form of a host, or "" if it is invalid.
func oracleHost(host string) string {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		ip, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !strings.Contains(host, ":") || strings.Contains(host, "%") {
			return ""
		}
		return "[" + ip.String() + "]"
	}
	if !oracleName.MatchString(host) {
		return ""
	}
	return strings.ToLower(host)
}

// oraclePortOf returns the effective port, or 0 if the port is invalid.
func oraclePortOf(scheme, port string) int {
	if port == "" {
		return map[string]int{"https": 443, "http": 80, "app": 80}[scheme]
	}
	if !oraclePort.MatchString(port) {
		return 0
	}
	n, _ := strconv.Atoi(port[1:]) // five digits at most
	if n > 65535 {
		return 0
	}
	return n
}

func oracleCompare(signed, accepted string) origin.Mismatch {
	for _, s := range []string{signed, accepted} {
		if !utf8.ValidString(s) || oracleNever.MatchString(s) {
			return origin.Malformed
		}
	}
	got, want := oracleParts.FindStringSubmatch(signed), oracleParts.FindStringSubmatch(accepted)
	base, wildcard := strings.CutPrefix(want[2], "*.")
	base = oracleHost(oracleASCII(base))
	if base == "" || wildcard && !oracleWildcard.MatchString(base) {
		return origin.Malformed
	}
	scheme := strings.ToLower(want[1])
	if scheme == "" {
		scheme = "http"
	}
	if strings.ToLower(got[1]) != scheme || !strings.Contains(" http https app ", " "+scheme+" ") {
		return origin.SchemeMismatch
	}
	host := oracleHost(got[2])
	switch {
	case strings.Contains(got[2], "*"):
		return origin.HostMismatch
	case host == "":
		return origin.Malformed
	case !wildcard && host != base:
		return origin.HostMismatch
	case wildcard && !regexp.MustCompile(`^(?:[a-z0-9_\-]+\.)+`+regexp.QuoteMeta(base)+`$`).MatchString(host):
		return origin.HostMismatch
	}
	if p, q := oraclePortOf(scheme, got[3]), oraclePortOf(scheme, want[3]); p != q || p == 0 {
		return origin.PortMismatch
	}
	if strings.Trim(got[4]+" "+want[4], "/") != " " || len(got[4]) > 1 || len(want[4]) > 1 {
		return origin.HasPath
	}
	return 0
}

// oracleParse returns the text of the origin that Parse returns, or "".
func oracleParse(s string) string {
	m := oracleParts.FindStringSubmatch(s)
	if !utf8.ValidString(s) || oracleNever.MatchString(s) || m[4] != "" {
		return ""
	}
	scheme, host := strings.ToLower(m[1]), oracleASCII(m[2])
	port := oraclePortOf(scheme, m[3])
	if !strings.HasPrefix(host, "[") && (!oracleDomain.MatchString(host) || len(host) > 253) {
		return ""
	}
	return oracleText(scheme, oracleHost(host), port)
}

// oracleFromHost returns the text of the origin that FromHost returns, or "".
func oracleFromHost(scheme, hostPort string) string {
	m := oracleParts.FindStringSubmatch(hostPort)
	if m[1] != "" || m[4] != "" || oracleHost(m[2]) == "" {
		return ""
	}
	return oracleText(scheme, strings.ToLower(m[2]), oraclePortOf(scheme, m[3]))
}

func oracleText(scheme, host string, port int) string {
	switch {
	case host == "" || port == 0 || scheme != "http" && scheme != "https":
		return ""
	case port == oraclePortOf(scheme, ""):
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + strconv.Itoa(port)
}
