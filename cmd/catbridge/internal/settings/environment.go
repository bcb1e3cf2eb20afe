package settings

import "strings"

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
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		set, text := variables[name], trimNewlines(text)
		switch {
		case set.setting == nil || text == "":
		case set.value.list():
			src.take(set.setting, set.name, split(text))
		default:
			src.take(set.setting, set.name, []string{text})
		}
	}
	return src
}
