package evaluate

import "github.com/catbridge/catbridge/evaluate/internal/jsontext"

// reader reads the parts of a config from a valid JSON text.
type reader struct {
	jsontext.Cursor
	items []string // scratch space
}

func newReader(text string) *reader { return &reader{Cursor: jsontext.NewCursor(text)} }

// enter enters a value of the wanted kind, '{' or '['. It skips any other value; the state is then
// absent for null and wrong otherwise.
func (r *reader) enter(kind byte) (memberState, bool) {
	switch r.Kind() {
	case kind:
		return present, r.Open()
	case 'n':
		r.Skip()
		return absent, false
	default:
		r.Skip()
		return wrong, false
	}
}

func (r *reader) readText() (m member[string]) {
	switch r.Kind() {
	case '"':
		return have(r.Text())
	case 'n':
	default:
		m.state = wrong
	}
	r.Skip()
	return m
}

func (r *reader) readNumber() (m member[float64]) {
	switch r.Kind() {
	case '0':
		return have(r.Number())
	case 'n':
	default:
		m.state = wrong
	}
	r.Skip()
	return m
}

// maxInteger bounds whole numbers: float64 cannot represent all larger ones.
const maxInteger = 1<<53 - 1

func (r *reader) readInteger() (m member[int64]) {
	number := r.readNumber()
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

func (r *reader) readBool() (m member[bool]) {
	switch r.Kind() {
	case 't', 'f':
		return have(r.Bool())
	case 'n':
	default:
		m.state = wrong
	}
	r.Skip()
	return m
}

func readList[T any](r *reader, read func(*reader) member[T]) (m member[[]member[T]]) {
	state, more := r.enter('[')
	m.state = state
	for ; more; more = r.Next() {
		m.value = append(m.value, read(r))
	}
	return m
}

func (r *reader) readPreferences() (m member[rawPreferences]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		switch r.Name() {
		case "s":
			m.value.salt = r.readText()
		default:
			r.Skip()
		}
	}
	return m
}

func (r *reader) readSegment() (m member[rawSegment]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		switch r.Name() {
		case "n":
			m.value.name = r.readText()
		case "r":
			m.value.conditions = readList(r, (*reader).readUserCondition)
		default:
			r.Skip()
		}
	}
	return m
}

func (r *reader) readSetting() (m member[rawSetting]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		switch name := r.Name(); name {
		case "t":
			m.value.kind = r.readInteger()
		case "a":
			m.value.attribute = r.readText()
		case "r":
			m.value.rules = readList(r, (*reader).readRule)
		case "p":
			m.value.options = readList(r, (*reader).readOption)
		default:
			r.readServedMember(name, &m.value.served)
		}
	}
	return m
}

func (r *reader) readRule() (m member[rawRule]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		switch r.Name() {
		case "c":
			m.value.conditions = readList(r, (*reader).readCondition)
		case "s":
			m.value.served = r.readServed()
		case "p":
			m.value.options = readList(r, (*reader).readOption)
		default:
			r.Skip()
		}
	}
	return m
}

func (r *reader) readOption() (m member[rawOption]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		switch name := r.Name(); name {
		case "p":
			m.value.share = r.readInteger()
		default:
			r.readServedMember(name, &m.value.served)
		}
	}
	return m
}

func (r *reader) readServed() (m member[rawServed]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		r.readServedMember(r.Name(), &m.value)
	}
	return m
}

func (r *reader) readServedMember(name string, served *rawServed) {
	switch name {
	case "v":
		served.value = r.readValue()
	case "i":
		served.variation = r.readText()
	default:
		r.Skip()
	}
}

func (r *reader) readValue() (m member[rawValue]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		switch r.Name() {
		case "b":
			m.value.b = r.readBool()
		case "s":
			m.value.s = r.readText()
		case "i":
			m.value.i = r.readInteger()
		case "d":
			m.value.d = r.readNumber()
		default:
			r.Skip()
		}
	}
	return m
}

func (r *reader) readCondition() (m member[rawCondition]) {
	state, more := r.enter('{')
	m.state = state
	for ; more; more = r.Next() {
		switch r.Name() {
		case "u":
			m.value.user = r.readUserCondition()
		case "p":
			m.value.prerequisite = r.readPrerequisite()
		case "s":
			m.value.segment = r.readSegmentCondition()
		default:
			r.Skip()
		}
	}
	return m
}

func (r *reader) readUserCondition() (m member[*rawUserCondition]) {
	state, more := r.enter('{')
	m.state = state
	if state != present {
		return m
	}
	u := &rawUserCondition{badItem: -1}
	m.value = u
	for ; more; more = r.Next() {
		switch r.Name() {
		case "a":
			u.attribute = r.readText()
		case "c":
			u.comparator = r.readInteger()
		case "s":
			u.text = r.readText()
		case "d":
			u.number = r.readNumber()
		case "l":
			r.readComparisonList(u)
		default:
			r.Skip()
		}
	}
	return m
}

func (r *reader) readComparisonList(u *rawUserCondition) {
	state, more := r.enter('[')
	u.list = member[[]string]{state: state}
	u.badItem, u.badNull = -1, false
	r.items = r.items[:0]
	for ; more; more = r.Next() {
		item := r.readText()
		if item.state != present && u.badItem < 0 {
			u.badItem, u.badNull = len(r.items), item.state == absent
		}
		r.items = append(r.items, item.value)
	}
	u.list.value = append([]string(nil), r.items...) // unlike the clone of an empty slice, nil does not keep items in memory
}

func (r *reader) readPrerequisite() (m member[*rawPrerequisite]) {
	state, more := r.enter('{')
	m.state = state
	if state != present {
		return m
	}
	p := new(rawPrerequisite)
	m.value = p
	for ; more; more = r.Next() {
		switch r.Name() {
		case "f":
			p.flag = r.readText()
		case "c":
			p.comparator = r.readInteger()
		case "v":
			p.value = r.readValue()
		default:
			r.Skip()
		}
	}
	return m
}

func (r *reader) readSegmentCondition() (m member[*rawSegmentCondition]) {
	state, more := r.enter('{')
	m.state = state
	if state != present {
		return m
	}
	s := new(rawSegmentCondition)
	m.value = s
	for ; more; more = r.Next() {
		switch r.Name() {
		case "s":
			s.index = r.readInteger()
		case "c":
			s.comparator = r.readInteger()
		default:
			r.Skip()
		}
	}
	return m
}
