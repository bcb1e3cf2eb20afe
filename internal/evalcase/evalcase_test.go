package evalcase

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/catbridge/catbridge/evaluate"
)

func TestUsersKeepTheirTypes(t *testing.T) {
	utc := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 5e6, time.UTC)
	}
	for text, want := range map[string]map[string]any{
		`{}`: {"Identifier": ""},
		`{"Identifier": null, "Email": "", "Country": "HU"}`:                            {"Identifier": "", "Email": "", "Country": "HU"},
		`{"Identifier": "1", "Plan": "pro", "Custom": "x"}`:                             {"Identifier": "1", "Plan": "pro", "Custom": "x"},
		`{"Custom": {"Email": "a@b", "Identifier": "2", "Custom": "x"}}`:                {"Identifier": "", "Custom": "x"},
		`{"Custom": {"a": 5, "b": -0.5e1, "c": 1e999, "d": true, "e": null}}`:           {"Identifier": "", "a": 5.0, "b": -5.0, "c": math.Inf(1), "d": true, "e": nil},
		`{"Custom": {"a": [], "b": ["x", ""], "c": [1, "x", null]}}`:                    {"Identifier": "", "a": []string{}, "b": []string{"x", ""}, "c": []any{1.0, "x", nil}},
		`{"Custom": {"a": {"$date": "2023-04-01T02:00:00.005+02:00"}}}`:                 {"Identifier": "", "a": utc(2023, 4, 1)},
		`{"Custom": {"a": {"$date": "+012345-12-31T00:00:00.005Z"}}}`:                   {"Identifier": "", "a": utc(12345, 12, 31)},
		`{"Custom": {"a": {"$date": "-000004-02-29T00:00:00.005Z"}}}`:                   {"Identifier": "", "a": utc(-4, 2, 29)},
		`{"Custom": {"a": {"$num": "NaN"}, "b": {"$num": "-Infinity"}}}`:                {"Identifier": "", "a": math.NaN(), "b": math.Inf(-1)},
		`{"Custom": {"a": {"$int": "-128", "type": "int8"}, "b": {"$int": "7"}}}`:       {"Identifier": "", "a": int8(-128), "b": int64(7)},
		`{"Custom": {"a": {"$int": "18446744073709551615", "type": "uint64"}}}`:         {"Identifier": "", "a": uint64(math.MaxUint64)},
		`{"Custom": {"a": {"type": "uint16", "$int": "9"}, "b": {"$undefined": true}}}`: {"Identifier": "", "a": uint16(9), "b": nil},
		`{"Custom": {"a": {"$float32": 2.1}}}`:                                          {"Identifier": "", "a": float32(2.1)},
	} {
		have, err := ParseUser([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(any(want), have, cmpopts.EquateNaNs(), cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("%s (-want +have):\n%s", text, diff)
		}
	}
}

func TestNoUserIsNil(t *testing.T) {
	if user, err := ParseUser([]byte("null")); user != nil || err != nil {
		t.Errorf("%v, %v", user, err)
	}
}

// Each error contains the location and the reason.
func TestErrorsContainTheLocation(t *testing.T) {
	for text, want := range map[string]string{
		``:                               "invalid JSON",
		`{"config": {}, "cases": [`:      "invalid JSON: unexpected end",
		`{"config": {}, "cases": []} {}`: "more than one value",
		`[]`:                             "an object is expected",
		`null`:                           "config: missing",
		`{"config": {}}`:                 "cases: an array is expected",
		`{"config": {}, "cases": [{"key": "k"}, 5]}`: "cases[1]: an object is expected",
		`{"config": {}, "cases": [{}]}`:              "cases[0].key: a string is expected",
	} {
		requireError(t, text, want)
	}
	for member, want := range map[string]string{
		`"default": []`: "cases[0].default: a bool, a string or a number is expected",
		`"default": {"$date": "2023-01-01T00:00:00Z"}`:                   "cases[0].default: a bool, a string or a number is expected",
		`"default": {"x": 1}`:                                            "cases[0].default: an object must be one of",
		`"user": "42"`:                                                   "cases[0].user: an object is expected",
		`"user": {"Email": {"$x": 1}}`:                                   "cases[0].user.Email: an object must be one of",
		`"user": {"Custom": {"a": {"$date": "soon"}}}`:                   `cases[0].user.Custom.a.$date: "soon" is not a time`,
		`"user": {"Custom": {"a": {"$date": "+12345-01-01T00:00:00Z"}}}`: `.$date: "+12345-01-01T00:00:00Z" is not a time`,
		`"user": {"Custom": {"a": {"$num": "5"}}}`:                       `.$num: "5" is not one of`,
		`"user": {"Custom": {"a": {"$int": "1.5", "type": "int8"}}}`:     `.$int: "1.5" is not a valid int8`,
		`"user": {"Custom": {"a": {"$int": "-1", "type": "uint8"}}}`:     `.$int: "-1" is not a valid uint8`,
		`"user": {"Custom": {"a": {"$int": "1", "type": "int9"}}}`:       `.type: unknown type "int9"`,
		`"user": {"Custom": {"a": {"$int": "1", "kind": "int8"}}}`:       "user.Custom.a: an object must be one of",
		`"user": {"Custom": {"a": ["x", {"$num": "NaN"}]}}`:              "user.Custom.a[1]: a string is expected",
	} {
		requireError(t, `{"config": {}, "cases": [{"key": "k", `+member+`}]}`, want)
	}
}

func requireError(t *testing.T, text, want string) {
	t.Helper()
	if _, err := ParseLine([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want %q", text, err, want)
	}
}

// JSON does not distinguish 5 from 5.0.
func TestDefaultsMatchEveryPossibleType(t *testing.T) {
	for text, want := range map[string]Default{
		`null`:                            nil,
		`false`:                           {evaluate.BoolValue(false)},
		`"5"`:                             {evaluate.StringValue("5")},
		`5`:                               {evaluate.IntValue(5), evaluate.FloatValue(5)},
		`5.0`:                             {evaluate.FloatValue(5)},
		`5e0`:                             {evaluate.FloatValue(5)},
		`1e999`:                           {evaluate.FloatValue(math.Inf(1))},
		`99999999999999999999`:            {evaluate.FloatValue(1e20)},
		`{"$int": "5", "type": "int8"}`:   {evaluate.IntValue(5)},
		`{"$int": "5", "type": "uint64"}`: {evaluate.IntValue(5)},
		`{"$num": "-Infinity"}`:           {evaluate.FloatValue(math.Inf(-1))},
		`{"$float32": 0.5}`:               {evaluate.FloatValue(0.5)},
		`{"$undefined": true}`:            nil,
	} {
		decoded, err := decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		have, err := ParseDefault(decoded)
		if err != nil || !cmp.Equal(have, want, cmp.Comparer(func(a, b evaluate.Value) bool { return a == b })) {
			t.Errorf("%s: %v, %v, want %v", text, have, err, want)
		}
	}
	config, err := evaluate.Parse([]byte(`{"f": {"whole": {"t": 2, "v": {"i": 1}}, "decimal": {"t": 3, "v": {"d": 1}}, "text": {"t": 1, "v": {"s": ""}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key, def string
		code     evaluate.ErrorCode
	}{
		{"whole", "5", 0}, {"decimal", "5", 0}, {"text", "5", 2},
		{"whole", "5.0", 2}, {"decimal", "5.0", 0},
		{"decimal", `{"$int": "5", "type": "int8"}`, 2},
	} {
		decoded, _ := decode([]byte(test.def))
		c := Case{Key: test.key}
		if c.Default, err = ParseDefault(decoded); err != nil {
			t.Fatal(err)
		}
		o := Answer(config, &c, true)
		if o.ErrorCode != int(test.code) {
			t.Errorf("%s with default %s: error code %d, want %d", test.key, test.def, o.ErrorCode, test.code)
		}
		if infos := strings.Count(strings.Join(o.Log, "\n"), "INFO [5000]"); infos != 1 {
			t.Errorf("%s with default %s: %d evaluation logs, want 1", test.key, test.def, infos)
		}
	}
}

// Any input is either rejected with an error or evaluated.
func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"config": {"f": {"k": {"t": 0, "v": {"b": true}}}}, "cases": [{"key": "k", "default": 5, "user": null}]}`))
	f.Add([]byte(`{"config": null, "cases": [{"key": "k", "user": {"Custom": {"a": {"$date": "-000001-01-01T00:00:00Z"}}}}]}`))
	f.Add([]byte(`{"config": {}, "cases": [{"key": "k", "user": {"a": {"$int": "5", "type": "uint8"}, "b": [1, ["x"]]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		line, err := ParseLine(data)
		if err != nil {
			return
		}
		config, err := evaluate.Parse(line.Config)
		if err != nil {
			config = nil
		}
		for i := range line.Cases {
			o := Answer(config, &line.Cases[i], true)
			if _, err := json.Marshal(&o); err != nil {
				t.Errorf("%s: %v", data, err)
			}
		}
	})
}
