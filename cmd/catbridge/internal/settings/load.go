package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"slices"

	"github.com/spf13/pflag"
)

// Options select the settings that a command uses, and their sources.
type Options struct {
	Part      Part // the settings that the command uses
	Variables Part // the settings that can be given by variables, too
	File      bool // --config and its variable are read

	Level         string // default of log.level; empty: info
	AnySDKKey     bool   // SDK keys of proxies need no base URL (S3), because the command fetches nothing
	OptionalRedis bool   // no Redis need be given

	Flags   *pflag.FlagSet // passed to AddFlags, and parsed
	Environ []string       // as os.Environ returns it
}

// Load reads the settings. Its error is of type [Faults]. If there is an error, only Files,
// Pipes, Read and Warnings of the settings are valid.
func Load(o Options) (*Settings, error) {
	s := defaults()
	if o.Level != "" {
		s.Log.Level = o.Level
	}
	var m more
	l := &loader{Options: o, s: s, m: &m, table: s.table(&m), names: map[string]string{}, seen: sha256.New()}
	l.read()
	l.merge()
	l.secrets()
	l.unknownVariables()
	s.complete()
	if o.Part&SDKKeys != 0 {
		l.checkKeys()
	}
	if o.Part&LeaderOnly != 0 {
		l.checkLeader()
	}
	if o.Part&(LeaderOnly|ServeOnly) != 0 { // a file is checked as a whole
		l.checkHosts()
		l.checkServe()
	}
	if o.Part&Redis != 0 {
		l.checkRedis()
	}
	s.Read = hex.EncodeToString(l.seen.Sum(nil))
	l.faults.sort(s.File)
	return s, l.faults.err()
}

type loader struct {
	Options
	s      *Settings
	m      *more
	table  []*setting
	faults Faults
	names  map[string]string // the name that a given setting has in its source, perhaps an old one

	sources  []*source // a later one wins
	seen     hash.Hash // of everything that was read
	document *document // nil: no file
}

func (l *loader) merge() {
	merged := map[string][]string{}
	for _, src := range l.sources {
		src.expand(l.table)
		src.exclude(l.table)
		for _, group := range exclusive {
			if slices.ContainsFunc(group, src.has) {
				for _, path := range group {
					delete(merged, path)
					delete(l.s.origin, path)
				}
			}
		}
		maps.Copy(merged, src.values)
		for _, set := range l.table {
			if src.has(set.path) {
				l.s.origin[set.path], l.names[set.path] = src.origin(set), src.names[set.path]
			}
		}
		l.faults = append(l.faults, src.faults...)
		l.s.Warnings = append(l.s.Warnings, src.warnings...)
	}
	for _, set := range l.table {
		if given, ok := merged[set.path]; ok && set.path != pathKeys {
			set.value.set(given)
		}
	}
	if l.Part&SDKKeys == 0 {
		return
	}
	switch given := merged[pathKeys]; {
	case len(given) == 0:
	case l.document != nil && l.s.origin[pathKeys] == l.sources[0].where(find(l.table, pathKeys)):
		l.s.SDKKeys = l.document.keys
	default:
		l.parseKeys(l.s.origin[pathKeys], given)
	}
	l.replaced()
}
