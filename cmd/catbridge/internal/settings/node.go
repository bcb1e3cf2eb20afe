package settings

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// isText reports whether a node is a single value of a standard type.
func isText(node *yaml.Node) bool {
	if node.Kind != yaml.ScalarNode {
		return false
	}
	switch node.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		return true
	}
	return false
}

func isGroup(table []*setting, path string) bool {
	for _, s := range table {
		if strings.HasPrefix(s.path, path+".") {
			return true
		}
	}
	return false
}
