package evptest

import (
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/evp"
)

// Config returns a configuration with which a verifier asks the world, and has its clock.
// All other fields have their defaults, and may be modified.
func (w *World) Config(origins ...string) evp.Config {
	return evp.Config{Origins: origins, Now: w.Now, Resolver: w, InsecureTransport: w}
}

// Verifier returns a new verifier with that Config. It panics if an origin is not valid.
func (w *World) Verifier(origins ...string) *evp.Verifier {
	v, err := evp.NewVerifier(w.Config(origins...))
	if err != nil {
		panic("evptest: " + err.Error())
	}
	return v
}

// TLSConfig is Config for a verifier that reaches the hosts of the server over real TLS.
// See [World.Serve].
func (w *World) TLSConfig(server *idptest.Server, origins ...string) evp.Config {
	c := w.Config(origins...)
	c.InsecureTransport = nil
	c.RootCAs, c.InsecureDialContext = server.RootCAs(), server.DialContext
	return c
}
