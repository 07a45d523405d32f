// Package numbers returns the numbers of keys, for benchmarks that compute with them.
package numbers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// Of returns the numbers of a public or private key by their names in its JWK form.
func Of(key interface{ MarshalJWK() ([]byte, error) }) (map[string]*big.Int, error) {
	text, err := key.MarshalJWK()
	if err != nil {
		return nil, err
	}
	var members map[string]string
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	delete(members, "kty")
	numbers := make(map[string]*big.Int)
	for name, digits := range members {
		b, err := base64.RawURLEncoding.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", name, err)
		}
		numbers[name] = new(big.Int).SetBytes(b)
	}
	return numbers, nil
}
