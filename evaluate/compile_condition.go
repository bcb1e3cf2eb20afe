package evaluate

import "strconv"

func (c *compiler) compileCondition(s *setting, condition *Condition, raw *member[rawCondition]) {
	if condition.err = c.required(raw.state); condition.err != nil {
		return
	}
	r := &raw.value
	members := 0
	for _, state := range [...]memberState{r.user.state, r.prerequisite.state, r.segment.state} {
		if state != absent {
			members++
		}
	}
	switch {
	case members != 1:
		condition.err = errCondition
	case r.user.state != absent:
		c.push("u")
		c.compileUserCondition(condition, r.user, s.key)
		c.pop()
	case r.prerequisite.state == present:
		c.push("p")
		c.compilePrerequisite(s, condition, r.prerequisite.value)
		c.pop()
	case r.segment.state == present:
		c.push("s")
		c.compileSegmentCondition(condition, r.segment.value)
		c.pop()
	case r.prerequisite.state == wrong:
		condition.err = c.fault(wrong, "p")
	default:
		condition.err = c.fault(wrong, "s")
	}
}

// compileUserCondition compiles a condition whose hashes are salted with context, the setting's
// key or the segment's name.
func (c *compiler) compileUserCondition(condition *Condition, raw member[*rawUserCondition], context string) {
	if condition.err = c.required(raw.state); condition.err != nil {
		return
	}
	r := raw.value
	condition.kind = userCondition
	condition.attribute = nameAttribute(r.attribute.value)
	condition.err = c.required(r.attribute.state, "a")
	condition.comparator = unknownComparator
	if r.comparator.state != present {
		condition.valueErr = c.fault(r.comparator.state, "c")
	} else if id := r.comparator.value; id < 0 || id >= int64(comparatorCount) {
		condition.valueErr = errOperator
	} else {
		condition.comparator = comparator(id)
	}

	switch condition.comparator.comparand() {
	case comparesText:
		condition.valueErr = c.comparisonValue(r.text.state, "s")
		condition.text = r.text.value
	case comparesNumber:
		condition.valueErr = c.comparisonValue(r.number.state, "d")
		condition.number = r.number.value
	case comparesList:
		condition.valueErr = c.comparisonValue(r.list.state, "l")
		if condition.valueErr == nil && r.badItem >= 0 {
			state := wrong
			if r.badNull {
				state = absent
			}
			condition.valueErr = c.fault(state, "l["+strconv.Itoa(r.badItem)+"]")
		}
		condition.list = r.list.value
	default:
		c.describeUnknown(condition, r)
	}
	condition.hasValue = condition.hasValue || condition.valueErr == nil
	if condition.valueErr == nil {
		c.compileOperand(condition, context)
	}
	if condition.comparator.isHashed() {
		condition.hashed = len(condition.list)
		condition.list = nil
	}
}

func (c *compiler) comparisonValue(state memberState, name string) *Error {
	if state == absent {
		return errComparisonGone
	}
	return c.optional(state, name)
}

// describeUnknown keeps, for the log, the comparison value of an unknown comparator.
func (c *compiler) describeUnknown(condition *Condition, r *rawUserCondition) {
	switch {
	case r.list.state != absent:
	case r.text.state == present && r.number.state == absent:
		condition.text, condition.hasValue = r.text.value, true
	case r.number.state == present && r.text.state == absent:
		condition.text, condition.hasValue = string(appendNumber(nil, r.number.value)), true
	}
}

func (c *compiler) compilePrerequisite(s *setting, condition *Condition, raw *rawPrerequisite) {
	condition.kind = prerequisiteCondition
	condition.link = int32(len(s.prerequisites))
	p := &prerequisite{
		flag:          raw.flag.value,
		flagErr:       c.required(raw.flag.state, "f"),
		comparator:    raw.comparator.value,
		comparatorErr: c.required(raw.comparator.state, "c"),
		value:         raw.value.value,
		valueErr:      c.required(raw.value.state, "v"),
	}
	if p.comparatorErr == nil && p.comparator != 0 && p.comparator != 1 {
		p.comparatorErr = errOperator
	}
	if p.comparatorErr != nil {
		p.comparator = -1
	}
	condition.prerequisite = p
	s.prerequisites = append(s.prerequisites, p)
}
