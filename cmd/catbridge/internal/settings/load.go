package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Options say what a command asks for, and where it comes from.
type Options struct {
	Part      Part // what is asked for
	Variables Part // for what variables count, besides flags
	File      bool // --config and its variable count

	Level         string // default of log.level; empty: info
	AnySDKKey     bool   // proxies' SDK keys need no base URL (S3): nothing is fetched
	OptionalRedis bool   // none need be given

	Flags   *pflag.FlagSet // that AddFlags added to, parsed
	Environ []string       // as os.Environ gives it
}

// Load reads the settings. Its error is of type [Faults]; then they are not to be used,
// but for what they say of files.
func Load(o Options) (*Settings, error) {
	s := defaults()
	if o.Level != "" {
		s.Log.Level = o.Level
	}
	var m more
	l := &loader{Options: o, s: s, m: &m, table: s.table(&m), seen: sha256.New()}
	l.read()
	l.merge()
	l.secrets()
	s.complete()
	if o.Part&SDKKeys != 0 {
		l.checkKeys()
	}
	if o.Part&LeaderOnly != 0 {
		l.checkLeader()
	}
	if o.Part&Redis != 0 {
		l.checkRedis()
	}
	s.Read = hex.EncodeToString(l.seen.Sum(nil))
	l.faults.sort(s.File)
	return s, l.faults.err()
}

// loader is the work of one Load.
type loader struct {
	Options
	s      *Settings
	m      *more
	table  []*setting
	faults Faults

	sources  []*source // the later wins
	seen     hash.Hash // of all that was read
	document *document // nil: there is no file
}

// read reads all sources.
func (l *loader) read() {
	flags, environment := fromFlags(l.Flags, l.table), fromEnvironment(l.Environ, l.Variables, l.table)
	if path := l.configPath(); path != "" {
		l.s.File = path
		l.s.origin[configFlag] = "$" + configVariable
		if l.Flags != nil && l.Flags.Changed(configFlag) {
			l.s.origin[configFlag] = "--" + configFlag
		}
		if data, ok := l.readFile(nil, configFlag, path); ok {
			l.document = parse(path, []byte(data))
			l.sources = append(l.sources, fromFile(l.document, l.table))
		}
	}
	l.sources = append(l.sources, environment, flags)
	l.lookAlikes()
}

func (l *loader) configPath() string {
	if !l.File {
		return ""
	}
	if l.Flags != nil && l.Flags.Changed(configFlag) {
		return l.Flags.Lookup(configFlag).Value.String()
	}
	return l.variable(configVariable)
}

func (l *loader) variable(name string) string {
	for _, entry := range slices.Backward(l.Environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// merge lets the sources speak in turn, and sets what comes out.
func (l *loader) merge() {
	merged := koanf.New(".")
	for _, src := range l.sources {
		src.expand(l.table)
		src.exclude(l.table)
		for _, group := range exclusive {
			if slices.ContainsFunc(group, src.has) {
				for _, path := range group {
					merged.Delete(path)
					delete(l.s.origin, path)
				}
			}
		}
		if err := merged.Merge(src.values); err != nil {
			l.faults.add("", "%v", err) // never: all have the same shape
		}
		for _, set := range l.table {
			if src.has(set.path) {
				l.s.origin[set.path] = src.origin(set)
			}
		}
		l.faults = append(l.faults, src.faults...)
	}
	for _, set := range l.table {
		if merged.Exists(set.path) && set.path != pathKeys {
			set.value.set(merged.Strings(set.path))
		}
	}
	if l.Part&SDKKeys == 0 {
		return
	}
	switch given := merged.Strings(pathKeys); {
	case len(given) == 0:
	case l.document != nil && l.s.origin[pathKeys] == l.sources[0].where(find(l.table, pathKeys)):
		l.s.SDKKeys = l.document.keys
	default:
		l.parseKeys(l.s.origin[pathKeys], given)
	}
}

// maxFile bounds what is read of a file.
const maxFile = 1 << 20

// readFile reads a text file, and remembers it as one to watch. Faults show none of it.
func (l *loader) readFile(k *SDKKey, path, file string) (string, bool) {
	if !slices.Contains(l.s.Files, file) {
		l.s.Files = append(l.s.Files, file)
	}
	text, err := readText(file)
	fmt.Fprintf(l.seen, "%q %q %v\n", file, text, err)
	if err != nil {
		l.say(k, path, "%v", err)
	}
	return text, err == nil
}

func readText(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return "", err
	case len(data) > maxFile:
		return "", fmt.Errorf("%s is larger than %d KiB", path, maxFile>>10)
	case slices.Contains(data, 0):
		return "", fmt.Errorf("%s is no text", path)
	}
	return string(data), nil
}
