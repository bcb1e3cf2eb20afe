package evaluate

// MaxConfigBytes is the greatest size of a config JSON, in bytes.
const MaxConfigBytes = 8 << 20

// Config is a compiled config. It is immutable and safe for concurrent use. A nil *Config is a
// config that is not available yet: evaluations return defaults with [CodeConfigNotAvailable].
type Config struct {
	index   index
	keys    []string   // in the order of the document
	ordered []*setting // in the order of the keys
	broken  []FlagError
	source  source
}

// newConfig returns a config with room for n settings.
func newConfig(n int) *Config { return &Config{index: newIndex(n), keys: make([]string, 0, n)} }

// put adds a setting, or replaces the one with its key.
func (c *Config) put(s *setting) {
	if c.index.put(s) {
		c.keys = append(c.keys, s.key)
	}
}

// Keys returns the setting keys in the order of the document. The slice is shared: do not modify
// it.
func (c *Config) Keys() []string {
	if c == nil {
		return nil
	}
	return c.keys
}

// JSON returns a copy of the parsed document. It returns nil for a nil config, a config of plain
// values and a merged config.
func (c *Config) JSON() []byte {
	if c == nil || c.source.document == nil {
		return nil
	}
	return c.source.document.text()
}

// BrokenFlags returns the flags that can fail because of an error in the config, in the order of
// the document. Each comes with its first error: in the flag, in a segment it uses, or in a flag
// it depends on (S77). The slice is shared: do not modify it.
func (c *Config) BrokenFlags() []FlagError {
	if c == nil {
		return nil
	}
	return c.broken
}

// KindOf returns the type of a setting. It is KindNone if there is no such setting or no config, or if
// the setting has no valid type.
func (c *Config) KindOf(key string) Kind {
	if s := c.lookup(key); s != nil {
		return s.kind
	}
	return KindNone
}

// lookup returns nil if there is no such setting or no config.
func (c *Config) lookup(key string) *setting {
	if c == nil {
		return nil
	}
	return c.index.find(key)
}
