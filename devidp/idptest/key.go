package idptest

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/vepverify/vepverify/keys"
)

// keyFiles has the private keys, which are PUBLIC. Only tests may trust a certificate
// or an assertion that one of them signed.
//
//go:embed testkeys/*.json
var keyFiles embed.FS

// parsedKeys has the keys that were loaded before.
var parsedKeys sync.Map // name → func() keys.PrivateKey

// Key returns the test key of that name, which is always the same key.
//
// THESE PRIVATE KEYS ARE PUBLISHED with this package: anyone can sign with them.
// They are for tests only.
//
// The names are those of the algorithms, such as "RS256", and the same with "-2"
// for a second key. "RS64-511", "RS128-1023" and "RS256-2047" have a modulus of
// that many bits; "DS128-own-group" and "DS256-own-group" have a group other than
// the two in common use. Key panics for any other name.
func Key(name string) keys.PrivateKey {
	load, _ := parsedKeys.LoadOrStore(name, sync.OnceValue(func() keys.PrivateKey { return loadKey(name) }))
	return load.(func() keys.PrivateKey)()
}

func loadKey(name string) keys.PrivateKey {
	data, err := keyFiles.ReadFile("testkeys/" + name + ".json")
	if err != nil {
		panic(fmt.Sprintf("idptest: no test key %q, only %s", name, strings.Join(keyNames(), ", ")))
	}
	key, err := keys.InsecureParsePrivateKey(data)
	if err != nil {
		panic(fmt.Sprintf("idptest: test key %s: %v", name, err))
	}
	return key
}

// keyNames returns the names of all test keys, sorted.
func keyNames() []string {
	files, err := keyFiles.ReadDir("testkeys")
	if err != nil {
		panic("idptest: " + err.Error()) // they are compiled in
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f.Name(), path.Ext(f.Name()))
	}
	slices.Sort(names)
	return names
}
