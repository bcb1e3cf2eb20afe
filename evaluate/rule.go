package evaluate

// TargetingRule is a read-only view, safe for concurrent use, of a setting's targeting rule.
type TargetingRule struct {
	conditions    []Condition
	conditionsErr *Error
	served        served
	options       []PercentageOption
	hasOptions    bool
	err           *Error // the rule is not an object
	thenErr       *Error // the THEN part is invalid
}

// Conditions returns the conditions that the rule joins with AND. The slice is shared: do not
// modify it.
func (r *TargetingRule) Conditions() []Condition { return r.conditions }

// Value returns the value that the rule serves, or the zero Value if it serves percentage
// options.
func (r *TargetingRule) Value() Value { return r.served.value }

// VariationID returns the ID of the served value, or an empty string.
func (r *TargetingRule) VariationID() string { return r.served.variation }

// PercentageOptions returns the options that the rule serves, or nil if it serves a value. The
// slice is shared: do not modify it.
func (r *TargetingRule) PercentageOptions() []PercentageOption { return r.options }

// String describes the rule on one line of printable characters: what it serves, and to whom. Long
// names and values are cut.
func (r *TargetingRule) String() string { return r.words() }

// PercentageOption is a read-only view, safe for concurrent use, of a percentage option.
type PercentageOption struct {
	share    int64
	shareErr *Error
	served   served
	err      *Error // the option is not an object
}

// Percentage returns the option's share of the users, in percent.
func (o *PercentageOption) Percentage() int64 { return o.share }

// Value returns the value that the option serves.
func (o *PercentageOption) Value() Value { return o.served.value }

// VariationID returns the ID of the served value, or an empty string.
func (o *PercentageOption) VariationID() string { return o.served.variation }

// String describes the option on one line of printable characters: its share and its value, or what
// is wrong with it. Long values are cut.
func (o *PercentageOption) String() string { return o.words() }

// Condition is a read-only view, safe for concurrent use, of a compiled condition.
type Condition struct {
	kind       conditionKind
	comparator comparator
	link       int32 // prerequisite: index in the setting's links

	err      *Error // reported when the condition is reached
	valueErr *Error // reported when the comparator or its value is needed

	// User conditions.
	attribute attributeName
	list      []string // a list in clear text
	hashed    int      // number of items of a hashed list
	text      string
	number    float64
	operand   *operand
	hasValue  bool // the log can show the comparison value

	segment      *segment      // segment conditions
	prerequisite *prerequisite // prerequisite conditions
}

type conditionKind uint8

const (
	invalidCondition conditionKind = iota
	userCondition
	prerequisiteCondition
	segmentCondition
)
