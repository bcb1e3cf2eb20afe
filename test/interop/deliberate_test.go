package interop

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
)

// deliberate is the list of all intended differences from the official SDK, by their names
// in docs/conformance.md. Each one describes the difference exactly, so that it does not
// hide others.
var deliberate = []struct {
	name, reason string
	// rewrite changes the question to one for which the SDK must give the same answer. It
	// returns false if the difference does not apply.
	rewrite func(*subject) bool
	// adjust changes the SDK's answer to the one that this project must give.
	adjust func(s *subject, ours, theirs *result)
}{
	{
		name:   "no-variation-id",
		reason: "an empty variation ID counts as missing: in Go both are the empty string",
		adjust: func(_ *subject, _, theirs *result) {
			if theirs.VariationID != nil && *theirs.VariationID == "" {
				theirs.VariationID = nil
			}
		},
	},
	{
		name:   "number-types",
		reason: "a decimal default does not fit a whole-number setting (S76); JavaScript has one type of numbers",
		adjust: func(s *subject, ours, theirs *result) {
			if isNumber(s.evaluation.Default) && theirs.ErrorCode != 2 && failed(s, ours, 2) &&
				strings.Contains(*ours.Error, "Setting's type was Int but the default value's type was float64.") {
				*theirs = *ours
			}
		},
	},
	{
		name:   "f-is-required",
		reason: "a config whose f is missing or null is refused (S77, S81), not treated as one without flags",
		adjust: func(s *subject, ours, theirs *result) {
			if s.refusedByUs == "config JSON: $.f: missing" && s.refusedByThem == "" && theirs.ErrorCode == 1001 {
				*theirs = *ours
			}
		},
	},
	{
		name: "broken-flag-alone",
		reason: "a config with a value of the wrong kind is not refused as a whole (S77): only flags that " +
			"come across the broken place fail, with error 1",
		rewrite: func(s *subject) bool {
			s.intact = s.breakage != nil && s.refusedByUs == "" && s.refusedByThem != ""
			return s.intact
		},
		adjust: func(s *subject, ours, theirs *result) {
			if !s.breakage.reaches(s.config, s.evaluation.Key) {
				return
			}
			if theirs.Log = ours.Log; failed(s, ours, 1) {
				*theirs = *ours
			}
		},
	},
	{
		name:   "plain-type",
		reason: "the type -1 is as invalid as others; the SDK has its own use of it, and fails with another message",
		rewrite: func(s *subject) bool {
			changed := false
			s.config = mapObjects(s.config, func(o object) object {
				if o["t"] != -1 {
					return o
				}
				o = maps.Clone(o)
				o["t"], changed = -2, true
				return o
			})
			return changed
		},
	},
	{
		name:   "three-conditions",
		reason: "a condition with all of u, p and s is as invalid as one with two of them; the SDK uses s alone",
		rewrite: func(s *subject) bool {
			changed := false
			s.config = mapObjects(s.config, func(o object) object {
				if o["u"] == nil || o["p"] == nil || o["s"] == nil || o["f"] != nil {
					return o
				}
				changed = true
				return object{}
			})
			return changed
		},
	},
	{
		name:    "lone-surrogates",
		reason:  "half a surrogate pair is U+FFFD, since UTF-8 cannot represent it; JavaScript keeps it",
		rewrite: askWithoutHalves,
	},
	{
		name:    "zero-and-space",
		reason:  "the string \"0 \" is the number 0, since strings are trimmed (S30); the SDK trims all numbers but this one",
		rewrite: askForZeros,
	},
	{
		name:    "v-prefix",
		reason:  "v1.2.3 is not a version of strict SemVer 2.0 (S29); the SDK reads it as 1.2.3",
		rewrite: askWithoutPrefixes,
	},
	{
		name:    "long-numeric-identifiers",
		reason:  "numeric pre-release identifiers beyond 2^53 are compared exactly; the SDK rounds them",
		rewrite: askForShortIdentifiers,
	},
	{
		name:    "whole-number-text",
		reason:  "a whole number beyond 2^53 keeps its digits when converted to a string; a JavaScript number does not, but a string does",
		rewrite: askForDigits,
	},
	{
		name:   "then-part-log",
		reason: "with the evaluation log on, the SDK fails on a rule that serves nothing with error -1; without the log with error 1",
		rewrite: func(s *subject) bool {
			s.quiet, s.ownLog = s.theirCode == -1, true
			return s.quiet
		},
	},
}

// failed reports whether this project returned the default with that error.
func failed(s *subject, ours *result, code int) bool {
	return ours.IsDefault && ours.ErrorCode == code && ours.Error != nil && ours.VariationID == nil &&
		ours.MatchedRule == nil && ours.MatchedOption == nil && reflect.DeepEqual(ours.Value, asJSON(s.evaluation.Default))
}

// ourNames maps the names of the SDK's methods, types and documents in logs and errors to
// those of this project.
var ourNames = strings.NewReplacer(
	"`getValueAsync()`", "`GetValue()`",
	"`Snapshot.getValueDetails`", "`GetValueDetails`",
	"the default value's type was boolean.", "the default value's type was bool.",
	"sdk-reference/js/overview/", "sdk-reference/go/",
)

func useOurNames(ours, theirs *result) {
	for i, line := range theirs.Log {
		theirs.Log[i] = ourNames.Replace(line)
	}
	if theirs.Error == nil {
		return
	}
	text := ourNames.Replace(*theirs.Error)
	for _, kind := range []string{"int", "float64"} {
		const before = "the default value's type was "
		if ours.Error != nil && strings.Contains(*ours.Error, before+kind+".") {
			text = strings.Replace(text, before+"number.", before+kind+".", 1)
		}
	}
	theirs.Error = &text
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, float64, json.Number:
		return true
	}
	return false
}
