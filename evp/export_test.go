package evp

import "github.com/vepverify/vepverify/evp/internal/discovery"

// WithSource returns a verifier with another source.
func (v *Verifier) WithSource(s discovery.Source) *Verifier {
	other := *v
	other.source = s
	return &other
}
