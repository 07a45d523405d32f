package login

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
)

const (
	// maxBody is the largest form, in bytes. An assertion has at most
	// assertion.MaxSize, a half of it.
	maxBody = 64 << 10
	// maxFields is the largest number of fields. Ours have two; pages may have
	// some of their own. They are counted before they are parsed, because a map of
	// all that fit into maxBody takes a hundred times its memory.
	maxFields = 32
	// maxType is the longest Content-Type, in bytes.
	maxType = 256
)

// readForm reads the posted form: the body and nothing else, since a query is
// kept in logs. No body at all is an empty form.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *failure) {
	contentType := r.Header.Get("Content-Type")
	if contentType != "" && !isForm(contentType) {
		return nil, &failure{status: http.StatusUnsupportedMediaType, reason: reasonType}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &failure{status: http.StatusRequestEntityTooLarge, reason: reasonTooLarge}
	}
	switch {
	case err != nil:
		return nil, &failure{status: http.StatusBadRequest, reason: reasonForm}
	case contentType == "" && len(body) > 0:
		return nil, &failure{status: http.StatusUnsupportedMediaType, reason: reasonType}
	case bytes.Count(body, []byte("&")) >= maxFields:
		return nil, &failure{status: http.StatusBadRequest, reason: reasonFields}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &failure{status: http.StatusBadRequest, reason: reasonForm}
	}
	return form, nil
}

func isForm(contentType string) bool {
	if len(contentType) > maxType {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/x-www-form-urlencoded"
}

func oneAssertion(form url.Values) (string, *failure) {
	switch values := form["assertion"]; {
	case len(values) > 1:
		return "", &failure{status: http.StatusBadRequest, reason: reasonForm}
	case len(values) == 0 || values[0] == "":
		return "", &failure{status: http.StatusBadRequest, reason: reasonMissing}
	default:
		return values[0], nil
	}
}

// destination is the page to go to: the form's next if it is a page of this
// origin, else the application's own, else none.
func destination(form url.Values, normal, prefix string) string {
	if next := form["next"]; len(next) == 1 && isLocal(next[0]) {
		return next[0]
	}
	if normal == "" {
		return ""
	}
	return prefix + normal
}
