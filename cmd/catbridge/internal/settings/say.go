package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// say reports an error in a setting, at its place: in the settings of the SDK key k, or in
// the common ones if k is nil or does not give the setting.
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
	case l.isName(where, path) && l.written(path) == path:
		l.faults.add(where, "%s", text)
	default:
		l.faults.add(where, "%s: %s", l.written(path), text)
	}
}

// isName reports whether a place is the setting's own flag or variable.
func (l *loader) isName(where, path string) bool {
	for _, src := range l.sources {
		if _, inURL := src.within[path]; inURL {
			return false
		}
	}
	return isFlagOrVariable(where) && where == place(l.s.origin, path)
}

// nearby returns the place of a given setting of the same group, to report a missing one
// there.
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

// tried reports whether one of the settings is given, valid or not. If the file cannot be
// read, it may give all of them.
func (l *loader) tried(paths ...string) bool {
	if l.s.File != "" && (l.document == nil || l.document.broken) {
		return true
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		return slices.ContainsFunc(l.sources, func(src *source) bool { return src.tried[path] })
	})
}

// place returns the place of a setting, or "" if it is not given.
func place(origin map[string]string, path string) string {
	if path != "webhook_keys" {
		return origin[path]
	}
	return cmp.Or(origin[path], origin["webhook_key_files"], origin["webhook_keys_env"])
}
