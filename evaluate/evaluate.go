package evaluate

// Evaluate returns the value of a setting for a user. It never panics. If the evaluation fails,
// the result contains def and the reason. It is safe for concurrent use.
//
// The user is nil (none), a *[UserData] or UserData, a map with string keys, a [UserAttributes], or
// a struct or a pointer to one (see [StructTag]). A def of [KindNone] means no default and matches
// any type of setting; any other kind must match the setting's (S76). If trace is not nil, it
// collects the log events.
//
// Evaluate allocates only for what a trace collects, for errors 1000 and 1001, for parsing SemVer and JSON
// array strings, and for converting other attribute values to strings (S33).
func (c *Config) Evaluate(key string, user any, def Value, trace *Trace) Result {
	var r Result
	c.EvaluateTo(&r, key, user, def, trace)
	return r
}

// EvaluateTo is like [Config.Evaluate], but stores the result in r, replacing all of it. It saves
// copying the result, which can cost as much as the evaluation.
func (c *Config) EvaluateTo(r *Result, key string, user any, def Value, trace *Trace) {
	s := c.lookup(key)
	if s == nil {
		r.fail(def, c.unavailable(key, def))
		return
	}
	out := selection{served: &s.served, ruleIndex: -1, optionIndex: -1}
	value := s.served.value
	if !s.isAnswer(def, trace) {
		var err *Error
		if value, err = s.evaluate(user, def, trace, &out); err != nil {
			r.fail(def, err)
			return
		}
	}
	r.succeed(s, value, &out)
}

// EvaluateValue is like [Config.Evaluate] for callers that need only the value. It is faster. If
// the evaluation fails, it returns def and an [*Error].
func (c *Config) EvaluateValue(key string, user any, def Value, trace *Trace) (Value, error) {
	s := c.lookup(key)
	if s == nil {
		return def.asReturned(), c.unavailable(key, def)
	}
	if s.isAnswer(def, trace) {
		return s.served.value, nil
	}
	var out selection
	value, err := s.evaluate(user, def, trace, &out)
	if err != nil {
		return def.asReturned(), err
	}
	return value, nil
}

// AllValues returns the value of every setting for a user, converted as by [Value.Any]. A setting
// whose evaluation fails has the value nil and is listed with its error (S17, S18). The caller
// owns the map. Without a config it is empty.
func (c *Config) AllValues(user any, trace *Trace) (map[string]any, []FlagError) {
	if c == nil {
		return map[string]any{}, nil
	}
	var errs []FlagError
	values := make(map[string]any, len(c.ordered))
	var r run
	r.share(user, trace)
	for _, s := range c.ordered {
		if s.isAnswer(Value{}, trace) {
			values[s.key] = s.served.boxed
			continue
		}
		var out selection
		if _, err := r.evaluate(trace, s, Value{}, &out); err != nil {
			errs = append(errs, FlagError{Key: s.key, Err: err})
			values[s.key] = nil
			continue
		}
		values[s.key] = out.served.boxed
	}
	return values, errs
}

// AllResults returns the result of every setting for a user, in the order of [Config.Keys] (S18).
// Each result is that of [Config.Evaluate] without a default. The time is proportional to the
// size of the config, however deeply prerequisites nest, unless the trace requests the evaluation
// log. The caller owns the slice. Without a config it is empty.
func (c *Config) AllResults(user any, trace *Trace) []Result {
	if c == nil {
		return nil
	}
	results := make([]Result, len(c.ordered))
	var r run
	r.share(user, trace)
	for i, s := range c.ordered {
		out := selection{served: &s.served, ruleIndex: -1, optionIndex: -1}
		value := s.served.value
		if !s.isAnswer(Value{}, trace) {
			var err *Error
			if value, err = r.evaluate(trace, s, Value{}, &out); err != nil {
				results[i].fail(Value{}, err)
				continue
			}
		}
		results[i].succeed(s, value, &out)
	}
	return results
}

func (c *Config) unavailable(key string, def Value) *Error {
	if c == nil {
		return &Error{Code: CodeConfigNotAvailable, key: key, def: def}
	}
	return &Error{Code: CodeNoSuchKey, key: key, def: def, config: c}
}
