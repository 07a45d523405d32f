package certchain

import (
	"fmt"

	"github.com/vepverify/vepverify/keys"
)

// Chain is a chain of certificates. Each certificate but the last certifies the host
// that issued the next one, and its key. The last certifies the user.
type Chain []*Certificate

// CheckLinks returns an error matching [ErrChain] if a certificate is not issued by
// the host that the one before it certifies, or if the one before it certifies an
// email address. It checks no signature.
func (c Chain) CheckLinks() error {
	for i := 1; i < len(c); i++ {
		host, err := c[i-1].Host()
		if err != nil {
			return err
		}
		if c[i].Issuer != host {
			return fmt.Errorf("%w: certificate %d is not issued by the host that certificate %d certifies", ErrChain, i+1, i)
		}
	}
	return nil
}

// Verify verifies the signature of each certificate: that of the first with the keys
// that its authority publishes, that of each further one with the key that the one
// before it certifies. certified holds the certified keys of the chain in order, as
// [Certificate.PublicKey] returns them. Verify returns the index in authority of the
// key that signed the first certificate. The error matches [ErrAlgorithm] or
// [ErrSignature].
func (c Chain) Verify(certified, authority []keys.PublicKey) (signer int, err error) {
	candidates := authority
	for i, certificate := range c {
		index, err := certificate.verify(candidates)
		if err != nil {
			return 0, fmt.Errorf("certificate %d of %d: %w", i+1, len(c), err)
		}
		if i == 0 {
			signer = index
		}
		candidates = certified[i : i+1]
	}
	return signer, nil
}
