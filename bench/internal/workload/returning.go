package workload

import (
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// ReturningUsers are the users of one identity provider, as a busy relying party sees
// them: each returns with new assertions, and with a new certificate after some of
// them. The provider's key is RS256, the users' keys are DS128.
type ReturningUsers struct {
	idp    *idptest.IdP
	users  []returningUser
	at     time.Time
	visits int // assertions signed so far
}

type returningUser struct {
	key    signer
	secret *big.Int
}

// NewReturningUsers returns users of the domain, whose tokens are issued at the given
// time.
func NewReturningUsers(domain string, users int, at time.Time) (*ReturningUsers, error) {
	r := &ReturningUsers{idp: idptest.New(domain, idptest.Key("RS256")).At(at), users: make([]returningUser, users), at: at}
	err := spread(users, func(from, to int) error {
		w, err := newKeySequence("DS128", from)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			key, err := w.next()
			if err != nil {
				return err
			}
			r.users[i] = returningUser{key, new(big.Int).Set(w.x)}
		}
		return nil
	})
	return r, err
}

// Document returns the identity provider's support document.
func (r *ReturningUsers) Document() ([]byte, error) { return json.Marshal(r.idp.Document()) }

// Assertions returns n backed assertions, none of which was returned before. At most
// uses of them have the same certificate. Neighbours are of different users.
func (r *ReturningUsers) Assertions(n, uses int) ([]string, error) {
	texts := make([]string, n)
	certificates := (n + uses - 1) / uses
	first := r.visits
	r.visits += n
	err := spread(certificates, func(from, to int) error {
		w, err := newKeySequence("DS128", len(r.users)+first+from) // pieces run at once and may share a user
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

// certificate issues another certificate for a user's key: each expires one
// millisecond after the previous one.
func (r *ReturningUsers) certificate(user, number int) (string, error) {
	email := fmt.Sprintf("user%d@%s", user, r.idp.Domain)
	return r.idp.Certificate(email, r.users[user].key.public).
		With("exp", r.at.Add(assertionLife).UnixMilli()+int64(number)).Encode()
}
