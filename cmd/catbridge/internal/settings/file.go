package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document is what a configuration file says.
type document struct {
	name   string
	values map[string]any // texts by path
	lines  map[string]int
	keys   []SDKKey // with origins; paths in them are as they were written
	faults Faults
	broken bool // it is no YAML, so that more may stand in it

	warnings []string
}

// parse reads a configuration file. Values are checked one by one; what they mean
// together is not looked at.
func parse(name string, data []byte) *document {
	d := &document{name: name, values: map[string]any{}, lines: map[string]int{}}
	var top, next yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	switch err := decoder.Decode(&top); {
	case errors.Is(err, io.EOF):
		return d // all settings have their defaults
	case err != nil:
		d.syntax(err, data)
		return d
	}
	if err := decoder.Decode(&next); err == nil {
		d.fault(next.Line, "", "a second document begins here: write one")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err, data)
	}
	var s Settings
	table := s.table(&more{})
	if len(top.Content) != 1 || isNull(top.Content[0]) {
		return d
	}
	d.mapping(top.Content[0], "", table, map[string]spot{}, func(set *setting, name string, node *yaml.Node, line int) {
		d.lines[set.path] = line
		if set.path == pathKeys {
			d.values[pathKeys] = []string{"(file)"}
			d.sdkKeys(node)
		} else if texts, ok := d.value(set, name, node); ok {
			d.values[set.path] = texts
		}
	})
	return d
}

func (d *document) fault(line int, path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	d.faults.add(fmt.Sprintf("%s:%d", d.name, max(1, line)), "%s", text)
}

var (
	yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
	// The parser counts lines from 0, the scanner from 1.
	yamlParser = regexp.MustCompile(`^(did not find expected (<|node content|'-'|key|',' or)|found duplicate|found undefined|found incompatible)`)
	yamlAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	yamlBytes  = regexp.MustCompile(`^control characters|UTF-8`)
)

// syntax tells where a file is no YAML. An unknown anchor's name is not repeated: it
// may be a password that begins with a star.
func (d *document) syntax(err error, data []byte) {
	d.broken = true
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		fmt.Sscan(m[1], &line)
		text = m[2]
		if yamlParser.MatchString(text) {
			line++
		}
	}
	if m := yamlAnchor.FindStringSubmatch(text); m != nil {
		text = "a value begins with * and names no anchor: put it between quotes"
		line = lineOf(data, bytes.Index(data, []byte("*"+m[1])))
	} else if yamlBytes.MatchString(text) {
		line = lineOf(data, bytes.IndexFunc(data, func(r rune) bool {
			return r == utf8.RuneError || r < ' ' && !strings.ContainsRune("\t\r\n", r) || r == 0x7f
		}))
	}
	d.fault(line, "", "no valid YAML: %s", text)
}

// lineOf is the line that an offset is in.
func lineOf(data []byte, offset int) int { return 1 + bytes.Count(data[:max(0, offset)], []byte("\n")) }

// A spot is where a file gives a setting, and by which name.
type spot struct {
	name string
	line int
}

// mapping passes the settings in a node to take, each with the name that the file has for
// it, and reports those that are unknown. It adds to seen, by the settings' paths.
func (d *document) mapping(node *yaml.Node, prefix string, table []*setting, seen map[string]spot, take func(set *setting, name string, node *yaml.Node, line int)) {
	node = resolve(node)
	if node.Kind != yaml.MappingNode {
		d.fault(node.Line, strings.TrimSuffix(prefix, "."), "settings are expected here, each as name: value")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := prefix + key.Value
		set := findWritten(table, path)
		if strings.Contains(key.Value, ".") {
			set = nil // what is nested is not written with dots
		}
		group := set == nil && (isGroup(table, path) || isGroupOfOld(table, path))
		id := path
		if set != nil {
			id = set.path
		}
		switch {
		case key.Kind != yaml.ScalarNode || set == nil && !group:
			d.fault(key.Line, "", "%s", unknown(prefix, key, table))
			continue
		case seen[id].name == path:
			d.fault(key.Line, path, "it is given twice")
			continue
		case seen[id].name != "":
			d.fault(key.Line, path, "%s (%s:%d) is given, too: give one of them", seen[id].name, d.name, seen[id].line)
			continue
		}
		seen[id] = spot{path, key.Line}
		switch {
		case value.Anchor != "" && isNull(value):
			d.fault(value.Line, path, "the value begins with &, which names it for an alias: put it between quotes")
		case isNull(resolve(value)): // not given
		case group:
			d.mapping(value, path+".", table, seen, take)
		default:
			if path != id {
				d.warnings = append(d.warnings, fmt.Sprintf("%s:%d: %s", d.name, key.Line, isNow(path, id)))
			}
			take(set, path, value, key.Line)
		}
	}
}

// value reads and checks a setting's value.
func (d *document) value(set *setting, path string, node *yaml.Node) ([]string, bool) {
	node = resolve(node)
	var texts []string
	switch {
	case set.value.list() && node.Kind == yaml.SequenceNode:
		for _, item := range node.Content {
			item = resolve(item)
			if !isText(item) {
				d.fault(item.Line, path, "a list of texts is expected")
				return nil, false
			}
			texts = append(texts, item.Value)
		}
	case set.value.list():
		d.fault(node.Line, path, "a list is expected")
		return nil, false
	case !isText(node):
		d.fault(node.Line, path, "one value is expected")
		return nil, false
	default:
		texts = []string{node.Value}
	}
	if err := set.value.check(texts); err != nil {
		d.fault(node.Line, path, "%v", err)
		return nil, false
	}
	return texts, true
}

// sdkKeys reads the list of SDK keys.
func (d *document) sdkKeys(node *yaml.Node) {
	node = resolve(node)
	if node.Kind != yaml.SequenceNode {
		d.fault(node.Line, pathKeys, "a list is expected, each with name and key")
		return
	}
	for i, item := range node.Content {
		item = resolve(item)
		path := fmt.Sprintf("%s[%d]", pathKeys, i)
		k := SDKKey{path: path, where: fmt.Sprintf("%s:%d", d.name, item.Line), origin: map[string]string{}}
		if item.Kind != yaml.MappingNode {
			d.fault(item.Line, path, "name and key are expected here, each as name: value")
			continue
		}
		d.mapping(item, "", k.table(), map[string]spot{}, func(set *setting, name string, node *yaml.Node, line int) {
			if texts, ok := d.value(set, path+"."+name, node); ok {
				set.value.set(texts)
			}
			k.origin[set.path] = fmt.Sprintf("%s:%d", d.name, line)
		})
		d.keys = append(d.keys, k)
	}
}
