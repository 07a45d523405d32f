package corpus

import (
	"bytes"
	"sync"

	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
)

// remembering is a test key that signs each message once. Most vectors share
// their certificate, and equal text has an equal signature.
type remembering struct {
	keys.PrivateKey
	signed *sync.Map // message → signature
}

var remembered sync.Map // name → remembering

// key gives the key of package idptest with that name.
func key(name string) keys.PrivateKey {
	k, _ := remembered.LoadOrStore(name, remembering{idptest.Key(name), new(sync.Map)})
	return k.(remembering)
}

// Sign implements keys.PrivateKey. Callers may change what they get.
func (k remembering) Sign(message []byte) ([]byte, error) {
	if signature, ok := k.signed.Load(string(message)); ok {
		return bytes.Clone(signature.([]byte)), nil
	}
	signature, err := k.PrivateKey.Sign(message)
	if err == nil {
		k.signed.Store(string(message), bytes.Clone(signature))
	}
	return signature, err
}
