package settings

import (
	"cmp"
	"fmt"
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
	where := place(l.s.origin, path)
	switch {
	case where == "" && k != nil && k.path == "" && (path == "key" || path == "name"):
		l.faults.add(k.where, "%s", text)
	case where == "" && k != nil && k.path != "":
		l.faults.add(k.where, "%s.%s: %s", k.path, path, text)
	case where == "" && path == "proxy_url":
		l.faults.add("$HTTPS_PROXY or $HTTP_PROXY", "%s", text)
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
	return strings.HasPrefix(where, "--") || strings.HasPrefix(where, "$")
}

// place is where a setting stands; empty: nowhere.
func place(origin map[string]string, path string) string {
	if path != "webhook_keys" {
		return origin[path]
	}
	return cmp.Or(origin[path], origin["webhook_key_files"], origin["webhook_keys_env"])
}
