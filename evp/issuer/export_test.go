package issuer

import (
	"errors"
	"net/http"

	"github.com/dunglas/httpsfv"
)

// SignatureBase returns the signature base of a request for one member of a
// Signature-Input, whatever it covers.
func SignatureBase(r *http.Request, authority, label, signatureInput string) ([]byte, error) {
	d, err := httpsfv.UnmarshalDictionary([]string{signatureInput})
	if err != nil {
		return nil, err
	}
	member, _ := d.Get(label)
	list, ok := member.(httpsfv.InnerList)
	if !ok {
		return nil, errors.New("not an inner list")
	}
	covered, err := components(list.Items)
	if err != nil {
		return nil, err
	}
	return signatureBase(r, authority, covered, list)
}
