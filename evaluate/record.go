package evaluate

// record follows the rule walk for what a trace requests besides warnings: the evaluation log
// (S101), the tree of an [Explanation], or both. On a nil *record, the methods that the rule walk
// calls do nothing. They are so short that the compiler inlines them.
type record struct {
	text logText
	tree *explainer // nil: no tree was requested yet

	log, explain bool // what the current evaluation is recorded as
}

func (r *record) begin(s *setting, u *user) {
	if r.log {
		r.text.begin(s.key, u)
	}
	if r.explain {
		r.tree = newExplainer(s)
	}
}

// end adds the returned value, wherever the evaluation stopped, and err if it failed.
func (r *record) end(value Value, err *Error) {
	if r.log {
		r.text.end(value)
	}
	if r.explain {
		r.tree.end(value, err)
	}
}

func (r *record) rules() {
	if r != nil {
		r.recordRules()
	}
}

func (r *record) ruleIgnored() {
	if r != nil {
		r.recordIgnored()
	}
}

// beginConditions is called with nil for the conditions of a segment.
func (r *record) beginConditions(rule *TargetingRule) {
	if r != nil {
		r.recordConditions(rule)
	}
}

func (r *record) beginCondition(i int) {
	if r != nil {
		r.recordCondition(i)
	}
}

func (r *record) userCondition(c *Condition) {
	if r != nil {
		r.recordUserCondition(c)
	}
}

func (r *record) segmentCondition(c *Condition) {
	if r != nil {
		r.recordSegmentCondition(c)
	}
}

func (r *record) beginSegment(s *segment) {
	if r != nil {
		r.recordSegment(s)
	}
}

func (r *record) endSegment(c *Condition, inside, result outcome, why *obstacle) {
	if r != nil {
		r.recordSegmentEnd(c, inside, result, why)
	}
}

func (r *record) prerequisiteCondition(c *Condition, to *link) {
	if r != nil {
		r.recordPrerequisiteCondition(c, to)
	}
}

func (r *record) beginPrerequisite(p *prerequisite, to *link) {
	if r != nil {
		r.recordPrerequisite(p, to)
	}
}

// servedPrerequisite is called as soon as it is known what a prerequisite serves.
func (r *record) servedPrerequisite(s *served) {
	if r != nil {
		r.recordServed(s)
	}
}

func (r *record) endPrerequisite(p *prerequisite, to *link, value Value, result outcome) {
	if r != nil {
		r.recordPrerequisiteEnd(p, to, value, result)
	}
}

func (r *record) endCondition(result outcome, why *obstacle, showResult bool) {
	if r != nil {
		r.recordResult(result, why, showResult)
	}
}

func (r *record) then(rule *TargetingRule, result outcome, why *obstacle, onNewLine bool) {
	if r != nil {
		r.recordThen(rule, result, why, onNewLine)
	}
}

func (r *record) optionsWithoutUser() {
	if r != nil {
		r.recordSkipped("User Object is missing", "the User Object is missing")
	}
}

func (r *record) optionsWithoutAttribute(name string) {
	if r != nil {
		why := "the User." + name + " attribute is missing"
		r.recordSkipped(why, why)
	}
}

func (r *record) bucket(name string, bucket int64) {
	if r != nil {
		r.recordBucket(name, bucket)
	}
}

func (r *record) option(bucket int64, index int, o *PercentageOption) {
	if r != nil {
		r.recordOption(bucket, index, o)
	}
}

func (r *record) indent() {
	if r != nil {
		r.text.depth++
	}
}

func (r *record) outdent() {
	if r != nil {
		r.text.depth--
	}
}
