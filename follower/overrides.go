package follower

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// OverrideBehavior says how flag overrides and the config go together.
type OverrideBehavior int

const (
	// LocalOnly: there are the overrides and nothing else. Nothing is read from Redis or
	// the CDN; neither they nor an SDK key are needed, and the client is ready at once (S60).
	LocalOnly OverrideBehavior = iota
	// LocalOverRemote: settings of both; where both have a key, the override's (S61).
	LocalOverRemote
	// RemoteOverLocal: settings of both; where both have a key, the config's (S62).
	RemoteOverLocal
)

// String gives the constant's name.
func (b OverrideBehavior) String() string {
	switch b {
	case LocalOnly:
		return "LocalOnly"
	case LocalOverRemote:
		return "LocalOverRemote"
	case RemoteOverLocal:
		return "RemoteOverLocal"
	}
	return fmt.Sprintf("OverrideBehavior(%d)", int(b))
}

// FlagOverrides are settings of the process's own (S9): from a map or from a file, one
// of the two.
type FlagOverrides struct {
	// Behavior says how they go together with the config. Zero: [LocalOnly].
	Behavior OverrideBehavior

	// Values holds bools, texts and numbers by key (S66). Whole numbers of any Go type go
	// with decimal defaults, too, and decimal numbers without a fraction, within ±2^53, with
	// whole defaults; evaluating a setting with a value of another type fails. [New] copies
	// the map.
	Values map[string]any

	// FilePath names a JSON file: {"flags": {key: value}} (S63), or a whole config JSON v6
	// with targeting (S64). [New] reads it and it is watched: a new version is taken within
	// about a second, whether the file is written, replaced, or behind a link that moves; one
	// that is missing or bad is logged (1300, 1302, 2302) and changes nothing (S65). The path
	// must lead to a regular file of at most [evaluate.MaxConfigBytes].
	FilePath string
}

func (o *FlagOverrides) check() error {
	switch {
	case o == nil:
		return nil
	case o.Behavior < LocalOnly || o.Behavior > RemoteOverLocal:
		return fmt.Errorf("FlagOverrides.Behavior is %v, want LocalOnly, LocalOverRemote or RemoteOverLocal", o.Behavior)
	case o.Values == nil && o.FilePath == "":
		return errors.New("FlagOverrides has neither Values nor a FilePath")
	case o.Values != nil && o.FilePath != "":
		return errors.New("FlagOverrides has both Values and a FilePath")
	}
	return nil
}

// isLocalOnly tells that the config of a client comes from nowhere but the overrides.
func (c Config) isLocalOnly() bool {
	return c.FlagOverrides != nil && c.FlagOverrides.Behavior == LocalOnly
}

// overrides are the flag overrides of one client.
type overrides struct {
	behavior OverrideBehavior
	local    atomic.Pointer[evaluate.Config] // nil: the file could not be read yet
	file     *overrideFile                   // nil: there is none

	mu     sync.Mutex // held by whoever joins
	joined atomic.Pointer[joined]
}

// joined is a config with the overrides. It is made by the first evaluation after a
// change of either. Immutable.
type joined struct {
	remote *snapshot
	local  *evaluate.Config
	result *snapshot
}

// startOverrides reads the overrides, and watches their file if there is one. Without
// overrides it gives nil.
func startOverrides(given *FlagOverrides, log eventlog.Log) *overrides {
	if given == nil {
		return nil
	}
	o := &overrides{behavior: given.Behavior}
	if given.FilePath == "" {
		o.local.Store(evaluate.FromValues(given.Values))
		return o
	}
	o.file = watchOverrides(given.FilePath, log, o.local.Store)
	return o
}

func (o *overrides) close() {
	if o != nil && o.file != nil {
		o.file.close()
	}
}

// isOnly tells that nothing counts but the overrides.
func (o *overrides) isOnly() bool { return o != nil && o.behavior == LocalOnly }

// exist tells that there are some.
func (o *overrides) exist() bool { return o != nil && o.local.Load() != nil }

// over gives the content to evaluate; nil: there is none.
func (o *overrides) over(remote *snapshot) *snapshot {
	local := o.local.Load()
	if j := o.joined.Load(); j.is(remote, local) {
		return j.result
	}
	return o.join(remote, local)
}

func (j *joined) is(remote *snapshot, local *evaluate.Config) bool {
	return j != nil && j.remote == remote && j.local == local
}

func (o *overrides) join(remote *snapshot, local *evaluate.Config) *snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := o.joined.Load()
	if last.is(remote, local) {
		return last.result
	}
	var config *evaluate.Config
	switch {
	case last != nil && last.local == local && last.remote.content() == remote.content():
		config = last.result.content() // only the time has changed
	case o.behavior == LocalOverRemote:
		config = evaluate.Merge(remote.content(), local)
	default:
		config = evaluate.Merge(local, remote.content())
	}
	var result *snapshot
	if config != nil {
		result = new(snapshot)
		if remote != nil {
			result = remote.clone()
		}
		result.config = config
	}
	o.joined.Store(&joined{remote, local, result})
	return result
}
