package evaluate

// Result is the outcome of an evaluation. What it points to belongs to the config and is read-only.
type Result struct {
	// Value is the setting's value for the user, or the default value.
	Value Value
	// VariationID is the ID of the served value. It is empty if Value is the default or has no
	// ID.
	VariationID string
	// IsDefault reports whether the evaluation failed and Value is the default.
	IsDefault bool
	// Code is the code of Err, or CodeNone.
	Code ErrorCode
	// Err is nil if the evaluation succeeded, and an [*Error] otherwise.
	Err error
	// RuleIndex is the index of the matching targeting rule in the setting, or -1. OptionIndex is
	// the index of the selected percentage option in that rule or, if none matched, in the
	// setting; otherwise -1.
	RuleIndex, OptionIndex int
	TargetingRule          *TargetingRule    // the matching rule, or nil
	PercentageOption       *PercentageOption // the selected option, or nil
	// Static reports whether the setting has neither rules nor percentage options: every user
	// gets Value. It is false if the evaluation failed.
	Static bool

	served *served
}

// Any returns [Value.Any] of Value. It does not allocate for a value of the config.
func (r *Result) Any() any {
	if r.served != nil && r.served.value == r.Value {
		return r.served.boxed
	}
	return r.Value.Any()
}

func (r *Result) fail(def Value, err *Error) {
	*r = Result{Value: def.asReturned(), IsDefault: true, Code: err.Code, Err: err, RuleIndex: -1, OptionIndex: -1}
}

// succeed sets every field, one by one: that is faster than to assign a whole Result.
func (r *Result) succeed(s *setting, value Value, out *selection) {
	r.Value, r.VariationID, r.served = value, out.served.variation, out.served
	r.IsDefault, r.Code, r.Err = false, CodeNone, nil
	r.RuleIndex, r.OptionIndex = out.ruleIndex, out.optionIndex
	r.TargetingRule, r.PercentageOption = out.rule, out.option
	r.Static = len(s.rules) == 0 && len(s.options) == 0
}

type selection struct {
	served      *served
	rule        *TargetingRule
	option      *PercentageOption
	ruleIndex   int
	optionIndex int
}
