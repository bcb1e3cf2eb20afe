package snapshot

import (
	"bytes"
	"runtime"
	"sync"
	"weak"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

// Candidate is content that may be put in force.
type Candidate struct {
	Rev    int64
	Hash   string // the announced one, which Stored must have
	ETag   string
	Source Source
	Stored wire.Blob
	JSON   func() ([]byte, error) // decodes and verifies Stored
}

// InvalidConfigError is the error of content that has the announced hash but is not a valid
// config.
type InvalidConfigError struct{ Err error }

func (e *InvalidConfigError) Error() string { return e.Err.Error() }
func (e *InvalidConfigError) Unwrap() error { return e.Err }

// Compile returns a snapshot of a candidate. All clients of the process share the compiled
// configs that are in force, so the same content is compiled once. Only what differs from held,
// which may be nil, is compiled. The error is an [*InvalidConfigError], or says why the candidate
// does not have its hash.
func Compile(c Candidate, held *Snapshot) (*Snapshot, error) {
	content, err := contents.get(c, held.Content())
	if err != nil {
		return nil, err
	}
	return &Snapshot{
		Config: content.config, Rev: c.Rev, Hash: c.Hash, ETag: c.ETag, Source: c.Source, JSON: content.json, shared: content,
	}, nil
}

// compiled is a config JSON with its config, which is nil until it is compiled.
type compiled struct {
	mu     sync.Mutex // held while compiling
	config *evaluate.Config
	json   []byte
	stored wire.Blob // the verified form that json was decoded from
}

// compiledTable contains the compiled configs in force anywhere in the process, by hash:
// clients that cannot share a feed share them, too, and compile a change once. It keeps nothing
// alive.
type compiledTable struct {
	mu     sync.Mutex
	byHash map[string]weak.Pointer[compiled]
}

var contents = compiledTable{byHash: map[string]weak.Pointer[compiled]{}}

// get returns a candidate's content, and compiles it if the table does not contain it. It shares
// what did not change with an earlier config, which may be nil.
// Concurrent callers wait for one compilation. get also verifies bytes that differ from those
// verified before, so every reader of corrupt bytes notices. After a refusal the next caller
// tries with its own bytes.
func (t *compiledTable) get(candidate Candidate, earlier *evaluate.Config) (*compiled, error) {
	c := t.find(candidate.Hash)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config != nil && candidate.Stored.Codec == c.stored.Codec && bytes.Equal(candidate.Stored.Payload, c.stored.Payload) {
		return c, nil
	}
	json, err := candidate.JSON()
	if err != nil || c.config != nil {
		return c, err
	}
	config, err := evaluate.Reparse(earlier, json)
	if err != nil {
		return nil, &InvalidConfigError{err}
	}
	c.config, c.json, c.stored = config, json, candidate.Stored
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
