package evaluate

// Evaluate returns the value of a setting for a user. It never panics. If the evaluation fails,
// the result contains def and the reason. It is safe for concurrent use.
//
// The user is nil (none), a *[UserData] or UserData, a map[string]any or map[string]string, any
// value with a GetAttribute(string) any method, or a struct or a pointer to one (see
// [StructTag]). A def of [KindNone] means no default and matches any type of setting; any other
// kind must match the setting's (S76). If trace is not nil, it collects the log events.
//
// Evaluate allocates only for log events, for errors 1000 and 1001, for parsing SemVer and JSON
// array strings, and for converting other attribute values to strings (S33).
func (c *Config) Evaluate(key string, user any, def Value, trace *Trace) Result {
	var r Result
	c.EvaluateTo(&r, key, user, def, trace)
	return r
}

// EvaluateTo is like [Config.Evaluate], but stores the result in r, which must be zero. It saves
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

// share prepares for evaluating all settings for one user. The evaluations share the results of
// prerequisites, except with the evaluation log: it shows each prerequisite at every use.
func (r *run) share(user any, t *Trace) {
	r.user.resolve(user)
	if t.log() == nil {
		r.recall = recall{}
	}
}

// lookup returns nil if there is no such setting or no config.
func (c *Config) lookup(key string) *setting {
	switch {
	case c == nil:
		return nil
	case c.index.slots == nil:
		return c.settings[key]
	}
	return c.index.find(key)
}

func (c *Config) unavailable(key string, def Value) *Error {
	if c == nil {
		return &Error{Code: CodeConfigNotAvailable, key: key, def: def}
	}
	return &Error{Code: CodeNoSuchKey, key: key, def: def, config: c}
}

// isAnswer reports whether the setting's own value is the result and there is nothing to log.
func (s *setting) isAnswer(def Value, trace *Trace) bool {
	return s.fixed && (def.kind == s.kind || def.kind == KindNone) && trace.log() == nil
}

// isFixed reports whether the setting has one value for all users and no errors.
func (s *setting) isFixed() bool {
	return len(s.rules) == 0 && len(s.options) == 0 && s.err == nil && s.served.err == nil &&
		s.rulesErr == nil && s.optionsErr == nil
}

func (s *setting) evaluate(user any, def Value, t *Trace, out *selection) (Value, *Error) {
	var r run
	r.user.resolve(user)
	return r.evaluate(t, s, def, out)
}

// run is one evaluation, or several for the same user. It contains no pointers into itself, so it
// stays on the stack. The trace is an argument, not a field: GetAttribute may retain what run's
// fields point to, so the compiler would move the trace to the heap.
type run struct {
	user      user
	attribute attribute // the one being compared
	cannot    obstacle  // why the last condition could not be evaluated

	frame  // of the setting being evaluated
	chain  chain
	visits int    // prerequisites evaluated so far
	recall recall // nil: prerequisites are evaluated at every use
}

// frame is the state of one setting being evaluated: the requested one or a prerequisite. The two
// warnings are logged once per setting.
type frame struct {
	setting                   *setting
	warnedUser, warnedOptions bool
}

type outcome uint8

const (
	noMatch outcome = iota
	match
	cannotEvaluate // run.cannot says why
)

func outcomeOf(matches bool) outcome {
	if matches {
		return match
	}
	return noMatch
}

func (r *run) evaluate(t *Trace, s *setting, def Value, out *selection) (Value, *Error) {
	t.log().begin(s.key, &r.user)
	value, err := r.evaluateFor(t, s, def, out)
	if err != nil {
		r.chain = chain{} // the evaluation stopped before it emptied the chain
		t.finish(def)
		return Value{}, err
	}
	t.finish(value)
	return value, nil
}

