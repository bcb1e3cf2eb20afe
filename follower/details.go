package follower

import (
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// ErrorCode tells why an evaluation gave the default value (S15).
type ErrorCode = evaluate.ErrorCode

// ErrKeyNotFound is wrapped by the error of an evaluation whose key the config does not
// have (1001): errors.AsType[follower.ErrKeyNotFound](details.Data.Error).
type ErrKeyNotFound = evaluate.ErrKeyNotFound

// EvaluationDetailsData is what is known about an evaluation besides its value (S15).
type EvaluationDetailsData struct {
	Key         string
	VariationID string // empty: the value has none, or the default was given
	User        User   // whom it was evaluated for, the default user included
	// IsDefaultValue: the evaluation failed, and Error and ErrorCode say why.
	IsDefaultValue bool
	Error          error
	ErrorCode      ErrorCode
	// FetchTime is when the CDN last gave or confirmed the config, in UTC, as its
	// writer saw it; zero: there is no config.
	FetchTime               time.Time
	MatchedTargetingRule    *evaluate.TargetingRule    // nil: none
	MatchedPercentageOption *evaluate.PercentageOption // nil: none
	// Static reports that the setting has neither targeting rules nor percentage options, so
	// that everybody gets its value.
	Static bool
}

// BoolEvaluationDetails is a bool and how it came about.
type BoolEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value bool
}

// IntEvaluationDetails is a whole number and how it came about.
type IntEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value int
}

// FloatEvaluationDetails is a decimal number and how it came about.
type FloatEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value float64
}

// StringEvaluationDetails is a text and how it came about.
type StringEvaluationDetails struct {
	Data  EvaluationDetailsData
	Value string
}

// EvaluationDetails is a value of any type and how it came about.
type EvaluationDetails struct {
	Data  EvaluationDetailsData
	Value any // a bool, string, int or float64; nil: there was neither a value nor a default
}

func (e *evaluation) details(key string) (d EvaluationDetails) {
	e.describe(&d.Data, key)
	d.Value = e.Any()
	return d
}

// describe fills in data, field by field: a copy of the whole costs more than the rules do.
func (e *evaluation) describe(data *EvaluationDetailsData, key string) {
	data.Key, data.VariationID, data.User = key, e.VariationID, e.user
	data.IsDefaultValue, data.Error, data.ErrorCode = e.IsDefault, e.Err, e.Code
	data.FetchTime = e.snapshot.fetchedAt()
	data.MatchedTargetingRule, data.MatchedPercentageOption = e.TargetingRule, e.PercentageOption
	data.Static = e.Static
}
