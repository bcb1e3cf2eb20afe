package follower

import (
	"errors"
	"log/slog"
	"slices"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// isMissing reports whether s is nil, and then counts and logs that no config is loaded.
func (v *evaluator) isMissing(s *snapshot.Snapshot, returned string) bool {
	if s == nil {
		v.failed.countCode(evaluate.CodeConfigNotAvailable)
		v.log.Error(int(evaluate.EventConfigNotAvailable), "Config JSON is not present. Returning "+returned+".")
	}
	return s == nil
}

func (v *evaluator) listKeys(s *snapshot.Snapshot) []string {
	if v.isMissing(s, "empty slice") {
		return nil
	}
	return slices.Clone(s.Config.Keys())
}

// listValues logs all failures as one event, as the official SDKs do.
func (v *evaluator) listValues(s *snapshot.Snapshot, method string, user User) map[string]any {
	switch {
	case v.isMissing(s, "empty map"):
		return map[string]any{}
	case v.hooks.wantsEvaluations():
		values := make(map[string]any)
		for _, d := range v.listDetails(s, method, user) {
			values[d.Data.Key] = d.Value
		}
		return values
	}
	var trace evaluate.Trace
	collected := v.prepareForAll(&trace)
	values, failed := s.Config.AllValues(user, collected)
	v.flush(collected)
	errs := make([]error, len(failed))
	for i, f := range failed {
		errs[i] = f.Err
	}
	v.onFailures(errs, method)
	return values
}

// prepareForAll prepares the caller's trace, which is on its stack, for an evaluation of all
// settings. It returns nil if nothing is logged.
func (v *evaluator) prepareForAll(trace *evaluate.Trace) *evaluate.Trace {
	if !v.log.Enabled(slog.LevelWarn) {
		return nil
	}
	trace.Log = v.log.Enabled(slog.LevelInfo)
	return trace
}

// listDetails is listValues with details, in the order of the keys.
func (v *evaluator) listDetails(s *snapshot.Snapshot, method string, user User) []EvaluationDetails {
	if v.isMissing(s, "empty slice") {
		return nil
	}
	var trace evaluate.Trace
	collected := v.prepareForAll(&trace)
	results := s.Config.AllResults(user, collected)
	v.flush(collected)
	all := make([]EvaluationDetails, len(results))
	var errs []error
	for i, key := range s.Config.Keys() {
		e := evaluation{Result: results[i], user: user, snapshot: s}
		all[i] = e.details(key)
		if e.Err != nil {
			errs = append(errs, e.Err)
		}
	}
	v.onFailures(errs, method)
	if v.hooks.wantsEvaluations() {
		for _, d := range all {
			v.hooks.evaluated.report(&d)
		}
	}
	return all
}

func (v *evaluator) listVariationIDs(s *snapshot.Snapshot, method string, user User) []string {
	var ids []string
	for _, d := range v.listDetails(s, method, user) {
		if d.Data.VariationID != "" {
			ids = append(ids, d.Data.VariationID)
		}
	}
	return ids
}

func (v *evaluator) findVariation(s *snapshot.Snapshot, id string) (key string, value any) {
	if v.isMissing(s, "nil") {
		return "", nil
	}
	key, found, ok := s.Config.FindVariation(id)
	if !ok {
		v.log.Error(eventid.NoSuchVariation, "Could not find the setting for the specified variation ID: '"+id+"'.")
		return "", nil
	}
	return key, found.Any()
}

func (v *evaluator) onFailures(errs []error, method string) {
	for _, err := range errs {
		v.failed.count(err)
	}
	if len(errs) > 0 {
		v.log.Error(int(evaluate.EventEvaluationFailed), "Error occurred in the `"+method+"` method. Returning evaluation result.",
			eventlog.Err(errors.Join(errs...)))
	}
}
