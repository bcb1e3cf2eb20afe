package follower

import (
	"bytes"
	"runtime"
	"sync"
	"weak"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
)

// compiled is a config JSON and what was compiled from it, once that was done.
type compiled struct {
	mu     sync.Mutex // held while it is compiled
	config *evaluate.Config
	json   []byte
	stored cachekeys.Blob // that json was made of, and compared with its hash
}

// compiledTable holds what is in force anywhere in the process, by its hash, so that clients
// that cannot share a feed, because each has a Redis client of its own, still compile a content
// once and hold it once. It keeps nothing alive.
type compiledTable struct {
	mu     sync.Mutex
	byHash map[string]weak.Pointer[compiled]
}

var contents = compiledTable{byHash: map[string]weak.Pointer[compiled]{}}

// get gives a candidate's content, which it compiles if nobody holds it. Those who ask for
// it meanwhile wait. Bytes other than those that were compared with the hash before are
// compared, too: what is damaged is noticed by everyone who reads it. If one fails, the next
// one tries with what it read itself.
func (t *compiledTable) get(candidate candidate) (*compiled, error) {
	c := t.find(candidate.hash)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config != nil && candidate.stored.Codec == c.stored.Codec && bytes.Equal(candidate.stored.Payload, c.stored.Payload) {
		return c, nil
	}
	json, err := candidate.json()
	if err != nil || c.config != nil {
		return c, err
	}
	config, err := evaluate.Parse(json)
	if err != nil {
		return nil, &noConfigError{err}
	}
	c.config, c.json, c.stored = config, json, candidate.stored
	return c, nil
}

func (t *compiledTable) find(hash string) *compiled {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.byHash[hash].Value(); c != nil {
		return c
	}
	c := new(compiled)
	t.byHash[hash] = weak.Make(c)
	runtime.AddCleanup(c, t.forget, hash)
	return c
}

// forget removes a content that nobody holds any more.
func (t *compiledTable) forget(hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byHash[hash].Value() == nil {
		delete(t.byHash, hash)
	}
}

// noConfigError says that a content that is what it claims to be is no config.
type noConfigError struct{ error }

func (e *noConfigError) Unwrap() error { return e.error }
