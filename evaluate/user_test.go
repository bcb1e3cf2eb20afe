package evaluate_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

type (
	namedText  string
	namedInt   int
	namedTexts []namedText
	namedTime  time.Time
	base       struct{ Country string }
	richUser   struct {
		base
		Identifier string
		Mail       *string `configcat:"Email"`
		Plan       namedText
		Age        namedInt `configcat:"age"`
		Score      float32
		Since      time.Time
		Roles      []string
		Secret     string `configcat:"-"`
		hidden     string
		Any        any
	}
)

func TestUsersOfEveryKind(t *testing.T) {
	mail := "a@example.com"
	rich := &richUser{
		base: base{Country: "HU"}, Identifier: "id", Mail: &mail, Plan: "pro", Age: 7, Score: 1.5,
		Since: time.Date(2023, 4, 1, 0, 0, 0, 0, time.UTC), Roles: []string{"x", "y"}, Secret: "s", hidden: "h",
	}
	for _, test := range []struct {
		name      string
		user      any
		attribute string
		want      string
		set       bool
	}{
		{"UserData by value", evaluate.UserData{Identifier: "id"}, "Identifier", "id", true},
		{"UserData custom", evaluate.UserData{Custom: map[string]any{"a": 1}}, "a", "1", true},
		{"empty identifier", &evaluate.UserData{}, "Identifier", "", true},
		{"empty email", &evaluate.UserData{}, "Email", "", false},
		{"empty country", &evaluate.UserData{}, "Country", "", false},
		{"custom nil", &evaluate.UserData{Custom: map[string]any{"a": nil}}, "a", "", false},
		{"custom does not shadow", &evaluate.UserData{Custom: map[string]any{"Email": "x"}}, "Email", "", false},
		{"map", map[string]any{"Email": ""}, "Email", "", true},
		{"map without", map[string]any{}, "Identifier", "", false},
		{"map of texts", map[string]string{"a": "b"}, "a", "b", true},
		{"map of texts without", map[string]string{"a": "b"}, "b", "", false},
		{"map of another type", map[namedText]int{"a": 5}, "a", "5", true},
		{"own type", &ownUser{email: []byte("bytes")}, "Email", "bytes", true},
		{"own type without", &ownUser{}, "Email", "", false},
		{"struct", rich, "Identifier", "id", true},
		{"struct by value", *rich, "Identifier", "id", true},
		{"struct tag", rich, "Email", mail, true},
		{"struct nil pointer", &richUser{}, "Email", "", false},
		{"struct field by its name", rich, "Mail", "", false},
		{"struct named text", rich, "Plan", "pro", true},
		{"struct named int", rich, "age", "7", true},
		{"struct float", rich, "Score", "1.5", true},
		{"struct time", rich, "Since", "1680307200", true},
		{"struct list", rich, "Roles", `["x","y"]`, true},
		{"struct embedded", rich, "Country", "HU", true},
		{"struct embedded, empty", &richUser{}, "Country", "", false},
		{"struct left out", rich, "Secret", "", false},
		{"struct unexported", rich, "hidden", "", false},
		{"struct nil interface", rich, "Any", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, set := evaluate.UserAttribute(test.user, test.attribute); got != test.want || set != test.set {
				t.Errorf("got %q, %v, want %q, %v", got, set, test.want, test.set)
			}
		})
	}
}

// A nil user of any type means that there is no user.
func TestNilUsers(t *testing.T) {
	config := mustParse(t, `{"f":{"flag":`+conditions(`{"u":{"a":"Email","c":28,"s":"no"}}`)+`}}`)
	for _, user := range []any{nil, (*evaluate.UserData)(nil), map[string]any(nil), map[string]string(nil), (*ownUser)(nil), (*richUser)(nil), 5, "text"} {
		var trace evaluate.Trace
		got := config.Evaluate("flag", user, evaluate.BoolValue(false), &trace)
		if got.Err != nil || len(trace.Events()) != 1 || trace.Events()[0].ID != evaluate.EventUserMissing {
			t.Errorf("%T: %v, %v", user, got.Err, trace.Events())
		}
	}
}

