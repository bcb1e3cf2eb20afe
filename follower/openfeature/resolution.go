package openfeature

import (
	"maps"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

// userOf converts an evaluation context to a user; nil if it is empty.
func userOf(attributes of.FlattenedContext) follower.User {
	if len(attributes) == 0 {
		return nil
	}
	user := maps.Clone(map[string]any(attributes))
	if key, ok := user[of.TargetingKey]; ok {
		delete(user, of.TargetingKey)
		user["Identifier"] = key
	}
	setFrom(user, "Email", "email")
	setFrom(user, "Country", "country")
	return user
}

// setFrom sets the attribute name from the attribute theirs, which has the spelling of ConfigCat's
// own provider, if name is not set.
func setFrom(user map[string]any, name, theirs string) {
	if value := user[name]; value != nil && value != "" {
		return
	}
	if value := user[theirs]; value != nil && value != "" {
		user[name] = value
	}
}

func resolutionOf(d *follower.EvaluationDetailsData) of.ProviderResolutionDetail {
	detail := of.ProviderResolutionDetail{Reason: reasonOf(d), Variant: d.VariationID}
	if d.IsDefaultValue {
		detail.ResolutionError = errorOf(d)
	}
	if !d.FetchTime.IsZero() {
		detail.FlagMetadata = of.FlagMetadata{"fetchTime": d.FetchTime.Format(time.RFC3339Nano)}
	}
	return detail
}

func reasonOf(d *follower.EvaluationDetailsData) of.Reason {
	switch {
	case d.IsDefaultValue:
		return of.ErrorReason
	case d.MatchedPercentageOption != nil:
		return of.SplitReason
	case d.MatchedTargetingRule != nil:
		return of.TargetingMatchReason
	case d.Static:
		return of.StaticReason
	default:
		return of.DefaultReason
	}
}

func errorOf(d *follower.EvaluationDetailsData) of.ResolutionError {
	text := "the evaluation failed"
	if d.Error != nil {
		text = d.Error.Error()
	}
	switch d.ErrorCode {
	case evaluate.CodeConfigNotAvailable:
		return of.NewProviderNotReadyResolutionError(text)
	case evaluate.CodeNoSuchKey:
		return of.NewFlagNotFoundResolutionError(text)
	case evaluate.CodeTypeMismatch:
		return of.NewTypeMismatchResolutionError(text)
	case evaluate.CodeInvalidModel:
		return of.NewParseErrorResolutionError(text, d.Error)
	default:
		return of.NewGeneralResolutionError(text, d.Error)
	}
}
