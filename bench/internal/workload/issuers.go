package workload

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// manyIssuersAlgorithm is the algorithm of all keys here: keys of it cost least to make.
const manyIssuersAlgorithm = "DS128"

// ManyIssuers is a set of issuers, each on its own domain, and assertions of users
// that they certified. It is an http.RoundTripper that replaces the network.
type ManyIssuers struct {
	// Domains are the issuers.
	Domains []string
	// Texts are backed assertions. Each is of another user, of a random issuer.
	Texts []string

	at        time.Time
	documents map[string][]byte
	fetches   atomic.Int64
}

// NewManyIssuers returns a set with that many issuers and assertions, issued at the
// given time. Equal numbers select the same random choice of issuers.
func NewManyIssuers(issuers, assertions int, at time.Time) (*ManyIssuers, error) {
	c := &ManyIssuers{Domains: make([]string, issuers), Texts: make([]string, assertions), at: at, documents: make(map[string][]byte)}
	secrets := make([]*big.Int, issuers)
	documents := make([][]byte, issuers)
	err := spread(issuers, func(from, to int) error {
		w, err := newKeySequence(manyIssuersAlgorithm, from)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			key, err := w.next()
			if err != nil {
				return err
			}
			public, err := key.public.MarshalJSON()
			if err != nil {
				return err
			}
			c.Domains[i], secrets[i] = fmt.Sprintf("idp%d.example", i), new(big.Int).Set(w.x)
			documents[i] = fmt.Appendf(nil, `{"public-key":%s,"authentication":"/sign_in","provisioning":"/provision"}`, public)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, domain := range c.Domains {
		c.documents[domain] = documents[i]
	}
	return c, c.sign(secrets)
}

func (c *ManyIssuers) sign(secrets []*big.Int) error {
	drawn := make([]int, len(c.Texts))
	random := rand.New(rand.NewPCG(uint64(len(secrets)), uint64(len(drawn))))
	for i := range drawn {
		drawn[i] = random.IntN(len(secrets))
	}
	return spread(len(c.Texts), func(from, to int) error {
		w, err := newKeySequence(manyIssuersAlgorithm, len(secrets)+from) // other keys than the issuers'
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			domain, sign := c.Domains[drawn[i]], w.signer(secrets[drawn[i]])
			if c.Texts[i], err = c.text(w, domain, sign, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// text returns an assertion signed with the sequence's next key.
func (c *ManyIssuers) text(w *keySequence, domain string, sign func([]byte) ([]byte, error), number int) (string, error) {
	user, err := w.next()
	if err != nil {
		return "", err
	}
	v, err := newVisit(user, number, c.at)
	if err != nil {
		return "", err
	}
	certificate := idptest.New(domain, idptest.Key(manyIssuersAlgorithm)).At(c.at).Certificate(fmt.Sprintf("user%d@%s", number, domain), v.user)
	certificate.Sign = sign // with the issuer's key in place of the test key
	text, err := certificate.Encode()
	return text + "~" + v.assertion, err
}

// Document returns the support document of an issuer, nil for other domains.
func (c *ManyIssuers) Document(domain string) []byte { return c.documents[domain] }

// RoundTrip returns a support document, or 404.
func (c *ManyIssuers) RoundTrip(r *http.Request) (*http.Response, error) {
	c.fetches.Add(1)
	answer := &http.Response{
		StatusCode: http.StatusNotFound, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"max-age=86400"}}, Request: r,
	}
	body, known := c.documents[r.URL.Host]
	if known {
		answer.StatusCode = http.StatusOK
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return answer, nil
}

// Fetches returns the number of requests that were answered.
func (c *ManyIssuers) Fetches() int64 { return c.fetches.Load() }
