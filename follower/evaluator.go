package follower

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// evaluator evaluates flags for a client and its snapshots, logs events and reports
// evaluations to hooks.
type evaluator struct {
	log    eventlog.Log
	hooks  *hookRunner // nil: none
	failed *failures   // nil: failures are not counted
}

// evaluation is the result of an evaluation with its inputs.
type evaluation struct {
	evaluate.Result
	user     User
	snapshot *snapshot.Snapshot // nil: the client has no config
}

// value returns only the value, which is faster than evaluate.
func (v *evaluator) value(s *snapshot.Snapshot, method, key string, user User, def evaluate.Value) evaluate.Value {
	value, _ := v.valueOf(s, method, key, user, def)
	return value
}

// valueDetails is like value, and describes the evaluation in data.
func (v *evaluator) valueDetails(data *EvaluationDetailsData, s *snapshot.Snapshot, method, key string, user User, def evaluate.Value) evaluate.Value {
	var e evaluation
	v.evaluate(&e, s, method, key, user, def)
	e.describe(data, key)
	return e.Value
}

// valueOf is like value; silent reports that nothing was logged and no hook was called.
func (v *evaluator) valueOf(s *snapshot.Snapshot, method, key string, user User, def evaluate.Value) (value evaluate.Value, silent bool) {
	if v.hooks.wantsEvaluations() {
		var e evaluation
		v.evaluate(&e, s, method, key, user, def)
		return e.Value, false
	}
	var err error
	silent = true
	switch {
	case v.log.Enabled(slog.LevelInfo):
		trace := traces.Get().(*evaluate.Trace)
		value, err = s.Content().EvaluateValue(key, user, def, trace)
		v.flush(trace)
		traces.Put(trace)
		silent = false
	case v.log.Enabled(slog.LevelWarn):
		var trace evaluate.Trace
		value, err = s.Content().EvaluateValue(key, user, def, &trace)
		silent = len(trace.Events()) == 0 || !v.flush(&trace) // flush is not inlined
	default:
		value, err = s.Content().EvaluateValue(key, user, def, nil)
	}
	if err != nil {
		v.onFailure(err, method, key, def)
		silent = false
	}
	return value, silent
}

// evaluate sets e, which is on the caller's stack.
func (v *evaluator) evaluate(e *evaluation, s *snapshot.Snapshot, method, key string, user User, def evaluate.Value) {
	v.evaluateQuietly(e, s, key, user, def)
	if e.Err != nil {
		v.onFailure(e.Err, method, key, def)
	}
	v.report(e, key)
}

func (v *evaluator) report(e *evaluation, key string) {
	if v.hooks.wantsEvaluations() {
		v.hooks.evaluated.report(new(e.details(key)))
	}
}

// evaluateQuietly is like evaluate, but does not log a failure and calls no hooks.
func (v *evaluator) evaluateQuietly(e *evaluation, s *snapshot.Snapshot, key string, user User, def evaluate.Value) {
	e.user, e.snapshot = user, s
	switch {
	case v.log.Enabled(slog.LevelInfo):
		trace := traces.Get().(*evaluate.Trace)
		s.Content().EvaluateTo(&e.Result, key, user, def, trace)
		v.flush(trace)
		traces.Put(trace)
	case v.log.Enabled(slog.LevelWarn):
		var trace evaluate.Trace
		s.Content().EvaluateTo(&e.Result, key, user, def, &trace)
		v.flush(&trace)
	default:
		s.Content().EvaluateTo(&e.Result, key, user, def, nil)
	}
}

// traces pools traces that collect all steps of evaluations: such traces are large.
var traces = sync.Pool{New: func() any { return &evaluate.Trace{Log: true} }}

// flush reports whether the trace had events to log.
func (v *evaluator) flush(trace *evaluate.Trace) bool {
	if len(trace.Events()) == 0 {
		return false
	}
	for _, event := range trace.Events() {
		v.log.Event(event.ID.Level(), int(event.ID), event.Message)
	}
	trace.Reset()
	return true
}

func (v *evaluator) onFailure(err error, method, key string, def evaluate.Value) {
	v.failed.count(err)
	if !v.log.Enabled(slog.LevelError) {
		return
	}
	failure, _ := errors.AsType[*evaluate.Error](err)
	switch failure.Code {
	case evaluate.CodeConfigNotAvailable, evaluate.CodeNoSuchKey:
		v.log.Failure(int(failure.Code), err)
	default:
		event := failure.Event(method, key, def)
		v.log.Error(int(event.ID), event.Message, eventlog.Err(err))
	}
}
