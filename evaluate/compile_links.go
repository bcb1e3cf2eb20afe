package evaluate

// resolve connects the settings, which must be c's own, except for those without prerequisites that
// are at their place.
func (c *Config) resolve() {
	c.ordered = make([]*setting, len(c.keys))
	for i, key := range c.keys {
		s := c.lookup(key)
		c.ordered[i] = s
		s.setPlace(i)
		if len(s.prerequisites) == 0 {
			continue
		}
		s.links = make([]link, len(s.prerequisites))
		for i, p := range s.prerequisites {
			s.links[i] = c.link(p)
		}
	}
	c.measureNesting()
	c.findBroken()
}

func (c *Config) link(p *prerequisite) link {
	if p.flagErr != nil {
		return link{err: p.flagErr}
	}
	target := c.lookup(p.flag)
	switch {
	case target == nil:
		return link{err: errPrerequisite}
	case target.err != nil:
		return link{target: target, err: target.err}
	case p.valueErr != nil:
		return link{target: target, err: p.valueErr}
	case target.kind == KindNone:
		return link{target: target} // the target's own value has the error
	}
	value, ok := p.comparisonValue(target)
	if !ok {
		text := invalidValue
		if inferred := p.value.infer(); inferred.kind != KindNone {
			text = inferred.String()
		}
		return link{target: target, err: modelError("Type mismatch between comparison value '" + text +
			"' and prerequisite flag '" + p.flag + "'.")}
	}
	return link{target: target, value: value}
}

// comparisonValue returns the value to compare with, if it is of the flag's kind. A flag that is a
// plain number accepts a whole or a decimal one.
func (p *prerequisite) comparisonValue(target *setting) (Value, bool) {
	if target.plain && (target.kind == KindInt || target.kind == KindFloat) {
		whole, decimal := p.value.i.state == present, p.value.d.state == present
		if whole {
			return IntValue(p.value.i.value), !decimal
		}
		return FloatValue(p.value.d.value), decimal
	}
	value, state := p.value.of(target.kind)
	return value, state == present
}
