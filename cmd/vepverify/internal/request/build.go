package request

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/origin"
	"github.com/vepverify/vepverify/internal/sniff"
	"github.com/vepverify/vepverify/internal/target"
)

// maxData is the size limit of a file that --data names, in bytes.
const maxData = 64 << 20

// build returns the request that the flags describe.
func (r *command) build(ctx context.Context, c *cli.Call) (*http.Request, error) {
	u, err := parseURL(c.Args[0])
	if err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	if err := checkMethod(r.method); err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	method := r.method
	if method == "" && len(r.data) > 0 {
		method = http.MethodPost
	}
	data, err := r.body(ctx, c)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(data))
	if err != nil {
		return nil, c.UsageErrorf("%w", errMethod)
	}
	req.Header.Set("User-Agent", cli.Program)
	req.Header.Set("Accept", "*/*")
	if len(r.data) > 0 {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err := r.setHeaders(req); err != nil {
		return nil, c.UsageErrorf("%w", err)
	}
	return req, nil
}

// parseURL parses a URL to which credentials may be sent. It encodes nothing, so that what
// is signed and sent is what the user wrote.
func parseURL(text string) (*url.URL, error) {
	if kind := sniff.NotFileName(text); kind != sniff.Unknown && !strings.Contains(text, "://") {
		return nil, fmt.Errorf("the argument is %s, not a URL such as https://rp.example/data", kind)
	}
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the URL is empty")
	}
	if err := checkCharacters(text); err != nil {
		return nil, err
	}
	if scheme, _, _ := strings.Cut(text, "://"); !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return nil, errors.New("the URL begins neither with https:// nor with http://: write https://rp.example/data, with your host and path")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("not a URL such as https://rp.example/data")
	}
	_, isOrigin := origin.FromHost(u.Scheme, origin.ASCII(u.Host))
	switch {
	case u.User != nil:
		return nil, errors.New("the URL contains a user: --identity is for signing in")
	case !isOrigin:
		return nil, errors.New("the host of the URL is not a domain or an IP address, perhaps with a port from 1 to 65535")
	case u.Scheme == "http" && !origin.IsLoopback(u.Hostname()):
		return nil, errors.New("credentials are sent over https only, and over http to localhost, 127.0.0.1 and ::1")
	}
	return u, nil
}

// checkCharacters returns an error that names the first character that a URL on the command
// line must not have.
func checkCharacters(text string) error {
	var e *target.CharacterError
	switch err := target.CheckURL(text); {
	case err == nil:
		return nil
	case strings.TrimSpace(text) != text:
		return errors.New("the URL has blanks or line breaks at its beginning or end: remove them")
	case errors.As(err, &e) && e.Character == '#':
		return fmt.Errorf("the URL has a # at character %d: what follows it is not sent: remove it, or write %s", e.Position, e.Encoded)
	default:
		return fmt.Errorf("the URL has %w", err)
	}
}

var errMethod = errors.New("--method: not a method such as PUT")

// maxMethod is the length of the longest method that a message repeats, in bytes.
const maxMethod = 20

// checkMethod returns an error for a method that cannot be signed.
func checkMethod(method string) error {
	switch upper := strings.ToUpper(method); {
	case upper == http.MethodConnect:
		return errors.New("--method CONNECT: has no path to sign")
	case method == upper:
		return nil
	case len(method) > maxMethod || !httpguts.ValidHeaderFieldName(method):
		return errMethod
	default:
		return fmt.Errorf("--method %s: methods are in capital letters: write %s", method, upper)
	}
}

// body joins the values of --data as curl does.
func (r *command) body(ctx context.Context, c *cli.Call) ([]byte, error) {
	parts := make([][]byte, len(r.data))
	for i, value := range r.data {
		name, fromFile := strings.CutPrefix(value, "@")
		if !fromFile {
			parts[i] = []byte(value)
			continue
		}
		data, err := c.ReadWhole(ctx, name, maxData)
		if err != nil {
			return nil, err
		}
		parts[i] = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r"), nil), []byte("\n"), nil)
	}
	return bytes.Join(parts, []byte("&")), nil
}

// setHeaders sets the headers of --header. Those that signing or the connection
// depends on are errors.
func (r *command) setHeaders(req *http.Request) error {
	given := make(http.Header)
	for _, text := range r.headers {
		name, value, found := strings.Cut(text, ":")
		value = strings.Trim(value, " \t")
		if !found || value == "" || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return errors.New("--header: not a header such as 'Accept: text/html'")
		}
		switch http.CanonicalHeaderKey(name) {
		case "Authorization":
			return errors.New("--header: signing sets Authorization, so it cannot be given")
		case "Host":
			return errors.New("--header: the URL sets Host, so it cannot be given")
		case "Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Expect":
			return fmt.Errorf("--header: the connection sets %s, so it cannot be given", name)
		}
		given.Add(name, value)
	}
	for name, values := range given {
		req.Header[name] = values
	}
	return nil
}
