package settings

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const (
	configFlag     = "config"
	configVariable = prefix + "CONFIG"
)

// rawFlag stores the value of a flag. Load checks it later, together with everything else.
type rawFlag struct {
	setting *setting
	name    string // the setting's path, or an old one
	given   []string
}

func (f *rawFlag) String() string { return "" }

func (f *rawFlag) Type() string {
	switch kind := f.setting.value.kind(); {
	case f.setting.path == pathProfile:
		return "bool"
	case kind == "list":
		return "stringArray"
	default:
		return kind
	}
}

func (f *rawFlag) Set(s string) error {
	if f.setting.value.list() {
		f.given = append(f.given, split(s)...)
	} else {
		f.given = []string{s}
	}
	return nil
}

// split splits a list. SDK keys, hosts and paths contain no commas.
func split(s string) []string {
	var items []string
	for item := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// Flag describes a flag for completion.
type Flag struct {
	Name  string
	Words []string // its possible values; nil: any
	Path  bool     // its value is the path of a file
}

// AddFlags adds the flags of the settings that o selects, and returns their descriptions.
func AddFlags(flags *pflag.FlagSet, o Options) []Flag {
	s := defaults()
	if o.Level != "" {
		s.Log.Level = o.Level
	}
	var added []Flag
	if o.File {
		flags.String(configFlag, "", "`path` of a YAML file with settings [$"+configVariable+"]")
		added = append(added, Flag{Name: configFlag, Path: true})
	}
	for _, set := range s.table(&more{}) {
		if set.part&o.Part == 0 || set.secret && set.path != pathKeys {
			continue
		}
		usage := set.usage
		plain := o.Variables&o.Part == o.Part && set.variable() == Variable(set.flagName())
		if set.part&o.Variables != 0 && !plain {
			usage += " [$" + set.assignment() + "]"
		}
		flag := flags.VarPF(&rawFlag{setting: set, name: set.path}, set.flagName(), "", usage)
		if !set.value.zero() && !set.value.list() {
			flag.DefValue = set.value.texts()[0]
		}
		flag.Annotations = map[string][]string{GroupAnnotation: {set.group()}}
		if plain {
			flag.Annotations[VariableAnnotation] = []string{set.variable()}
		}
		info := Flag{Name: flag.Name, Path: set.value.path()}
		if c, ok := set.value.(*choices); ok {
			info.Words = c.words
		}
		if set.path == pathProfile {
			flag.NoOptDefVal, flag.DefValue, info.Words = "true", "", nil
		} else if set.value.kind() == "bool" {
			flag.NoOptDefVal = "true"
			if flag.DefValue == "false" {
				flag.DefValue = ""
			}
		}
		added = append(added, info)
		for _, old := range set.oldNames() {
			under := set.as(old)
			flags.VarPF(&rawFlag{setting: set, name: old}, under.flagName(), "", "the old name of --"+set.flagName()).Hidden = true
			flags.Lookup(under.flagName()).NoOptDefVal = flag.NoOptDefVal
		}
	}
	return added
}

func fromFlags(flags *pflag.FlagSet, table []*setting) *source {
	src := newSource(func(set *setting) string { return "--" + set.flagName() })
	if flags == nil {
		return src
	}
	flags.VisitAll(func(flag *pflag.Flag) {
		raw, ok := flag.Value.(*rawFlag)
		if !ok || !flag.Changed {
			return
		}
		set := find(table, raw.setting.path)
		if set.path == pathProfile {
			src.takeFast(set, raw.given[0])
		} else {
			src.take(set, raw.name, slices.Clone(raw.given))
		}
	})
	return src
}

func (src *source) takeFast(set *setting, given string) {
	if err := boolean(new(bool)).check([]string{given}); err != nil {
		src.faults.add(src.where(set), "%v", err)
		return
	}
	profile := "default"
	if given == "true" {
		profile = "fast"
	}
	src.values[set.path] = []string{profile}
}
