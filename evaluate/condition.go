package evaluate

// obstacle is why a condition could not be evaluated.
type obstacle struct {
	kind      obstacleKind
	attribute string
	reason    string // made only when something is logged
}

type obstacleKind uint8

const (
	userIsMissing obstacleKind = iota
	attributeIsMissing
	attributeIsInvalid
)

// noUser tells whether there is no user, and warns of it once per setting (S75).
func (r *run) noUser(f *frame) bool {
	if r.user.kind != userMissing {
		return false
	}
	if !f.warnedUser {
		f.warnedUser = true
		r.trace.warnUserMissing(f.setting.key)
	}
	return true
}

func (r *run) evaluateUser(f *frame, c *Condition) (outcome, *Error) {
	r.log.userCondition(c)
	if r.noUser(f) {
		r.cannot = obstacle{kind: userIsMissing}
		return cannotEvaluate, nil
	}
	if c.err != nil {
		return noMatch, c.err
	}
	a, err := r.user.attribute(c.attribute)
	if err != nil {
		return noMatch, err
	}
	if a.kind == attributeMissing || a.kind == attributeText && a.text == "" {
		r.trace.warnAttributeMissing(c, f.setting.key)
		r.cannot = obstacle{kind: attributeIsMissing, attribute: c.attribute.name}
		return cannotEvaluate, nil
	}
	return r.compare(f, c, &a)
}

// compare applies the condition's comparator. Each branch first brings the
// attribute into shape, which may fail, and only then needs the comparison value.
func (r *run) compare(f *frame, c *Condition, a *attribute) (outcome, *Error) {
	switch c.comparator {
	case TextIsOneOf, TextIsNotOneOf, TextEquals, TextNotEquals, TextContainsAnyOf, TextNotContainsAnyOf,
		TextStartsWithAnyOf, TextNotStartsWithAnyOf, TextEndsWithAnyOf, TextNotEndsWithAnyOf,
		HashedTextIsOneOf, HashedTextIsNotOneOf, HashedTextEquals, HashedTextNotEquals,
		HashedTextStartsWithAnyOf, HashedTextNotStartsWithAnyOf, HashedTextEndsWithAnyOf, HashedTextNotEndsWithAnyOf:
		text := a.text
		if a.kind != attributeText {
			text = a.asText()
			r.trace.warnConverted(c, f.setting.key, text)
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareText(text)

	case SemVerIsOneOf, SemVerIsNotOneOf, SemVerLess, SemVerLessOrEquals, SemVerGreater, SemVerGreaterOrEquals:
		version := a.version()
		if version == nil {
			return r.invalidAttribute(f, c, a, "semantic version")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareVersion(version), nil

	case NumberEquals, NumberNotEquals, NumberLess, NumberLessOrEquals, NumberGreater, NumberGreaterOrEquals:
		number, ok := a.asNumber()
		if !ok {
			return r.invalidAttribute(f, c, a, "decimal number")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareNumber(number), nil

	case DateTimeBefore, DateTimeAfter:
		seconds, ok := a.asUnixSeconds()
		if !ok {
			return r.invalidAttribute(f, c, a, "Unix timestamp (number of seconds elapsed since Unix epoch)")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareNumber(seconds), nil

	case ArrayContainsAnyOf, ArrayNotContainsAnyOf, HashedArrayContainsAnyOf, HashedArrayNotContainsAnyOf:
		list, ok := a.asList()
		if !ok {
			return r.invalidAttribute(f, c, a, "string array")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareList(&list), nil

	default:
		return noMatch, c.valueErr
	}
}

// invalidAttribute reports an attribute that is not what the comparator needs.
func (r *run) invalidAttribute(f *frame, c *Condition, a *attribute, wanted string) (outcome, *Error) {
	r.cannot = obstacle{kind: attributeIsInvalid, attribute: c.attribute.name}
	if r.trace != nil {
		r.cannot.reason = invalidReason(a, wanted)
		r.trace.warnAttributeInvalid(c, f.setting.key, r.cannot.reason)
	}
	return cannotEvaluate, nil
}

// evaluateSegment evaluates an AND of user conditions. What cannot be evaluated
// fails the condition, whether it asks for IN or for NOT IN (S73).
func (r *run) evaluateSegment(f *frame, c *Condition) (outcome, *Error) {
	r.log.segmentCondition(c)
	if r.noUser(f) {
		r.cannot = obstacle{kind: userIsMissing}
		return cannotEvaluate, nil
	}
	if c.err != nil {
		return noMatch, c.err
	}
	s := c.segment
	if s.err != nil {
		return noMatch, s.err
	}
	r.log.beginSegment(s)
	if s.conditionsErr != nil {
		return noMatch, s.conditionsErr
	}
	inside, err := r.evaluateConditions(f, s.conditions, nil)
	if err != nil {
		return noMatch, err
	}
	result := inside
	if inside != cannotEvaluate {
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		result = outcomeOf((inside == match) != (c.comparator == segmentIsNotIn))
	}
	r.log.endSegment(c, inside, result, &r.cannot)
	return result, nil
}

// evaluatePrerequisite compares the value of another flag, for the same user (S74).
func (r *run) evaluatePrerequisite(f *frame, c *Condition) (outcome, *Error) {
	p := c.prerequisite
	l := &f.setting.links[c.link]
	r.log.prerequisiteCondition(p, l)
	if l.err != nil {
		return noMatch, l.err
	}
	for ancestor := f; ancestor != nil; ancestor = ancestor.parent {
		if ancestor.setting == l.target {
			return noMatch, cycleFrom(f, l.target)
		}
	}
	if f.depth >= maxPrerequisiteDepth {
		return noMatch, errTooDeep
	}
	if r.visits++; r.visits > maxPrerequisiteVisits {
		return noMatch, errTooMany
	}
	r.log.beginPrerequisite(p)
	child := frame{setting: l.target, parent: f, depth: f.depth + 1}
	var out selection
	if err := r.evaluateSetting(&child, &out); err != nil {
		return noMatch, err
	}
	if out.served.valueErr != nil {
		return noMatch, out.served.valueErr
	}
	if p.comparatorErr != nil {
		return noMatch, p.comparatorErr
	}
	result := outcomeOf(out.served.value.equals(l.value) != (p.comparator == prerequisiteNotEquals))
	r.log.endPrerequisite(p, l, out.served.value, result)
	return result, nil
}

// cycleFrom is the error of a chain that comes back to target.
func cycleFrom(f *frame, target *setting) *Error {
	keys := make([]string, f.depth+2)
	keys[f.depth+1] = target.key
	for ; f != nil; f = f.parent {
		keys[f.depth] = f.setting.key
	}
	return cycleError(keys)
}

// Segment and prerequisite conditions have comparators of their own.
const (
	segmentIsNotIn        = 1
	prerequisiteNotEquals = 1
)
