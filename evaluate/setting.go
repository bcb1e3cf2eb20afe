package evaluate

// setting is a compiled flag or setting. An invalid part fails only the evaluations that reach it.
type setting struct {
	key  string
	kind Kind
	// plain marks a setting made from a plain value. A default of the other number kind may then
	// match, too: see accepts (S63, S66).
	plain bool
	fixed bool   // see isFixed
	err   *Error // the setting cannot be used at all
	place int32  // index in Config.ordered

	rules    []TargetingRule
	rulesErr *Error

	optionAttribute    attributeName
	optionAttributeErr *Error
	options            []PercentageOption
	optionsErr         *Error

	served served

	// links[i] is prerequisites[i], a condition of a rule, resolved.
	links         []link
	prerequisites []*prerequisite
	cyclic        bool // some link is cyclic

	text              string // the member of "f" that it was compiled from; empty for a plain setting
	salted, segmented bool   // it depends on the config's salt, on the segments
}

// served is a value that a setting can serve, with its variation ID.
type served struct {
	value     Value
	variation string
	err       *Error
	valueErr  *Error // err if the value, not the variation ID, is invalid
	boxed     any    // value.Any(), converted once
}

type segment struct {
	name          string
	err           *Error
	conditions    []Condition
	conditionsErr *Error
	broken        *Error // the first error in it
}

// prerequisite is a condition on another flag, before it is resolved: see link.
type prerequisite struct {
	flag          string
	flagErr       *Error
	comparator    int64
	comparatorErr *Error
	value         rawValue
	valueErr      *Error
}

// link is a prerequisite resolved in one particular config. Merging configs resolves the
// prerequisites again.
type link struct {
	target *setting
	value  Value
	err    *Error
	cyclic bool // the target also depends on the setting
}

// isAnswer reports whether the setting's own value is the result and there is nothing to log.
func (s *setting) isAnswer(def Value, trace *Trace) bool {
	return s.fixed && (def.kind == s.kind || def.kind == KindNone) && trace.log() == nil
}

// isFixed reports whether the setting has one value for all users and no errors.
func (s *setting) isFixed() bool {
	return len(s.rules) == 0 && len(s.options) == 0 && s.err == nil && s.served.err == nil &&
		s.rulesErr == nil && s.optionsErr == nil
}

// accepts reports whether a default value of this kind matches the setting.
func (s *setting) accepts(def Value) bool {
	switch {
	case def.kind == KindNone || def.kind == s.kind || s.kind == KindNone:
		return true
	case def.kind == KindFloat && s.kind == KindInt:
		return s.plain || def.anyNumber
	case def.kind == KindInt && s.kind == KindFloat:
		return s.plain && s.served.value.isWhole()
	}
	return false
}
