package settings

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

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
func (l *loader) parseKeyLines(text string) {
	list := lines(text)
	for _, line := range list {
		l.parseKeys(fmt.Sprintf("%s:%d", l.s.keyFile, line.number), []string{line.text})
	}
	if len(list) == 0 {
		l.say(nil, pathKeyFile, "%s: there is no SDK key in it", l.s.keyFile)
	}
}

// checkKeys checks the SDK keys, each by itself and against each other.
func (l *loader) checkKeys() {
	if len(l.s.SDKKeys) == 0 && (!l.tried(pathKeys, pathKeyFile) || len(l.faults) == 0) { // an empty list is one
		l.faults.add("", "no SDK key: give --sdk-key, $CATBRIDGE_SDK_KEY or --sdk-key-file, or sdk_keys in the file of --config")
	}
	names, keys := map[string]string{}, map[string]string{}
	for i := range l.s.SDKKeys {
		k := &l.s.SDKKeys[i]
		switch first, twice := keys[k.Key]; {
		case k.Key == "" && (k.path == "" || k.origin["key"] != "" && k.origin["key_file"]+k.origin["key_env"] == ""):
			l.say(k, "key", "the SDK key is empty")
		case k.Key == "": // told where it was looked for
		case twice:
			l.say(k, "key", "the SDK key %s is there twice, first at %s", cdn.Mask(k.Key), first)
		default:
			keys[k.Key] = cmp.Or(k.origin["key"], k.where)
			if err := cdn.CheckSDKKey(k.Key, k.BaseURL != "" || l.AnySDKKey); err != nil {
				l.say(k, "key", "%v", err)
			}
		}
		switch first, taken := names[k.Name]; {
		case k.Name == "":
		case k.Key != "" && strings.Contains(k.Name, k.Key):
			l.say(k, "name", "it holds the SDK key, and would show it in every log: give another")
		case !nameForm.MatchString(k.Name):
			l.say(k, "name", "a name is of letters, digits, _, - and ., begins with no dot, and has at most 128 of them")
		case taken:
			l.say(k, "name", "the name %q is taken, by %s: give each SDK key one of its own", k.Name, first)
		default:
			names[k.Name] = cmp.Or(k.origin["name"], k.where)
		}
		if k.Name == "" && len(k.WebhookKeys) > 0 && l.Part&LeaderOnly != 0 {
			l.say(k, "name", "it is missing: the webhook's URL ends with it")
		}
	}
}

// nameForm is what fits into logs, labels of metrics, and the URLs of webhooks.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$`)
