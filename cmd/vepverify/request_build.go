package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/net/http/httpguts"

	"github.com/vepverify/vepverify/internal/origin"
)

// maxData bounds what --data reads of one file, in bytes.
const maxData = 64 << 20

// request makes the request that the flags describe.
func (x *exchange) request(c *cli.Context) (*http.Request, error) {
	u, err := requestURL(c.Args().First())
	if err != nil {
		return nil, usageError(c, "%w", err)
	}
	method := x.method
	if method == "" && len(x.data) > 0 {
		method = http.MethodPost
	}
	data, err := x.body(c)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(c.Context, method, u.String(), bytes.NewReader(data))
	if err != nil {
		return nil, usageError(c, "--method: no method, such as PUT")
	}
	r.Header.Set("User-Agent", program)
	r.Header.Set("Accept", "*/*")
	if len(x.data) > 0 {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err := x.setHeaders(r); err != nil {
		return nil, usageError(c, "%w", err)
	}
	return r, nil
}

// requestURL reads the URL, of a place where credentials can be sent.
func requestURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("no URL such as https://rp.example/data")
	}
	switch {
	case u.User != nil:
		return nil, errors.New("the URL has a user in it: who signs in is told by --identity")
	case u.Scheme == "http" && !origin.IsLoopback(u.Hostname()):
		return nil, errors.New("credentials are sent over https only, but for http at localhost, 127.0.0.1 and ::1")
	}
	return u, nil
}

// body puts the values of --data together, as curl does.
func (x *exchange) body(c *cli.Context) ([]byte, error) {
	parts := make([][]byte, len(x.data))
	for i, value := range x.data {
		name, fromFile := strings.CutPrefix(value, "@")
		if !fromFile {
			parts[i] = []byte(value)
			continue
		}
		data, err := x.read(c.Context, name, maxData+1)
		if err != nil {
			return nil, err
		}
		if len(data) > maxData {
			return nil, fmt.Errorf("%s: larger than %d bytes", nameOf(name), maxData)
		}
		parts[i] = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r"), nil), []byte("\n"), nil)
	}
	return bytes.Join(parts, []byte("&")), nil
}

// setHeaders sets those of --header. What signing has to do with is not theirs.
func (x *exchange) setHeaders(r *http.Request) error {
	given := make(http.Header)
	for _, text := range x.headers {
		name, value, found := strings.Cut(text, ":")
		value = strings.Trim(value, " \t")
		if !found || value == "" || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return errors.New("--header: not a header such as 'Accept: text/html'")
		}
		switch http.CanonicalHeaderKey(name) {
		case "Authorization":
			return errors.New("--header Authorization: that header is made by signing")
		case "Host":
			return errors.New("--header Host: the URL names the host")
		case "Content-Length", "Transfer-Encoding", "Trailer", "Connection", "Expect":
			return fmt.Errorf("--header %s: that header is not the request's to set", name)
		}
		given.Add(name, value)
	}
	for name, values := range given {
		r.Header[name] = values
	}
	return nil
}
