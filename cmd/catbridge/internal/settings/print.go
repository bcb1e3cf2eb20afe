package settings

import (
	"bytes"
	"cmp"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/catbridge/catbridge/internal/cdn"
)

const masked = "********"

// YAML returns the settings in effect as a configuration file, each with its source in a
// comment. Secrets are masked.
func (s *Settings) YAML() ([]byte, error) {
	top := &yaml.Node{Kind: yaml.MappingNode}
	for _, set := range s.table(&more{}) {
		switch set.path {
		case pathKeys:
			top.Content = append(top.Content, s.keyNodes()...)
		case pathKeyFile, pathRedisURL, "webhook_key_files", "webhook_keys_env":
			// Other settings contain their values.
		default:
			if !set.value.zero() || isSwitch(set) {
				put(top, strings.Split(set.path, "."), node(set), s.comment(set.path))
			}
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(top)
	return out.Bytes(), err
}

// isSwitch reports whether the zero value of a setting has a meaning.
func isSwitch(set *setting) bool { return set.value.kind() == "bool" }

func (s *Settings) comment(path string) string {
	if where := s.origin[path]; where != "" {
		return where
	}
	return "default"
}

// put adds a value to a mapping. The last of names is its own; the others are its groups.
func put(mapping *yaml.Node, names []string, value *yaml.Node, comment string) {
	name := &yaml.Node{Kind: yaml.ScalarNode, Value: names[0]}
	if len(names) > 1 {
		for i := 0; i < len(mapping.Content); i += 2 {
			if mapping.Content[i].Value == names[0] {
				put(mapping.Content[i+1], names[1:], value, comment)
				return
			}
		}
		group := &yaml.Node{Kind: yaml.MappingNode}
		put(group, names[1:], value, comment)
		mapping.Content = append(mapping.Content, name, group)
		return
	}
	if value.Kind == yaml.SequenceNode {
		name.LineComment = comment
	} else {
		value.LineComment = comment
	}
	mapping.Content = append(mapping.Content, name, value)
}

func node(set *setting) *yaml.Node {
	texts := set.value.texts()
	if set.value.list() {
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, text := range texts {
			list.Content = append(list.Content, scalar(set, text))
		}
		return list
	}
	return scalar(set, texts[0])
}

func scalar(set *setting, text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: shown(set, text)}
	switch set.value.kind() {
	case "int", "float", "bool", "duration":
		n.Tag = ""
	}
	return n
}

func shown(set *setting, text string) string {
	switch {
	case set.path == "key", strings.HasPrefix(set.path, "webhook_keys"):
		return cdn.Mask(text)
	case set.secret:
		return masked
	case strings.HasSuffix(set.path, "_url"), set.path == "tracing.endpoint":
		if u, err := url.Parse(text); err == nil {
			if u.RawQuery != "" {
				u.RawQuery = masked // may contain tokens
			}
			return u.Redacted()
		}
		return masked
	}
	return text
}

// keyNodes returns the SDK keys: the node of the name, and that of the list.
func (s *Settings) keyNodes() []*yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range s.SDKKeys {
		k := &s.SDKKeys[i]
		item := &yaml.Node{Kind: yaml.MappingNode}
		for _, set := range k.table() {
			switch set.path {
			case "key_file", "key_env", "webhook_key_files", "webhook_keys_env":
				continue
			}
			where := cmp.Or(place(k.origin, set.path), place(s.origin, set.path), "default")
			switch set.path {
			case "key":
				where = k.source()
			case "name":
				where = cmp.Or(k.origin["name"], k.where)
			}
			if !set.value.zero() {
				put(item, []string{set.path}, node(set), where)
			}
		}
		list.Content = append(list.Content, item)
	}
	return []*yaml.Node{{Kind: yaml.ScalarNode, Value: pathKeys}, list}
}

// source returns where the key itself comes from.
func (k *SDKKey) source() string {
	for _, path := range []string{"key_file", "key_env"} {
		if where := k.origin[path]; where != "" {
			return where + ", " + path
		}
	}
	return cmp.Or(k.origin["key"], k.where)
}

// Restart returns the names of the settings of a part that differ and need a restart. The SDK
// keys, their settings, tokens, certificates and the log level need no restart.
func (s *Settings) Restart(to *Settings, part Part) []string {
	var names []string
	old, now := s.table(&more{}), to.table(&more{})
	own := (&SDKKey{}).defaultsTable()
	for i, set := range old {
		if set.path != pathKeys && set.path != pathKeyFile && set.part&part != 0 && !set.live && find(own, set.path) == nil &&
			!slices.Equal(set.value.texts(), now[i].value.texts()) {
			names = append(names, set.path)
		}
	}
	if part&ServeOnly != 0 && s.servesTLS() != to.servesTLS() {
		names = append(names, "serve.tls.cert_file") // other files are live, TLS as such is not
	}
	return names
}
