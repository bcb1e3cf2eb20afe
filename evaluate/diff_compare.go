package evaluate

import "bytes"

// comparison is the comparison of two configs. It is not safe for concurrent use.
type comparison struct {
	from, to *Config
	kinds    map[string]ChangeKind // by key: the settings that differ or are affected
	exact    encoder               // includes salts and the content of segments
	own      encoder               // only what the setting itself contains

	salts        map[*segment]salts
	segmentPairs map[string][2]*segment // by name: changed segments
}

// compare finds the settings that differ, and those that are affected. Either config may be nil.
func compare(from, to *Config) *comparison {
	digests := make(map[*segment]digest)
	c := &comparison{
		from: from, to: to, kinds: make(map[string]ChangeKind), segmentPairs: make(map[string][2]*segment),
		salts: make(map[*segment]salts), exact: encoder{exact: true, digests: digests}, own: encoder{digests: digests},
	}
	if from == to {
		return c
	}
	for _, key := range from.Keys() {
		if to.lookup(key) == nil {
			c.kinds[key] = ChangeRemoved
		}
	}
	for _, key := range to.Keys() {
		switch a, b := from.lookup(key), to.lookup(key); {
		case a == nil:
			c.kinds[key] = ChangeAdded
		case c.differ(a, b):
			c.kinds[key] = ChangeEdited
		}
	}
	c.spread()
	return c
}

// differ reports whether two settings differ, ignoring the settings that they depend on.
func (c *comparison) differ(a, b *setting) bool {
	switch {
	case a == b, len(a.rules) > 0 && len(b.rules) > 0 && &a.rules[0] == &b.rules[0]:
		return false // Reparse shares it
	case a.text != "" && a.text == b.text && !a.salted && !a.segmented:
		return false
	}
	c.exact.b = c.exact.b[:0]
	c.exact.setting(a)
	end := len(c.exact.b)
	c.exact.setting(b)
	return !bytes.Equal(c.exact.b[:end], c.exact.b[end:])
}

// spread marks the settings that depend on those that differ. It does not recurse: chains may be
// as long as the config.
func (c *comparison) spread() {
	if len(c.kinds) == 0 || c.to == nil {
		return
	}
	dependents := make(map[string][]*setting)
	for _, s := range c.to.ordered {
		for _, p := range s.prerequisites {
			if p.flagErr == nil {
				dependents[p.flag] = append(dependents[p.flag], s)
			}
		}
	}
	queue := make([]string, 0, len(c.kinds))
	for key := range c.kinds {
		queue = append(queue, key)
	}
	for len(queue) > 0 {
		key := queue[0]
		queue = queue[1:]
		for _, s := range dependents[key] {
			if c.kinds[s.key] == "" {
				c.kinds[s.key] = ChangeAffected
				queue = append(queue, s.key)
			}
		}
	}
}
