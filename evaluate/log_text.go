package evaluate

import "strconv"

// logText builds the evaluation log (S101). On a nil *logText, the methods that the rule walk
// calls do nothing.
type logText struct {
	text   []byte
	breaks []int // the offsets of the line feeds between lines
	depth  int
}

func (l *logText) begin(key string, u *user) {
	if l == nil {
		return
	}
	l.text, l.breaks = append(l.text[:0], "Evaluating '"...), l.breaks[:0]
	l.append(key, "'")
	if u.kind != userMissing {
		l.append(" for User '")
		l.text = u.appendJSON(l.text)
		l.append("'")
	}
	l.depth = 1
}

// end appends the returned value, wherever the evaluation stopped.
func (l *logText) end(value Value) {
	l.depth = 1
	l.line("Returning '")
	l.text = value.appendTo(l.text)
	l.append("'.")
}

// The methods that the rule walk calls for every condition are so short that the compiler inlines
// them.

func (l *logText) bullet() {
	if l != nil {
		l.line("- ")
	}
}

func (l *logText) beginCondition(i int) {
	if l != nil {
		l.writeConditionStart(i)
	}
}

func (l *logText) endCondition(matches, showResult bool) {
	if l != nil {
		l.writeConditionEnd(matches, showResult)
	}
}

func (l *logText) then(rule *TargetingRule, result outcome, why *obstacle, onNewLine bool) {
	if l != nil {
		l.writeThen(rule, result, why, onNewLine)
	}
}

func (l *logText) userCondition(c *Condition) {
	if l != nil {
		l.writeUserCondition(c)
	}
}

func (l *logText) append(parts ...string) {
	for _, part := range parts {
		l.text = append(l.text, part...)
	}
}

func (l *logText) line(parts ...string) {
	l.breaks = append(l.breaks, len(l.text))
	l.text = append(l.text, '\n')
	for range l.depth {
		l.text = append(l.text, "  "...)
	}
	l.append(parts...)
}

func (l *logText) indent() {
	if l != nil {
		l.depth++
	}
}

func (l *logText) outdent() {
	if l != nil {
		l.depth--
	}
}

func (l *logText) rules() {
	if l != nil {
		l.line("Evaluating targeting rules and applying the first match if any:")
	}
}

func (l *logText) ruleIgnored() {
	if l != nil {
		l.line("The current targeting rule is ignored and the evaluation continues with the next rule.")
	}
}

func (l *logText) writeConditionStart(i int) {
	l.depth++
	if i == 0 {
		l.append("IF ")
	} else {
		l.line("AND ")
	}
}

func (l *logText) writeConditionEnd(matches, showResult bool) {
	if showResult {
		l.append(" => ", strconv.FormatBool(matches))
		if !matches {
			l.append(", skipping the remaining AND conditions")
		}
	}
	l.depth--
}

func (l *logText) writeThen(rule *TargetingRule, result outcome, why *obstacle, onNewLine bool) {
	l.depth++
	if onNewLine {
		l.line("THEN")
	} else {
		l.append(" THEN")
	}
	if rule.hasOptions {
		l.append(" % options")
	} else {
		l.append(" '", rule.served.String(), "'")
	}
	l.append(" => ")
	switch result {
	case match:
		l.append("MATCH, applying rule")
	case noMatch:
		l.append("no match")
	default:
		l.obstacle(why)
	}
	l.depth--
}

func (l *logText) obstacle(why *obstacle) {
	switch why.kind {
	case userIsMissing:
		l.append("cannot evaluate, User Object is missing")
	case attributeIsMissing:
		l.append("cannot evaluate, the User.", why.condition.attribute.name, " attribute is missing")
	default:
		l.append("cannot evaluate, the User.", why.condition.attribute.name, " attribute is invalid (", why.reason, ")")
	}
}

func (l *logText) writeUserCondition(c *Condition) { l.text = c.appendUser(l.text) }

func (l *logText) segmentCondition(c *Condition) {
	if l != nil {
		l.text = c.appendSegment(l.text)
	}
}

func (l *logText) prerequisiteCondition(p *prerequisite, to *link) {
	if l != nil {
		l.text = p.appendTo(l.text, to.target != nil)
	}
}

func (l *logText) beginSegment(s *segment) {
	if l == nil {
		return
	}
	l.line("(")
	l.depth++
	l.line("Evaluating segment '", s.name, "':")
}

func (l *logText) endSegment(c *Condition, inside, result outcome, why *obstacle) {
	if l == nil {
		return
	}
	l.line("Segment evaluation result: ")
	switch inside {
	case match:
		l.append("User IS IN SEGMENT")
	case noMatch:
		l.append("User IS NOT IN SEGMENT")
	default:
		l.obstacle(why)
	}
	l.append(".")
	l.line("Condition (")
	l.text = c.appendSegment(l.text)
	if inside == cannotEvaluate {
		l.append(") failed to evaluate.")
	} else {
		l.append(") evaluates to ", strconv.FormatBool(result == match), ".")
	}
	l.depth--
	l.line(")")
}

func (l *logText) beginPrerequisite(p *prerequisite) {
	if l == nil {
		return
	}
	l.line("(")
	l.depth++
	l.line("Evaluating prerequisite flag '", p.flag, "':")
}

func (l *logText) endPrerequisite(p *prerequisite, to *link, value Value, result outcome) {
	if l == nil {
		return
	}
	l.line("Prerequisite flag evaluation result: '", value.String(), "'.")
	l.line("Condition (")
	l.prerequisiteCondition(p, to)
	l.append(") evaluates to ", strconv.FormatBool(result == match), ".")
	l.depth--
	l.line(")")
}

func (l *logText) optionsWithoutUser() {
	if l != nil {
		l.line("Skipping % options because the User Object is missing.")
	}
}

func (l *logText) optionsWithoutAttribute(name string) {
	if l != nil {
		l.line("Skipping % options because the User.", name, " attribute is missing.")
	}
}

func (l *logText) bucket(name string, bucket int64) {
	if l == nil {
		return
	}
	l.line("Evaluating % options based on the User.", name, " attribute:")
	l.line("- Computing hash in the [0..99] range from User.", name, " => ", strconv.FormatInt(bucket, 10),
		" (this value is sticky and consistent across all SDKs)")
}

func (l *logText) option(bucket int64, index int, o *PercentageOption) {
	if l == nil {
		return
	}
	l.line("- Hash value ", strconv.FormatInt(bucket, 10), " selects % option ", strconv.Itoa(index+1),
		" (", strconv.FormatInt(o.share, 10), "%), '", o.served.String(), "'.")
}
