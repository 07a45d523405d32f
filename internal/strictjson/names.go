package strictjson

import (
	"bytes"
	"hash/maphash"
)

// maxLinear is the number of names up to which an object is searched name by name. This
// is fastest for small objects. It takes quadratic time for large ones, which use a
// nameSet.
const maxLinear = 16

// nameSet finds repeated names in the large objects of one text. It is a hash table with
// open addressing that does not allocate for each name or object. The names of an object
// stay in the set until no large object is open. The hash has a secret seed, so that a
// sender cannot choose names that collide.
type nameSet struct {
	slots   []slot // a power of two, at most half in use
	used    int
	objects uint32 // number of large objects since the set was empty
	open    int    // number of these objects that have not ended
}

// slot is empty if object is 0.
type slot struct {
	hash   uint32
	object uint32
	name   uint32 // index in scanner.names
}

var seed = maphash.MakeSeed()

// add adds names[index] to an object. It reports whether the object already had that
// name.
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

// start returns the slot at which the search for a name begins. The multiplication spreads
// equal names of different objects over the table.
func (s *nameSet) start(hash, object uint32) int {
	return int(hash^object*0x9e3779b9) & (len(s.slots) - 1)
}

func (s *nameSet) grow() {
	old := s.slots
	s.slots = make([]slot, max(8*maxLinear, 2*len(old)))
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

// end must be called once for each call of begin.
func (s *nameSet) end() {
	if s.open--; s.open == 0 {
		s.reset()
	}
}

// reset empties the set. It keeps the memory for reuse unless there is much of it.
func (s *nameSet) reset() {
	if len(s.slots) > 32*maxLinear {
		s.slots = nil
	}
	if s.used > 0 {
		clear(s.slots)
	}
	s.used, s.objects, s.open = 0, 0, 0
}
