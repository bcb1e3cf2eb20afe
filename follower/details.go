package follower

import (
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// EvaluationDetailsData describes an evaluation, without its value (S15).
type EvaluationDetailsData struct {
	Key         string // of the setting
	VariationID string // empty: the value has none, or the default was returned
	User        User   // the user of the evaluation, which may be the default user
	// IsDefaultValue reports whether the evaluation failed; Error and ErrorCode say why.
	IsDefaultValue bool
	Error          error     // nil: none
	ErrorCode      ErrorCode // 0: none
	// FetchTime is when the CDN last returned or confirmed the config, in UTC, by the clock
	// of its writer. Zero: the client has no config.
	FetchTime               time.Time
	MatchedTargetingRule    *evaluate.TargetingRule    // nil: none
	MatchedPercentageOption *evaluate.PercentageOption // nil: none
	// Static reports whether the setting has neither targeting rules nor percentage options:
	// every user gets its value.
	Static bool
}

// EvaluationDetailsOf is a value of type T with the details of its evaluation.
type EvaluationDetailsOf[T any] struct {
	Data  EvaluationDetailsData // all but the value
	Value T                     // if the evaluation failed, the default, or nil if there was none
}

type (
	// EvaluationDetails is a value of any type with the details of its evaluation: a bool, string,
	// int or float64, or nil.
	EvaluationDetails = EvaluationDetailsOf[any]

	// BoolEvaluationDetails is a bool value with the details of its evaluation.
	BoolEvaluationDetails = EvaluationDetailsOf[bool]
	// IntEvaluationDetails is a whole number with the details of its evaluation.
	IntEvaluationDetails = EvaluationDetailsOf[int]
	// FloatEvaluationDetails is a decimal number with the details of its evaluation.
	FloatEvaluationDetails = EvaluationDetailsOf[float64]
	// StringEvaluationDetails is a string with the details of its evaluation.
	StringEvaluationDetails = EvaluationDetailsOf[string]
)

func (e *evaluation) details(key string) (d EvaluationDetails) {
	e.describe(&d.Data, key)
	d.Value = e.Any()
	return d
}

// describe sets fields one by one: a copy of the struct costs more than evaluating rules.
func (e *evaluation) describe(data *EvaluationDetailsData, key string) {
	data.Key, data.VariationID, data.User = key, e.VariationID, e.user
	data.IsDefaultValue, data.Error, data.ErrorCode = e.IsDefault, e.Err, e.Code
	data.FetchTime = e.snapshot.FetchedAt()
	data.MatchedTargetingRule, data.MatchedPercentageOption = e.TargetingRule, e.PercentageOption
	data.Static = e.Static
}
