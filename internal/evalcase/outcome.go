package evalcase

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"

	"github.com/catbridge/catbridge/evaluate"
)

// Outcome is the result of a case in its JSON form.
type Outcome struct {
	Value         Value    `json:"value"`
	VariationID   *string  `json:"variationId"`
	IsDefault     bool     `json:"isDefaultValue"`
	ErrorCode     int      `json:"errorCode"`
	MatchedRule   *int     `json:"matchedRule"`   // index in the setting's rules
	MatchedOption *int     `json:"matchedOption"` // index in the rule's options, or the setting's if no rule matched
	Error         *string  `json:"error"`
	Log           []string `json:"log,omitzero"` // LEVEL [id] message; only if it is requested

	// Lines are the lines of Log: the evaluation log has several. A line feed inside a line is
	// part of a name or a value.
	Lines []string `json:"-"`
}

// Answer evaluates a case. withLog requests its log. A nil config means that no config is
// available.
func Answer(config *evaluate.Config, c *Case, withLog bool) Outcome {
	var trace *evaluate.Trace
	if withLog {
		trace = &evaluate.Trace{Log: true}
	}
	result := c.evaluate(config, trace)
	o := OutcomeOf(&result)
	if withLog {
		o.Log, o.Lines = lines(trace, &result, c.Key)
	}
	return o
}

// OutcomeOf returns the outcome of an evaluation, without its log.
func OutcomeOf(result *evaluate.Result) Outcome {
	o := Outcome{
		Value:         Value{result.Value},
		IsDefault:     result.IsDefault,
		ErrorCode:     int(result.Code),
		MatchedRule:   index(result.RuleIndex),
		MatchedOption: index(result.OptionIndex),
	}
	if result.VariationID != "" {
		o.VariationID = &result.VariationID
	}
	if result.Err != nil {
		o.Error = new(result.Err.Error())
	}
	return o
}

func index(i int) *int {
	if i < 0 {
		return nil
	}
	return &i
}

// Value is a setting value that can be written in JSON even if it has no JSON form.
type Value struct{ evaluate.Value }

// MarshalJSON returns the bool, string or number, {"$num": …} or null.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.Kind() {
	case evaluate.KindFloat:
	case evaluate.KindString:
		return quoted(v.String())
	default:
		return json.Marshal(v.Any())
	}
	switch f := v.Float(); {
	case math.IsNaN(f):
		return []byte(`{"$num":"NaN"}`), nil
	case math.IsInf(f, 1):
		return []byte(`{"$num":"Infinity"}`), nil
	case math.IsInf(f, -1):
		return []byte(`{"$num":"-Infinity"}`), nil
	case f == 0:
		return []byte("0"), nil // not -0
	default:
		return json.Marshal(f)
	}
}

// quoted returns a string in JSON, without escapes for HTML.
func quoted(text string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return b.Bytes(), err
}

// lines returns the events of an evaluation at level info and above, including its failure, and
// the lines of these events.
func lines(trace *evaluate.Trace, result *evaluate.Result, key string) (log, all []string) {
	log = make([]string, 0, len(trace.Events())+1)
	for _, event := range trace.Events() {
		line, start := logLine(event.ID, event.Message), 0
		log = append(log, line)
		if event.ID == evaluate.EventEvaluated {
			before := len(line) - len(event.Message)
			for _, end := range trace.LineBreaks() {
				all = append(all, line[start:before+end])
				start = before + end + 1
			}
		}
		all = append(all, line[start:])
	}
	if failure, ok := errors.AsType[*evaluate.Error](result.Err); ok {
		event := failure.Event("GetValueDetails", key, result.Value)
		line := logLine(event.ID, event.Message)
		log, all = append(log, line), append(all, line)
	}
	return log, all
}

// officialLevels are the names of the levels in the official SDKs' logs.
var officialLevels = map[slog.Level]string{slog.LevelError: "ERROR", slog.LevelWarn: "WARNING", slog.LevelInfo: "INFO"}

func logLine(id evaluate.EventID, message string) string {
	return fmt.Sprintf("%s [%d] %s", officialLevels[id.Level()], id, message)
}
