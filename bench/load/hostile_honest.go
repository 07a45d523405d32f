package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// The honest issuers. Of ten honest requests, six are of users of the busy providers, two of
// users of providers that occur once in a run, and two of users of the fallback.
const (
	fallbackDomain = "fallback.example"
	busyProviders  = 8
	guestDomains   = 10 // domains without BrowserID, whose users have certificates of the fallback
)

// honest is the honest requests of one run, with the expected verdicts.
type honest struct {
	warmUp, measured []honestRequest
	documents        map[string][]byte // by issuer
}

// honestRequest is a request with a valid assertion. No two are equal.
type honestRequest struct {
	text  []byte
	email string
}

// newHonest makes n requests, and requests to send before them, so that the service knows
// every provider.
func newHonest(n int, now time.Time) (*honest, error) {
	h := &honestGenerator{
		honest: &honest{documents: make(map[string][]byte)}, now: now,
		fallback: idptest.New(fallbackDomain, idptest.Key("RS256")).At(now),
		users:    []keys.PrivateKey{idptest.Key("DS128"), idptest.Key("RS256-2"), idptest.Key("DS128-2")},
	}
	var err error
	if h.documents[fallbackDomain], err = json.Marshal(h.fallback.Document()); err != nil {
		return nil, err
	}
	for i := range n {
		if err := h.add(i); err != nil {
			return nil, err
		}
	}
	return h.honest, nil
}

// honestGenerator makes an honest.
type honestGenerator struct {
	*honest
	now          time.Time
	fallback     *idptest.IdP
	users        []keys.PrivateKey
	certificates map[string]string // the last one of each address
	guests       map[string]bool
	made         int
}

// add makes the request with number i and, if its domain is new, one for the warm-up.
func (h *honestGenerator) add(i int) error {
	round, slot := i/10, i%10
	domain, issuer := "", h.fallback
	switch {
	case slot < 6:
		domain = fmt.Sprintf("busy%d.example", (6*round+slot)%busyProviders)
	case slot < 8:
		domain = fmt.Sprintf("rare%d.example", 2*round+slot-6)
	default:
		domain = fmt.Sprintf("guest%d.example", (2*round+slot-8)%guestDomains)
	}
	if slot < 8 {
		issuer = idptest.New(domain, idptest.Key("RS256")).At(h.now)
	}
	if err := h.introduce(domain, issuer); err != nil {
		return err
	}
	r, err := h.request(domain, issuer)
	h.measured = append(h.measured, r)
	return err
}

// introduce makes a warm-up request of a new domain.
func (h *honestGenerator) introduce(domain string, issuer *idptest.IdP) error {
	if h.guests == nil {
		h.guests, h.certificates = make(map[string]bool), make(map[string]string)
	}
	if h.documents[domain] != nil || h.guests[domain] {
		return nil
	}
	if issuer == h.fallback {
		h.guests[domain] = true
	} else {
		document, err := json.Marshal(issuer.Document())
		if err != nil {
			return err
		}
		h.documents[domain] = document
	}
	r, err := h.request(domain, issuer)
	h.warmUp = append(h.warmUp, r)
	return err
}

// usesOfCertificate is the number of assertions of a user with one certificate.
const usesOfCertificate = 3

func (h *honestGenerator) request(domain string, issuer *idptest.IdP) (r honestRequest, err error) {
	number := h.made
	h.made++
	user := h.users[number/usesOfCertificate%len(h.users)]
	r.email = fmt.Sprintf("user%d@%s", number/usesOfCertificate%len(h.users), domain)
	if h.certificates[r.email] == "" || number%usesOfCertificate == 0 {
		certificate, err := issuer.Certificate(r.email, user.Public()).With("exp", h.now.Add(time.Hour).UnixMilli()+int64(number)).Encode()
		if err != nil {
			return r, err
		}
		h.certificates[r.email] = certificate
	}
	assertion, err := issuer.Assertion(workload.Audience, user).With("exp", h.expires(number)).Encode()
	r.text = request(h.certificates[r.email] + "~" + assertion)
	return r, err
}

// honestLife is how long honest assertions are valid: less than the 10 minutes that a
// service with a one-use guard accepts, and longer than the runs of one row.
const honestLife = 9 * time.Minute

// expires returns another millisecond for each assertion.
func (h *honestGenerator) expires(number int) int64 {
	return h.now.Add(honestLife).UnixMilli() + int64(number)
}
