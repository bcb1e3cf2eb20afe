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

type document struct {
	name   string
	values map[string][]string // by path
	lines  map[string]int
	names  map[string]string // the name that the file uses for a setting, perhaps an old one
	keys   []SDKKey          // with origins; their paths are as written
	faults Faults
	broken bool // invalid YAML: the file may contain more settings

	warnings []string
}

// parse parses a configuration file. It checks each value, but not whether the values fit
// together.
func parse(name string, data []byte) *document {
	d := &document{name: name, values: map[string][]string{}, lines: map[string]int{}, names: map[string]string{}}
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
		d.fault(next.Line, "", "a second YAML document starts here: write only one")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err, data)
	}
	var s Settings
	table := s.table(&more{})
	if len(top.Content) != 1 || isNull(top.Content[0]) {
		return d
	}
	d.mapping(top.Content[0], "", table, map[string]spot{}, func(set *setting, name string, node *yaml.Node, line int) {
		d.lines[set.path], d.names[set.path] = line, name
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

// syntax reports invalid YAML. It does not repeat the name of an unknown anchor, which may
// be a password that starts with a star.
func (d *document) syntax(err error, data []byte) {
	d.broken = true
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		_, _ = fmt.Sscan(m[1], &line)
		text = m[2]
		if yamlParser.MatchString(text) {
			line++
		}
	}
	if m := yamlAnchor.FindStringSubmatch(text); m != nil {
		text = "a value starts with *, but is not an alias of an anchor: put it in quotes"
		line = lineOf(data, bytes.Index(data, []byte("*"+m[1])))
	} else if yamlBytes.MatchString(text) {
		line = lineOf(data, bytes.IndexFunc(data, func(r rune) bool {
			return r == utf8.RuneError || r < ' ' && !strings.ContainsRune("\t\r\n", r) || r == 0x7f
		}))
	}
	d.fault(line, "", "invalid YAML: %s", text)
}

// lineOf returns the line of an offset, from 1.
func lineOf(data []byte, offset int) int { return 1 + bytes.Count(data[:max(0, offset)], []byte("\n")) }

// A spot is the place of a setting in a file, and its name there.
type spot struct {
	name string
	line int
}

// mapping passes the settings in a node to take, each with the name that the file uses for
// it, and reports unknown ones. It adds each setting to seen, by its path.
func (d *document) mapping(node *yaml.Node, prefix string, table []*setting, seen map[string]spot, take func(set *setting, name string, node *yaml.Node, line int)) {
	node = resolve(node)
	if node.Kind != yaml.MappingNode {
		d.fault(node.Line, strings.TrimSuffix(prefix, "."), "expected settings, each as name: value")
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		path := prefix + key.Value
		set := findWritten(table, path)
		if strings.Contains(key.Value, ".") {
			set = nil // nested settings are not written with dots
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
			d.fault(key.Line, path, "duplicate setting, first given on line %d: remove one of them", seen[id].line)
			continue
		case seen[id].name != "":
			d.fault(key.Line, path, "%s (%s:%d), %s, is given, too: give one of them", seen[id].name, d.name, seen[id].line, itsName(seen[id].name))
			continue
		}
		seen[id] = spot{path, key.Line}
		switch {
		case value.Anchor != "" && isNull(value):
			d.fault(value.Line, path, "the value starts with &, which defines an anchor: put it in quotes")
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

func (d *document) value(set *setting, path string, node *yaml.Node) ([]string, bool) {
	node = resolve(node)
	var texts []string
	switch {
	case set.value.list() && node.Kind == yaml.SequenceNode:
		for _, item := range node.Content {
			item = resolve(item)
			if !isText(item) {
				d.fault(item.Line, path, "expected a list of strings")
				return nil, false
			}
			texts = append(texts, item.Value)
		}
	case set.value.list():
		d.fault(node.Line, path, "expected a list")
		return nil, false
	case !isText(node):
		d.fault(node.Line, path, "expected a single value")
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

func (d *document) sdkKeys(node *yaml.Node) {
	node = resolve(node)
	if node.Kind != yaml.SequenceNode {
		d.fault(node.Line, pathKeys, "expected a list of SDK keys, each with name and key")
		return
	}
	for i, item := range node.Content {
		item = resolve(item)
		path := fmt.Sprintf("%s[%d]", pathKeys, i)
		k := SDKKey{path: path, where: fmt.Sprintf("%s:%d", d.name, item.Line), origin: map[string]string{}}
		if item.Kind != yaml.MappingNode {
			d.fault(item.Line, path, "expected name and key, each as name: value")
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
