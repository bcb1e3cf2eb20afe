package evaluate

// These are the bodies of record's methods. The short ones must not be inlined into the methods: those
// would become too long to be inlined into the rule walk.

func (r *record) recordRules() {
	if r.log {
		r.text.line("Evaluating targeting rules and applying the first match if any:")
	}
	if r.explain {
		r.tree.beginRules()
	}
}

func (r *record) recordIgnored() {
	if r.log {
		r.text.line("The current targeting rule is ignored and the evaluation continues with the next rule.")
	}
	if r.explain {
		r.tree.ruleIgnored()
	}
}

func (r *record) recordConditions(rule *TargetingRule) {
	if r.log {
		r.text.line("- ")
	}
	if r.explain && rule != nil {
		r.tree.beginRule(rule)
	}
}

//go:noinline
func (r *record) recordCondition(i int) {
	if r.log {
		r.text.beginCondition(i)
	}
}

func (r *record) recordUserCondition(c *Condition) {
	if r.log {
		r.text.userCondition(c)
	}
	if r.explain {
		r.tree.beginCondition(c, true)
	}
}

func (r *record) recordSegmentCondition(c *Condition) {
	if r.log {
		r.text.segmentCondition(c)
	}
	if r.explain {
		r.tree.beginCondition(c, true)
	}
}

func (r *record) recordSegment(s *segment) {
	if r.log {
		r.text.beginSegment(s)
	}
	if r.explain {
		r.tree.beginSegment(s)
	}
}

func (r *record) recordSegmentEnd(c *Condition, inside, result outcome, why *obstacle) {
	if r.log {
		r.text.endSegment(c, inside, result, why)
	}
	if r.explain {
		r.tree.endSegment(inside, why)
	}
}

func (r *record) recordPrerequisiteCondition(c *Condition, to *link) {
	if r.log {
		r.text.prerequisiteCondition(c.prerequisite, to)
	}
	if r.explain {
		r.tree.beginCondition(c, to.target != nil)
	}
}

func (r *record) recordPrerequisite(p *prerequisite, to *link) {
	if r.log {
		r.text.beginPrerequisite(p)
	}
	if r.explain {
		r.tree.beginPrerequisite(to.target)
	}
}

//go:noinline
func (r *record) recordServed(s *served) {
	if r.explain {
		r.tree.served(s.value)
	}
}

func (r *record) recordPrerequisiteEnd(p *prerequisite, to *link, value Value, result outcome) {
	if r.log {
		r.text.endPrerequisite(p, to, value, result)
	}
	if r.explain {
		r.tree.endPrerequisite()
	}
}

func (r *record) recordResult(result outcome, why *obstacle, showResult bool) {
	if r.log {
		r.text.endCondition(result == match, showResult)
	}
	if r.explain {
		r.tree.endCondition(result, why)
	}
}

func (r *record) recordThen(rule *TargetingRule, result outcome, why *obstacle, onNewLine bool) {
	if r.log {
		r.text.then(rule, result, why, onNewLine)
	}
	if r.explain {
		r.tree.endConditions(result, why)
	}
}

// recordSkipped records that no percentage option can be selected. The log names the reason with an
// article.
func (r *record) recordSkipped(why, logged string) {
	if r.log {
		r.text.line("Skipping % options because ", logged, ".")
	}
	if r.explain {
		r.tree.optionsSkipped(why)
	}
}

func (r *record) recordBucket(name string, bucket int64) {
	if r.log {
		r.text.bucket(name, bucket)
	}
	if r.explain {
		r.tree.bucket(bucket)
	}
}

func (r *record) recordOption(bucket int64, index int, o *PercentageOption) {
	if r.log {
		r.text.option(bucket, index, o)
	}
	if r.explain {
		r.tree.option(index)
	}
}
