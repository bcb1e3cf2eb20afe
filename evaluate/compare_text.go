package evaluate

import (
	"slices"
	"strings"
)

func (c *Condition) compareText(text string) (outcome, *Error) {
	var found bool
	switch c.comparator {
	case TextEquals, TextNotEquals:
		found = text == c.text
	case TextIsOneOf, TextIsNotOneOf:
		found = c.listHas(text)
	case TextContainsAnyOf, TextNotContainsAnyOf:
		for _, item := range c.list {
			if found = strings.Contains(text, item); found {
				break
			}
		}
	case TextStartsWithAnyOf, TextNotStartsWithAnyOf:
		for _, item := range c.list {
			if found = strings.HasPrefix(text, item); found {
				break
			}
		}
	case TextEndsWithAnyOf, TextNotEndsWithAnyOf:
		for _, item := range c.list {
			if found = strings.HasSuffix(text, item); found {
				break
			}
		}
	case HashedTextEquals, HashedTextNotEquals, HashedTextIsOneOf, HashedTextIsNotOneOf:
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

// hasHashedSlice reports whether one of the hashes is that of the string's first or last bytes.
// Lengths count bytes of UTF-8 (S37).
func (c *Condition) hasHashedSlice(text string) (bool, *Error) {
	o := c.operand
	atStart := c.comparator == HashedTextStartsWithAnyOf || c.comparator == HashedTextNotStartsWithAnyOf
	hashedLength := int64(-1) // the length hashed last: neighbouring items often have the same length
	var hash digest
	for i := range o.slices {
		item := &o.slices[i]
		if item.state == sliceMalformed {
			return false, errComparison
		}
		if item.state == sliceNeverMatches || item.length > int64(len(text)) {
			continue
		}
		if item.length != hashedLength {
			hashedLength = item.length
			slice := text[len(text)-int(item.length):]
			if atStart {
				slice = text[:item.length]
			}
			hash = saltedHash(slice, o.salt)
		}
		if hash == item.digest {
			return true, nil
		}
	}
	return false, nil
}
