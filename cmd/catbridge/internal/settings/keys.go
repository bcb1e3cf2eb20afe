package settings

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/catbridge/catbridge/internal/cdn"
)

// Label returns the name of the key for messages, or the masked key if it has no name.
func (k SDKKey) Label() string {
	if k.Name != "" {
		return k.Name
	}
	return cdn.Mask(k.Key)
}

// Served returns the name under which catbridge serve serves the config; empty: none.
func (k SDKKey) Served() string { return cmp.Or(k.ServeAs, k.Name) }

// parseKeys parses keys, each in the form key or name=key. An SDK key has a slash before
// any =, and a name has no slash.
func (l *loader) parseKeys(where string, texts []string) {
	for _, text := range texts {
		k := SDKKey{Key: text, where: where}
		if name, rest, ok := strings.Cut(text, "="); ok && !strings.Contains(name, "/") {
			k.Name, k.Key = name, rest
			if name == "" {
				l.faults.add(where, "the name before the = is empty")
			}
		}
		l.s.SDKKeys = append(l.s.SDKKeys, k)
	}
}

func (l *loader) parseKeyLines(text string) {
	list := lines(text)
	for _, line := range list {
		l.parseKeys(fmt.Sprintf("%s:%d", l.s.keyFile, line.number), []string{line.text})
	}
	if len(list) == 0 {
		l.say(nil, pathKeyFile, "%s contains no SDK key", l.s.keyFile)
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
		case k.Key == "": // already reported
		case twice:
			l.say(k, "key", "duplicate SDK key %s, first given at %s: remove one of them", cdn.Mask(k.Key), first)
		default:
			keys[k.Key] = cmp.Or(k.origin["key"], k.where)
			if err := cdn.CheckSDKKey(k.Key, k.BaseURL != "" || l.AnySDKKey); err != nil {
				l.say(k, "key", "%v", err)
			}
		}
		switch first, taken := names[k.Name]; {
		case k.Name == "":
		case k.Key != "" && strings.Contains(k.Name, k.Key):
			l.say(k, "name", "the name contains the SDK key, and every log would show it: choose another name")
		case !nameForm.MatchString(k.Name):
			l.say(k, "name", "a name consists of at most 128 letters, digits, _, - and ., and does not start with a dot")
		case taken:
			l.say(k, "name", "duplicate name %q, first given at %s: give each SDK key its own name", k.Name, first)
		default:
			names[k.Name] = cmp.Or(k.origin["name"], k.where)
		}
		if k.ServeAs != "" && !nameForm.MatchString(k.ServeAs) {
			l.say(k, "serve_as", "a name consists of at most 128 letters, digits, _, - and ., and does not start with a dot")
		}
		for _, attribute := range k.DefaultUser {
			if name, _, ok := strings.Cut(attribute, "="); !ok || name == "" {
				l.say(k, "default_user", "%s is not NAME=VALUE", quote(attribute))
			}
		}
		if k.Name == "" && len(k.WebhookKeys) > 0 && l.usesWebhooks() {
			l.say(k, "name", "the name is missing: a webhook needs it, because its URL ends with the name")
		}
	}
}

// nameForm matches names that fit into logs, metric labels and the URLs of webhooks.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$`)

// UserDefaults returns the default attributes of users at catbridge serve; nil: none.
func (k SDKKey) UserDefaults() map[string]any {
	var attributes map[string]any
	for _, text := range k.DefaultUser {
		name, value, _ := strings.Cut(text, "=")
		if attributes == nil {
			attributes = map[string]any{}
		}
		attributes[name] = value
	}
	return attributes
}
