package issuer

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/evp/internal/jose"
	"github.com/vepverify/vepverify/internal/refusal"
)

// problem is the error of a request that is refused: the answer of draft-02, "Error
// Responses". Its Reason is the error_description.
type problem struct {
	refusal.Refusal
	code           string // the member error
	signatureError string // the header Signature-Error, or ""
}

// The answers. They are the same for every request, so that they tell nothing else.
var (
	errMethod        = refuse(http.StatusMethodNotAllowed, "invalid_request", "The method must be POST")
	errContentType   = refuse(http.StatusUnsupportedMediaType, "invalid_request", "Content-Type must be application/json")
	errHost          = refuse(http.StatusMisdirectedRequest, "invalid_request", "The request is for another host")
	errDest          = refuse(http.StatusBadRequest, "invalid_request", "Missing or invalid Sec-Fetch-Dest header")
	errTooLarge      = refuse(http.StatusRequestEntityTooLarge, "invalid_request", "The request body is too large")
	errBody          = refuse(http.StatusBadRequest, "invalid_request", "Invalid or malformed request body")
	errNoPrivate     = refuse(http.StatusBadRequest, "private_email_not_supported", "This issuer does not support private email addresses")
	errDirected      = refuse(http.StatusBadRequest, "invalid_directed_email", "The directed_email is invalid or not linked to this email address")
	errAuthenticate  = refuse(http.StatusUnauthorized, "authentication_required", "User must be authenticated and have control of the requested email address")
	signatureRefused = refuse(http.StatusBadRequest, "invalid_signature", "HTTP Message Signature verification failed")
)

func refuse(status int, code, description string) problem {
	return problem{Refusal: refusal.Refusal{Status: status, Reason: description}, code: code}
}

// because returns the problem with a cause for the log.
func (p problem) because(cause error) *problem {
	p.Cause = cause
	return &p
}

// serverError returns the answer to a request that failed because of this side.
func serverError(cause error) *problem {
	return refuse(http.StatusInternalServerError, "server_error", "Temporary server error, please try again later").because(cause)
}

// invalidSignature returns the answer to an error of checkDigest or verifySignature.
func invalidSignature(cause error) *problem {
	p := signatureRefused
	switch cause {
	case errAlgorithm:
		p.Reason, p.signatureError = "Unsupported signature algorithm", "unsupported_algorithm"
	case errScheme:
		p.signatureError = "unsupported_scheme"
	default:
		p.signatureError = "invalid_signature"
	}
	return p.because(cause)
}

// acceptedAlgorithms is the header Accept-Signature-Alg.
var acceptedAlgorithms = strings.Join([]string{jose.Ed25519, jose.ES256, jose.RS256}, ", ")

// write sends the problem.
func (p *problem) write(w http.ResponseWriter) {
	body, _ := json.Marshal(struct { // two strings: there is no error
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{p.code, p.Reason})
	if p.signatureError != "" {
		w.Header().Set("Signature-Error", "error="+p.signatureError)
	}
	if p.signatureError == "unsupported_algorithm" {
		w.Header().Set("Accept-Signature-Alg", acceptedAlgorithms)
	}
	p.Write(w, typeJSON, body)
}

const typeJSON = "application/json"

// writeJSON sends a document.
func writeJSON(w http.ResponseWriter, cacheControl string, body []byte) {
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("Cache-Control", cacheControl)
	_, _ = w.Write(body) // an error means that the client has disconnected
}
