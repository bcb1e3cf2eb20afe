package evaluate

// ChangedKeys returns the keys of the settings that may serve other values than in an earlier
// config: those that were added, changed or removed, that use a changed segment or salt, or that
// depend on one of these. They are in the order of c's document; removed ones follow. Either
// config may be nil. [Diff] describes the changes.
func (c *Config) ChangedKeys(earlier *Config) []string {
	kinds := compare(earlier, c).kinds
	var keys []string
	for _, key := range c.Keys() {
		if kinds[key] != "" {
			keys = append(keys, key)
		}
	}
	for _, key := range earlier.Keys() {
		if kinds[key] == ChangeRemoved {
			keys = append(keys, key)
		}
	}
	return keys
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
