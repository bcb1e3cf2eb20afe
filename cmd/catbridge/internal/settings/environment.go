package settings

import (
	"github.com/knadh/koanf/providers/env/v2"
)

func fromEnvironment(environ []string, part Part, table []*setting) *source {
	src := newSource(func(set *setting) string { return "$" + set.variable() })
	type named struct {
		*setting
		name string // the setting's, or an old one
	}
	variables := map[string]named{}
	for _, set := range table {
		if set.part&part == 0 {
			continue
		}
		variables[set.variable()] = named{set, set.path}
		for _, old := range set.oldNames() {
			variables[set.as(old).variable()] = named{set, old}
		}
	}
	src.load(env.Provider(".", env.Opt{
		Prefix: prefix, EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, text string) (string, any) {
			set, text := variables[name], trimNewlines(text)
			switch {
			case set.setting == nil || text == "":
				return "", nil
			case set.value.list():
				return src.take(set.setting, set.name, split(text))
			}
			return src.take(set.setting, set.name, []string{text})
		},
	}))
	return src
}
