package follower

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/catbridge/catbridge/evaluate"
)

const (
	// memoSlots is how many flags a snapshot remembers. A flag whose slot another one
	// has is evaluated each time.
	memoSlots = 8
	// flagsNumbered bounds what descriptors of ever new keys may take.
	flagsNumbered = 1 << 16
	beingWritten  = math.MaxUint32
)

// flagID numbers flags by key and type, so that a snapshot finds them without comparing
// texts; 0: too many, it is evaluated each time.
type flagID uint32

var flagIDs = struct {
	sync.Mutex
	of map[flagName]flagID
}{of: map[flagName]flagID{}}

type flagName struct {
	kind evaluate.Kind
	key  string
}

func idOf(kind evaluate.Kind, key string) flagID {
	flagIDs.Lock()
	defer flagIDs.Unlock()
	name := flagName{kind, key}
	id, ok := flagIDs.of[name]
	if !ok && len(flagIDs.of) < flagsNumbered {
		id = flagID(len(flagIDs.of) + 1)
		flagIDs.of[name] = id
	}
	return id
}

// memo remembers the values of a snapshot's flags. Slots are written once, by whoever
// comes first, and need no lock.
type memo [memoSlots]struct {
	flag  atomic.Uint32 // its flagID; 0: free
	value evaluate.Value
}

func (m *memo) get(id flagID) *evaluate.Value {
	slot := &m[id%memoSlots]
	if id == 0 || slot.flag.Load() != uint32(id) {
		return nil
	}
	return &slot.value
}

func (m *memo) put(id flagID, value evaluate.Value) {
	slot := &m[id%memoSlots]
	if id != 0 && slot.flag.CompareAndSwap(0, beingWritten) {
		slot.value = value
		slot.flag.Store(uint32(id))
	}
}

// remembered is the value of a flag that was read before; nil: it must be evaluated.
func (s *Snapshot) remembered(id flagID) *evaluate.Value {
	if s.hooks.wantsEvaluations() {
		return nil
	}
	return s.memo.get(id)
}

// flag evaluates a flag, and remembers a value of which there was nothing to say.
func (s *Snapshot) flag(id flagID, method, key string, def evaluate.Value) evaluate.Value {
	value, silent := s.valueOf(s.held, method, key, s.user, def)
	if silent {
		s.memo.put(id, value)
	}
	return value
}
