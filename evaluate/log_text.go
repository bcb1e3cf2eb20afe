package evaluate

import "strconv"

// maxIndentation is the greatest number of levels by which a line is indented. With it, the log of thousands of nested
// prerequisites is a few MB; with their own number of levels it would be more than a GB.
const maxIndentation = 64

// logText builds the evaluation log (S101).
type logText struct {
	text   []byte
	breaks []int // the offsets of the line feeds between lines
	depth  int
}

func (l *logText) begin(key string, u *user) {
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

func (l *logText) append(parts ...string) {
	for _, part := range parts {
		l.text = append(l.text, part...)
	}
}

func (l *logText) line(parts ...string) {
	l.breaks = append(l.breaks, len(l.text))
	l.text = append(l.text, '\n')
	for range min(l.depth, maxIndentation) {
		l.text = append(l.text, "  "...)
	}
	l.append(parts...)
}

func (l *logText) beginCondition(i int) {
	l.depth++
	if i == 0 {
		l.append("IF ")
	} else {
		l.line("AND ")
	}
}

func (l *logText) endCondition(matches, showResult bool) {
	if showResult {
		l.append(" => ", strconv.FormatBool(matches))
		if !matches {
			l.append(", skipping the remaining AND conditions")
		}
	}
	l.depth--
}

func (l *logText) then(rule *TargetingRule, result outcome, why *obstacle, onNewLine bool) {
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
		l.append("cannot evaluate, ", why.String())
	}
	l.depth--
}

func (l *logText) userCondition(c *Condition) { l.text = c.appendUser(l.text) }

func (l *logText) segmentCondition(c *Condition) { l.text = c.appendSegment(l.text) }

func (l *logText) prerequisiteCondition(p *prerequisite, to *link) {
	l.text = p.appendTo(l.text, to.target != nil)
}

func (l *logText) beginSegment(s *segment) {
	l.line("(")
	l.depth++
	l.line("Evaluating segment '", s.name, "':")
}

func (l *logText) endSegment(c *Condition, inside, result outcome, why *obstacle) {
	l.line("Segment evaluation result: ")
	switch inside {
	case match:
		l.append("User IS IN SEGMENT")
	case noMatch:
		l.append("User IS NOT IN SEGMENT")
	default:
		l.append("cannot evaluate, ", why.String())
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
	l.line("(")
	l.depth++
	l.line("Evaluating prerequisite flag '", p.flag, "':")
}

func (l *logText) endPrerequisite(p *prerequisite, to *link, value Value, result outcome) {
	l.line("Prerequisite flag evaluation result: '", value.String(), "'.")
	l.line("Condition (")
	l.prerequisiteCondition(p, to)
	l.append(") evaluates to ", strconv.FormatBool(result == match), ".")
	l.depth--
	l.line(")")
}

func (l *logText) bucket(name string, bucket int64) {
	l.line("Evaluating % options based on the User.", name, " attribute:")
	l.line("- Computing hash in the [0..99] range from User.", name, " => ", strconv.FormatInt(bucket, 10),
		" (this value is sticky and consistent across all SDKs)")
}

func (l *logText) option(bucket int64, index int, o *PercentageOption) {
	l.line("- Hash value ", strconv.FormatInt(bucket, 10), " selects % option ", strconv.Itoa(index+1),
		" (", strconv.FormatInt(o.share, 10), "%), '", o.served.String(), "'.")
}
