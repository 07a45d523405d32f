package assertion

import (
	"context"

	"github.com/vepverify/vepverify/keys"
)

// Remembered gives how many certificates and key tables v holds, and the bytes
// that it reckons for them.
func Remembered(v *Verifier) (certificates, keyTables int, bytes int64) {
	certificates, bytes = v.memory.certificates.Size()
	for _, t := range []*tables{v.memory.userKeys, v.memory.issuerKeys} {
		n, size := t.keys.Size()
		keyTables, bytes = keyTables+n, bytes+size
	}
	return certificates, keyTables, bytes
}

// Refused returns how many refused certificates v remembers, and the bytes.
func Refused(v *Verifier) (entries int, bytes int64) { return v.memory.refused.Size() }

// Uses returns how many entries and parties m has.
func Uses(m *MemoryOneUse) (entries, parties int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.used), len(m.parties)
}

// VerifiedBy verifies a up to its own signature, and then asks for each list of
// keys whether it verifies the certificates.
func VerifiedBy(v *Verifier, a, aud string, lists ...[]keys.PublicKey) (answers []bool, err error) {
	r, err := v.begin(context.Background(), a, []string{aud})
	if err != nil {
		return nil, err
	}
	defer r.end()
	for _, s := range steps[:7] {
		if err := s.check(r); err != nil {
			return nil, err
		}
	}
	for _, list := range lists {
		answers = append(answers, r.verifiedBy(list))
	}
	return answers, nil
}
