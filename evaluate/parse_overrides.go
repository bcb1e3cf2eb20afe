package evaluate

import "encoding/json"

// ParseOverrides reads a file of flag overrides: a full config JSON (S64), or the simple form
// {"flags": {key: value}} with plain values (S63). Numbers in the simple form match defaults as
// in [FromValues].
func ParseOverrides(data []byte) (*Config, error) {
	if len(data) > MaxConfigBytes || !json.Valid(data) {
		return Parse(data)
	}
	c := &cursor{text: validText(data)}
	if c.kind() != '{' {
		return nil, refuse("$", "an object is expected")
	}
	for more := c.open(); more; more = c.next() {
		if c.name() != "flags" {
			c.skip()
			continue
		}
		state, _ := (&cursor{text: c.text, pos: c.pos}).enter('{')
		if state != present {
			return nil, refuse("$.flags", "an object is expected")
		}
		return c.readFlags(), nil
	}
	return Parse(data)
}

func (c *cursor) readFlags() *Config {
	config := &Config{settings: make(map[string]*setting)}
	for more := c.open(); more; more = c.next() {
		key := c.name()
		if config.settings[key] == nil {
			config.keys = append(config.keys, key)
		}
		config.settings[key] = plainSetting(key, c.plain())
	}
	config.source.keys = config.keys
	config.resolve()
	return config
}

// plain reads a plain value. A number without a fraction is a whole number.
func (c *cursor) plain() any {
	switch c.kind() {
	case '"':
		return c.string()
	case 't', 'f':
		return c.bool()
	case '0':
		start := c.pos
		if whole := c.readInteger(); whole.state == present {
			return whole.value
		}
		c.pos = start
		return c.number()
	case 'n':
		c.skip()
		return nil
	default:
		kind := "object"
		if c.kind() == '[' {
			kind = "array"
		}
		start := c.pos
		c.skip()
		return unsupported{text: c.text[start:c.pos], kind: kind}
	}
}

type unsupported struct{ text, kind string }
