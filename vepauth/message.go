package vepauth

import (
	"bytes"
	"errors"
	"io"
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

func (m message) path() string { return pathOf(m.target) }

func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// wirePath is the path of a request as the client wrote it.
func wirePath(r *http.Request) string { return pathOf(wireTarget(r)) }

func (m message) query() string {
	_, query, _ := strings.Cut(m.target, "?")
	return query
}

// wireTarget gives path and query as the client wrote them: decoding them and
// encoding them again, as net/url does, would lose what was signed.
func wireTarget(r *http.Request) string {
	target := r.RequestURI
	if target == "" {
		target = r.URL.RequestURI()
	}
	if strings.HasPrefix(target, "/") {
		return target
	}
	_, rest, absolute := strings.Cut(target, "://") // as sent to a proxy
	if !absolute {
		return target // "*"
	}
	if start := strings.IndexAny(rest, "/?"); start >= 0 {
		target = rest[start:]
	} else {
		target = ""
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return target
}

var (
	errRequestURL = errors.New("vepauth: the request has no http or https URL with a host")
	errTooLarge   = errors.New("the form is too large")
)

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
	m = message{method: r.Method, origin: at, target: wireTarget(r)}
	if m.method == "" {
		m.method = http.MethodGet
	}
	if !withForm || !hasForm(r) {
		return m, nil
	}
	m.form, err = outgoingForm(r)
	return m, err
}

// withoutZone takes the zone out of an IPv6 address, as net/http does.
func withoutZone(hostPort string) string {
	zone, end := strings.IndexByte(hostPort, '%'), strings.IndexByte(hostPort, ']')
	if zone < 0 || end < zone || hostPort[0] != '[' {
		return hostPort
	}
	return hostPort[:zone] + hostPort[end:]
}

// hasForm says whether the body is a form. What comes behind the type does not
// matter: a form that one reader takes for something else must not go unsigned.
func hasForm(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return false
	}
	for _, value := range r.Header["Content-Type"] {
		mediaType, _, _ := strings.Cut(value, ";")
		if strings.EqualFold(strings.TrimSpace(mediaType), "application/x-www-form-urlencoded") {
			return true
		}
	}
	return false
}

func outgoingForm(r *http.Request) (string, error) {
	body := r.Body
	if r.GetBody != nil {
		var err error
		if body, err = r.GetBody(); err != nil {
			return "", err
		}
	}
	form, err := io.ReadAll(body)
	if closed := body.Close(); err == nil {
		err = closed
	}
	if err != nil || r.GetBody != nil {
		return string(form), err
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	r.Body, err = r.GetBody()
	return string(form), err
}

// incomingForm reads the form of a request that a server got, and gives the
// request with the body to be read once more. It errs with errTooLarge, and
// with what reading errs with.
func incomingForm(r *http.Request, max int64) (string, *http.Request, error) {
	form, err := readAtMost(r.Body, max)
	if err != nil {
		return "", r, err
	}
	again := r.WithContext(r.Context()) // a shallow copy
	again.Body = &readAgain{bytes.NewReader(form), r.Body}
	return string(form), again, nil
}

// readAtMost reads a body of at most max bytes.
func readAtMost(body io.Reader, max int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, max+1))
	var limited *http.MaxBytesError
	if int64(len(data)) > max || errors.As(err, &limited) {
		return nil, errTooLarge
	}
	return data, err
}

// readAgain is a body that was read: the bytes anew, and the original to close.
type readAgain struct {
	io.Reader
	io.Closer
}
