package settings

import (
	"github.com/knadh/koanf/providers/env/v2"
)

// fromEnvironment gives what is in variables.
func fromEnvironment(environ []string, part Part, table []*setting) *source {
	src := newSource(func(set *setting) string { return "$" + set.variable() })
	variables := map[string]*setting{}
	for _, set := range table {
		if set.part&part != 0 {
			variables[set.variable()] = set
		}
	}
	src.load(env.Provider(".", env.Opt{
		Prefix: prefix, EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, text string) (string, any) {
			set, text := variables[name], trimNewlines(text)
			switch {
			case set == nil || text == "":
				return "", nil
			case set.value.list():
				return src.take(set, split(text))
			}
			return src.take(set, []string{text})
		},
	}))
	return src
}
