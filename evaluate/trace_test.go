package evaluate_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

func TestFailureEvents(t *testing.T) {
	var none *evaluate.Config
	config := mustParse(t, `{"f":{"flag":{"t":9,"v":{"b":true}}}}`)
	for _, test := range []struct {
		config *evaluate.Config
		key    string
		id     evaluate.EventID
		want   string
	}{
		{none, "flag", evaluate.EventConfigNotAvailable, "Config JSON is not present when evaluating setting 'flag'. "},
		{config, "key", evaluate.EventNoSuchKey, "Failed to evaluate setting 'key' (the key was not found in config JSON). "},
		{config, "flag", evaluate.EventEvaluationFailed, "Error occurred in the `GetBoolValue` method while evaluating setting 'flag'. "},
	} {
		result := test.config.Evaluate(test.key, nil, evaluate.BoolValue(true), nil)
		failure, _ := errors.AsType[*evaluate.Error](result.Err)
		event := failure.Event("GetBoolValue", test.key, evaluate.BoolValue(true))
		rest, ok := strings.CutPrefix(event.Message, test.want)
		const returning = "Returning the `defaultValue` parameter that you specified in your application: 'true'."
		if event.ID != test.id || event.ID.Level() != slog.LevelError || !ok || !strings.HasPrefix(rest, returning) {
			t.Errorf("%d %q", event.ID, event.Message)
		}
	}
}

// Warnings are in the order of the evaluation. 3001 and the 3003 of percentage options appear
// once for each evaluated flag (S75).
func TestWarningsOncePerFlag(t *testing.T) {
	user := `{"u":{"a":"Email","c":28,"s":"x"}}`
	config := mustParse(t, `{"s":[{"n":"seg","r":[{"a":"Email","c":28,"s":"x"}]}],"f":{
		"main":{"t":0,"r":[
			{"c":[`+user+`],"s":{"v":{"b":true}}},
			{"c":[{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}},
			{"c":[{"p":{"f":"other","c":1,"v":{"b":false}}}],"s":{"v":{"b":true}}},
			{"p":[{"p":100,"v":{"b":true}}]},{"p":[{"p":100,"v":{"b":true}}]}],
			"a":"nope","v":{"b":false}},
		"other":{"t":0,"r":[{"c":[`+user+`],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`)
	events := func(given any) (all []string) {
		var trace evaluate.Trace
		if got := config.Evaluate("main", given, evaluate.Value{}, &trace); got.Err != nil || got.Value.Bool() {
			t.Fatalf("%v, %v", got.Value, got.Err)
		}
		for _, event := range trace.Events() {
			_, rest, _ := strings.Cut(event.Message, "for setting '")
			key, _, _ := strings.Cut(rest, "'")
			all = append(all, event.ID.Level().String()+" "+key)
			if event.ID < 3001 || event.ID > 3003 {
				t.Errorf("event %d", event.ID)
			}
		}
		return all
	}
	if got := strings.Join(events(nil), ", "); got != "WARN main, WARN other" {
		t.Errorf("no user: %s", got)
	}
	if got := strings.Join(events(&evaluate.UserData{}), ", "); got != "WARN main, WARN main, WARN other, WARN main" {
		t.Errorf("no attribute: %s", got)
	}
}

// A reset trace behaves like a new one.
func TestTraceIsReusable(t *testing.T) {
	config := mustParse(t, `{"f":{"flag":`+conditions(`{"u":{"a":"Email","c":28,"s":"no"}}`)+`}}`)
	trace := evaluate.Trace{Log: true}
	var first []evaluate.Event
	for i := range 3 {
		trace.Reset()
		config.Evaluate("flag", nil, evaluate.BoolValue(false), &trace)
		events := append([]evaluate.Event(nil), trace.Events()...)
		if i == 0 {
			first = events
		}
		if len(events) != 2 || events[0] != first[0] || events[1] != first[1] {
			t.Errorf("round %d: %v, first %v", i, events, first)
		}
	}
}

// S29 to S32: a warning about an attribute that cannot be compared contains its value, including
// numbers, dates and lists.
func TestInvalidAttributeReasons(t *testing.T) {
	for _, test := range []struct {
		comparator int
		attribute  any
		want       string
	}{
		{6, "1.0", "('1.0' is not a valid semantic version)"},
		{6, 5, "('5' is not a valid semantic version)"},
		{10, []string{"a", "b"}, "('a,b' is not a valid decimal number)"},
		{10, true, "('true' is not a valid decimal number)"},
		{10, time.Date(2023, 4, 1, 12, 30, 5, 0, time.UTC), "('Sat Apr 01 2023 12:30:05 GMT+0000 (Coordinated Universal Time)' is not a valid decimal number)"},
		{10, time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "('Fri Jan 01 -0001 00:00:00 GMT+0000 (Coordinated Universal Time)' is not a valid decimal number)"},
		{18, "soon", "('soon' is not a valid Unix timestamp (number of seconds elapsed since Unix epoch))"},
		{34, "x", "('x' is not a valid string array)"},
	} {
		var trace evaluate.Trace
		config := mustParse(t, comparisonFlag(test.comparator, `"s":"1.0.0","d":1,"l":["x"]`))
		config.Evaluate("flag", map[string]any{"A": test.attribute}, evaluate.Value{}, &trace)
		if len(trace.Events()) != 1 || trace.Events()[0].ID != evaluate.EventAttributeInvalid || !strings.Contains(trace.Events()[0].Message, test.want) {
			t.Errorf("%v: %v", test.attribute, trace.Events())
		}
	}
}

func TestConditionStrings(t *testing.T) {
	many := `"l":["1","2","3","4","5","6","7","8","9","10","11"`
	for _, test := range []struct {
		condition, want string
	}{
		{`"c":0,` + many + `]`, `User.A IS ONE OF ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', ... <1 more value>]`},
		{`"c":33,` + many + `,"12"]`, `User.A NOT ENDS WITH ANY OF ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', ... <2 more values>]`},
		{`"c":0,"l":[]`, `User.A IS ONE OF []`},
		{`"c":16,"l":["x"]`, `User.A IS ONE OF [<1 hashed value>]`},
		{`"c":27,"l":["x","y"]`, `User.A ARRAY NOT CONTAINS ANY OF [<2 hashed values>]`},
		{`"c":20,"s":"x"`, `User.A EQUALS '<hashed value>'`},
		{`"c":18,"d":1680307200.5`, `User.A BEFORE '1680307200.5' (2023-04-01T00:00:00.500Z UTC)`},
		{`"c":19,"d":1e300`, `User.A AFTER '1e+300'`},
		{`"c":10,"d":1e21`, `User.A = '1e+21'`},
		{`"c":28`, `User.A EQUALS '<invalid value>'`},
		{`"c":99,"s":"x"`, `User.A <invalid operator> 'x'`},
		{`"c":99,"d":5`, `User.A <invalid operator> '5'`},
		{`"c":99,"d":5,"s":"x"`, `User.A <invalid operator> '<invalid value>'`},
		{`"c":99,"l":["x"]`, `User.A <invalid operator> '<invalid value>'`},
	} {
		config := mustParse(t, `{"p":{"s":"s"},"f":{"flag":{"t":0,"r":[{"c":[{"u":{"a":"A",`+test.condition+`}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`)
		var trace evaluate.Trace
		config.Evaluate("flag", map[string]any{}, evaluate.Value{}, &trace)
		if len(trace.Events()) != 1 || !strings.Contains(trace.Events()[0].Message, "("+test.want+")") {
			t.Errorf("%s: %v", test.condition, trace.Events())
		}
	}
}
