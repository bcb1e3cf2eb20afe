package follower

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// OverrideBehavior says how flag overrides and the config are combined.
type OverrideBehavior int

const (
	// LocalOnly: only the overrides are used. The client reads nothing from Redis or the CDN,
	// needs neither them nor an SDK key, and is ready at once (S60).
	LocalOnly OverrideBehavior = iota
	// LocalOverRemote: the settings of both; if both have a key, the override's (S61).
	LocalOverRemote
	// RemoteOverLocal: the settings of both; if both have a key, the config's (S62).
	RemoteOverLocal
)

// String returns the constant's name.
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

// FlagOverrides are local settings (S9), from a map or a file.
type FlagOverrides struct {
	// Behavior says how they are combined with the config. Zero: [LocalOnly].
	Behavior OverrideBehavior

	// Values contains bools, strings and numbers by key (S66). A whole number of any Go type
	// can be evaluated with a decimal default, too. A decimal number without a fraction,
	// within ±2^53, can be evaluated with a whole default, too. Values of other types fail.
	// [New] copies the map.
	Values map[string]any

	// FilePath is the path of a JSON file: {"flags": {key: value}} (S63), or a config JSON v6
	// with targeting (S64). [New] reads the file, and the client watches it. The client uses a
	// new version within about 1 s, whether the file is written, replaced, or reached through
	// a link that changes. A missing or invalid file is logged (1300, 1302, 2302) and changes
	// nothing (S65). It must be a regular file of at most [evaluate.MaxConfigBytes].
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

// overrides are those of one client.
type overrides struct {
	behavior OverrideBehavior
	local    atomic.Pointer[evaluate.Config] // nil: no valid file was read yet
	file     *overrideFile                   // nil: they come from a map

	mu     sync.Mutex // held by join
	joined atomic.Pointer[joined]
}

// joined is a config combined with the overrides. It is made by the first evaluation after a
// change of either. Immutable.
type joined struct {
	remote *snapshot.Snapshot
	local  *evaluate.Config
	result *snapshot.Snapshot
}

// startOverrides returns nil if there are no overrides.
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

func (o *overrides) isOnly() bool { return o != nil && o.behavior == LocalOnly }

func (o *overrides) exist() bool { return o != nil && o.local.Load() != nil }

// over combines the overrides with remote. It returns nil if there are no settings.
func (o *overrides) over(remote *snapshot.Snapshot) *snapshot.Snapshot {
	local := o.local.Load()
	if j := o.joined.Load(); j.is(remote, local) {
		return j.result
	}
	return o.join(remote, local)
}

func (j *joined) is(remote *snapshot.Snapshot, local *evaluate.Config) bool {
	return j != nil && j.remote == remote && j.local == local
}

func (o *overrides) join(remote *snapshot.Snapshot, local *evaluate.Config) *snapshot.Snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := o.joined.Load()
	if last.is(remote, local) {
		return last.result
	}
	var config *evaluate.Config
	switch {
	case last != nil && last.local == local && last.remote.Content() == remote.Content():
		config = last.result.Content() // only the time has changed
	case o.behavior == LocalOverRemote:
		config = evaluate.Merge(remote.Content(), local)
	default:
		config = evaluate.Merge(local, remote.Content())
	}
	var result *snapshot.Snapshot
	if config != nil {
		result = new(snapshot.Snapshot)
		if remote != nil {
			result = remote.Clone()
		}
		result.Config = config
	}
	o.joined.Store(&joined{remote, local, result})
	return result
}
