package keys_test

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/vepverify/vepverify/keys"
)

func ExampleParsePublicKey() {
	key, err := keys.ParsePublicKey([]byte(`{"kty":"RSA","e":"AQAB","n":"` +
		"0E56LickTUmdqm3bFCefyzQ_YyB7HrPTbK0xi4K-ANZTqqu51nDeOEvpPOGvroxZngvJ3AUhiD_ln9V-87UYBAqq" +
		"ExYzWThuq4SEufbA1tLFakTJ3vn30ggWXe5nJmvBi3qsAo024-dgPG5B2-2iZa-DDqx9pZG5dXM9tJ9qdQs" + `"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	signature, err := base64.RawURLEncoding.DecodeString("" +
		"mcywM2dsxHbk75mRItWy-qJ2dtzl0RYD702mQBj0kXpqsMQVlBLQ76pdv6xclL-fljHqBiSub8apun1cAgUhBY3a" +
		"fep56rUrDerXZajJnPgqOknbwivDoFZpxjoRFZsuzfSbCOeS7VdvA_hznGjTFN6G7OqQEIMmmCpIr-1QbcU")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Algorithm())
	fmt.Println(key.Verify([]byte("a message"), signature))
	fmt.Println(errors.Is(key.Verify([]byte("another"), signature), keys.ErrSignature))
	// Output:
	// RS128
	// <nil>
	// true
}

func ExampleGenerate() {
	key, err := keys.Generate(keys.DS256)
	if err != nil {
		fmt.Println(err)
		return
	}
	signature, err := key.Sign([]byte("a message"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(signature), "bytes")
	fmt.Println(key.Public().Verify([]byte("a message"), signature))
	fmt.Println(key) // prints the algorithm, not the secret
	// Output:
	// 64 bytes
	// <nil>
	// DS256 private key
}

func ExampleInsecureParsePublicKey() {
	weak := []byte(`{"algorithm":"RS","e":"65537","n":"` +
		"9982357755208565760057911563954084127567396022214637909979774859318105385696982017299339" +
		"600264609980687861607252670296218421112596522541242001276470377703" + `"}`)
	_, err := keys.ParsePublicKey(weak)
	fmt.Println(errors.Is(err, keys.ErrWeak))
	key, err := keys.InsecureParsePublicKey(weak)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.Algorithm(), key.Weak())
	// Output:
	// true
	// RS64 true
}
