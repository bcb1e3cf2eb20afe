package evaluate

import "slices"

// source is the origin of a config. Equal compares sources.
type source struct {
	document    *document
	keys        []string
	base, front *Config // a merge: front wins
}

// Equal reports whether two configs have the same content (S78): the same document, the same
// plain values, or merges of equal configs. Either config may be nil.
func (c *Config) Equal(other *Config) bool {
	if c == other {
		return true
	}
	if c == nil || other == nil {
		return false
	}
	a, b := &c.source, &other.source
	return a.document.equal(b.document) && slices.Equal(a.keys, b.keys) && samePlain(c, other) &&
		a.base.Equal(b.base) && a.front.Equal(b.front)
}

func samePlain(c, other *Config) bool {
	for _, key := range c.source.keys {
		a, b := c.lookup(key), other.lookup(key)
		if a.served.value != b.served.value || (a.served.err == nil) != (b.served.err == nil) {
			return false
		}
	}
	return true
}

// Merge returns a config with the settings of both configs. If both have a key, front wins (S61,
// S62). Each setting keeps the salt and the segments of its own config; prerequisites are
// resolved in the merged config (S64). Either config may be nil; the result is nil if both are.
func Merge(base, front *Config) *Config {
	if base == nil || front == nil {
		if front != nil {
			return front
		}
		return base
	}
	c := newConfig(len(base.keys) + len(front.keys))
	c.source = source{base: base, front: front}
	for _, from := range [...]*Config{base, front} {
		for _, key := range from.keys {
			c.put(from.lookup(key).unlinked())
		}
	}
	c.resolve()
	return c
}