func (r *run) evaluateFor(t *Trace, s *setting, def Value, out *selection) (Value, *Error) {
	if s.err != nil {
		return Value{}, s.err
	}
	if !s.accepts(def) {
		return Value{}, typeMismatches[s.kind][def.kind]
	}
	r.frame, r.visits = frame{setting: s}, 0
	if err := r.evaluateSetting(t, out); err != nil {
		return Value{}, err
	}
	if out.served.err != nil {
		return Value{}, out.served.err
	}
	switch {
	case def.kind == KindFloat:
		return FloatValue(out.served.value.Float()), nil // converts a whole number, too
	case def.kind == KindInt && out.served.value.kind == KindFloat:
		return IntValue(int64(out.served.value.Float())), nil // see accepts
	}
	return out.served.value, nil
}

// accepts reports whether a default value of this kind matches the setting.
func (s *setting) accepts(def Value) bool {
	switch {
	case def.kind == KindNone || def.kind == s.kind || s.kind == KindNone:
		return true
	case def.kind == KindFloat && s.kind == KindInt:
		return s.plain || def.anyNumber
	case def.kind == KindInt && s.kind == KindFloat:
		return s.plain && s.served.value.isWhole()
	}
	return false
}

// evaluateSetting walks the rules top-down, then the setting's percentage
// options, and ends with the setting's own value (S70).
func (r *run) evaluateSetting(t *Trace, out *selection) *Error {
	s := r.setting
	if s.rulesErr != nil {
		return s.rulesErr
	}
	if len(s.rules) > 0 {
		if matched, err := r.evaluateRules(t, out); matched || err != nil {
			return err
		}
	}
	if s.optionsErr != nil {
		return s.optionsErr
	}
	if len(s.options) > 0 {
		if matched, err := r.evaluateOptions(t, s.options, out); matched || err != nil {
			return err
		}
	}
	out.served = &s.served
	return nil
}

func (r *run) evaluateRules(t *Trace, out *selection) (matched bool, err *Error) {
	t.log().rules()
	rules := r.setting.rules
	for i := range rules {
		rule := &rules[i]
		if rule.err != nil {
			return false, rule.err
		}
		if rule.conditionsErr != nil {
			return false, rule.conditionsErr
		}
		result, err := r.evaluateConditions(t, rule.conditions, rule)
		if err != nil {
			return false, err
		}
		if result != match {
			if result == cannotEvaluate {
				t.log().indent()
				t.log().ruleIgnored()
				t.log().outdent()
			}
			continue
		}
		if rule.thenErr != nil {
			return false, rule.thenErr
		}
		if rule.hasOptions {
			t.log().indent()
			matched, err := r.evaluateOptions(t, rule.options, out)
			if err != nil {
				return false, err
			}
			if !matched { // S71
				t.log().ruleIgnored()
				t.log().outdent()
				continue
			}
			t.log().outdent()
		} else {
			out.served = &rule.served
		}
		out.rule, out.ruleIndex = rule, i
		return true, nil
	}
	return false, nil
}

// evaluateConditions evaluates conditions joined with AND. rule is nil for the conditions of a
// segment.
func (r *run) evaluateConditions(t *Trace, conditions []Condition, rule *TargetingRule) (outcome, *Error) {
	result := match
	thenOnNewLine := false
	t.log().bullet()
	for i := range conditions {
		c := &conditions[i]
		if c.kind == invalidCondition {
			return noMatch, c.err
		}
		t.log().beginCondition(i)
		var err *Error
		switch c.kind {
		case userCondition:
			result, err = r.evaluateUser(t, c)
			thenOnNewLine = len(conditions) > 1
		case prerequisiteCondition:
			result, err = r.evaluatePrerequisite(t, c)
			thenOnNewLine = true
		case segmentCondition:
			result, err = r.evaluateSegment(t, c)
			thenOnNewLine = result != cannotEvaluate || r.cannot.kind != userIsMissing || len(conditions) > 1
		}
		if err != nil {
			return noMatch, err
		}
		t.log().endCondition(result == match, rule == nil || len(conditions) > 1)
		if result != match {
			break
		}
	}
	if rule != nil {
		t.log().then(rule, result, &r.cannot, thenOnNewLine)
	}
	return result, nil
}
