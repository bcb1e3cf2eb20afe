package evaluate

// addRule adds a rule to the tree of a setting. It returns nil if the tree is full.
func (e *explainer) addRule(to *SettingTree, rule *TargetingRule) *RuleTree {
	if !e.take(1) {
		to.Cut = true
		return nil
	}
	t := &RuleTree{Rule: rule}
	to.Rules = append(to.Rules, t)
	return t
}

// addToRule adds a condition to the tree of a rule, which is nil if the tree of the setting lacks
// it. known reports whether the config has the prerequisite.
func (e *explainer) addToRule(s *SettingTree, to *RuleTree, c *Condition, known bool) *ConditionTree {
	if to == nil {
		return nil
	}
	if !e.take(1) {
		s.Cut = true
		return nil
	}
	t := newConditionTree(c, known)
	to.Conditions = append(to.Conditions, t)
	return t
}

// addToSegment is like addToRule for a condition of a segment.
func (e *explainer) addToSegment(to *SegmentTree, c *Condition) *ConditionTree {
	if to == nil {
		return nil
	}
	if !e.take(1) {
		to.Cut = true
		return nil
	}
	t := newConditionTree(c, true)
	to.Conditions = append(to.Conditions, t)
	return t
}

func newConditionTree(c *Condition, known bool) *ConditionTree {
	t := &ConditionTree{condition: c, known: known}
	switch c.kind {
	case userCondition:
		t.Kind, t.Uses = OnUser, c.attribute.name
	case segmentCondition:
		t.Kind = OnSegment
		if c.segment != nil {
			t.Uses = c.segment.name
		}
	case prerequisiteCondition:
		t.Kind = OnPrerequisite
		if known {
			t.Uses = c.prerequisite.flag
		}
	default:
		t.Kind = OnNothing
	}
	return t
}

func newSegmentTree(s *segment) *SegmentTree {
	t := &SegmentTree{Name: s.name, segment: s}
	if s.broken != nil {
		t.Err = s.broken
	}
	return t
}

// addOptions stores a tree of percentage options, if there is none yet. It returns nil if the tree of
// the setting is full.
func (e *explainer) addOptions(s *SettingTree, to **OptionsTree, options []PercentageOption) *OptionsTree {
	if *to != nil {
		return *to
	}
	if !e.take(len(options)) {
		s.Cut = true
		return nil
	}
	*to = &OptionsTree{Attribute: s.setting.optionAttribute.name, Options: options, Bucket: -1, Selected: -1}
	return *to
}

// complete adds the parts of a setting that the evaluation did not reach: first its own, then those
// of its prerequisites.
func (e *explainer) complete(t *SettingTree) {
	s := t.setting
	for i := range s.rules {
		if i == len(t.Rules) && e.addRule(t, &s.rules[i]) == nil {
			break
		}
		e.completeRule(t, t.Rules[i])
	}
	if len(s.options) > 0 {
		e.addOptions(t, &t.Options, s.options)
	}
	for _, rule := range t.Rules {
		for _, c := range rule.Conditions {
			if c.Segment != nil {
				e.completeSegment(c.Segment)
			}
			if c.Prerequisite != nil {
				e.complete(c.Prerequisite)
			}
		}
	}
}

func (e *explainer) completeRule(s *SettingTree, t *RuleTree) {
	conditions := t.Rule.conditions
	for i := len(t.Conditions); i < len(conditions); i++ {
		c := &conditions[i]
		known := c.kind != prerequisiteCondition || s.setting.links[c.link].target != nil
		if e.addToRule(s, t, c, known) == nil {
			break
		}
	}
	if t.Rule.hasOptions {
		e.addOptions(s, &t.Options, t.Rule.options)
	}
}

func (e *explainer) completeSegment(t *SegmentTree) {
	for i := len(t.Conditions); i < len(t.segment.conditions); i++ {
		if e.addToSegment(t, &t.segment.conditions[i]) == nil {
			break
		}
	}
}
