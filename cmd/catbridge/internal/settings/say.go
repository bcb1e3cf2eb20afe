package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// say tells what is wrong with a setting where that stands: among those of an SDK key,
// or among the common ones, where k is nil or does not give it.
func (l *loader) say(k *SDKKey, path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if k != nil {
		if where := place(k.origin, path); where != "" {
			l.faults.add(where, "%s.%s: %s", k.path, path, text)
			return
		}
	}
	where := cmp.Or(place(l.s.origin, path), l.nearby(path))
	switch {
	case where == "" && k != nil && k.path == "" && (path == "key" || path == "name"):
		l.faults.add(k.where, "%s", text)
	case where == "" && k != nil && k.path != "":
		l.faults.add(k.where, "%s.%s: %s", k.path, path, text)
	case l.isName(where, path):
		l.faults.add(where, "%s", text)
	default:
		l.faults.add(where, "%s: %s", path, text)
	}
}

// isName tells whether a place is a flag or variable of the setting alone.
func (l *loader) isName(where, path string) bool {
	for _, src := range l.sources {
		if _, inURL := src.within[path]; inURL {
			return false
		}
	}
	return isFlagOrVariable(where) && where == place(l.s.origin, path)
}

// nearby is where a setting of the same group stands, for one that is missing beside it.
func (l *loader) nearby(path string) string {
	for group := path; strings.Contains(group, "."); {
		group = group[:strings.LastIndex(group, ".")]
		for _, set := range l.table {
			if where := l.s.origin[set.path]; where != "" && strings.HasPrefix(set.path, group+".") {
				return where
			}
		}
	}
	return ""
}

// tried tells whether one of the settings is given, right or wrong, or may be, in a file
// that cannot be read.
func (l *loader) tried(paths ...string) bool {
	if l.s.File != "" && (l.document == nil || l.document.broken) {
		return true
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		return slices.ContainsFunc(l.sources, func(src *source) bool { return src.tried[path] })
	})
}

// place is where a setting stands; empty: nowhere.
func place(origin map[string]string, path string) string {
	if path != "webhook_keys" {
		return origin[path]
	}
	return cmp.Or(origin[path], origin["webhook_key_files"], origin["webhook_keys_env"])
}
