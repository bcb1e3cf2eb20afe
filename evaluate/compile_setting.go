package evaluate

func (c *compiler) compileSetting(s *setting, raw *member[rawSetting]) {
	if s.err = c.required(raw.state); s.err != nil {
		return
	}
	r := &raw.value
	if s.err = c.required(r.kind.state, "t"); s.err != nil {
		return
	}
	switch r.kind.value {
	case 0:
		s.kind = KindBool
	case 1:
		s.kind = KindString
	case 2:
		s.kind = KindInt
	case 3:
		s.kind = KindFloat
	default:
		s.err = errType
		return
	}
	s.optionAttribute = nameAttribute("Identifier")
	if r.attribute.state == present {
		s.optionAttribute = nameAttribute(r.attribute.value)
	}
	s.optionAttributeErr = c.optional(r.attribute.state, "a")
	c.compileServed(&s.served, &r.served, s.kind)
	s.options, s.optionsErr = c.compileOptions(r.options, s.kind)

	s.rulesErr = c.optional(r.rules.state, "r")
	if len(r.rules.value) == 0 {
		return
	}
	s.rules = make([]TargetingRule, len(r.rules.value))
	c.push("r")
	for i := range r.rules.value {
		c.pushIndex(i)
		c.compileRule(s, &s.rules[i], &r.rules.value[i])
		c.pop()
	}
	c.pop()
}

func (c *compiler) compileRule(s *setting, rule *TargetingRule, raw *member[rawRule]) {
	if rule.err = c.required(raw.state); rule.err != nil {
		return
	}
	r := &raw.value
	c.compileThen(rule, r, s.kind)
	if rule.conditionsErr = c.optional(r.conditions.state, "c"); rule.conditionsErr != nil {
		return
	}
	if len(r.conditions.value) == 0 {
		return
	}
	rule.conditions = make([]Condition, len(r.conditions.value))
	c.push("c")
	for i := range r.conditions.value {
		c.pushIndex(i)
		c.compileCondition(s, &rule.conditions[i], &r.conditions.value[i])
		c.pop()
	}
	c.pop()
}

// compileThen compiles what a rule serves: either a value or percentage options, but not both.
func (c *compiler) compileThen(rule *TargetingRule, raw *rawRule, kind Kind) {
	rule.thenErr = c.optional(raw.served.state, "s")
	if rule.thenErr == nil {
		rule.thenErr = c.optional(raw.options.state, "p")
	}
	if raw.served.state == present {
		c.push("s")
		c.compileServed(&rule.served, &raw.served.value, kind)
		c.pop()
	} else {
		rule.served = served{err: errValue, valueErr: errValue}
	}
	if rule.thenErr != nil {
		return
	}
	switch {
	case raw.served.state == present && raw.options.state == absent:
	case raw.served.state == absent && len(raw.options.value) > 0:
		rule.hasOptions = true
		rule.options, _ = c.compileOptions(raw.options, kind)
	default:
		rule.thenErr = errThen
	}
}

func (c *compiler) compileOptions(raw member[[]member[rawOption]], kind Kind) ([]PercentageOption, *Error) {
	if err := c.optional(raw.state, "p"); err != nil || len(raw.value) == 0 {
		return nil, err
	}
	options := make([]PercentageOption, len(raw.value))
	c.push("p")
	defer c.pop()
	for i := range raw.value {
		o, r := &options[i], &raw.value[i]
		c.pushIndex(i)
		if o.err = c.required(r.state); o.err == nil {
			o.share = r.value.share.value
			o.shareErr = c.required(r.value.share.state, "p")
			if o.shareErr == nil && o.share < 0 {
				o.shareErr = errShare
			}
			c.compileServed(&o.served, &r.value.served, kind)
		}
		c.pop()
	}
	return options, nil
}

func (c *compiler) compileServed(s *served, raw *rawServed, kind Kind) {
	if s.valueErr = c.required(raw.value.state, "v"); s.valueErr == nil {
		s.value, s.valueErr = c.unwrap(&raw.value.value, kind)
	}
	s.variation = raw.variation.value
	s.err = s.valueErr
	if s.err == nil {
		s.err = c.optional(raw.variation.state, "i")
	}
	s.boxed = s.value.Any()
}

// unwrap returns the member of a value that matches the setting's kind.
func (c *compiler) unwrap(raw *rawValue, kind Kind) (Value, *Error) {
	value, state := raw.of(kind)
	switch state {
	case present:
		return value, nil
	case absent:
		return Value{}, errValue
	default:
		return Value{}, c.fault(wrong, "v", valueMember(kind))
	}
}
