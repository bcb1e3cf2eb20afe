package evaluate

import (
	"slices"
	"strings"
)

func (c *Condition) compareText(text string) (outcome, *Error) {
	var found bool
	switch c.comparator {
	case textEquals, textNotEquals:
		found = text == c.text
	case textIsOneOf, textIsNotOneOf:
		found = c.listHas(text)
	case textContainsAnyOf, textNotContainsAnyOf:
		for _, item := range c.list {
			if found = strings.Contains(text, item); found {
				break
			}
		}
	case textStartsWithAnyOf, textNotStartsWithAnyOf:
		for _, item := range c.list {
			if found = strings.HasPrefix(text, item); found {
				break
			}
		}
	case textEndsWithAnyOf, textNotEndsWithAnyOf:
		for _, item := range c.list {
			if found = strings.HasSuffix(text, item); found {
				break
			}
		}
	case hashedTextEquals, hashedTextNotEquals, hashedTextIsOneOf, hashedTextIsNotOneOf:
		found = c.operand.hasHash(text)
	default:
		var err *Error
		if found, err = c.hasHashedSlice(text); err != nil {
			return noMatch, err
		}
	}
	return outcomeOf(found != c.comparator.isNegated()), nil
}

func (c *Condition) listHas(text string) bool {
	if c.operand != nil {
		_, found := c.operand.texts[text]
		return found
	}
	return slices.Contains(c.list, text)
}
