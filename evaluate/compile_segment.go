package evaluate

func (c *compiler) compileSegments(raw []member[rawSegment]) {
	if len(raw) == 0 {
		return
	}
	c.push("s")
	defer c.pop()
	c.segments = make([]segment, len(raw))
	for i := range raw {
		c.pushIndex(i)
		c.compileSegment(&c.segments[i], &raw[i])
		c.segments[i].broken = c.segments[i].firstError()
		c.pop()
	}
}

func (c *compiler) compileSegment(s *segment, raw *member[rawSegment]) {
	if s.err = c.required(raw.state); s.err != nil {
		return
	}
	s.name = raw.value.name.value
	if s.err = c.required(raw.value.name.state, "n"); s.err != nil {
		return
	}
	if s.name == "" {
		s.err = errSegmentName
		return
	}
	if s.conditionsErr = c.optional(raw.value.conditions.state, "r"); s.conditionsErr != nil {
		return
	}
	s.conditions = make([]Condition, len(raw.value.conditions.value))
	c.push("r")
	defer c.pop()
	for i, condition := range raw.value.conditions.value {
		c.pushIndex(i)
		c.compileUserCondition(&s.conditions[i], condition, s.name)
		c.pop()
	}
}

func (c *compiler) compileSegmentCondition(condition *Condition, raw *rawSegmentCondition) {
	c.segmented = true
	condition.kind = segmentCondition
	condition.comparator = unknownComparator
	condition.valueErr = c.required(raw.comparator.state, "c")
	if condition.valueErr == nil {
		if id := raw.comparator.value; id == 0 || id == 1 {
			condition.comparator = comparator(id)
		} else {
			condition.valueErr = errOperator
		}
	}
	if condition.err = c.required(raw.index.state, "s"); condition.err != nil {
		return
	}
	if raw.index.value < 0 || raw.index.value >= int64(len(c.segments)) {
		condition.err = errSegmentRef
		return
	}
	condition.segment = &c.segments[raw.index.value]
}
