package strictjson

import (
	"bytes"
	"hash/maphash"
)

// few is the number of names up to which an object is searched name by name. That is
// quickest for small objects, and quadratic for large ones, which use nameSet.
const few = 16

// nameSet finds repeated names in all large objects of one text: a hash table
// with open addressing, without an allocation for each name or object. It is emptied
// when no large object is open; until then, names of objects that have ended stay
// in it. The hash has a secret seed, so that a sender cannot make names collide.
type nameSet struct {
	slots   []slot // a power of two, at most half in use
	used    int
	objects uint32 // number of large objects since the set was empty
	open    int    // number of those that have not ended
}

// slot is empty if object is 0.
type slot struct {
	hash   uint32
	object uint32
	name   uint32 // index in scanner.names
}

var seed = maphash.MakeSeed()

// add adds names[index] to an object and reports whether the object has that name
// already.
func (s *nameSet) add(object uint32, names []text, index int) bool {
	if 2*s.used >= len(s.slots) {
		s.grow()
	}
	hash := uint32(maphash.Bytes(seed, names[index]))
	at := s.start(hash, object)
	for s.slots[at].object != 0 {
		if other := s.slots[at]; other.hash == hash && other.object == object && bytes.Equal(names[other.name], names[index]) {
			return true
		}
		at = (at + 1) & (len(s.slots) - 1)
	}
	s.slots[at] = slot{hash, object, uint32(index)}
	s.used++
	return false
}

// start is where the search for a name begins. The multiplication keeps equal
// names of different objects apart.
func (s *nameSet) start(hash, object uint32) int {
	return int(hash^object*0x9e3779b9) & (len(s.slots) - 1)
}

func (s *nameSet) grow() {
	old := s.slots
	s.slots = make([]slot, max(8*few, 2*len(old)))
	for _, o := range old {
		if o.object == 0 {
			continue
		}
		at := s.start(o.hash, o.object)
		for s.slots[at].object != 0 {
			at = (at + 1) & (len(s.slots) - 1)
		}
		s.slots[at] = o
	}
}

// begin returns the number of a new large object, above 0.
func (s *nameSet) begin() uint32 {
	s.open++
	s.objects++
	return s.objects
}

// end is called once for each begin.
func (s *nameSet) end() {
	if s.open--; s.open == 0 {
		s.reset()
	}
}

// reset empties the set. It keeps the memory unless that is large.
func (s *nameSet) reset() {
	if len(s.slots) > 32*few {
		s.slots = nil
	}
	if s.used > 0 {
		clear(s.slots)
	}
	s.used, s.objects, s.open = 0, 0, 0
}
