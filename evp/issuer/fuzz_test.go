package issuer_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/evp/issuer"
)

// signatureFields are the fields that FuzzSignature changes.
var signatureFields = [4]string{"Content-Digest", "Signature-Key", "Signature-Input", "Signature"}

// FuzzSignature checks that requests with any values of the four fields are answered
// without a panic, and that none is accepted but those that browsers signed.
func FuzzSignature(f *testing.F) {
	var first recorded
	signed := map[[4]string]bool{}
	for n, r := range recordings(f) {
		if n == 0 {
			first = r
		}
		var fields [4]string
		for k, name := range signatureFields {
			fields[k] = r.message().get(name)
		}
		f.Add(fields[0], fields[1], fields[2], fields[3])
		if r.Request.Body == first.Request.Body && r.Request.Target == first.Request.Target {
			signed[normalized(fields)] = true
		}
	}
	clock := time.Unix(created(f, first), 0)
	i := recordedIssuer(f, first, func(c *issuer.Config) { c.Now = func() time.Time { return clock } })
	f.Fuzz(func(t *testing.T, digest, key, input, signature string) {
		fields := [4]string{digest, key, input, signature}
		r := first.message().request(t)
		for k, name := range signatureFields {
			r.Header[name] = []string{fields[k]}
		}
		w := newAnswer()
		i.ServeHTTP(w, r)
		switch {
		case w.status == http.StatusOK && !signed[normalized(fields)]:
			t.Errorf("accepted %q", fields)
		case w.status != http.StatusOK && w.status != http.StatusBadRequest:
			t.Errorf("status %d", w.status)
		}
	})
}

// normalized returns fields without the white space that their syntax allows.
func normalized(fields [4]string) [4]string {
	for k, v := range fields {
		fields[k] = strings.NewReplacer(" ", "", "\t", "").Replace(v)
	}
	return fields
}

// FuzzBody checks that requests with any signed body are answered without a panic, and
// that only the address of the session is issued.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		bodyFor(alice), `{"email":"ALICE@mail.example","private_email":true}`, `{"email":"alice@mail.example","directed_email":"x@relay.example"}`, "", "[]",
	} {
		f.Add(body)
	}
	c := config(f)
	c.PrivateEmail = func(_ *http.Request, _, directed string) (string, error) {
		if directed != "" {
			return directed, nil
		}
		return "new@relay.example", nil
	}
	i := newIssuer(f, c)
	f.Fuzz(func(t *testing.T, body string) {
		w := newBrowser().ask(body).send(t, i)
		if w.Code != http.StatusOK {
			return
		}
		got := claims(t, issued(t, w))
		email, _ := got["email"].(string)
		if got["is_private_email"] != true && strings.ToLower(email) != alice {
			t.Errorf("issued %q for %q", email, body)
		}
	})
}

// answer is a ResponseWriter that keeps the status.
type answer struct {
	header http.Header
	status int
}

func newAnswer() *answer { return &answer{make(http.Header), http.StatusOK} }

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
