package login

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// maxBody is the largest form, in bytes. An assertion has at most
// assertion.MaxSize, a half of it.
const maxBody = 64 << 10

// readForm reads the posted form: the body and nothing else, since a query is
// kept in logs. No body at all is an empty form.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *failure) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &failure{status: http.StatusRequestEntityTooLarge, reason: reasonTooLarge}
	}
	contentType := r.Header.Get("Content-Type")
	mediaType, _, typeErr := mime.ParseMediaType(contentType)
	if nothing := len(body) == 0 && contentType == ""; !nothing && (typeErr != nil || mediaType != "application/x-www-form-urlencoded") {
		return nil, &failure{status: http.StatusUnsupportedMediaType, reason: reasonType}
	}
	form, parseErr := url.ParseQuery(string(body))
	if err != nil || parseErr != nil {
		return nil, &failure{status: http.StatusBadRequest, reason: reasonForm}
	}
	return form, nil
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
