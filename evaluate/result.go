package evaluate

// Result is the outcome of an evaluation.
type Result struct {
	// Value is the setting's value for the user, or the default value.
	Value Value
	// VariationID is the ID of the value served; "" with the default value, or
	// when the value has none.
	VariationID string
	// IsDefault tells that the evaluation failed and Value is the default.
	IsDefault bool
	Code      ErrorCode
	// Err is nil unless the evaluation failed; then it is an [*Error].
	Err error
	// RuleIndex is the index of the matching targeting rule in the setting, -1
	// for none. OptionIndex is the index of the selected percentage option in
	// that rule or else in the setting, -1 for none.
	RuleIndex, OptionIndex int
	TargetingRule          *TargetingRule
	PercentageOption       *PercentageOption
	// Static reports that the setting has neither rules nor percentage options, so that
	// everybody gets Value. It is false if the evaluation failed.
	Static bool

	served *served
}

// Any is Value as bool, string, int or float64, nil for none, like
// [Value.Any], but without an allocation where the value is the config's.
func (r *Result) Any() any {
	if r.served != nil && r.served.value == r.Value {
		return r.served.boxed
	}
	return r.Value.Any()
}

// FailureEvent is what a failed evaluation is logged as: 1000, 1001, or 1002 in
// the name of the method that was called. It must not be called on a result
// that did not fail.
func (r *Result) FailureEvent(method, key string) Event {
	switch r.Code {
	case CodeConfigNotAvailable, CodeNoSuchKey:
		return Event{ID: EventID(r.Code), Message: r.Err.Error()}
	default:
		return Event{ID: EventEvaluationFailed, Message: "Error occurred in the `" + method + "` method while evaluating setting '" + key +
			"'. Returning the `defaultValue` parameter that you specified in your application: '" + r.Value.String() + "'."}
	}
}

func (r *Result) fail(def Value, err *Error) {
	r.Value, r.IsDefault, r.Code, r.Err = def.asReturned(), true, err.Code, err
	r.RuleIndex, r.OptionIndex = -1, -1
}

func (r *Result) succeed(s *setting, value Value, out *selection) {
	r.Value, r.VariationID, r.served = value, out.served.variation, out.served
	r.RuleIndex, r.OptionIndex = out.ruleIndex, out.optionIndex
	r.TargetingRule, r.PercentageOption = out.rule, out.option
	r.Static = len(s.rules) == 0 && len(s.options) == 0
}

// selection is what an evaluation arrives at.
type selection struct {
	served      *served
	rule        *TargetingRule
	option      *PercentageOption
	ruleIndex   int
	optionIndex int
}
