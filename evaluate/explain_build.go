package evaluate

// explainer builds the tree of an evaluation. Its methods are called in the order of the rule walk.
type explainer struct {
	explanation *Explanation
	left        int           // how many parts may be added
	open        []openSetting // from the requested setting to the current one
	// hidden counts the prerequisites being evaluated that the tree lacks. While there are any,
	// nothing is added.
	hidden int
}

// openSetting is a setting being evaluated. A part that the tree lacks is nil.
type openSetting struct {
	tree *SettingTree

	inRules bool // the evaluation has reached the rules
	next    int  // the index of the next rule
	rule    *RuleTree
	matched bool // the conditions of the current rule are true
	chosen  bool // a percentage option is selected
	left    bool // the value is known

	condition *ConditionTree
	inSegment bool
	segment   *SegmentTree
	inner     *ConditionTree // of the segment
}

func newExplainer(s *setting) *explainer {
	tree := newSettingTree(s)
	return &explainer{explanation: &Explanation{Setting: tree}, left: maxTreeParts, open: []openSetting{{tree: tree}}}
}

func newSettingTree(s *setting) *SettingTree {
	return &SettingTree{Key: s.key, Kind: s.kind, Default: s.served.value, setting: s}
}

// take reports whether n more parts may be added.
func (e *explainer) take(n int) bool {
	if n > e.left {
		e.explanation.Cut = true
		return false
	}
	e.left -= n
	return true
}

// at returns the setting being evaluated, or nil if the tree lacks it.
func (e *explainer) at() *openSetting {
	if e.hidden > 0 {
		return nil
	}
	return &e.open[len(e.open)-1]
}

func (e *explainer) beginRules() {
	if at := e.at(); at != nil {
		at.inRules = true
	}
}

func (e *explainer) beginRule(rule *TargetingRule) {
	if at := e.at(); at != nil {
		at.next++
		at.matched = false
		at.rule = e.addRule(at.tree, rule)
	}
}

// endConditions ends the conditions of a rule.
func (e *explainer) endConditions(result outcome, why *obstacle) {
	at := e.at()
	if at == nil {
		return
	}
	at.matched = result == match
	if at.rule == nil {
		return
	}
	at.rule.Outcome, at.rule.Why = result.exported(), whyNot(result, why)
	if result != match {
		at.rule = nil
	}
}

// ruleIgnored ends a rule that cannot be evaluated, or whose options cannot.
func (e *explainer) ruleIgnored() {
	if at := e.at(); at != nil {
		at.rule, at.matched = nil, false
	}
}

// beginCondition begins a condition of a segment or of a rule. known reports whether the config has
// what it uses.
func (e *explainer) beginCondition(c *Condition, known bool) {
	at := e.at()
	switch {
	case at == nil:
	case at.inSegment:
		at.inner = e.addToSegment(at.segment, c)
	default:
		at.condition = e.addToRule(at.tree, at.rule, c, known)
	}
}

func (e *explainer) endCondition(result outcome, why *obstacle) {
	at := e.at()
	if at == nil {
		return
	}
	ended := &at.condition
	if at.inSegment {
		ended = &at.inner
	}
	if t := *ended; t != nil {
		t.Outcome, t.Why = result.exported(), whyNot(result, why)
	}
	*ended = nil
}

func whyNot(result outcome, why *obstacle) string {
	if result != cannotEvaluate {
		return ""
	}
	return why.String()
}

func (e *explainer) beginSegment(s *segment) {
	at := e.at()
	if at == nil {
		return
	}
	at.inSegment, at.segment = true, nil
	if at.condition != nil {
		at.segment = newSegmentTree(s)
		at.condition.Segment = at.segment
	}
}

func (e *explainer) endSegment(inside outcome, why *obstacle) {
	at := e.at()
	if at == nil {
		return
	}
	if t := at.segment; t != nil {
		t.Outcome, t.Why = inside.exported(), whyNot(inside, why)
	}
	at.inSegment, at.segment = false, nil
}

func (e *explainer) beginPrerequisite(s *setting) {
	at := e.at()
	if at == nil || at.condition == nil || len(e.open) > maxTreeDepth || !e.take(1) {
		if at != nil && at.condition != nil {
			at.condition.Cut, e.explanation.Cut = true, true
		}
		e.hidden++
		return
	}
	tree := newSettingTree(s)
	at.condition.Prerequisite = tree
	e.open = append(e.open, openSetting{tree: tree})
}

func (e *explainer) endPrerequisite() {
	if e.hidden > 0 {
		e.hidden--
		return
	}
	e.open = e.open[:len(e.open)-1]
}

// served ends the current setting. An invalid value fails later.
func (e *explainer) served(value Value) {
	at := e.at()
	if at == nil || value.kind == KindNone {
		return
	}
	at.left = true
	at.tree.Outcome, at.tree.Value = OutcomeTrue, value
	at.tree.ServesDefault = !at.matched && !at.chosen
	if at.matched && at.rule != nil {
		at.rule.Serves = true
	}
}

