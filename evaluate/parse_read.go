package evaluate

import "slices"

// enter enters a value of the wanted kind, '{' or '['. It skips any other value; the state is then
// absent for null and wrong otherwise.
func (c *cursor) enter(kind byte) (memberState, bool) {
	switch c.kind() {
	case kind:
		return present, c.open()
	case 'n':
		c.skip()
		return absent, false
	default:
		c.skip()
		return wrong, false
	}
}

func (c *cursor) readText() (m member[string]) {
	switch c.kind() {
	case '"':
		return have(c.string())
	case 'n':
	default:
		m.state = wrong
	}
	c.skip()
	return m
}

func (c *cursor) readNumber() (m member[float64]) {
	switch c.kind() {
	case '0':
		return have(c.number())
	case 'n':
	default:
		m.state = wrong
	}
	c.skip()
	return m
}

// maxInteger bounds whole numbers: float64 cannot represent all larger ones.
const maxInteger = 1<<53 - 1

func (c *cursor) readInteger() (m member[int64]) {
	number := c.readNumber()
	if number.state != present {
		m.state = number.state
		return m
	}
	f := number.value
	if f < -maxInteger || f > maxInteger || f != float64(int64(f)) {
		m.state = wrong
		return m
	}
	return have(int64(f))
}

func (c *cursor) readBool() (m member[bool]) {
	switch c.kind() {
	case 't', 'f':
		return have(c.bool())
	case 'n':
	default:
		m.state = wrong
	}
	c.skip()
	return m
}

func (c *cursor) readConfig() (m rawConfig) {
	for more := c.open(); more; more = c.next() {
		switch c.name() {
		case "p":
			m.preferences = c.readPreferences()
		case "s":
			m.segments = readList(c, (*cursor).readSegment)
		case "f":
			m.settings = c.readSettings()
		default:
			c.skip()
		}
	}
	return m
}

func readList[T any](c *cursor, read func(*cursor) member[T]) (m member[[]member[T]]) {
	state, more := c.enter('[')
	m.state = state
	for ; more; more = c.next() {
		m.value = append(m.value, read(c))
	}
	return m
}

func (c *cursor) readPreferences() (m member[rawPreferences]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		switch c.name() {
		case "s":
			m.value.salt = c.readText()
		default:
			c.skip()
		}
	}
	return m
}

func (c *cursor) readSegment() (m member[rawSegment]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		switch c.name() {
		case "n":
			m.value.name = c.readText()
		case "r":
			m.value.conditions = readList(c, (*cursor).readUserCondition)
		default:
			c.skip()
		}
	}
	return m
}

// readSettings keeps the order of the document. It keeps all settings of a repeated key; compile
// uses the last.
func (c *cursor) readSettings() (m member[[]rawSettingEntry]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		m.value = append(m.value, rawSettingEntry{key: c.name(), setting: c.readSetting()})
	}
	return m
}

func (c *cursor) readSetting() (m member[rawSetting]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		switch name := c.name(); name {
		case "t":
			m.value.kind = c.readInteger()
		case "a":
			m.value.attribute = c.readText()
		case "r":
			m.value.rules = readList(c, (*cursor).readRule)
		case "p":
			m.value.options = readList(c, (*cursor).readOption)
		default:
			c.readServedMember(name, &m.value.served)
		}
	}
	return m
}

func (c *cursor) readRule() (m member[rawRule]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		switch c.name() {
		case "c":
			m.value.conditions = readList(c, (*cursor).readCondition)
		case "s":
			m.value.served = c.readServed()
		case "p":
			m.value.options = readList(c, (*cursor).readOption)
		default:
			c.skip()
		}
	}
	return m
}

func (c *cursor) readOption() (m member[rawOption]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		switch name := c.name(); name {
		case "p":
			m.value.share = c.readInteger()
		default:
			c.readServedMember(name, &m.value.served)
		}
	}
	return m
}

func (c *cursor) readServed() (m member[rawServed]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		c.readServedMember(c.name(), &m.value)
	}
	return m
}

func (c *cursor) readServedMember(name string, served *rawServed) {
	switch name {
	case "v":
		served.value = c.readValue()
	case "i":
		served.variation = c.readText()
	default:
		c.skip()
	}
}

func (c *cursor) readValue() (m member[rawValue]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		switch c.name() {
		case "b":
			m.value.b = c.readBool()
		case "s":
			m.value.s = c.readText()
		case "i":
			m.value.i = c.readInteger()
		case "d":
			m.value.d = c.readNumber()
		default:
			c.skip()
		}
	}
	return m
}

func (c *cursor) readCondition() (m member[rawCondition]) {
	state, more := c.enter('{')
	m.state = state
	for ; more; more = c.next() {
		switch c.name() {
		case "u":
			m.value.user = c.readUserCondition()
		case "p":
			m.value.prerequisite = c.readPrerequisite()
		case "s":
			m.value.segment = c.readSegmentCondition()
		default:
			c.skip()
		}
	}
	return m
}

func (c *cursor) readUserCondition() (m member[*rawUserCondition]) {
	state, more := c.enter('{')
	m.state = state
	if state != present {
		return m
	}
	u := &rawUserCondition{badItem: -1}
	m.value = u
	for ; more; more = c.next() {
		switch c.name() {
		case "a":
			u.attribute = c.readText()
		case "c":
			u.comparator = c.readInteger()
		case "s":
			u.text = c.readText()
		case "d":
			u.number = c.readNumber()
		case "l":
			c.readComparisonList(u)
		default:
			c.skip()
		}
	}
	return m
}

func (c *cursor) readComparisonList(u *rawUserCondition) {
	state, more := c.enter('[')
	u.list = member[[]string]{state: state}
	u.badItem, u.badNull = -1, false
	c.items = c.items[:0]
	for ; more; more = c.next() {
		item := c.readText()
		if item.state != present && u.badItem < 0 {
			u.badItem, u.badNull = len(c.items), item.state == absent
		}
		c.items = append(c.items, item.value)
	}
	u.list.value = slices.Clone(c.items)
}

func (c *cursor) readPrerequisite() (m member[*rawPrerequisite]) {
	state, more := c.enter('{')
	m.state = state
	if state != present {
		return m
	}
	p := new(rawPrerequisite)
	m.value = p
	for ; more; more = c.next() {
		switch c.name() {
		case "f":
			p.flag = c.readText()
		case "c":
			p.comparator = c.readInteger()
		case "v":
			p.value = c.readValue()
		default:
			c.skip()
		}
	}
	return m
}

func (c *cursor) readSegmentCondition() (m member[*rawSegmentCondition]) {
	state, more := c.enter('{')
	m.state = state
	if state != present {
		return m
	}
	s := new(rawSegmentCondition)
	m.value = s
	for ; more; more = c.next() {
		switch c.name() {
		case "s":
			s.index = c.readInteger()
		case "c":
			s.comparator = c.readInteger()
		default:
			c.skip()
		}
	}
	return m
}
