package main

import (
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/openssl"
	"github.com/vepverify/vepverify/bench/internal/report"
	"github.com/vepverify/vepverify/bench/internal/workload"
)

// addOpenSSL adds OpenSSL, or a note if that fails. It verifies the pool of returning
// users, with prepared keys.
func (f *suite) addOpenSSL() {
	if !openssl.Available {
		f.note("%s: %v", report.OpenSSL, openssl.ErrNotBuilt)
		return
	}
	for i, pool := range f.warm {
		sum, err := signatures(pool)
		if err != nil {
			f.note("%s: %v", report.OpenSSL, err)
			return
		}
		f.closers = append(f.closers, sum.Close)
		f.add(i, report.OpenSSL, "", func(d time.Duration) (sample, error) { return slot(sum, d) })
	}
	f.versions[report.OpenSSL] = openssl.Version()
}

// signatures returns a list of the two signatures of each assertion.
func signatures(pool *workload.Pool) (*openssl.Sum, error) {
	sum, err := openssl.New()
	if err != nil {
		return nil, err
	}
	for _, text := range pool.Texts {
		if err := addSignatures(sum, pool, text); err != nil {
			sum.Close()
			return nil, err
		}
	}
	return sum, nil
}

func addSignatures(sum *openssl.Sum, pool *workload.Pool, text string) error {
	backed, err := assertion.Parse(text)
	if err != nil {
		return err
	}
	certificate := backed.Certificates[0]
	user, err := certificate.PublicKey(false)
	if err != nil {
		return err
	}
	if err := sum.Add(pool.Key, certificate.String()); err != nil {
		return err
	}
	return sum.Add(user, backed.Assertion.String())
}

func slot(sum *openssl.Sum, d time.Duration) (sample, error) {
	const batch = 8
	var n int
	begin, took := time.Now(), time.Duration(0)
	for took < d {
		if err := sum.Run(2 * batch); err != nil {
			return sample{}, err
		}
		n += batch
		took = time.Since(begin)
	}
	return sample{perOne(took, n), -1}, nil
}