// S28: the strings of attributes of other types.
func TestAttributeText(t *testing.T) {
	var unset *string
	for _, test := range []struct {
		value any
		want  string
		set   bool
	}{
		{"text", "text", true},
		{namedText("text"), "text", true},
		{[]byte("bytes"), "bytes", true},
		{true, "true", true},
		{0, "0", true},
		{int64(math.MinInt64), "-9223372036854775808", true},
		{uint64(math.MaxUint64), "18446744073709551615", true},
		{3.0, "3", true},
		{math.Copysign(0, -1), "0", true},
		{1e21, "1e+21", true},
		{1e20, "100000000000000000000", true},
		{1e-6, "0.000001", true},
		{1e-7, "1e-7", true},
		{5e-324, "5e-324", true},
		{math.MaxFloat64, "1.7976931348623157e+308", true},
		{math.NaN(), "NaN", true},
		{math.Inf(-1), "-Infinity", true},
		{float32(0.5), "0.5", true},
		{time.UnixMilli(1680307199999), "1680307199.999", true},
		{time.Unix(-1, 0), "-1", true},
		{namedTime(time.Unix(5, 0)), "5", true},
		{[]string{}, "[]", true},
		{[]string(nil), "[]", true},
		{[]any{"a", "b"}, `["a","b"]`, true},
		{namedTexts{"a\"\\\b\f\n\r\t\x01/<é😀\u2028"}, `["a\"\\\b\f\n\r\t\u0001/<é😀` + "\u2028" + `"]`, true},
		{nil, "", false},
		{unset, "", false},
		{new("pointed at"), "pointed at", true},
		{map[string]int(nil), "", false},
	} {
		if got, set := evaluate.UserAttribute(map[string]any{"a": test.value}, "a"); got != test.want || set != test.set {
			t.Errorf("%#v: got %q, %v, want %q", test.value, got, set, test.want)
		}
	}
}

func TestUserJSON(t *testing.T) {
	for _, test := range []struct {
		user any
		want string
	}{
		{&evaluate.UserData{}, `{"Identifier":""}`},
		{map[string]any{"z": 1, "a": []string{"x"}, "Identifier": "id"}, `{"Identifier":"id","a":["x"],"z":1}`},
		{map[string]string{"Country": "HU", "a": "<&>"}, `{"Country":"HU","a":"<&>"}`},
		{map[string]any{"n": math.NaN(), "i": math.Inf(1), "b": true, "t": time.UnixMilli(-1)},
			`{"b":true,"i":null,"n":null,"t":"1969-12-31T23:59:59.999Z"}`},
		{map[string]any{"far": time.Date(12345, 1, 2, 3, 4, 5, 0, time.UTC), "past": time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)},
			`{"far":"+012345-01-02T03:04:05.000Z","past":"-000005-01-01T00:00:00.000Z"}`},
		{&ownUser{email: "e"}, `{"Email":"e"}`},
		{structUser{Identifier: "id", Mail: "m"}, `{"Identifier":"id","Email":"m"}`},
	} {
		if got := evaluate.UserJSON(test.user); got != test.want {
			t.Errorf("%+v: got %s, want %s", test.user, got, test.want)
		}
	}
}

// A byte slice that the caller modifies later does not change collected events: no reference to
// it is kept.
func TestBytesAreNotKept(t *testing.T) {
	text := []byte("not a version")
	config := mustParse(t, `{"f":{"flag":`+conditions(`{"u":{"a":"A","c":6,"s":"1.0.0"}}`)+`}}`)
	trace := evaluate.Trace{Log: true}
	config.Evaluate("flag", map[string]any{"A": text}, evaluate.Value{}, &trace)
	before := strings.Clone(trace.Events()[0].Message)
	copy(text, "XXXXXXXXXXXXX")
	if after := trace.Events()[0].Message; after != before {
		t.Errorf("%q became %q", before, after)
	}
	plain := evaluate.FromValues(map[string]any{"flag": text})
	copy(text, "YYYYYYYYYYYYY")
	if got := plain.Evaluate("flag", nil, evaluate.Value{}, nil); got.Value != evaluate.StringValue("XXXXXXXXXXXXX") {
		t.Error(got.Value)
	}
}
