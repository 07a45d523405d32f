package certchain

import (
	"fmt"

	"github.com/vepverify/vepverify/keys"
)

// CheckLinks checks the host rule: of each two neighbours in the chain, the
// first certifies a host, and no email, and that host is the second's issuer.
// It errs with ErrChain.
func CheckLinks(chain []*Certificate) error {
	for i := 1; i < len(chain); i++ {
		host, err := chain[i-1].Host()
		if err != nil {
			return err
		}
		if chain[i].Issuer != host {
			return fmt.Errorf("%w: certificate %d is not issued by the host that certificate %d certifies", ErrChain, i+1, i)
		}
	}
	return nil
}

// VerifySignatures checks the chain's signatures: the first certificate's
// against the keys that its authority publishes, each further one against the
// key that the one before it certifies. certified holds the chain's certified
// keys in order. It gives the index of the authority's key that made the first
// signature, and errs with ErrAlgorithm or ErrSignature.
func VerifySignatures(chain []*Certificate, certified, authority []keys.PublicKey) (signer int, err error) {
	candidates := authority
	for i, c := range chain {
		made, err := c.verify(candidates)
		if err != nil {
			return 0, fmt.Errorf("certificate %d of %d: %w", i+1, len(chain), err)
		}
		if i == 0 {
			signer = made
		}
		candidates = certified[i : i+1]
	}
	return signer, nil
}
