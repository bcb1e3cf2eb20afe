package follower

import (
	"sync"
	"sync/atomic"
	"unique"

	"github.com/catbridge/catbridge/evaluate"
)

// memoSize is how many flags a snapshot remembers: the first that are read. The others are
// evaluated each time.
const memoSize = 8

// flagID identifies a flag by its type and key, so that a snapshot finds it without comparing
// strings. The zero value identifies none.
type flagID = unique.Handle[flagName]

type flagName struct {
	kind evaluate.Kind
	key  string
}

func idOf(kind evaluate.Kind, key string) flagID { return unique.Make(flagName{kind, key}) }

// memo remembers the values of flags for one snapshot, which is for one user. An entry is
// written once, before filled counts it, and is read without a lock.
type memo struct {
	_ noCopy

	mu     sync.Mutex // held by the goroutine that adds an entry
	filled atomic.Uint32
	flags  [memoSize]flagID
	values [memoSize]evaluate.Value
}

// get returns the value of a flag; nil: it is not remembered.
func (m *memo) get(id flagID) *evaluate.Value {
	for i := range m.flags[:m.filled.Load()] {
		if m.flags[i] == id {
			return &m.values[i]
		}
	}
	return nil
}

// put remembers the value of a flag, if there is room and no other goroutine is adding one.
func (m *memo) put(id flagID, value evaluate.Value) {
	if id == (flagID{}) || !m.mu.TryLock() {
		return
	}
	defer m.mu.Unlock()
	i := m.filled.Load()
	if i == memoSize || m.get(id) != nil {
		return
	}
	m.flags[i], m.values[i] = id, value
	m.filled.Store(i + 1)
}

// remembered is the value of a flag that was read before; nil: it must be evaluated.
func (s *Snapshot) remembered(id flagID) *evaluate.Value {
	if s.hooks.wantsEvaluations() {
		return nil
	}
	return s.memo.get(id)
}

// flag evaluates a flag, and remembers a value that nobody was to be told of.
func (s *Snapshot) flag(id flagID, method, key string, def evaluate.Value) evaluate.Value {
	value, silent := s.valueOf(s.held, method, key, s.user, def)
	if silent {
		s.memo.put(id, value)
	}
	return value
}
