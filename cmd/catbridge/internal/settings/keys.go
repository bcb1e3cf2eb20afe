package settings

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/catbridge/catbridge/internal/cdn"
)

// Label is what to call the key in messages.
func (k SDKKey) Label() string {
	if k.Name != "" {
		return k.Name
	}
	return cdn.Mask(k.Key)
}

// parseKeys reads keys, each perhaps with a name: name=key. An SDK key has a slash
// before any =, a name has none at all.
func (l *loader) parseKeys(where string, texts []string) {
	for _, text := range texts {
		k := SDKKey{Key: text, where: where}
		if name, rest, ok := strings.Cut(text, "="); ok && !strings.Contains(name, "/") {
			k.Name, k.Key = name, rest
			if name == "" {
				l.faults.add(where, "no name stands before the =")
			}
		}
		l.s.SDKKeys = append(l.s.SDKKeys, k)
	}
}

// parseKeyLines reads a file of keys.
func (l *loader) parseKeyLines(where, text string) {
	list := lines(text)
	for _, line := range list {
		l.parseKeys(fmt.Sprintf("%s:%d", l.s.keyFile, line.number), []string{line.text})
	}
	if len(list) == 0 {
		l.faults.add(where, "%s: there is no SDK key in it", l.s.keyFile)
	}
}

// checkKeys checks the SDK keys, each by itself and against each other.
func (l *loader) checkKeys() {
	if len(l.s.SDKKeys) == 0 && len(l.faults) == 0 {
		l.faults.add("", "no SDK key: give --sdk-key, $CATBRIDGE_SDK_KEY or --sdk-key-file, or sdk_keys in the file of --config")
	}
	names, keys := map[string]string{}, map[string]string{}
	for _, k := range l.s.SDKKeys {
		at := func(path string) string {
			if where, ok := k.origin[path]; ok {
				return where
			}
			return k.where
		}
		switch first, twice := keys[k.Key]; {
		case k.Key == "" && k.origin == nil:
			l.faults.add(k.where, "the SDK key is empty")
		case k.Key == "": // told where it was looked for
		case twice:
			l.faults.add(at("key"), "the SDK key %s is there twice, first at %s", cdn.Mask(k.Key), first)
		default:
			keys[k.Key] = at("key")
			if err := cdn.CheckSDKKey(k.Key, k.BaseURL != "" || l.AnySDKKey); err != nil {
				l.faults.add(at("key"), "%v", err)
			}
		}
		switch first, taken := names[k.Name]; {
		case k.Name == "":
		case k.Key != "" && strings.Contains(k.Name, k.Key):
			l.faults.add(at("name"), "the name holds the SDK key, and would show it in every log: give another")
		case checkName(k.Name) != "":
			l.faults.add(at("name"), "%s", checkName(k.Name))
		case taken:
			l.faults.add(at("name"), "the name %q is taken, by %s: give each SDK key one of its own", k.Name, first)
		default:
			names[k.Name] = at("name")
		}
	}
}

// checkName tells what is wrong with a name, which stands in logs, metrics and the
// paths of webhooks.
func checkName(name string) string {
	const most = 64
	switch {
	case len(name) > most || !utf8.ValidString(name):
		return fmt.Sprintf("a name is text of at most %d bytes", most)
	case strings.ContainsAny(name, " \t/\\?#%&=\"'"):
		return "a name has no spaces, quotes or any of / \\ ? # % & ="
	}
	return ""
}
