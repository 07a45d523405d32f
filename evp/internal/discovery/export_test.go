package discovery

import (
	"net/netip"
	"strconv"

	"github.com/vepverify/vepverify/internal/fetch"
)

// NewNetworkWithPort returns a Network whose hosts listen on another port than 443. The
// exempt addresses count as public.
func NewNetworkWithPort(c Config, port uint16, exempt ...netip.Prefix) (*Network, error) {
	guard := fetch.Config{Ports: []uint16{port}, Exempt: exempt}
	return newNetwork(c, guard, ":"+strconv.Itoa(int(port)))
}

// Sizes returns what the caches of TXT records and of issuers keep.
func (n *Network) Sizes() (txt, issuers fetch.Sizes) { return n.txt.Sizes(), n.issuers.Sizes() }
