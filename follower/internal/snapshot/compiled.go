package follower

import (
	"bytes"
	"runtime"
	"sync"
	"weak"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

// compiled is a config JSON with its config, which is nil until it is compiled.
type compiled struct {
	mu     sync.Mutex // held while compiling
	config *evaluate.Config
	json   []byte
	stored wire.Blob // the verified form that json was decoded from
}

// compiledTable contains the compiled configs in force anywhere in the process, by hash:
// clients that cannot share a feed share them, too. It keeps nothing alive.
type compiledTable struct {
	mu     sync.Mutex
	byHash map[string]weak.Pointer[compiled]
}

var contents = compiledTable{byHash: map[string]weak.Pointer[compiled]{}}

// get returns a candidate's content, and compiles it if the table does not contain it.
// Concurrent callers wait for one compilation. get also verifies bytes that differ from those
// verified before, so every reader of corrupt bytes notices. After a refusal the next caller
// tries with its own bytes.
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

// forget removes content that no client uses any more.
func (t *compiledTable) forget(hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byHash[hash].Value() == nil {
		delete(t.byHash, hash)
	}
}

// noConfigError is the error of content that has the announced hash but is not a valid config.
type noConfigError struct{ error }

func (e *noConfigError) Unwrap() error { return e.error }
