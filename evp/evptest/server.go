package evptest

import (
	"maps"
	"net/url"
	"slices"

	"github.com/vepverify/vepverify/devidp/idptest"
)

// Serve serves the issuers' hosts, and those of [World.SetURL] and
// [World.SetHandler], over real TLS on a
// simulated network of package idptest. The sites of that package then make faults of
// connections, such as idptest.PrivateAddress and [idptest.Site.Expired]. Call Serve again
// after one of them has added a host.
//
//	server := idptest.NewServer()
//	t.Cleanup(server.Close)
//	world.Serve(server)
//	v, err := evp.NewVerifier(world.TLSConfig(server, "https://rp.example"))
func (w *World) Serve(server *idptest.Server) {
	for _, host := range w.siteHosts() {
		server.Set(host, idptest.Handler(w))
	}
}

// siteHosts returns the hosts of all URLs.
func (w *World) siteHosts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	hosts := slices.Collect(maps.Keys(w.hosts))
	for text := range w.sites {
		if u, err := url.Parse(text); err == nil && u.Scheme == "https" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}
