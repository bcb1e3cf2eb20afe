package ui

import (
	"slices"
	"strings"
	"sync"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/evaluate"
)

// flagIndex is what the pages show of the flags of one config. It does not change.
type flagIndex struct {
	config *evaluate.Config
	flags  []indexedFlag  // broken ones first, then sorted by key
	places map[string]int // index in flags, by key
	broken int            // how many are broken

	segments  map[string][]*evaluate.SegmentTree // by name
	usersOf   map[string][]string                // the keys of the flags that use a segment, by its name
	dependent map[string][]string                // the keys of the flags that have a flag as a prerequisite
}

// indexedFlag is a flag of a flagIndex.
type indexedFlag struct {
	key    string
	kind   evaluate.Kind
	value  string // without a user
	broken error  // nil: it is not broken
	text   string // in which the search looks, in lower case
}

// maxSearchText bounds what is kept of a flag for the search, in bytes.
const maxSearchText = 1000

func newFlagIndex(config *evaluate.Config) *flagIndex {
	keys := config.Keys()
	x := &flagIndex{
		config: config, flags: make([]indexedFlag, len(keys)), places: make(map[string]int, len(keys)),
		segments: map[string][]*evaluate.SegmentTree{}, usersOf: map[string][]string{}, dependent: map[string][]string{},
	}
	for _, s := range config.Segments() {
		x.segments[s.Name] = append(x.segments[s.Name], s)
	}
	broken := map[string]error{}
	for _, b := range config.BrokenFlags() {
		broken[b.Key] = b.Err
	}
	results := config.AllResults(nil, nil)
	for i, key := range keys {
		x.flags[i] = indexedFlag{
			key: key, kind: config.KindOf(key), broken: broken[key],
			value: visible(answers.Text(results[i].Any()), maxShortValue), text: searchText(config, key),
		}
		prerequisites, segments := config.Uses(key)
		for _, p := range prerequisites {
			x.dependent[p] = append(x.dependent[p], key)
		}
		for _, s := range segments {
			x.usersOf[s] = append(x.usersOf[s], key)
		}
	}
	x.broken = len(broken)
	slices.SortFunc(x.flags, func(a, b indexedFlag) int {
		if (a.broken != nil) != (b.broken != nil) {
			if a.broken != nil {
				return -1
			}
			return 1
		}
		return strings.Compare(a.key, b.key)
	})
	for i := range x.flags {
		x.places[x.flags[i].key] = i
	}
	return x
}

// searchText returns the key of a flag and its rules in words.
func searchText(config *evaluate.Config, key string) string {
	var b strings.Builder
	b.WriteString(key)
	tree := config.Describe(key)
	for _, rule := range tree.Rules {
		if b.Len() > maxSearchText {
			break
		}
		b.WriteString("\n" + rule.Rule.String())
	}
	return strings.ToLower(b.String())
}

// find returns a flag, or nil if there is none.
func (x *flagIndex) find(key string) *indexedFlag {
	i, ok := x.places[key]
	if !ok {
		return nil
	}
	return &x.flags[i]
}

// flagIndexes keeps the indexes of the configs that were shown last, one for each SDK key. It is safe
// for concurrent use.
type flagIndexes struct {
	mu     sync.Mutex
	labels []string // that which was shown last is the last
	known  map[string]*flagIndex
}

// maxFlagIndexes is for how many SDK keys an index is kept.
const maxFlagIndexes = 8

// of returns the index of the config in force.
func (f *flagIndexes) of(view *observe.View) *flagIndex {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = map[string]*flagIndex{}
	}
	x := f.known[view.Label]
	if x == nil || x.config != view.Config {
		x = newFlagIndex(view.Config)
	}
	f.known[view.Label] = x
	if i := slices.Index(f.labels, view.Label); i >= 0 {
		f.labels = slices.Delete(f.labels, i, i+1)
	}
	f.labels = append(f.labels, view.Label)
	if len(f.labels) > maxFlagIndexes {
		delete(f.known, f.labels[0])
		f.labels = slices.Delete(f.labels, 0, 1)
	}
	return x
}
