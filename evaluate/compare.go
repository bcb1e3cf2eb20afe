package evaluate

// compare applies the condition's comparator. An unusable attribute takes precedence over an
// invalid comparison value, so each branch converts the attribute first.
func (r *run) compare(t *Trace, c *Condition, a *attribute) (outcome, *Error) {
	switch c.comparator {
	case textIsOneOf, textIsNotOneOf, textEquals, textNotEquals, textContainsAnyOf, textNotContainsAnyOf,
		textStartsWithAnyOf, textNotStartsWithAnyOf, textEndsWithAnyOf, textNotEndsWithAnyOf,
		hashedTextIsOneOf, hashedTextIsNotOneOf, hashedTextEquals, hashedTextNotEquals,
		hashedTextStartsWithAnyOf, hashedTextNotStartsWithAnyOf, hashedTextEndsWithAnyOf, hashedTextNotEndsWithAnyOf:
		text := a.text
		if a.kind != attributeText {
			text = a.asText()
			t.warnConverted(c, r.setting.key, text)
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareText(text)

	case semVerIsOneOf, semVerIsNotOneOf, semVerLess, semVerLessOrEquals, semVerGreater, semVerGreaterOrEquals:
		version := a.version()
		if version == nil {
			return r.invalidAttribute(t, c, a, "semantic version")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareVersion(version), nil

	case numberEquals, numberNotEquals, numberLess, numberLessOrEquals, numberGreater, numberGreaterOrEquals:
		number, ok := a.asNumber()
		if !ok {
			return r.invalidAttribute(t, c, a, "decimal number")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareNumber(number), nil

	case dateTimeBefore, dateTimeAfter:
		seconds, ok := a.asUnixSeconds()
		if !ok {
			return r.invalidAttribute(t, c, a, "Unix timestamp (number of seconds elapsed since Unix epoch)")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareNumber(seconds), nil

	case arrayContainsAnyOf, arrayNotContainsAnyOf, hashedArrayContainsAnyOf, hashedArrayNotContainsAnyOf:
		ok := a.becomeList()
		if !ok {
			return r.invalidAttribute(t, c, a, "string array")
		}
		if c.valueErr != nil {
			return noMatch, c.valueErr
		}
		return c.compareList(a), nil

	default:
		return noMatch, c.valueErr
	}
}

func (r *run) invalidAttribute(t *Trace, c *Condition, a *attribute, wanted string) (outcome, *Error) {
	r.cannot = obstacle{kind: attributeIsInvalid, condition: c}
	if t != nil {
		r.cannot.reason = invalidReason(a, wanted)
		t.warnAttributeInvalid(c, r.setting.key, r.cannot.reason)
	}
	return cannotEvaluate, nil
}
