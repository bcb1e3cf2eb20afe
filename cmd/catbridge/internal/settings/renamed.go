package settings

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// renamed maps the old names of settings to their names. Files, flags and variables may
// use an old name, with a warning, until the first release.
var renamed = map[string]string{
	"timings.lock_expiry": "timings.lease_duration",
	"timings.renewal":     "timings.renew_interval",
	"timings.stop_acting": "timings.renew_deadline",
	"timings.retry":       "timings.retry_period",
	"read_timeout":        "http_timeout",
}

// current returns the name of a setting, which may be given by an old name.
func current(path string) string { return cmp.Or(renamed[path], path) }

func (s *setting) oldNames() []string {
	var names []string
	for _, old := range slices.Sorted(maps.Keys(renamed)) {
		if renamed[old] == s.path {
			names = append(names, old)
		}
	}
	return names
}

// findWritten returns the setting that a file calls path, by its name or an old one.
func findWritten(table []*setting, path string) *setting {
	if set := find(table, path); set != nil {
		return set
	}
	return find(table, renamed[path])
}

// as returns the setting under an old name, from which its flag and variable follow.
func (s *setting) as(name string) *setting {
	if name == s.path {
		return s
	}
	under := *s
	under.path, under.flag, under.env = name, "", ""
	return &under
}

// isGroupOfOld reports whether settings of the table had names below path.
func isGroupOfOld(table []*setting, path string) bool {
	for old, name := range renamed {
		if strings.HasPrefix(old, path+".") && find(table, name) != nil {
			return true
		}
	}
	return false
}

// written returns how to name a setting in an error: by its old name, if it is given by that, and
// the current one.
func (l *loader) written(path string) string {
	if old := l.names[path]; old != "" && old != path {
		return fmt.Sprintf("%s (now %s)", old, path)
	}
	return path
}

// itsName says whether name is the old or the new name of a setting that has both.
func itsName(name string) string {
	if renamed[name] != "" {
		return "its old name"
	}
	return "its new name"
}

func isNow(old, name string) string { return fmt.Sprintf("%s is now called %s", old, name) }
