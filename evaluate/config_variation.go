package evaluate

// FindVariation returns the setting key and the value of the first variation with that ID (S20).
// It searches each setting's own value, then its rules, then its percentage options. It skips
// broken parts.
func (c *Config) FindVariation(variationID string) (key string, value Value, found bool) {
	if c == nil || variationID == "" {
		return "", Value{}, false
	}
	for _, key := range c.keys {
		if s := c.lookup(key).findVariation(variationID); s != nil {
			return key, s.value, true
		}
	}
	return "", Value{}, false
}

func (s *setting) findVariation(id string) *served {
	if s.err != nil {
		return nil
	}
	if s.served.is(id) {
		return &s.served
	}
	for i := range s.rules {
		rule := &s.rules[i]
		if !rule.hasOptions && rule.served.is(id) {
			return &rule.served
		}
		if o := findOption(rule.options, id); o != nil {
			return o
		}
	}
	return findOption(s.options, id)
}

func findOption(options []PercentageOption, id string) *served {
	for i := range options {
		if options[i].served.is(id) {
			return &options[i].served
		}
	}
	return nil
}

func (s *served) is(id string) bool { return s.err == nil && s.variation == id }
