package evaluate

// Explanation is one evaluation as a tree: what the evaluation log (S101) says in lines, and the
// parts that the evaluation did not reach. It is read-only, and shares memory with the config.
type Explanation struct {
	// Setting is the requested setting.
	Setting *SettingTree
	// Value is the returned value: the default if Err is not nil.
	Value Value
	// Err is nil if the evaluation succeeded, and an [*Error] otherwise.
	Err error
	// Cut reports whether the tree lacks parts, since it is bounded: to 5,000 rules, conditions
	// and percentage options, and to prerequisites that nest 16 deep.
	Cut bool
}

// These limits bound a tree, whatever the config contains.
const (
	maxTreeParts = 5000
	maxTreeDepth = 16 // of prerequisites
)

// Outcome is what an evaluation made of a part of a setting.
type Outcome string

// The outcomes.
const (
	OutcomeNone    Outcome = ""                // the evaluation did not reach the part
	OutcomeTrue    Outcome = "true"            // a condition or a segment matches; a rule applies; an option is selected; a setting has a value
	OutcomeFalse   Outcome = "false"           // it does not match
	OutcomeUnknown Outcome = "cannot evaluate" // the user, or an attribute that it needs, is missing or invalid
	OutcomeFailed  Outcome = "failed"          // the evaluation ended here, with an error in the config or in the caller's user
)

func (o outcome) exported() Outcome {
	switch o {
	case match:
		return OutcomeTrue
	case noMatch:
		return OutcomeFalse
	default:
		return OutcomeUnknown
	}
}

// SettingTree is a setting: the requested one, or a prerequisite. See [Config.Describe] for one that
// is not evaluated.
type SettingTree struct {
	// Key is the setting's key.
	Key string
	// Kind is its type; KindNone: it has no valid type.
	Kind Kind
	// Rules are the targeting rules, in order.
	Rules []*RuleTree
	// Options are the percentage options for users to whom no rule applies; nil: there are none.
	Options *OptionsTree
	// Default is the setting's own value, for users whom nothing else serves. Its kind is KindNone
	// if it is invalid.
	Default Value

	// Outcome is OutcomeNone, OutcomeTrue or OutcomeFailed.
	Outcome Outcome
	// Value is what the setting serves the user, if Outcome is OutcomeTrue.
	Value Value
	// ServesDefault reports whether Value is Default because nothing else serves the user.
	ServesDefault bool
	// Why is the error, if the evaluation ended here and in no part of the setting.
	Why string
	// Cut reports whether rules, or parts of them, are missing.
	Cut bool

	setting *setting
}

// String returns the setting in a few words: its type, how many rules it has, its percentage options
// and its default value. All characters are printable. Long values are cut.
func (t *SettingTree) String() string { return t.setting.summary() }

// RuleTree is a targeting rule.
type RuleTree struct {
	// Rule has what the rule serves. Its String method describes the whole rule.
	Rule *TargetingRule
	// Conditions are joined with AND. After one that is not true, the others are not evaluated.
	Conditions []*ConditionTree
	// Options are the percentage options that the rule serves; nil: it serves a value.
	Options *OptionsTree

	// Outcome is OutcomeTrue if all conditions are true.
	Outcome Outcome
	// Serves reports whether the setting serves what the rule says. If Outcome is OutcomeTrue, it is
	// false only if no percentage option can be selected: then the evaluation continues with the
	// next rule.
	Serves bool
	// Why says why the rule cannot be evaluated, or which error ended the evaluation at what it
	// serves.
	Why string
}

// ConditionKind is what a condition is about.
type ConditionKind string

// The kinds of conditions.
const (
	OnUser         ConditionKind = "user"         // an attribute of the user
	OnSegment      ConditionKind = "segment"      // whether the user is in a segment
	OnPrerequisite ConditionKind = "prerequisite" // the value of another flag
	OnNothing      ConditionKind = "invalid"      // the condition is invalid
)

// ConditionTree is a condition of a rule or of a segment.
type ConditionTree struct {
	// Kind is what the condition is about.
	Kind ConditionKind
	// Uses is the name of the user's attribute or of the segment, or the key of the prerequisite. It
	// is empty if the condition names none, or if the config has no such segment or flag.
	Uses string

	// Outcome is OutcomeTrue if the condition is true.
	Outcome Outcome
	// Why says why the condition cannot be evaluated, or which error ended the evaluation here.
	Why string
	// Segment is the evaluation of the segment that the condition uses; nil: there was none.
	Segment *SegmentTree
	// Prerequisite is the evaluation of the flag that the condition uses; nil: there was none.
	Prerequisite *SettingTree
	// Cut reports whether the prerequisite was evaluated, but is missing.
	Cut bool

	condition *Condition
	known     bool // the config has the prerequisite
}

// String returns the condition as the evaluation log shows it.
func (t *ConditionTree) String() string {
	if t.condition.kind == prerequisiteCondition {
		return string(t.condition.prerequisite.appendTo(nil, t.known))
	}
	return t.condition.String()
}

// SegmentTree is a segment: the one of a condition, or one that is not evaluated, see
// [Config.Segments].
type SegmentTree struct {
	// Name is the name of the segment.
	Name string
	// Conditions are joined with AND: the user is in the segment if all are true.
	Conditions []*ConditionTree
	// Err is the first error in the segment, an [*Error]; nil: it is valid.
	Err error

	// Outcome is OutcomeTrue if the user is in the segment.
	Outcome Outcome
	// Why says why that cannot be evaluated, or which error ended the evaluation here.
	Why string
	// Cut reports whether conditions are missing.
	Cut bool

	segment *segment
}

// OptionsTree is a list of percentage options.
type OptionsTree struct {
	// Attribute is the name of the attribute whose value selects an option.
	Attribute string
	// Options are those of the setting or of the rule, in order. The slice is shared: do not modify
	// it.
	Options []PercentageOption

	// Outcome is OutcomeTrue if an option is selected.
	Outcome Outcome
	// Why says why no option can be selected, or which error ended the evaluation here.
	Why string
	// Bucket is the user's place among the 100 of which each option has a share, 0 to 99; -1: it
	// is unknown.
	Bucket int
	// Selected is the index of the selected option, or -1.
	Selected int
}
