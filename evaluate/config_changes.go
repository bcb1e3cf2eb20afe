package evaluate

import "reflect"

// ChangedKeys returns the keys of the settings that may serve other values than in an earlier
// config: those that were added, changed or removed, that use a changed segment or salt, or that
// depend on one of these. They are in the order of c's document; removed ones follow. Either
// config may be nil.
func (c *Config) ChangedKeys(earlier *Config) []string {
	if c == earlier {
		return nil
	}
	changed := make(map[*setting]bool)
	if c != nil {
		dependents := c.dependents()
		var queue []*setting
		for _, s := range c.ordered {
			if before := earlier.lookup(s.key); before == nil || !s.isSame(before) || s.lacks(earlier) {
				changed[s] = true
				queue = append(queue, s)
			}
		}
		for len(queue) > 0 {
			s := queue[0]
			queue = queue[1:]
			changed[s] = true
			for _, dependent := range dependents[s] {
				if !changed[dependent] {
					changed[dependent] = true
					queue = append(queue, dependent)
				}
			}
		}
	}
	var keys []string
	for _, key := range c.Keys() {
		if changed[c.lookup(key)] {
			keys = append(keys, key)
		}
	}
	for _, key := range earlier.Keys() {
		if c.lookup(key) == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// isSame reports whether two settings are the same, ignoring the settings they depend on.
func (s *setting) isSame(other *setting) bool {
	switch {
	case s == other, len(s.rules) > 0 && len(other.rules) > 0 && &s.rules[0] == &other.rules[0]:
		return true // Reparse shares it
	case s.text != "" && s.text == other.text && !s.salted && !s.segmented:
		return true
	}
	a, b := *s, *other
	a.links, b.links = nil, nil
	a.place, b.place = 0, 0
	a.cyclic, b.cyclic = false, false
	a.text, b.text = "", ""
	return reflect.DeepEqual(&a, &b)
}

// lacks reports whether the setting has a prerequisite that existed before and was removed.
func (s *setting) lacks(earlier *Config) bool {
	for i, p := range s.prerequisites {
		if s.links[i].target == nil && earlier.lookup(p.flag) != nil {
			return true
		}
	}
	return false
}

// dependents maps each setting to those that directly depend on it.
func (c *Config) dependents() map[*setting][]*setting {
	dependents := make(map[*setting][]*setting)
	for _, s := range c.ordered {
		for i := range s.links {
			if target := s.links[i].target; target != nil {
				dependents[target] = append(dependents[target], s)
			}
		}
	}
	return dependents
}
