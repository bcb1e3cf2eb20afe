package gateway

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// form says how results are encoded.
type form struct {
	details   bool
	rev       string // of details; empty: omitted
	fetchTime string // the same
}

// formOf returns the form of answers about a content.
func formOf(of *sdk, c *content, details bool) *form {
	f := &form{details: details}
	if !details {
		return f
	}
	f.rev = c.rev
	if held, ok := of.client.Content(); ok && !held.FetchTime.IsZero() {
		f.fetchTime = held.FetchTime.UTC().Format(time.RFC3339Nano)
	}
	return f
}

// Reasons of values, in the words of OpenFeature.
const (
	reasonStatic = "STATIC"          // every user has this value
	reasonMatch  = "TARGETING_MATCH" // the rules, or that none of them matches, give this value
	reasonSplit  = "SPLIT"           // a percentage option was selected
	reasonError  = "ERROR"
)

// reasonOf returns why a result has its value.
func reasonOf(r *evaluate.Result) string {
	switch {
	case r.Err != nil:
		return reasonError
	case r.Static:
		return reasonStatic
	case r.PercentageOption != nil:
		return reasonSplit
	}
	return reasonMatch
}

// appendPayload appends a result as ConfigCat Proxy encodes it: as package json would, with "value" and
// "variationId". The value of a failed evaluation is null.
func appendPayload(out []byte, r *evaluate.Result, as *form) []byte {
	out = appendValue(append(out, `{"value":`...), r.Value)
	out = appendQuoted(append(out, `,"variationId":`...), r.VariationID)
	if as.details {
		out = appendQuoted(append(out, `,"reason":`...), reasonOf(r))
		if r.RuleIndex >= 0 {
			out = strconv.AppendInt(append(out, `,"rule":`...), int64(r.RuleIndex+1), 10)
		}
		if r.OptionIndex >= 0 {
			out = strconv.AppendInt(append(out, `,"option":`...), int64(r.OptionIndex+1), 10)
		}
		if r.Err != nil {
			out = append(out, `,"error":"the flag is broken in the config"`...)
		}
		if as.fetchTime != "" {
			out = appendQuoted(append(out, `,"fetchTime":`...), as.fetchTime)
		}
		if as.rev != "" {
			out = append(append(out, `,"rev":`...), as.rev...)
		}
	}
	return append(out, '}')
}

func appendValue(out []byte, v evaluate.Value) []byte {
	switch v.Kind() {
	case evaluate.KindBool:
		return strconv.AppendBool(out, v.Bool())
	case evaluate.KindInt:
		return strconv.AppendInt(out, v.Int(), 10)
	case evaluate.KindString:
		return appendQuoted(out, v.String())
	case evaluate.KindFloat:
		if encoded, err := json.Marshal(v.Float()); err == nil { // JSON has no infinite values
			return append(out, encoded...)
		}
	}
	return append(out, "null"...)
}

// appendQuoted appends text as package json encodes it.
func appendQuoted(out []byte, text string) []byte {
	if strings.IndexFunc(text, mustEscape) < 0 {
		return append(append(append(out, '"'), text...), '"')
	}
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // unreachable: it is text
	}
	return append(out, encoded...)
}

func mustEscape(r rune) bool {
	return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&'
}

// sortedKey is the key of a flag, and where its results are.
type sortedKey struct {
	name  string
	index int
}

// sortedKeys returns the keys of a config, sorted, when they are first needed.
func sortedKeys(config *evaluate.Config) func() []sortedKey {
	return sync.OnceValue(func() []sortedKey {
		all := config.Keys()
		keys := make([]sortedKey, len(all))
		for i, name := range all {
			keys[i] = sortedKey{name, i}
		}
		slices.SortFunc(keys, func(a, b sortedKey) int { return strings.Compare(a.name, b.name) })
		return keys
	})
}
