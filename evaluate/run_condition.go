package evaluate

// obstacle is the reason why a condition could not be evaluated.
type obstacle struct {
	kind      obstacleKind
	condition *Condition // the condition that needs the attribute
	reason    string     // of attributeIsInvalid; empty without a trace
}

// String returns the reason as the evaluation log shows it.
func (o *obstacle) String() string {
	switch o.kind {
	case userIsMissing:
		return "User Object is missing"
	case attributeIsMissing:
		return "the User." + o.condition.attribute.name + " attribute is missing"
	default:
		return "the User." + o.condition.attribute.name + " attribute is invalid (" + o.reason + ")"
	}
}

type obstacleKind uint8

const (
	userIsMissing obstacleKind = iota
	attributeIsMissing
	attributeIsInvalid
)

// noUser reports whether there is no user, and warns about it once per setting (S75).
func (r *run) noUser(t *Trace) bool {
	if r.user.kind != userMissing {
		return false
	}
	if !r.warnedUser {
		r.warnedUser = true
		t.warnUserMissing(r.setting.key)
	}
	return true
}

func (r *run) evaluateUser(t *Trace, c *Condition) (outcome, *Error) {
	t.log().userCondition(c)
	if r.noUser(t) {
		r.cannot = obstacle{kind: userIsMissing}
		return cannotEvaluate, nil
	}
	if c.err != nil {
		return noMatch, c.err
	}
	a := &r.attribute
	if err := r.user.read(&c.attribute, a); err != nil {
		return noMatch, err
	}
	if a.kind == attributeMissing || a.kind == attributeText && a.text == "" {
		t.warnAttributeMissing(c, r.setting.key)
		r.cannot = obstacle{kind: attributeIsMissing, condition: c}
		return cannotEvaluate, nil
	}
	return r.compare(t, c, a)
}

// evaluateSegment evaluates whether the user is IN or NOT IN a segment. Neither matches if one of
// the segment's conditions cannot be evaluated (S73).
func (r *run) evaluateSegment(t *Trace, c *Condition) (outcome, *Error) {
	t.log().segmentCondition(c)
	if r.noUser(t) {
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
	t.log().beginSegment(s)
	if s.conditionsErr != nil {
		return noMatch, s.conditionsErr
	}
	inside, err := r.evaluateConditions(t, s.conditions, nil)
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
	t.log().endSegment(c, inside, result, &r.cannot)
	return result, nil
}

// segmentIsNotIn is NOT IN; the other comparator of segment conditions, IN, is 0.
const segmentIsNotIn = 1
