package assertion

import (
	"context"

	"github.com/vepverify/vepverify/keys"
)

// CacheSize returns how many certificates and key tables v has, and the estimated
// bytes that they take.
func CacheSize(v *Verifier) (certificates, tables int, bytes int64) {
	certificates, bytes = v.cache.certificates.Size()
	for _, t := range []*keyTables{v.cache.userKeys, v.cache.issuerKeys} {
		n, size := t.keys.Size()
		tables, bytes = tables+n, bytes+size
	}
	return certificates, tables, bytes
}

// RejectedSize returns how many rejected certificates v has, and the bytes.
func RejectedSize(v *Verifier) (entries int, bytes int64) { return v.cache.rejected.Size() }

// OneUseSize returns how many entries and parties m has.
func OneUseSize(m *MemoryOneUse) (entries, parties int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.used), len(m.parties)
}

// VerifiedBy makes the checks of a that need no network. Then it returns, for each
// list of keys, whether one of them verifies the certificates.
func VerifiedBy(v *Verifier, a, audience string, lists ...[]keys.PublicKey) (outcomes []bool, err error) {
	run, err := v.begin(context.Background(), a, []string{audience})
	if err != nil {
		return nil, err
	}
	defer run.end()
	for _, s := range steps {
		if s.name == authorityStep {
			break
		}
		if err := s.check(run); err != nil {
			return nil, err
		}
	}
	for _, list := range lists {
		outcomes = append(outcomes, run.verifiedBy(list))
	}
	return outcomes, nil
}
