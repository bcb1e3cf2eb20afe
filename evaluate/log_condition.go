package evaluate

import "strconv"

// Placeholders of the evaluation log.
const (
	invalidValue     = "<invalid value>"
	invalidName      = "<invalid name>"
	invalidReference = "<invalid reference>"
)

const maxListedItems = 10

func (s *served) String() string {
	if s.valueErr != nil {
		return invalidValue
	}
	return s.value.String()
}

// String returns the condition as it appears in the evaluation log.
func (c *Condition) String() string {
	switch c.kind {
	case userCondition:
		return string(c.appendUser(nil))
	case segmentCondition:
		return string(c.appendSegment(nil))
	case prerequisiteCondition:
		return string(c.prerequisite.appendTo(nil, true))
	default:
		return "<invalid condition>"
	}
}

func (c *Condition) appendUser(b []byte) []byte {
	b = append(b, "User."...)
	b = append(b, c.attribute.name...)
	b = append(b, ' ')
	b = append(b, c.comparator.String()...)
	b = append(b, ' ')
	comparand := c.comparator.comparand()
	switch {
	case !c.hasValue:
		b = append(b, "'"+invalidValue+"'"...)
	case comparand == comparesList:
		b = c.appendList(b)
	case c.comparator.isHashed():
		b = append(b, "'<hashed value>'"...)
	case comparand == comparesNumber:
		b = append(b, '\'')
		b = appendNumber(b, c.number)
		b = append(b, '\'')
		b = c.appendDate(b)
	default:
		b = append(b, '\'')
		b = append(b, c.text...)
		b = append(b, '\'')
	}
	return b
}

func (c *Condition) appendList(b []byte) []byte {
	if c.comparator.isHashed() {
		b = append(b, "[<"...)
		b = strconv.AppendInt(b, int64(c.hashed), 10)
		b = append(b, " hashed "...)
		b = append(b, plural(c.hashed)...)
		return append(b, ">]"...)
	}
	b = append(b, '[')
	for i, item := range c.list {
		if i > 0 {
			b = append(b, ", "...)
		}
		if i == maxListedItems {
			more := len(c.list) - maxListedItems
			b = append(b, "... <"...)
			b = strconv.AppendInt(b, int64(more), 10)
			b = append(b, " more "...)
			b = append(b, plural(more)...)
			b = append(b, '>')
			break
		}
		b = append(b, '\'')
		b = append(b, item...)
		b = append(b, '\'')
	}
	return append(b, ']')
}

func plural(count int) string {
	if count == 1 {
		return "value"
	}
	return "values"
}

func (c *Condition) appendDate(b []byte) []byte {
	if c.comparator != dateTimeBefore && c.comparator != dateTimeAfter {
		return b
	}
	ms := c.number * 1000
	if !(ms >= -maxDateMs && ms <= maxDateMs) {
		return b
	}
	b = append(b, " ("...)
	b = appendDate(b, int64(ms))
	return append(b, " UTC)"...)
}

func (c *Condition) appendSegment(b []byte) []byte {
	b = append(b, "User "...)
	switch c.comparator {
	case 0:
		b = append(b, "IS IN SEGMENT"...)
	case segmentIsNotIn:
		b = append(b, "IS NOT IN SEGMENT"...)
	default:
		b = append(b, invalidOperator...)
	}
	name := invalidReference
	if c.segment != nil {
		if name = c.segment.name; name == "" {
			name = invalidName
		}
	}
	b = append(b, " '"...)
	b = append(b, name...)
	return append(b, '\'')
}

// appendTo appends the condition; known reports whether the flag is in the config.
func (p *prerequisite) appendTo(b []byte, known bool) []byte {
	name := p.flag
	if !known {
		name = invalidReference
	}
	b = append(b, "Flag '"...)
	b = append(b, name...)
	b = append(b, "' "...)
	switch p.comparator {
	case 0:
		b = append(b, "EQUALS"...)
	case prerequisiteNotEquals:
		b = append(b, "NOT EQUALS"...)
	default:
		b = append(b, invalidOperator...)
	}
	value := invalidValue
	if inferred := p.value.infer(); inferred.kind != KindNone {
		value = inferred.String()
	}
	b = append(b, " '"...)
	b = append(b, value...)
	return append(b, '\'')
}
