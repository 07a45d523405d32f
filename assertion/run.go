package assertion

import (
	"context"
	"sync"
	"time"

	"github.com/vepverify/vepverify/certchain"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// run is one verification under way: what went in, and what each step found
// for those after it.
type run struct {
	*Verifier
	ctx      context.Context
	text     string
	accepted []string
	at       time.Time

	chain       certchain.Chain
	texts       []string         // by certificate
	known       []*remembered    // by certificate: what is remembered of it, or nil
	certified   []keys.PublicKey // by certificate
	assertion   *certchain.Token
	audience    string
	email       string // empty when none is certified
	emailDomain string
	authority   *wellknown.Authority
	noPrimary   error // why the email's domain does not speak for itself; nil if it does
	check       wellknown.SignatureCheck
	held        []keys.PublicKey // the keys by which verifiedBy decided
	heldOK      bool             // what it decided
	tried       []keys.PublicKey // the published keys that are tried
	fast        []keys.PublicKey // the same, those that have a table with it
}

// runs are kept for their slices.
var runs = sync.Pool{New: func() any {
	r := new(run)
	r.check.Verifies = r.verifiedBy // made once for each run that is kept: BenchmarkVerify
	return r
}}

func (v *Verifier) begin(ctx context.Context, a string, audiences []string) (*run, error) {
	if v == nil || v.keys == nil {
		return nil, misuse("Verifier not made by NewVerifier")
	}
	if ctx == nil {
		return nil, misuse("nil context")
	}
	if len(audiences) == 0 {
		return nil, misuse("no audience")
	}
	r := runs.Get().(*run)
	r.Verifier, r.ctx, r.text, r.at = v, ctx, a, v.now()
	r.accepted = append(r.accepted, audiences...)
	return r, nil
}

// end lets go of everything but the room that the slices have.
func (r *run) end() {
	clear(r.accepted)
	clear(r.chain)
	clear(r.texts)
	clear(r.known)
	clear(r.certified)
	clear(r.tried)
	clear(r.fast)
	*r = run{
		accepted: r.accepted[:0], chain: r.chain[:0], known: r.known[:0], certified: r.certified[:0],
		texts: r.texts[:0], tried: r.tried[:0], fast: r.fast[:0],
		check: wellknown.SignatureCheck{Verifies: r.check.Verifies},
	}
	runs.Put(r)
}

// user is the certificate that certifies the user: the last one.
func (r *run) user() *certchain.Certificate { return r.chain[len(r.chain)-1] }

// issuer is the domain that answers for the whole chain.
func (r *run) issuer() string { return r.chain[0].Issuer }