// options returns the percentage options being evaluated: those of the rule that matches, or those
// of the setting. It returns nil if the tree lacks them.
func (e *explainer) options(at *openSetting) *OptionsTree {
	switch {
	case at == nil:
		return nil
	case !at.matched:
		return e.addOptions(at.tree, &at.tree.Options, at.tree.setting.options)
	case at.rule == nil:
		return nil
	default:
		return e.addOptions(at.tree, &at.rule.Options, at.rule.Rule.options)
	}
}

func (e *explainer) optionsSkipped(why string) {
	if t := e.options(e.at()); t != nil {
		t.Outcome, t.Why = OutcomeUnknown, why
	}
}

func (e *explainer) bucket(bucket int64) {
	if t := e.options(e.at()); t != nil {
		t.Bucket = int(bucket)
	}
}

func (e *explainer) option(index int) {
	at := e.at()
	if at == nil {
		return
	}
	at.chosen = true
	if t := e.options(at); t != nil {
		t.Outcome, t.Selected = OutcomeTrue, index
	}
}

// end ends the evaluation, wherever it stopped, and adds what it did not reach.
func (e *explainer) end(value Value, err *Error) {
	e.explanation.Value = value.asReturned()
	if err != nil {
		e.explanation.Err = err
		e.fail(err)
	} else {
		e.served(value)
	}
	e.complete(e.explanation.Setting)
	e.open = nil
}

// fail marks where the evaluation stopped: the innermost part with the error, and those that
// contain it.
func (e *explainer) fail(err *Error) {
	why := err.Error()
	e.hidden = 0
	for i := len(e.open) - 1; i >= 0; i-- {
		if at := &e.open[i]; !at.left {
			e.failSetting(at, err, why)
			why = ""
		}
	}
}

func (e *explainer) failSetting(at *openSetting, err *Error, why string) {
	t, s := at.tree, at.tree.setting
	t.Outcome = OutcomeFailed
	switch rule := at.rule; {
	case at.condition != nil:
		e.failCondition(at, why)
		rule.Outcome = OutcomeFailed
	case rule != nil && !at.matched:
		rule.Outcome = OutcomeFailed
		if next := nextInvalid(rule.Rule.conditions, len(rule.Conditions)); next != nil {
			if c := e.addToRule(t, rule, next, true); c != nil {
				c.Outcome, c.Why = OutcomeFailed, why
			}
		}
	case rule != nil:
		rule.Outcome = OutcomeFailed
		if rule.Rule.hasOptions && !at.chosen {
			if options := e.options(at); options != nil {
				options.Outcome, options.Why = OutcomeFailed, why
				break
			}
		}
		rule.Why = why
	case at.inRules && at.next < len(s.rules) && (s.rules[at.next].err != nil || s.rules[at.next].conditionsErr != nil):
		if rule := e.addRule(t, &s.rules[at.next]); rule != nil {
			rule.Outcome, rule.Why = OutcomeFailed, why
		}
	case at.reachedOptions(err) && !at.chosen:
		if options := e.options(at); options != nil && options.Outcome == OutcomeNone {
			options.Outcome, options.Why = OutcomeFailed, why
		} else {
			t.Why = why // of its own value
		}
	default:
		t.Why = why
	}
}

// reachedOptions reports whether an evaluation that failed, but in no rule, reached the setting's
// percentage options.
func (at *openSetting) reachedOptions(err *Error) bool {
	s := at.tree.setting
	return err.Code != CodeTypeMismatch && !at.matched && s.rulesErr == nil && at.next == len(s.rules) && s.optionsErr == nil && len(s.options) > 0
}

func (e *explainer) failCondition(at *openSetting, why string) {
	c := at.condition
	c.Outcome = OutcomeFailed
	t := at.segment
	if t == nil {
		c.Why = why
		return
	}
	inner := at.inner
	if next := nextInvalid(t.segment.conditions, len(t.Conditions)); inner == nil && next != nil {
		inner = e.addToSegment(t, next)
	}
	switch {
	case inner != nil:
		t.Outcome = OutcomeFailed
		inner.Outcome, inner.Why = OutcomeFailed, why
	case t.Cut || t.segment.conditionsErr != nil:
		t.Outcome, t.Why = OutcomeFailed, why
	default: // the segment is evaluated; the operator of the condition is invalid
		t.Outcome, c.Why = OutcomeTrue, why
		if last := len(t.Conditions) - 1; last >= 0 {
			t.Outcome = t.Conditions[last].Outcome
		}
	}
}

// nextInvalid returns the next condition if it is invalid: then the evaluation did not begin it. It
// returns nil otherwise.
func nextInvalid(conditions []Condition, next int) *Condition {
	if next < len(conditions) && conditions[next].kind == invalidCondition {
		return &conditions[next]
	}
	return nil
}
