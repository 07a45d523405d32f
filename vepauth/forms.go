package vepauth

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const formType = "application/x-www-form-urlencoded"

var (
	errTooLarge       = errors.New("the form is too large")
	errTooMany        = errors.New("too many parameters")
	errEncodedForm    = errors.New("a form with a Content-Encoding")
	errParsedForm     = errors.New("a form that was parsed before its signature was checked")
	errChangedGetBody = errors.New("vepauth: GetBody returns another form than Body")
)

// hasForm reports whether the body is a form. Parameters of the type do not
// matter: a form that one reader takes for something else must not go unsigned.
func hasForm(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && hasFormType(r)
}

func hasFormType(r *http.Request) bool {
	return slices.ContainsFunc(r.Header["Content-Type"], isFormType)
}

func isFormType(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), formType)
}

// checkEncoding returns errEncodedForm for a form that a handler may decode once
// more, and then reads something else than what was signed.
func checkEncoding(h http.Header) error {
	for _, coding := range h["Content-Encoding"] {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return errEncodedForm
		}
	}
	return nil
}

// outgoingForm reads the form of a client's request and puts it back. What
// GetBody returns, which net/http sends when it has to repeat the request, must
// be the same.
func outgoingForm(r *http.Request) (string, error) {
	if err := checkEncoding(r.Header); err != nil {
		return "", err
	}
	var again []byte
	getBody := r.GetBody
	if getBody != nil {
		body, err := getBody()
		if err != nil {
			return "", err
		}
		if again, err = readAndClose(body); err != nil {
			return "", err
		}
	}
	form, err := readAndClose(r.Body)
	if err != nil {
		return "", err
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	r.Body, _ = r.GetBody() // has no error
	r.ContentLength = int64(len(form))
	if getBody != nil && !bytes.Equal(form, again) {
		return "", errChangedGetBody
	}
	return string(form), nil
}

func readAndClose(body io.ReadCloser) ([]byte, error) {
	data, err := io.ReadAll(body)
	return data, errors.Join(err, body.Close())
}

// incomingForm reads the form of a request that a server got, of at most max
// bytes and as many parameters, and returns the request with a body of the same
// bytes. Besides errors of reading it returns errTooLarge, errTooMany and
// errEncodedForm.
func incomingForm(r *http.Request, max int64, parameters int) (string, *http.Request, error) {
	if err := checkEncoding(r.Header); err != nil {
		return "", r, err
	}
	if r.ContentLength > max {
		return "", r, errTooLarge
	}
	form, err := readAtMost(&parameterLimit{r.Body, parameters}, max)
	if errors.Is(err, errTooMany) {
		io.Copy(io.Discard, io.LimitReader(r.Body, max)) // a client that is still sending would not see the answer
	}
	if err != nil {
		return "", r, err
	}
	again := r.WithContext(r.Context()) // a shallow copy
	again.Body = &readAgain{bytes.NewReader(form), r.Body}
	again.ContentLength = int64(len(form))
	again.GetBody = nil
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

// formsAgree reports whether what a handler outside of this one parsed of the
// request, and the next one would use, is the query and the form that were
// signed. Values of a body that is not signed may be among them: of a multipart
// form, and of every form unless forms are signed.
func formsAgree(r *http.Request, m message, signsForms bool) bool {
	if r.Form == nil && r.PostForm == nil && r.MultipartForm == nil {
		return true
	}
	fresh := &http.Request{Method: r.Method, URL: &url.URL{RawQuery: m.query()}, Header: r.Header, Body: http.NoBody}
	if signsForms {
		fresh.Body = io.NopCloser(strings.NewReader(m.form))
	}
	_ = fresh.ParseForm() // what it cannot parse, it could not before
	if signsForms && (r.MultipartForm == nil || hasFormType(r)) {
		return r.MultipartForm == nil && sameValues(r.PostForm, fresh.PostForm) && sameValues(r.Form, fresh.Form)
	}
	return isMerged(r.Form, fresh.Form, r.PostForm)
}

// sameValues reports whether two forms are the same; nil is like an empty one.
func sameValues(a, b url.Values) bool { return maps.EqualFunc(a, b, slices.Equal[[]string]) }

// isMerged reports whether all has the values of the query and of the body,
// which was not signed, and no others: those of a form go before those of the
// query, those of a multipart form after.
func isMerged(all, query, body url.Values) bool {
	for name, values := range all {
		q, b := query[name], body[name]
		if !slices.Equal(values, slices.Concat(b, q)) && !slices.Equal(values, slices.Concat(q, b)) {
			return false
		}
	}
	for name := range query {
		if len(all[name]) == 0 {
			return false
		}
	}
	return true
}
