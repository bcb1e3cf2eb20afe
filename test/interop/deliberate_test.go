package interop

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
)

// deliberate is the one list of differences from the official SDK that are wanted, by the
// names that docs/conformance.md has for them. Each says how exactly the two differ, so
// that nothing else passes for it.
var deliberate = []struct {
	name, reason string
	// rewrite changes what the SDK is asked into what it has to give the same for; false:
	// this is no such case.
	rewrite func(*subject) bool
	// adjust changes what the SDK answered into what this project has to give instead.
	adjust func(s *subject, ours, theirs *result)
}{
	{
		name:   "no-variation-id",
		reason: "a variation ID that is there but empty is none: in Go both are the empty string",
		adjust: func(_ *subject, _, theirs *result) {
			if theirs.VariationID != nil && *theirs.VariationID == "" {
				theirs.VariationID = nil
			}
		},
	},
	{
		name:   "number-types",
		reason: "a decimal default does not go with a whole-number setting (S76); JavaScript has one type of numbers",
		adjust: func(s *subject, ours, theirs *result) {
			if isNumber(s.evaluation.Default) && theirs.ErrorCode != 2 && failed(s, ours, 2) &&
				strings.Contains(*ours.Error, "Setting's type was Int but the default value's type was float64.") {
				*theirs = *ours
			}
		},
	},
	{
		name:   "f-is-required",
		reason: "a config whose f is missing or null is refused (S77, S81), not taken for one without flags",
		adjust: func(s *subject, ours, theirs *result) {
			if s.refusedByUs == "config JSON: $.f: missing" && s.refusedByThem == "" && theirs.ErrorCode == 1001 {
				*theirs = *ours
			}
		},
	},
	{
		name: "broken-flag-alone",
		reason: "a config with something of the wrong kind in it is not refused as a whole (S77): only flags that " +
			"come across the broken place fail, with error 1",
		rewrite: func(s *subject) bool {
			s.mended = s.breakage != nil && s.refusedByUs == "" && s.refusedByThem != ""
			return s.mended
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
		reason: "the type -1 is as invalid as others; the SDK has its own use of it, and fails with another text",
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
		reason: "a condition with all of u, p and s is as invalid as one with two of them; the SDK takes it for s alone",
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
		reason:  "half a surrogate pair is U+FFFD, since UTF-8 cannot hold it; JavaScript keeps it",
		rewrite: askWithoutHalves,
	},
	{
		name:    "zero-and-space",
		reason:  "the text \"0 \" is the number 0, since texts are trimmed (S30); the SDK trims all numbers but this one",
		rewrite: askForZeros,
	},
	{
		name:    "v-prefix",
		reason:  "v1.2.3 is no version of strict SemVer 2.0 (S29); the SDK takes it for 1.2.3",
		rewrite: askWithoutPrefixes,
	},
	{
		name:    "long-numeric-identifiers",
		reason:  "numeric pre-release identifiers beyond 2^53 are compared exactly; the SDK rounds them",
		rewrite: askForShortIdentifiers,
	},
	{
		name:    "whole-number-text",
		reason:  "a whole number beyond 2^53 keeps its digits as text; a number of JavaScript does not, but in a text it does",
		rewrite: askForDigits,
	},
	{
		name:   "then-part-log",
		reason: "with the evaluation log on, the SDK stumbles over a rule that serves nothing, error -1; without it is error 1",
		rewrite: func(s *subject) bool {
			s.quiet, s.ownLog = s.theirCode == -1, true
			return s.quiet
		},
	},
}

// failed tells whether this project gave the default with that error.
func failed(s *subject, ours *result, code int) bool {
	return ours.IsDefault && ours.ErrorCode == code && ours.Error != nil && ours.VariationID == nil &&
		ours.MatchedRule == nil && ours.MatchedOption == nil && reflect.DeepEqual(ours.Value, asJSON(s.evaluation.Default))
}

// ourNames are those for the methods, types and documents of the SDK at hand, which texts
// of logs and errors name.
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
