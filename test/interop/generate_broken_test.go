package interop

import (
	"maps"
	"slices"
)

// breakage puts a value of the wrong kind into a config, or removes a value. The official
// SDK refuses most of these configs as a whole.
type breakage struct {
	path   []any // names and indexes from the root
	value  any
	delete bool
}

// breakage breaks a config in one place.
func (g *generator) breakage(config object) *breakage {
	paths := pathsIn(config, nil)
	b := &breakage{path: pick(g, paths...)}
	if g.chance(25) {
		b.delete = true
		return b
	}
	b.value = pick[any](g, nil, "x", "", 5, -1, 1.5, true, array{}, array{nil}, array{5}, object{})
	if len(b.path) == 1 && b.path[0] == "f" {
		b.value = pick[any](g, nil, "x", 5, array{})
	}
	return b
}

// pathsIn lists the paths of all values in a tree except the root.
func pathsIn(v any, at []any) [][]any {
	var paths [][]any
	add := func(step, member any) {
		path := append(slices.Clone(at), step)
		paths = append(append(paths, path), pathsIn(member, path)...)
	}
	switch v := v.(type) {
	case object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			add(name, v[name])
		}
	case array:
		for i, item := range v {
			add(i, item)
		}
	}
	return paths
}

// applied returns a broken copy of the config; false if the place does not exist in it.
func (b *breakage) applied(config any) (any, bool) {
	root := clone(config)
	holder := root
	var setHolder func(any) // replaces the array if it gets shorter
	for _, step := range b.path[:len(b.path)-1] {
		switch h := holder.(type) {
		case object:
			name, ok := step.(string)
			if _, there := h[name]; !ok || !there {
				return nil, false
			}
			setHolder = func(v any) { h[name] = v }
			holder = h[name]
		case array:
			i, ok := step.(int)
			if !ok || i >= len(h) {
				return nil, false
			}
			setHolder = func(v any) { h[i] = v }
			holder = h[i]
		default:
			return nil, false
		}
	}
	switch h := holder.(type) {
	case object:
		name, ok := b.path[len(b.path)-1].(string)
		if _, there := h[name]; !ok || !there {
			return nil, false
		}
		if b.delete {
			delete(h, name)
		} else {
			h[name] = clone(b.value)
		}
	case array:
		i, ok := b.path[len(b.path)-1].(int)
		if !ok || i >= len(h) {
			return nil, false
		}
		if b.delete {
			setHolder(slices.Delete(h, i, i+1))
		} else {
			h[i] = clone(b.value)
		}
	default:
		return nil, false
	}
	return root, true
}

func clone(v any) any {
	switch v := v.(type) {
	case object:
		copied := make(object, len(v))
		for name, member := range v {
			copied[name] = clone(member)
		}
		return copied
	case array:
		copied := make(array, len(v))
		for i, item := range v {
			copied[i] = clone(item)
		}
		return copied
	}
	return v
}

// reaches reports whether the evaluation of a flag may reach the broken place: it is in the
// flag, in one of its prerequisites, or outside of all flags.
func (b *breakage) reaches(config any, key string) bool {
	if len(b.path) < 2 || b.path[0] != "f" {
		return true
	}
	settings, _ := config.(object)["f"].(object)
	seen := map[string]bool{}
	var visit func(key string) bool
	visit = func(key string) bool {
		if key == b.path[1] {
			return true
		}
		if seen[key] {
			return false
		}
		seen[key] = true
		return slices.ContainsFunc(prerequisitesOf(settings[key]), visit)
	}
	return visit(key)
}

func prerequisitesOf(setting any) []string {
	var keys []string
	for _, rule := range items(setting, "r") {
		for _, condition := range items(rule, "c") {
			c, _ := condition.(object)
			p, _ := c["p"].(object)
			if key, ok := p["f"].(string); ok {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// items returns an array in an object; nil: there is none.
func items(v any, name string) array {
	holder, _ := v.(object)
	list, _ := holder[name].(array)
	return list
}
