package evaluate

// evaluateSetting walks the rules top-down, then the setting's percentage
// options, and ends with the setting's own value (S70).
func (r *run) evaluateSetting(t *Trace, out *selection) *Error {
	s := r.setting
	if s.rulesErr != nil {
		return s.rulesErr
	}
	if len(s.rules) > 0 {
		if matched, err := r.evaluateRules(t, out); matched || err != nil {
			return err
		}
	}
	if s.optionsErr != nil {
		return s.optionsErr
	}
	if len(s.options) > 0 {
		if matched, err := r.evaluateOptions(t, s.options, out); matched || err != nil {
			return err
		}
	}
	out.served = &s.served
	return nil
}

func (r *run) evaluateRules(t *Trace, out *selection) (matched bool, err *Error) {
	t.log().rules()
	rules := r.setting.rules
	for i := range rules {
		rule := &rules[i]
		if rule.err != nil {
			return false, rule.err
		}
		if rule.conditionsErr != nil {
			return false, rule.conditionsErr
		}
		result, err := r.evaluateConditions(t, rule.conditions, rule)
		if err != nil {
			return false, err
		}
		if result != match {
			if result == cannotEvaluate {
				t.log().indent()
				t.log().ruleIgnored()
				t.log().outdent()
			}
			continue
		}
		if rule.thenErr != nil {
			return false, rule.thenErr
		}
		if rule.hasOptions {
			t.log().indent()
			matched, err := r.evaluateOptions(t, rule.options, out)
			if err != nil {
				return false, err
			}
			if !matched { // S71
				t.log().ruleIgnored()
				t.log().outdent()
				continue
			}
			t.log().outdent()
		} else {
			out.served = &rule.served
		}
		out.rule, out.ruleIndex = rule, i
		return true, nil
	}
	return false, nil
}

// evaluateConditions evaluates conditions joined with AND. rule is nil for the conditions of a
// segment.
func (r *run) evaluateConditions(t *Trace, conditions []Condition, rule *TargetingRule) (outcome, *Error) {
	result := match
	thenOnNewLine := false
	t.log().beginConditions(rule)
	for i := range conditions {
		c := &conditions[i]
		if c.kind == invalidCondition {
			return noMatch, c.err
		}
		t.log().beginCondition(i)
		var err *Error
		switch c.kind {
		case userCondition:
			result, err = r.evaluateUser(t, c)
			thenOnNewLine = len(conditions) > 1
		case prerequisiteCondition:
			result, err = r.evaluatePrerequisite(t, c)
			thenOnNewLine = true
		case segmentCondition:
			result, err = r.evaluateSegment(t, c)
			thenOnNewLine = result != cannotEvaluate || r.cannot.kind != userIsMissing || len(conditions) > 1
		}
		if err != nil {
			return noMatch, err
		}
		t.log().endCondition(result, &r.cannot, rule == nil || len(conditions) > 1)
		if result != match {
			break
		}
	}
	if rule != nil {
		t.log().then(rule, result, &r.cannot, thenOnNewLine)
	}
	return result, nil
}
