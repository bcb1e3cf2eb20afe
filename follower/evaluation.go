package follower

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// evaluation is the result of an evaluation with what it was made from.
type evaluation struct {
	evaluate.Result
	user     User
	snapshot *snapshot // nil: there is no config
}

// GetBoolValue gives the value of a bool setting for a user, or def where it cannot be
// had, for want of a config for instance; then an event says why (S14). It allocates nothing.
func (c *Client) GetBoolValue(key string, def bool, user User) bool {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetBoolValue", key, user, evaluate.BoolValue(def))
	return e.Value.Bool()
}

// GetIntValue is [Client.GetBoolValue] for a whole number.
func (c *Client) GetIntValue(key string, def int, user User) int {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetIntValue", key, user, evaluate.IntValue(int64(def)))
	return int(e.Value.Int())
}

// GetFloatValue is [Client.GetBoolValue] for a decimal number.
func (c *Client) GetFloatValue(key string, def float64, user User) float64 {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetFloatValue", key, user, evaluate.FloatValue(def))
	return e.Value.Float()
}

// GetStringValue is [Client.GetBoolValue] for a text.
func (c *Client) GetStringValue(key string, def string, user User) string {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetStringValue", key, user, evaluate.StringValue(def))
	return e.Value.String()
}

// GetBoolValueDetails is [Client.GetBoolValue] with how the value came about.
func (c *Client) GetBoolValueDetails(key string, def bool, user User) BoolEvaluationDetails {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetBoolValueDetails", key, user, evaluate.BoolValue(def))
	return BoolEvaluationDetails{Data: e.data(key), Value: e.Value.Bool()}
}

// GetIntValueDetails is [Client.GetIntValue] with how the value came about.
func (c *Client) GetIntValueDetails(key string, def int, user User) IntEvaluationDetails {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetIntValueDetails", key, user, evaluate.IntValue(int64(def)))
	return IntEvaluationDetails{Data: e.data(key), Value: int(e.Value.Int())}
}

// GetFloatValueDetails is [Client.GetFloatValue] with how the value came about.
func (c *Client) GetFloatValueDetails(key string, def float64, user User) FloatEvaluationDetails {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetFloatValueDetails", key, user, evaluate.FloatValue(def))
	return FloatEvaluationDetails{Data: e.data(key), Value: e.Value.Float()}
}

// GetStringValueDetails is [Client.GetStringValue] with how the value came about.
func (c *Client) GetStringValueDetails(key string, def string, user User) StringEvaluationDetails {
	var e evaluation
	c.evaluate(&e, c.feed.current.Load(), "GetStringValueDetails", key, user, evaluate.StringValue(def))
	return StringEvaluationDetails{Data: e.data(key), Value: e.Value.String()}
}

// GetAllKeys gives the keys of all settings, in the config's order; none if there is no
// config (S16).
func (c *Client) GetAllKeys() []string {
	s := c.feed.current.Load()
	if s == nil {
		c.log.Error(eventConfigNotPresent, "Config JSON is not present. Returning empty slice.")
		return nil
	}
	return slices.Clone(s.config.Keys())
}

// GetAllValues gives the values of all settings for a user, each a bool, string, int or
// float64; nil where the evaluation failed (S17). Without a config the map is empty.
func (c *Client) GetAllValues(user User) map[string]any {
	s := c.feed.current.Load()
	if s == nil {
		c.log.Error(eventConfigNotPresent, "Config JSON is not present. Returning empty map.")
		return map[string]any{}
	}
	keys := s.config.Keys()
	values := make(map[string]any, len(keys))
	for _, key := range keys {
		var e evaluation
		c.evaluate(&e, s, "GetAllValues", key, user, evaluate.Value{})
		values[key] = e.Any()
	}
	return values
}

// evaluate fills in e, which the caller has on its stack.
func (c *Client) evaluate(e *evaluation, s *snapshot, method, key string, user User, def evaluate.Value) {
	if user == nil {
		user = c.defaultUser
	}
	e.user, e.snapshot = user, s
	var config *evaluate.Config
	if s != nil {
		config = s.config
	}
	if c.log.Enabled(slog.LevelWarn) {
		e.Result = c.evaluateLogged(config, key, user, def)
	} else {
		e.Result = config.Evaluate(key, user, def, nil)
	}
	if e.Err != nil {
		c.logFailure(&e.Result, method, key, def)
	}
}

var traces = sync.Pool{New: func() any { return new(evaluate.Trace) }}

// evaluateLogged evaluates and logs what the evaluation warns of and, where that is
// wanted, its whole course (S101).
func (c *Client) evaluateLogged(config *evaluate.Config, key string, user User, def evaluate.Value) evaluate.Result {
	trace := traces.Get().(*evaluate.Trace)
	defer traces.Put(trace)
	trace.Log = c.log.Enabled(slog.LevelInfo)
	result := config.Evaluate(key, user, def, trace)
	if events := trace.Events(); len(events) > 0 {
		for _, event := range events {
			c.log.Event(levelOf(event.ID), int(event.ID), event.Message)
		}
		trace.Reset()
	}
	return result
}

func levelOf(id evaluate.EventID) slog.Level {
	switch id.Level() {
	case "ERROR":
		return slog.LevelError
	case "WARNING":
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

func (c *Client) logFailure(r *evaluate.Result, method, key string, def evaluate.Value) {
	if !c.log.Enabled(slog.LevelError) {
		return
	}
	switch r.Code {
	case evaluate.CodeConfigNotAvailable, evaluate.CodeNoSuchKey:
		c.log.Error(int(r.Code), r.Err.Error())
	default:
		c.log.Error(eventEvaluationFailed, "Error occurred in the `"+method+"` method while evaluating setting '"+key+
			"'. Returning the `defaultValue` parameter that you specified in your application: '"+def.String()+"'.", eventlog.Err(r.Err))
	}
}
