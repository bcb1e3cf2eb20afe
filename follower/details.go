package follower

import (
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// EvaluationDetailsData describes an evaluation, without its value (S15).
type EvaluationDetailsData struct {
	Key         string
	VariationID string // empty: the value has none, or the default was returned
	User        User   // the user of the evaluation, which may be the default user
	// IsDefaultValue reports whether the evaluation failed; Error and ErrorCode say why.
	IsDefaultValue bool
	Error          error
	ErrorCode      ErrorCode
	// FetchTime is when the CDN last returned or confirmed the config, in UTC, by the clock
	// of its writer. Zero: the client has no config.
	FetchTime               time.Time
	MatchedTargetingRule    *evaluate.TargetingRule    // nil: none
	MatchedPercentageOption *evaluate.PercentageOption // nil: none
	// Static reports whether the setting has neither targeting rules nor percentage options:
	// every user gets its value.
	Static bool
}

// BoolEvaluationDetails is a bool value with the details of its evaluation.
type BoolEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value bool
}

// IntEvaluationDetails is a whole number with the details of its evaluation.
type IntEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value int
}

// FloatEvaluationDetails is a decimal number with the details of its evaluation.
type FloatEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value float64
}

// StringEvaluationDetails is a string with the details of its evaluation.
type StringEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value string
}

// EvaluationDetails is a value of any type with the details of its evaluation.
type EvaluationDetails struct {
	Data  EvaluationDetailsData
	Value any // a bool, string, int or float64; nil: the evaluation failed and had no default
}

func (e *evaluation) details(key string) (d EvaluationDetails) {
	e.describe(&d.Data, key)
	d.Value = e.Any()
	return d
}

// describe sets fields one by one: a copy of the struct costs more than evaluating rules.
func (e *evaluation) describe(data *EvaluationDetailsData, key string) {
	data.Key, data.VariationID, data.User = key, e.VariationID, e.user
	data.IsDefaultValue, data.Error, data.ErrorCode = e.IsDefault, e.Err, e.Code
	data.FetchTime = e.snapshot.fetchedAt()
	data.MatchedTargetingRule, data.MatchedPercentageOption = e.TargetingRule, e.PercentageOption
	data.Static = e.Static
}
