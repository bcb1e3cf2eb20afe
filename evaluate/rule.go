package evaluate

import (
	"slices"

	"github.com/Masterminds/semver/v3"
)

// TargetingRule is a read-only view of a setting's targeting rule.
type TargetingRule struct {
	conditions    []Condition
	conditionsErr *Error
	served        served
	options       []PercentageOption
	hasOptions    bool
	err           *Error // the rule is no object
	thenErr       *Error // what the rule serves cannot be told
}

// Conditions are the conditions that the rule joins with AND. The slice is
// shared: do not change it.
func (r *TargetingRule) Conditions() []Condition { return r.conditions }

// Value is what the rule serves; none if it serves percentage options.
func (r *TargetingRule) Value() Value { return r.served.value }

// VariationID is the ID of the value served, "" if there is none.
func (r *TargetingRule) VariationID() string { return r.served.variation }

// PercentageOptions are the options the rule serves, nil if it serves a value.
// The slice is shared: do not change it.
func (r *TargetingRule) PercentageOptions() []PercentageOption { return r.options }

// PercentageOption is a read-only view of a percentage option.
type PercentageOption struct {
	share    int64
	shareErr *Error
	served   served
	err      *Error // the option is no object
}

// Percentage is the option's share of the users, in percent.
func (o *PercentageOption) Percentage() int64 { return o.share }

// Value is what the option serves.
func (o *PercentageOption) Value() Value { return o.served.value }

// VariationID is the ID of the value served, "" if there is none.
func (o *PercentageOption) VariationID() string { return o.served.variation }

// Condition is a read-only view of a condition, ready to be evaluated.
type Condition struct {
	kind       conditionKind
	comparator Comparator
	link       int32 // prerequisite: index in the setting's links

	err      *Error // reported when the condition is reached
	valueErr *Error // reported when comparator or comparison value are needed

	// User conditions.
	attribute attributeName
	list      []string // lists in clear text
	hashed    int      // number of items of a hashed list
	text      string
	number    float64
	operand   *operand
	hasValue  bool // there is a comparison value to show

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

// operand is a comparison value in the form its comparator compares with.
type operand struct {
	texts     map[string]struct{} // long lists of texts
	salt      string              // config salt and context salt, joined
	digests   []digest            // hashed texts
	digestSet map[digest]struct{} // the same, of long lists
	slices    []hashedSlice       // hashed beginnings or ends
	versions  []*semver.Version
	// invalidVersion: some version is none, which makes the condition false.
	invalidVersion bool
}

// hasHash tells whether the hash of a text is among the hashed texts.
func (o *operand) hasHash(text string) bool {
	hash := saltedHash(text, o.salt)
	if o.digestSet != nil {
		_, found := o.digestSet[hash]
		return found
	}
	return slices.Contains(o.digests, hash)
}

type digest [32]byte

// hashedSlice is the hash of a text's first or last bytes.
type hashedSlice struct {
	length int64
	digest digest
	state  sliceState
}

type sliceState uint8

const (
	sliceMatchable sliceState = iota
	sliceNeverMatches
	sliceMalformed
)
