package evaluate

// MaxConfigBytes is the size, in bytes, up to which a config JSON is read.
const MaxConfigBytes = 8 << 20

// Config is a compiled config: immutable, safe for concurrent use. A nil
// *Config is one that is not available yet: it evaluates to defaults with
// [CodeConfigNotAvailable].
type Config struct {
	settings map[string]*setting
	index    index
	keys     []string   // in the order of the document
	ordered  []*setting // in the order of the keys
	broken   []FlagError
	source   source
}

// Keys lists the setting keys in the order of the document. The slice is
// shared: do not change it.
func (c *Config) Keys() []string {
	if c == nil {
		return nil
	}
	return c.keys
}

// JSON returns a copy of the document that the config was parsed from; nil for a config of
// plain values, a merged one, and none.
func (c *Config) JSON() []byte {
	if c == nil || c.source.text == "" {
		return nil
	}
	return []byte(c.source.text)
}

// BrokenFlags lists the flags of which some evaluation fails because of the
// config itself, in the order of the document, each with the first such error:
// in the flag, in a segment it uses, or in a flag it depends on (S77). The
// slice is shared: do not change it.
func (c *Config) BrokenFlags() []FlagError {
	if c == nil {
		return nil
	}
	return c.broken
}

// setting is a compiled flag or setting. Errors that it carries are reported
// when an evaluation gets to them.
type setting struct {
	key  string
	kind Kind
	// plain marks a setting made from a plain value: a whole number then also
	// counts as a decimal one, and the other way round (S63, S66).
	plain bool
	fixed bool   // the value is the same for everyone, see isFixed
	err   *Error // the setting cannot be used at all
	place int32  // in Config.ordered

	rules    []TargetingRule
	rulesErr *Error

	optionAttribute    attributeName
	optionAttributeErr *Error
	options            []PercentageOption
	optionsErr         *Error

	served served

	// links are the resolved prerequisites of the rules' conditions.
	links         []link
	prerequisites []*prerequisite
	cyclic        bool // some link is cyclic
}

// served is a value that can be handed out, with its variation ID.
type served struct {
	value     Value
	variation string
	err       *Error
	valueErr  *Error // the part of err that concerns the value, for the log
	boxed     any    // value, converted once
}

// segment is a compiled segment.
type segment struct {
	name          string
	err           *Error
	conditions    []Condition
	conditionsErr *Error
	broken        *Error // the first of all errors in it
}

// prerequisite is a condition on another flag, before that flag is looked up.
type prerequisite struct {
	flag          string
	flagErr       *Error
	comparator    int64
	comparatorErr *Error
	value         rawValue
	valueErr      *Error
}

// link is a prerequisite in one particular config: merging configs resolves
// prerequisites anew.
type link struct {
	target *setting
	value  Value
	err    *Error
	cyclic bool // the target depends on the setting in turn
}

// attributeName is the name of a user attribute; the predefined ones are told
// apart once, when the config is compiled.
type attributeName struct {
	name string
	id   attributeID
}

type attributeID uint8

const (
	customAttribute attributeID = iota
	identifierAttribute
	emailAttribute
	countryAttribute
)

func nameAttribute(name string) attributeName {
	switch name {
	case "Identifier":
		return attributeName{name: "Identifier", id: identifierAttribute}
	case "Email":
		return attributeName{name: "Email", id: emailAttribute}
	case "Country":
		return attributeName{name: "Country", id: countryAttribute}
	default:
		return attributeName{name: name}
	}
}
