package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/evalcase"
)

// subject is one case for both engines.
type subject struct {
	config     any
	breakage   *breakage // nil: the config is unchanged
	evaluation evaluation

	intact bool // use the config without the breakage
	quiet  bool // without a log
	ownLog bool // the log of the question differs

	refusedByUs, refusedByThem string // why the config was refused; empty: it was not
	theirCode                  int    // the last error code of the official SDK
}

func (s *subject) question() question {
	return question{Config: configText(s.config, s.breakage, s.intact), Cases: []evaluation{s.evaluation}, Quiet: s.quiet}
}

func configText(config any, b *breakage, intact bool) string {
	if b != nil && !intact {
		if broken, ok := b.applied(config); ok {
			config = broken
		}
	}
	return jsonText(config)
}

// mapTree replaces the strings in a tree, names included.
func mapTree(v any, replace func(string) string) any {
	switch v := v.(type) {
	case string:
		return replace(v)
	case object:
		out := make(object, len(v))
		for name, member := range v {
			out[replace(name)] = mapTree(member, replace)
		}
		return out
	case array:
		out := make(array, len(v))
		for i, item := range v {
			out[i] = mapTree(item, replace)
		}
		return out
	}
	return v
}

// mapObjects replaces the objects in a tree, outer ones first.
func mapObjects(v any, replace func(object) object) any {
	switch v := v.(type) {
	case object:
		v = maps.Clone(replace(v))
		for name, member := range v {
			v[name] = mapObjects(member, replace)
		}
		return v
	case array:
		out := make(array, len(v))
		for i, item := range v {
			out[i] = mapObjects(item, replace)
		}
		return out
	}
	return v
}

// asJSON returns a value as it is after JSON.
func asJSON(v any) (out any) {
	if err := json.Unmarshal([]byte(jsonText(v)), &out); err != nil {
		panic(err)
	}
	return out
}

// answerOurselves evaluates a question as catbridge eval --batch --log does.
func answerOurselves(t *testing.T, q question) answer {
	t.Helper()
	line, err := evalcase.ParseLine([]byte(`{"config":` + q.Config + `,"cases":` + jsonText(q.Cases) + `}`))
	if err != nil {
		t.Fatalf("%s: %v", jsonText(q), err)
	}
	var a answer
	var config *evaluate.Config
	failure := panicOf(func() { config, err = evaluate.Parse(line.Config) })
	if err != nil {
		a.Refused = new(err.Error())
	}
	for i := range line.Cases {
		r := result{ErrorCode: panicked, Error: &failure}
		if failure == "" {
			r = answerOne(t, config, &line.Cases[i])
		}
		a.Results = append(a.Results, r)
	}
	return a
}

func answerOne(t *testing.T, config *evaluate.Config, c *evalcase.Case) (r result) {
	t.Helper()
	var outcome evalcase.Outcome
	failure := panicOf(func() {
		outcome = evalcase.Answer(config, c, true)
		requireSameInEveryForm(t, config, c, &outcome)
	})
	if failure != "" {
		return result{ErrorCode: panicked, Error: &failure}
	}
	if err := json.Unmarshal([]byte(jsonText(&outcome)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// panicked is the error code for a panic, so that its cause is shrunk and printed.
const panicked = -999

// panicOf calls a function and returns the text of its panic, with the place; empty: no
// panic.
func panicOf(call func()) (text string) {
	defer func() {
		if cause := recover(); cause != nil {
			text = fmt.Sprintf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	call()
	return ""
}

// requireSameInEveryForm evaluates without a log, for the value alone, and for other types
// of users: only the log may differ.
func requireSameInEveryForm(t *testing.T, config *evaluate.Config, c *evalcase.Case, want *evalcase.Outcome) {
	t.Helper()
	again := *c
	require := func(form string) {
		have := evalcase.Answer(config, &again, false)
		have.Log, have.Lines = want.Log, want.Lines
		if !reflect.DeepEqual(have, *want) {
			t.Errorf("%s: %s\nwant %s\nkey %q, user %v", form, jsonText(have), jsonText(want), c.Key, c.User)
		}
	}
	require("without a log")
	attributes, ok := c.User.(map[string]any)
	if ok {
		again.User = ownUser(attributes)
		require("for a user of its own type")
		if data := userData(attributes); data != nil {
			again.User = data
			require("for UserData")
		}
	}
	def := evaluate.Value{}
	if len(c.Default) == 1 {
		def = c.Default[0]
	} else if len(c.Default) > 1 {
		return
	}
	value, err := config.EvaluateValue(c.Key, c.User, def, nil)
	if value != want.Value.Value || (err == nil) != (want.Error == nil) || err != nil && err.Error() != *want.Error {
		t.Errorf("EvaluateValue: %v, %v\nwant %s", value, err, jsonText(want))
	}
}

// ownUser is a user of another type, with a method.
type ownUser map[string]any

func (u ownUser) GetAttribute(name string) any { return u[name] }

// userData returns the user as UserData; nil if that cannot represent it.
func userData(attributes map[string]any) *evaluate.UserData {
	data := &evaluate.UserData{Custom: map[string]any{}}
	for name, value := range attributes {
		text, isText := value.(string)
		switch name {
		case "Identifier":
			data.Identifier = text
		case "Email":
			data.Email = text
		case "Country":
			data.Country = text
		default:
			data.Custom[name] = value
			continue
		}
		if !isText && value != nil || text == "" && isText && name != "Identifier" {
			return nil
		}
	}
	return data
}

// differing returns the names of the members that differ.
func differing(a, b *result) []string {
	var names []string
	x, y := reflect.ValueOf(*a), reflect.ValueOf(*b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			names = append(names, x.Type().Field(i).Name)
		}
	}
	return names
}

// difference is a case with different answers of the two engines, for no known reason.
type difference struct {
	subject      subject
	ours, theirs result
	members      []string
}

// String returns the difference with all that is needed to reproduce it.
func (d *difference) String() string {
	var b strings.Builder
	q := d.subject.question()
	fmt.Fprintf(&b, "differs in %s\nconfig:  %s\nkey:     %s\ndefault: %s\nuser:    %s\n",
		strings.Join(d.members, ", "), q.Config, jsonText(d.subject.evaluation.Key),
		jsonText(d.subject.evaluation.Default), jsonText(d.subject.evaluation.User))
	for _, refusal := range []struct{ who, why string }{
		{"the official SDK", d.subject.refusedByThem}, {"catbridge", d.subject.refusedByUs},
	} {
		if refusal.why != "" {
			fmt.Fprintf(&b, "%s refuses the config: %s\n", refusal.who, refusal.why)
		}
	}
	for _, side := range []struct {
		who string
		r   result
	}{{"the official SDK", d.theirs}, {"catbridge", d.ours}} {
		log := side.r.Log
		if side.r.Log = nil; side.r.ErrorCode == panicked {
			fmt.Fprintf(&b, "%s: %s\n", side.who, *side.r.Error)
			continue
		}
		fmt.Fprintf(&b, "%s:\n  %s\n", side.who, jsonText(side.r))
		if slices.Contains(d.members, "Log") {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(strings.Join(log, "\n"), "\n", "\n  "))
		}
	}
	return b.String()
}
