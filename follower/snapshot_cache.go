package follower

import (
	"sync"
	"sync/atomic"
	"unique"

	"github.com/catbridge/catbridge/evaluate"
)

// evaluationCacheSize is how many flags a snapshot caches: the first that are read. The others
// are evaluated each time.
const evaluationCacheSize = 8

// flagID identifies a flag by its type and key. A snapshot finds it without comparing strings.
// The zero value identifies no flag.
type flagID = unique.Handle[flagName]

type flagName struct {
	kind evaluate.Kind
	key  string
}

func idOf(kind evaluate.Kind, key string) flagID { return unique.Make(flagName{kind, key}) }

// evaluationCache caches the values of flags for one snapshot and so for one user. An entry is
// written once, before filled counts it, and read without a lock.
type evaluationCache struct {
	mu     sync.Mutex // held by the goroutine that adds an entry
	filled atomic.Uint32
	flags  [evaluationCacheSize]flagID
	values [evaluationCacheSize]evaluate.Value
}

func (c *evaluationCache) get(id flagID) *evaluate.Value {
	for i := range c.flags[:c.filled.Load()] {
		if c.flags[i] == id {
			return &c.values[i]
		}
	}
	return nil
}

// put caches the value of a flag, unless the cache is full or another goroutine is adding one.
func (c *evaluationCache) put(id flagID, value evaluate.Value) {
	if id == (flagID{}) || !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	i := c.filled.Load()
	if i == evaluationCacheSize || c.get(id) != nil {
		return
	}
	c.flags[i], c.values[i] = id, value
	c.filled.Store(i + 1)
}

// flag evaluates a flag. It caches the value if the evaluation logged nothing and called no
// hook.
func (s *Snapshot) flag(id flagID, method, key string, def evaluate.Value) evaluate.Value {
	value, silent := s.valueOf(s.held, method, key, s.user, def)
	if silent {
		s.evaluationCache.put(id, value)
	}
	return value
}
