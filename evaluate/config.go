package evaluate

// MaxConfigBytes is the greatest size of a config JSON, in bytes.
const MaxConfigBytes = 8 << 20

// Config is a compiled config. It is immutable and safe for concurrent use. A nil *Config is a
// config that is not available yet: evaluations return defaults with [CodeConfigNotAvailable].
type Config struct {
	settings map[string]*setting
	index    index
	keys     []string   // in the order of the document
	ordered  []*setting // in the order of the keys
	broken   []FlagError
	source   source
}

// Keys returns the setting keys in the order of the document. The slice is shared: do not modify
// it.
func (c *Config) Keys() []string {
	if c == nil {
		return nil
	}
	return c.keys
}

// JSON returns a copy of the parsed document. It returns nil for a nil config, a config of plain
// values and a merged config.
func (c *Config) JSON() []byte {
	if c == nil || c.source.text == "" {
		return nil
	}
	return []byte(c.source.text)
}

// BrokenFlags returns the flags that can fail because of an error in the config, in the order of
// the document. Each comes with its first error: in the flag, in a segment it uses, or in a flag
// it depends on (S77). The slice is shared: do not modify it.
func (c *Config) BrokenFlags() []FlagError {
	if c == nil {
		return nil
	}
	return c.broken
}

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

// attributeName is the name of a user attribute. Its id saves comparing names in evaluations.
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
