package vepauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// message is what of a request is signed, besides the header Authorization.
type message struct {
	method string
	origin origin
	target string // path and query as on the wire, the path never empty
	form   string // the body, when it is a form and forms are signed
}

func (m message) path() string  { return target{text: m.target}.path() }
func (m message) query() string { return target{text: m.target}.query() }

var errRequestURL = errors.New("vepauth: the request has no http or https URL with a host")

// outgoing is the message of a client's request. A form is read and put back.
func outgoing(r *http.Request, withForm bool) (m message, err error) {
	if r.URL == nil || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return m, errRequestURL
	}
	hostPort := r.Host
	if hostPort == "" {
		hostPort = r.URL.Host
	}
	at, ok := hostOrigin(r.URL.Scheme, withoutZone(asciiHost(hostPort)))
	if !ok {
		return m, errRequestURL
	}
	m = message{method: r.Method, origin: at}
	if m.method == "" {
		m.method = http.MethodGet
	}
	if m.target, err = clientTarget(r, m.method, at); err != nil || !withForm || !hasForm(r) {
		return m, err
	}
	m.form, err = outgoingForm(r)
	return m, err
}

// clientTarget returns path and query as net/http will send them: it sends the
// URL's RequestURI, whatever the field of that name says.
func clientTarget(r *http.Request, method string, at origin) (string, error) {
	if err := checkMethod(method); err != nil {
		return "", fmt.Errorf("vepauth: %w", err)
	}
	t := parseTarget(r.URL.RequestURI())
	if t.err != nil {
		return "", fmt.Errorf("vepauth: %w", t.err)
	}
	if t.host == "" {
		return t.text, nil
	}
	if named, ok := hostOrigin(t.scheme, t.host); !ok || named.text != at.text { // URL.Opaque
		return "", errRequestURL
	}
	return t.text, nil
}

// withoutZone takes the zone out of an IPv6 address, as net/http does.
func withoutZone(hostPort string) string {
	zone, end := strings.IndexByte(hostPort, '%'), strings.IndexByte(hostPort, ']')
	if zone < 0 || end < zone || hostPort[0] != '[' {
		return hostPort
	}
	return hostPort[:zone] + hostPort[end:]
}
