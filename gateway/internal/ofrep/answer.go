package ofrep

import (
	"math"
	"net/http"
	"strconv"

	"github.com/catbridge/catbridge/evaluate"
)

// user is the attributes that an evaluation reads. It is not safe for concurrent use.
type user struct {
	attributes map[string]any
	// lacked reports whether an evaluation asked for an identifier that there is not.
	lacked bool
}

// GetAttribute implements [evaluate.UserAttributes].
func (u *user) GetAttribute(name string) any {
	value, ok := u.attributes[name]
	if !ok && name == identifier {
		u.lacked = true
	}
	return value
}

func (u *user) evaluate(config *evaluate.Config, key string) *evaluate.Result {
	u.lacked = false
	result := new(evaluate.Result)
	config.EvaluateTo(result, key, u, evaluate.Value{}, nil)
	return result
}

// Single evaluates a flag for a user with these attributes, and returns the status and the body of
// the answer. The hash is that of the content.
func Single(config *evaluate.Config, key string, attributes map[string]any, hash string) (status int, body []byte) {
	u := &user{attributes: attributes}
	result := u.evaluate(config, key)
	if failure := failureOf(key, result, u.lacked); failure != nil {
		return failure.Status, failure.JSON()
	}
	return http.StatusOK, appendFlag(nil, config, key, result, hash)
}

// Bulk evaluates the flags that the context selects for a user with these attributes, in the order
// of the config or else of the filter, and returns the body of the answer. A flag that fails has its
// failure in place of a value. The hash is that of the content. If stream is not empty, it is the URI
// of an event stream of changes, relative to the origin of the server.
func (c *Context) Bulk(config *evaluate.Config, attributes map[string]any, hash, stream string) []byte {
	u := &user{attributes: attributes}
	dst := append(make([]byte, 0, 4<<10), `{"flags":[`...)
	if c.filtered {
		seen := make(map[string]bool, len(c.flags))
		for _, key := range c.flags {
			if !seen[key] {
				dst = appendResult(dst, config, key, u.evaluate(config, key), u.lacked)
				seen[key] = true
			}
		}
	} else {
		results := config.AllResults(u, nil)
		lacked := u.lacked // by any of the flags
		for i, key := range config.Keys() {
			result := &results[i]
			if lacked {
				result = u.evaluate(config, key)
			}
			dst = appendResult(dst, config, key, result, lacked && u.lacked)
		}
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	dst = append(dst, `],"metadata":{"configHash":`...)
	dst = append(appendQuote(dst, hash), '}')
	if stream != "" {
		dst = append(dst, `,"eventStreams":[{"type":"sse","endpoint":{"requestUri":`...)
		dst = appendQuote(dst, stream)
		dst = append(dst, `},"inactivityDelaySec":`...)
		dst = append(strconv.AppendInt(dst, inactivityDelay, 10), `}]`...)
	}
	return append(dst, '}')
}

// inactivityDelay is how long a page that nobody sees keeps its event stream, in seconds.
const inactivityDelay = 120

// appendResult appends a result, or its failure, and a comma.
func appendResult(dst []byte, config *evaluate.Config, key string, result *evaluate.Result, lackedKey bool) []byte {
	if failure := failureOf(key, result, lackedKey); failure != nil {
		dst = failure.append(dst)
	} else {
		dst = appendFlag(dst, config, key, result, "")
	}
	return append(dst, ',')
}

// failureOf returns nil if the evaluation has a value. It does not say what is wrong in the config: who
// may evaluate may not read the rules.
func failureOf(key string, result *evaluate.Result, lackedKey bool) *Failure {
	switch {
	case result.Code == evaluate.CodeNoSuchKey:
		return &Failure{http.StatusNotFound, key, FlagNotFound, "the config has no such flag"}
	case result.Code == evaluate.CodeInvalidModel:
		return &Failure{http.StatusBadRequest, key, ParseError, "the flag is broken in the config"}
	case result.Err != nil:
		return &Failure{http.StatusInternalServerError, key, General, "the flag cannot be evaluated"}
	case lackedKey:
		return &Failure{http.StatusBadRequest, key, TargetingKeyMissing, "a rule or percentage option of the flag needs a targetingKey"}
	case !representable(result.Value):
		return &Failure{http.StatusBadRequest, key, ParseError, "the value of the flag is not a number of JSON"}
	}
	return nil
}

func representable(v evaluate.Value) bool {
	return v.Kind() != evaluate.KindFloat || !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0)
}

// appendFlag appends the answer about a flag that has a value. In an answer to many flags the hash is
// empty: clients compare each flag with the earlier answer to find what changed.
func appendFlag(dst []byte, config *evaluate.Config, key string, result *evaluate.Result, hash string) []byte {
	dst = appendQuote(append(dst, `{"key":`...), key)
	dst = append(dst, `,"value":`...)
	if result.Value.Kind() == evaluate.KindString {
		dst = appendQuote(dst, result.Value.String())
	} else {
		dst = append(dst, result.Value.String()...)
	}
	dst = append(append(append(dst, `,"reason":"`...), reasonOf(result)...), '"')
	if result.VariationID != "" {
		dst = appendQuote(append(dst, `,"variant":`...), result.VariationID)
	}
	dst = append(append(append(dst, `,"metadata":{"settingType":"`...), typeOf(config.KindOf(key))...), '"')
	if hash != "" {
		dst = appendQuote(append(dst, `,"configHash":`...), hash)
	}
	if result.RuleIndex >= 0 {
		dst = strconv.AppendInt(append(dst, `,"targetingRule":`...), int64(result.RuleIndex)+1, 10)
	}
	if result.OptionIndex >= 0 {
		dst = strconv.AppendInt(append(dst, `,"percentageOption":`...), int64(result.OptionIndex)+1, 10)
	}
	return append(dst, "}}"...)
}

// reasonOf returns one of the reasons that OFREP lists. A value that no rule selected is the
// result of targeting, too: another user may have another one.
func reasonOf(result *evaluate.Result) string {
	switch {
	case result.PercentageOption != nil:
		return "SPLIT"
	case result.Static:
		return "STATIC"
	default:
		return "TARGETING_MATCH"
	}
}

func typeOf(kind evaluate.Kind) string {
	switch kind {
	case evaluate.KindBool:
		return "boolean"
	case evaluate.KindString:
		return "string"
	case evaluate.KindInt:
		return "int"
	default:
		return "double"
	}
}
