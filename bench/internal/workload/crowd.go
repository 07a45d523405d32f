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

// crowdAlgorithm is the one of all keys of a crowd: the cheapest to mint.
const crowdAlgorithm = "DS128"

// Crowd is many issuers, each on a domain of its own, and assertions of users
// that they certified. It stands in for the network, as an http.RoundTripper.
type Crowd struct {
	// Domains are the issuers.
	Domains []string
	// Texts are backed assertions, each of a user of its own and an issuer at
	// random.
	Texts []string

	at        time.Time
	documents map[string][]byte
	fetches   atomic.Int64
}

// NewCrowd mints so many issuers and assertions, as of the time given. Equal
// numbers give the same draw of issuers.
func NewCrowd(issuers, assertions int, at time.Time) (*Crowd, error) {
	c := &Crowd{Domains: make([]string, issuers), Texts: make([]string, assertions), at: at, documents: make(map[string][]byte)}
	secrets := make([]*big.Int, issuers)
	documents := make([][]byte, issuers)
	err := spread(issuers, func(from, to int) error {
		w, err := newWalk(crowdAlgorithm, from)
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
	return c, c.mint(secrets)
}

func (c *Crowd) mint(secrets []*big.Int) error {
	drawn := make([]int, len(c.Texts))
	random := rand.New(rand.NewPCG(uint64(len(secrets)), uint64(len(drawn))))
	for i := range drawn {
		drawn[i] = random.IntN(len(secrets))
	}
	return spread(len(c.Texts), func(from, to int) error {
		w, err := newWalk(crowdAlgorithm, len(secrets)+from) // not where the issuers' keys are
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

// text mints an assertion of the walk's next key.
func (c *Crowd) text(w *walk, domain string, sign func([]byte) ([]byte, error), number int) (string, error) {
	user, err := w.next()
	if err != nil {
		return "", err
	}
	v, err := newVisit(user, number, c.at)
	if err != nil {
		return "", err
	}
	certificate := idptest.New(domain, idptest.Key(crowdAlgorithm)).At(c.at).Certificate(fmt.Sprintf("user%d@%s", number, domain), v.user)
	certificate.Sign = sign // with the issuer's key in place of the test key
	text, err := certificate.Encode()
	return text + "~" + v.assertion, err
}

// Document is the support document of an issuer, nil for other domains.
func (c *Crowd) Document(domain string) []byte { return c.documents[domain] }

// RoundTrip answers with a support document, or 404.
func (c *Crowd) RoundTrip(r *http.Request) (*http.Response, error) {
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

// Fetches is how many requests were answered.
func (c *Crowd) Fetches() int64 { return c.fetches.Load() }
