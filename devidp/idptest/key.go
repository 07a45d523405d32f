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

// The private keys in testkeys are PUBLIC: everybody has them. A key pair that
// anything but a test trusts must never come from here.
//
//go:embed testkeys/*.json
var keyFiles embed.FS

var parsedKeys sync.Map // name → func() keys.PrivateKey

// Key gives one of the test keys of [KeyNames], always the same one for a name.
//
// THESE PRIVATE KEYS ARE PUBLISHED with this package: whoever trusts one trusts
// everybody. They are for tests only.
//
// A plain algorithm name such as "RS256" gives the usual key for it, with "-2"
// behind it a second one. "RS64-511", "RS128-1023" and "RS256-2047" have a
// modulus of that many bits, "DS128-own-group" and "DS256-own-group" a group
// that is not one of the two in common use. It panics for any other name.
func Key(name string) keys.PrivateKey {
	load, _ := parsedKeys.LoadOrStore(name, sync.OnceValue(func() keys.PrivateKey { return loadKey(name) }))
	return load.(func() keys.PrivateKey)()
}

func loadKey(name string) keys.PrivateKey {
	data, err := keyFiles.ReadFile("testkeys/" + name + ".json")
	if err != nil {
		panic(fmt.Sprintf("idptest: no test key %q, only %s", name, strings.Join(KeyNames(), ", ")))
	}
	key, err := keys.InsecureParsePrivateKey(data)
	if err != nil {
		panic(fmt.Sprintf("idptest: test key %s: %v", name, err))
	}
	return key
}

// KeyNames gives the names of all test keys, sorted.
func KeyNames() []string {
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
