package evaluate

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
	shared bool   // prerequisites are evaluated once, and not at every use
	recall recall // their results, if shared
}

// frame is the state of one setting being evaluated: the requested one or a prerequisite. The two
// warnings are logged once per setting.
type frame struct {
	setting                   *setting
	warnedUser, warnedOptions bool
}

func (s *setting) evaluate(user any, def Value, t *Trace, out *selection) (Value, *Error) {
	var r run
	r.user.resolve(user)
	return r.evaluate(t, s, def, out)
}

// share prepares for evaluating all settings for one user. The evaluations share the results of
// prerequisites, except with the evaluation log or the
// tree: they show each prerequisite at every use.
func (r *run) share(user any, t *Trace) {
	r.user.resolve(user)
	r.shared = t.log() == nil
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
	t.begin(s, &r.user)
	value, err := r.evaluateFor(t, s, def, out)
	if err != nil {
		r.chain = chain{} // the evaluation stopped before it emptied the chain
		t.finish(def, err)
		return Value{}, err
	}
	t.finish(value, nil)
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
