package settings

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
)

// source is the settings of one source.
type source struct {
	values   map[string][]string   // checked, by path
	label    func(*setting) string // the flag or variable, or the place in a file
	within   map[string]string     // where the URL is, for settings in a URL
	tried    map[string]bool       // the settings that are given, valid or not
	names    map[string]string     // the name that the source uses for a setting, perhaps an old one
	faults   Faults
	warnings []string
}

func newSource(label func(*setting) string) *source {
	return &source{
		values: map[string][]string{}, label: label,
		within: map[string]string{}, tried: map[string]bool{}, names: map[string]string{},
	}
}

// where returns the place of a setting, without regard to URLs.
func (src *source) where(set *setting) string {
	return src.label(set.as(cmp.Or(src.names[set.path], set.path)))
}

func (src *source) has(path string) bool {
	_, ok := src.values[path]
	return ok
}

// take checks and stores the value of a flag or variable, whose name is the setting's or an old
// one.
func (src *source) take(set *setting, name string, given []string) {
	if first := src.names[set.path]; first != "" && first != name {
		src.faults.add(src.label(set.as(name)), "%s, %s, is given, too: give one of them", src.label(set.as(first)), itsName(first))
		return
	}
	src.names[set.path] = name
	if name != set.path {
		src.warnings = append(src.warnings, isNow(src.label(set.as(name)), src.label(set)))
	}
	if len(given) == 0 {
		given = []string{""}
	}
	src.tried[set.path] = true
	if err := set.value.check(given); err != nil {
		src.faults.add(src.where(set), "%v", err)
		return
	}
	src.values[set.path] = given
}

// origin returns the place of a setting, which may be in a URL.
func (src *source) origin(set *setting) string {
	if where, ok := src.within[set.path]; ok {
		return where
	}
	return src.where(set)
}

// fromFile returns the source of a file. Paths in it are relative to its folder.
func fromFile(d *document, table []*setting) *source {
	src := newSource(func(set *setting) string {
		if line := d.lines[current(set.path)]; line > 0 {
			return fmt.Sprintf("%s:%d", d.name, line)
		}
		return d.name
	})
	folder := filepath.Dir(d.name)
	for _, set := range table {
		if texts, ok := d.values[set.path]; ok && set.value.path() {
			d.values[set.path] = within(folder, texts)
		}
	}
	for i := range d.keys {
		for _, set := range d.keys[i].table() {
			if set.value.path() && !set.value.zero() {
				set.value.set(within(folder, set.value.texts()))
			}
		}
	}
	for path := range d.lines {
		src.tried[path] = true
	}
	src.values, src.faults, src.warnings, src.names = maps.Clone(d.values), d.faults, d.warnings, d.names
	return src
}

func within(folder string, paths []string) []string {
	full := make([]string, len(paths))
	for i, path := range paths {
		if full[i] = path; path != "" && !filepath.IsAbs(path) {
			full[i] = filepath.Join(folder, path)
		}
	}
	return full
}

// expand replaces a Redis URL by the settings that it contains.
func (src *source) expand(table []*setting) {
	if src.has("redis.addresses") || src.has("redis.socket") || !src.has(pathRedisURL) {
		return // exclude reports that both are given
	}
	url := find(table, pathRedisURL)
	where := src.where(url)
	parts, err := redisurl.Split(src.values[pathRedisURL][0])
	if err != nil {
		src.fault(url, "%v", err)
	}
	delete(src.values, pathRedisURL)
	for _, part := range parts {
		set := find(table, "redis."+part.Name)
		if src.has(set.path) {
			src.faults.add(src.where(set), "%s is in the URL of %s, too: give one of them", set.path, where)
			continue
		}
		if err := set.value.check(part.Values); err != nil {
			src.faults.add(where, "%s: %v", set.path, err)
			continue
		}
		src.within[set.path] = where
		src.values[set.path] = part.Values
	}
}

// fault reports an error in a setting, by its flag or variable, or else by line and name.
func (src *source) fault(set *setting, format string, args ...any) {
	where, text := src.origin(set), fmt.Sprintf(format, args...)
	if _, inURL := src.within[set.path]; inURL || !isFlagOrVariable(where) {
		text = set.path + ": " + text
	}
	src.faults.add(where, "%s", text)
}

func isFlagOrVariable(where string) bool {
	return strings.HasPrefix(where, "--") || strings.HasPrefix(where, "$")
}

// called returns how to name a given setting in an error: its flag or variable, or else its
// name and line.
func (src *source) called(set *setting) string {
	where := src.origin(set)
	if _, inURL := src.within[set.path]; inURL {
		return set.path + " in the URL of " + where
	}
	if isFlagOrVariable(where) {
		return where
	}
	return set.path + " (" + where + ")"
}

func (src *source) exclude(table []*setting) {
	for _, group := range exclusive {
		var first *setting
		for _, path := range group {
			set := find(table, path)
			switch {
			case !src.has(path):
			case first == nil:
				first = set
			default:
				src.fault(set, "%s is given, too: give one of them", src.called(first))
				delete(src.values, path)
			}
		}
	}
}
