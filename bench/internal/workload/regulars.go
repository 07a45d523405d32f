package workload

import (
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// Regulars are the users of one identity provider, RS256, who come back again
// and again, with DS128 keys and a new certificate each time they have used one
// up, as at a busy relying party.
type Regulars struct {
	idp    *idptest.IdP
	users  []regular
	at     time.Time
	visits int // so far
}

type regular struct {
	key    signer
	secret *big.Int
}

// NewRegulars makes so many users of the domain, whose tokens are as of the time
// given.
func NewRegulars(domain string, users int, at time.Time) (*Regulars, error) {
	r := &Regulars{idp: idptest.New(domain, idptest.Key("RS256")).At(at), users: make([]regular, users), at: at}
	err := spread(users, func(from, to int) error {
		w, err := newWalk("DS128", from)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			key, err := w.next()
			if err != nil {
				return err
			}
			r.users[i] = regular{key, new(big.Int).Set(w.x)}
		}
		return nil
	})
	return r, err
}

// Document is the identity provider's support document.
func (r *Regulars) Document() ([]byte, error) { return json.Marshal(r.idp.Document()) }

// Mint gives n backed assertions, each different from all that were ever given, at
// most uses of them with the same certificate. Neighbours are of different
// users.
func (r *Regulars) Mint(n, uses int) ([]string, error) {
	texts := make([]string, n)
	certificates := (n + uses - 1) / uses
	first := r.visits
	r.visits += n
	err := spread(certificates, func(from, to int) error {
		w, err := newWalk("DS128", len(r.users)+first+from) // a user signs in several pieces at once
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			user := r.users[i%len(r.users)]
			key := signer{user.key.public, w.signer(user.secret)}
			certificate, err := r.certificate(i%len(r.users), first+i)
			if err != nil {
				return err
			}
			for j := i; j < n; j += certificates {
				v, err := newVisit(key, first+j, r.at)
				if err != nil {
					return err
				}
				texts[j] = certificate + "~" + v.assertion
			}
		}
		return nil
	})
	return texts, err
}

// certificate certifies a user's key once more: each expires a millisecond later
// than the one before.
func (r *Regulars) certificate(user, number int) (string, error) {
	email := fmt.Sprintf("user%d@%s", user, r.idp.Domain)
	return r.idp.Certificate(email, r.users[user].key.public).
		With("exp", r.at.Add(assertionLife).UnixMilli()+int64(number)).Encode()
}
