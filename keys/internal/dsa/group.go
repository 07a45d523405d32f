package dsa

import (
	"math/big"
	"sync"
	"sync/atomic"

	"github.com/vepverify/vepverify/keys/internal/mont"
)

// The first test groups of FIPS 186-3, one of each size. All DSA keys that were seen in
// use are in one of them.
var (
	FIPS1024 = &Group{
		P: constant("" +
			"ff600483db6abfc5b45eab78594b3533d550d9f1bf2a992a7a8daa6dc34f8045" +
			"ad4e6e0c429d334eeeaaefd7e23d4810be00e4cc1492cba325ba81ff2d5a5b30" +
			"5a8d17eb3bf4a06a349d392e00d329744a5179380344e82a18c47933438f891e" +
			"22aeef812d69c8f75e326cb70ea000c3f776dfdbd604638c2ef717fc26d02e17"),
		Q: constant("e21e04f911d1ed7991008ecaab3bf775984309c3"),
		G: constant("" +
			"c52a4a0ff3b7e61fdf1867ce84138369a6154f4afa92966e3c827e25cfa6cf50" +
			"8b90e5de419e1337e07a2e9e2a3cd5dea704d175f8ebf6af397d69e110b96afb" +
			"17c7a03259329e4829b0d03bbc7896b15b4ade53e130858cc34d96269aa89041" +
			"f409136c7242a38895c9d5bccad4f389af1d7a4bd1398bd072dffa896233397a"),
	}
	FIPS2048 = &Group{
		P: constant("" +
			"d6c4e5045697756c7a312d02c2289c25d40f9954261f7b5876214b6df109c738" +
			"b76226b199bb7e33f8fc7ac1dcc316e1e7c78973951bfc6ff2e00cc987cd76fc" +
			"fb0b8c0096b0b460fffac960ca4136c28f4bfb580de47cf7e7934c3985e3b3d9" +
			"43b77f06ef2af3ac3494fc3c6fc49810a63853862a02bb1c824a01b7fc688e40" +
			"28527a58ad58c9d512922660db5d505bc263af293bc93bcd6d885a157579d7f5" +
			"2952236dd9d06a4fc3bc2247d21f1a70f5848eb0176513537c983f5a36737f01" +
			"f82b44546e8e7f0fabc457e3de1d9c5dba96965b10a2a0580b0ad0f88179e100" +
			"66107fb74314a07e6745863bc797b7002ebec0b000a98eb697414709ac17b401"),
		Q: constant("b1e370f6472c8754ccd75e99666ec8ef1fd748b748bbbc08503d82ce8055ab3b"),
		G: constant("" +
			"9a8269ab2e3b733a5242179d8f8ddb17ff93297d9eab00376db211a22b19c854" +
			"dfa80166df2132cbc51fb224b0904abb22da2c7b7850f782124cb575b116f41e" +
			"a7c4fc75b1d77525204cd7c23a15999004c23cdeb72359ee74e886a1dde7855a" +
			"e05fe847447d0a68059002c3819a75dc7dcbb30e39efac36e07e2c404b7ca98b" +
			"263b25fa314ba93c0625718bd489cea6d04ba4b0b7f156eeb4c56c44b50e4fb5" +
			"bce9d7ae0d55b379225feb0214a04bed72f33e0664d290e7c840df3e2abb5e48" +
			"189fa4e90646f1867db289c6560476799f7be8420a6dc01d078de437f280fff2" +
			"d7ddf1248d56e1a54b933a41629d6c252983c58795105802d30d7bcd819cf6ef"),
	}
)

// Group is the subgroup of order q that g generates modulo p.
type Group struct{ P, Q, G *big.Int }

func (g *Group) equal(h *Group) bool {
	return g.P.Cmp(h.P) == 0 && g.Q.Cmp(h.Q) == 0 && g.G.Cmp(h.G) == 0
}

func constant(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok {
		panic("dsa: a constant is not a number")
	}
	return n
}

// group is a group prepared for verification.
type group struct {
	Group
	ring   mont.Ring  // modulo p
	g      []uint64   // element of ring
	order  inverter   // modulo q
	comb   *mont.Comb // of g, nil if there is no table
	shared bool       // all keys of the group share the comb
}

// wellKnown are the groups that have a table. The table is computed on first use.
var wellKnown = []struct {
	*Group
	prepared func() *group
}{
	{FIPS1024, sync.OnceValue(FIPS1024.withTable)},
	{FIPS2048, sync.OnceValue(FIPS2048.withTable)},
}

// groupOf returns the prepared group of a key, or nil if p or q is out of range.
func groupOf(k *PublicKey) *group {
	own := &Group{k.P, k.Q, k.G}
	for _, w := range wellKnown {
		if own.equal(w.Group) {
			return w.prepared()
		}
	}
	if g := checkedGroups.find(own); g != nil {
		return g
	}
	return own.prepare()
}

// maxChecked limits the memory and the search time of checkedGroups. It is larger than
// the number of groups that a deployment with its own groups is expected to have.
const maxChecked = 8

// groupList is a list of groups with g^q ≡ 1 (mod p), the newest first. Further keys of
// such a group need no check of g.
type groupList struct{ list atomic.Pointer[[]*group] }

var checkedGroups groupList

func (p *groupList) find(g *Group) *group {
	if list := p.list.Load(); list != nil {
		for _, known := range *list {
			if known.equal(g) {
				return known
			}
		}
	}
	return nil
}

// add adds a group, and drops the oldest one if there are more than maxChecked. A group
// that another goroutine adds at the same time may be lost; it is then checked again.
func (p *groupList) add(g *group) {
	plain := *g
	plain.comb = nil // a table takes too much memory for a group that may not be used again
	list := []*group{&plain}
	if old := p.list.Load(); old != nil {
		list = append(list, (*old)[:min(len(*old), maxChecked-1)]...)
	}
	p.list.Store(&list)
}

// prepare returns nil if p or q is out of range.
func (g *Group) prepare() *group {
	ring, err := mont.New(g.P)
	if err != nil || g.Q.Bit(0) == 0 || g.Q.BitLen() > maxOrderBits {
		return nil
	}
	z := make([]uint64, ring.Len())
	ring.Set(z, g.G)
	return &group{Group: *g, ring: ring, g: z, order: newInverter(g.Q)}
}

// The size of the comb of a well-known group: 256 KiB for 1024 bits and 512 KiB for 2048
// bits, or 320 and 640 KiB with IFMA.
const (
	groupRows   = 10
	groupTables = 2
)

func (g *Group) withTable() *group {
	p := g.prepare()
	p.shared = true
	p.comb = mont.NewComb(p.ring, p.g, g.Q.BitLen(), groupRows, groupTables)
	return p
}
