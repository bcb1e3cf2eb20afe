package evaluate

// These types mirror config JSON v6 (S77). Nothing is resolved yet. A value of the wrong kind is
// recorded; only flags that reach it fail.

// member is a member of a JSON object: absent or null, present, or of the wrong kind.
type member[T any] struct {
	value T
	state memberState
}

type memberState uint8

const (
	absent memberState = iota
	present
	wrong
)

func have[T any](v T) member[T] { return member[T]{value: v, state: present} }

type rawPreferences struct{ salt member[string] }

type rawSegment struct {
	name       member[string]
	conditions member[[]member[*rawUserCondition]]
}

type rawSetting struct {
	kind      member[int64]
	attribute member[string]
	rules     member[[]member[rawRule]]
	options   member[[]member[rawOption]]
	served    rawServed
}

type rawRule struct {
	conditions member[[]member[rawCondition]]
	served     member[rawServed]
	options    member[[]member[rawOption]]
}

type rawOption struct {
	share  member[int64]
	served rawServed
}

type rawServed struct {
	value     member[rawValue]
	variation member[string]
}

type rawValue struct {
	b member[bool]
	s member[string]
	i member[int64]
	d member[float64]
}

type rawCondition struct {
	user         member[*rawUserCondition]
	prerequisite member[*rawPrerequisite]
	segment      member[*rawSegmentCondition]
}

type rawUserCondition struct {
	attribute  member[string]
	comparator member[int64]
	text       member[string]
	number     member[float64]
	list       member[[]string]
	// badItem is the index of the first list item that is not a string, or -1. badNull reports
	// whether that item is null.
	badItem int
	badNull bool
}

type rawPrerequisite struct {
	flag       member[string]
	comparator member[int64]
	value      member[rawValue]
}

type rawSegmentCondition struct {
	index      member[int64]
	comparator member[int64]
}

func (raw *rawValue) of(kind Kind) (Value, memberState) {
	switch kind {
	case KindBool:
		return BoolValue(raw.b.value), raw.b.state
	case KindString:
		return StringValue(raw.s.value), raw.s.state
	case KindInt:
		return IntValue(raw.i.value), raw.i.state
	default:
		return FloatValue(raw.d.value), raw.d.state
	}
}

// infer returns the value that is present, or none unless there is exactly one.
func (raw *rawValue) infer() Value {
	var found Value
	for kind := KindBool; kind <= KindFloat; kind++ {
		value, state := raw.of(kind)
		if state != present {
			continue
		}
		if found.kind != KindNone {
			return Value{}
		}
		found = value
	}
	return found
}

func valueMember(kind Kind) string {
	switch kind {
	case KindBool:
		return "b"
	case KindString:
		return "s"
	case KindInt:
		return "i"
	default:
		return "d"
	}
}
