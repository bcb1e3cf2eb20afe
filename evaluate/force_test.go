package evaluate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/memory"
)

func TestForcedFlagsAreReducedToTheirValues(t *testing.T) {
	const rule = `{"c":[{"u":{"a":"Email","c":2,"l":["}"]}}],"s":{"v":{"b":true},"i":"on"}}`
	for _, test := range []struct {
		name, source string
		value        evaluate.Value
		want, reason string
	}{
		{"rules and percentages go", "{ \"x\":1,\"f\":{\"a\" : 1,\n \"f\":\t{\"a\":\"Email\",\"r\":[" + rule + `],"p":[{"p":100,"v":{"b":true}}],"v":{"b":false},"t":0 } , "z":{}} }`, evaluate.BoolValue(true),
			"{ \"x\":1,\"f\":{\"a\" : 1,\n \"f\":\t" + `{"t":0,"v":{"b":true},"i":"on"} , "z":{}} }`, ""},
		{"the ID of its own value", `{"f":{"f":{"t":0,"r":[` + rule + `],"v":{"b":false},"i":"off"}}}`, evaluate.BoolValue(false), `{"f":{"f":{"t":0,"v":{"b":false},"i":"off"}}}`, ""},
		{"one ID twice", `{"f":{"f":{"t":0,"r":[` + rule + `],"v":{"b":true},"i":"on"}}}`, evaluate.BoolValue(true), `{"f":{"f":{"t":0,"v":{"b":true},"i":"on"}}}`, ""},
		{"two IDs", `{"f":{"f":{"t":0,"r":[` + rule + `],"v":{"b":true},"i":"yes"}}}`, evaluate.BoolValue(true), `{"f":{"f":{"t":0,"v":{"b":true}}}}`, ""},
		{"ID of an option", `{"f":{"f":{"t":2,"r":[{"p":[{"p":100,"v":{"i":7},"i":"seven"}]}],"v":{"i":1},"i":"one"}}}`, evaluate.IntValue(7), `{"f":{"f":{"t":2,"v":{"i":7},"i":"seven"}}}`, ""},
		{"a value that no part serves", `{"f":{"f":{"t":1,"v":{"s":"x"},"i":"1"}}}`, evaluate.StringValue("\"é\n"), `{"f":{"f":{"t":1,"v":{"s":"\"é\n"}}}}`, ""},
		{"a decimal number", `{"f":{"f":{"t":3,"v":{"d":1},"i":"1"}}}`, evaluate.FloatValue(2.5e30), `{"f":{"f":{"t":3,"v":{"d":2.5e+30}}}}`, ""},
		{"a default number", `{"f":{"f":{"t":3,"v":{"d":1},"i":"1"}}}`, evaluate.NumberValue(1), `{"f":{"f":{"t":3,"v":{"d":1},"i":"1"}}}`, ""},
		{"it serves nothing else", `{"f":{"f":{"t":0,"zz":7,"v":{"b":true },"i":"on"}}}`, evaluate.BoolValue(true), `{"f":{"f":{"t":0,"zz":7,"v":{"b":true },"i":"on"}}}`, ""},
		{"a broken flag", `{"f":{"f":{"t":0,"r":[7],"v":{"s":"x"}}}}`, evaluate.BoolValue(true), `{"f":{"f":{"t":0,"v":{"b":true}}}}`, ""},
		{"an escaped key", `{"f":{"\u0066":{"t":0,"v":{"b":false}}}}`, evaluate.BoolValue(true), `{"f":{"\u0066":{"t":0,"v":{"b":true}}}}`, ""},
		{"a key twice", `{"f":{"f":{"t":0,"v":{"b":false}},"f":{"t":0,"v":{"b":false},"i":"x"}}}`, evaluate.BoolValue(true), `{"f":{"f":{"t":0,"v":{"b":true}},"f":{"t":0,"v":{"b":true}}}}`, ""},
		{"a key twice, last of another type", `{"f":{"f":{"t":0,"v":{"b":false}},"f":{"t":1,"v":{"s":"x"}}}}`, evaluate.BoolValue(true),
			`{"f":{"f":{"t":0,"v":{"b":false}},"f":{"t":1,"v":{"s":"x"}}}}`, "the flag is of the type String, not Boolean"},
		{"flags twice", `{"f":{"f":7},"p":{"f":{"f":1}},"f":{"f":{"t":0,"v":{"b":false}}}}`, evaluate.BoolValue(true), `{"f":{"f":7},"p":{"f":{"f":1}},"f":{"f":{"t":0,"v":{"b":true}}}}`, ""},
		{"gone", `{"f":{"g":{"t":0,"v":{"b":true}}}}`, evaluate.BoolValue(true), `{"f":{"g":{"t":0,"v":{"b":true}}}}`, "the config has no such flag"},
		{"another type", `{"f":{"f":{"t":1,"v":{"s":"x"}}}}`, evaluate.BoolValue(true), `{"f":{"f":{"t":1,"v":{"s":"x"}}}}`, "the flag is of the type String, not Boolean"},
		{"whole and decimal", `{"f":{"f":{"t":3,"v":{"d":1}}}}`, evaluate.IntValue(1), `{"f":{"f":{"t":3,"v":{"d":1}}}}`, "the flag is of the type Double, not Int"},
		{"no type", `{"f":{"f":{"t":9,"v":{"b":true}}}}`, evaluate.BoolValue(true), `{"f":{"f":{"t":9,"v":{"b":true}}}}`, "the flag has no valid type"},
		{"no value", `{"f":{"f":{"t":0,"v":{"b":true}}}}`, evaluate.Value{}, `{"f":{"f":{"t":0,"v":{"b":true}}}}`, "there is no value"},
		{"not a number", `{"f":{"f":{"t":3,"v":{"d":1}}}}`, evaluate.FloatValue(math.NaN()), `{"f":{"f":{"t":3,"v":{"d":1}}}}`, "the value is not a finite number"},
		{"a large number", `{"f":{"f":{"t":2,"v":{"i":1}}}}`, evaluate.IntValue(1 << 53), `{"f":{"f":{"t":2,"v":{"i":1}}}}`, "the value is beyond the range of whole numbers, ±(2^53 - 1)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, suspended, err := evaluate.Force([]byte(test.source), map[string]evaluate.Value{"f": test.value})
			if err != nil || string(got) != test.want {
				t.Errorf("%s, %v, want %s", got, err, test.want)
			}
			var want []evaluate.Suspended
			if test.reason != "" {
				want = []evaluate.Suspended{{Flag: "f", Reason: test.reason}}
			}
			if diff := cmp.Diff(want, suspended); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestForceRejectsWhatParseRejects(t *testing.T) {
	on := map[string]evaluate.Value{"f": evaluate.BoolValue(true), "s": evaluate.StringValue(strings.Repeat("x", evaluate.MaxConfigBytes))}
	for _, source := range []string{
		``, `{`, `[]`, `{"f":1}`, `{"f":{},"p":1}`, `{"f":{"s":{"t":1,"v":{"s":"x"}}}}`, `{"f":{"f":{"t":0,"r":[` + strings.Repeat(" ", evaluate.MaxConfigBytes) + `]}}}`,
	} {
		got, suspended, err := evaluate.Force([]byte(source), on)
		if _, ok := errors.AsType[*evaluate.ParseError](err); !ok || got != nil || suspended != nil {
			t.Errorf("%.20q: %.20q, %v, %v", source, got, suspended, err)
		}
	}
}

// A key that occurs many times is forced each time, but the result has the size limit of a config.
func TestForceOfARepeatedKeyTakesBoundedMemory(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"f":{`)
	for i := range 20_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"a":{"t":1,"v":{"s":""}}`)
	}
	b.WriteString(`}}`)
	forced := map[string]evaluate.Value{"a": evaluate.StringValue(strings.Repeat("x", 64<<10))}
	var err error
	if n := memory.Allocated(func() { _, _, err = evaluate.Force([]byte(b.String()), forced) }); n > 256<<20 {
		t.Errorf("%d MB allocated", n>>20)
	}
	if _, ok := errors.AsType[*evaluate.ParseError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// outside returns a document without the values of some flags. It reads the document with
// encoding/json.
func outside(t failer, document []byte, forced map[string]evaluate.Value) string {
	t.Helper()
	var rest strings.Builder
	var raw struct {
		F json.RawMessage `json:"f"`
	}
	if err := json.Unmarshal(document, &raw); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	before, after, _ := bytes.Cut(document, raw.F)
	rest.Write(before)
	decoder := json.NewDecoder(bytes.NewReader(raw.F))
	_, _ = decoder.Token()
	copied := int64(0)
	for decoder.More() {
		key, _ := decoder.Token()
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatalf("%s: %v", document, err)
		}
		end := decoder.InputOffset()
		if _, cut := forced[key.(string)]; cut {
			rest.Write(raw.F[copied : end-int64(len(value))])
			copied = end
		}
	}
	rest.Write(raw.F[copied:])
	rest.Write(after)
	return rest.String()
}

func TestForceChangesNothingElse(t *testing.T) {
	reduced, suspensions := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		model := drawConfig(t)
		source := []byte(drawSpelling(t, model.tree()))
		forced := map[string]evaluate.Value{}
		for range rapid.IntRange(0, 3).Draw(t, "forced") {
			kind := rapid.IntRange(0, 3).Draw(t, "kind")
			value := evaluate.FromValues(map[string]any{"": modelValues[kind][rapid.IntRange(0, 1).Draw(t, "value")]}).Evaluate("", nil, evaluate.Value{}, nil).Value
			forced[rapid.SampledFrom(modelKeys).Draw(t, "key")] = value
		}
		was := slices.Clone(source)
		effective, suspended, err := evaluate.Force(source, forced)
		if err != nil || !bytes.Equal(source, was) {
			t.Fatalf("%s: %v", source, err)
		}
		applied := map[string]evaluate.Value{}
		for key, value := range forced {
			if !slices.ContainsFunc(suspended, func(s evaluate.Suspended) bool { return s.Flag == key }) {
				applied[key] = value
			}
		}
		suspensions += len(suspended)
		if a, b := outside(t, source, applied), outside(t, effective, applied); a != b {
			t.Fatalf("other bytes changed:\n%s\n%s", source, effective)
		}
		before, after := parseDrawn(t, string(source)), parseDrawn(t, string(effective))
		for key, value := range applied {
			reduced++
			for _, user := range modelUsers {
				r := after.Evaluate(key, user, evaluate.Value{}, nil)
				if r.Err != nil || r.Value != value || !r.Static || r.VariationID != model.onlyID(key, value) {
					t.Fatalf("%q is %v with %q, want %v with %q", key, r.Value, r.VariationID, value, model.onlyID(key, value))
				}
			}
		}
		for _, s := range suspended {
			if f := model.flags[s.Flag]; f != nil && fmt.Sprintf("%T", modelValues[f.kind][0]) == fmt.Sprintf("%T", forced[s.Flag].Any()) {
				t.Fatalf("%q is suspended: %s", s.Flag, s.Reason)
			}
		}
		for _, change := range evaluate.Diff(before, after) {
			if _, ok := applied[change.Flag]; !ok && change.Kind != evaluate.ChangeAffected {
				t.Fatalf("%s", change)
			}
		}
		if again, _, err := evaluate.Force(effective, applied); err != nil || !bytes.Equal(again, effective) {
			t.Fatalf("forced again: %s, %v", again, err)
		}
	})
	if reduced == 0 || suspensions == 0 {
		t.Errorf("%d reduced, %d suspended", reduced, suspensions)
	}
}

// onlyID returns the ID with which a flag serves a value, if there is exactly one.
func (c *modelConfig) onlyID(key string, value evaluate.Value) string {
	f := c.flags[key]
	all := []modelServed{f.served}
	for _, o := range f.options {
		all = append(all, o.served)
	}
	for _, r := range f.rules {
		if len(r.options) == 0 {
			all = append(all, r.served)
		}
		for _, o := range r.options {
			all = append(all, o.served)
		}
	}
	ids := map[string]bool{}
	for _, served := range all {
		if modelValues[f.kind][served.value] == value.Any() && served.id != "" {
			ids[served.id] = true
		}
	}
	if len(ids) == 1 {
		for id := range ids {
			return id
		}
	}
	return ""
}

func FuzzForce(f *testing.F) {
	for _, document := range []string{`{"f":{"f":{"t":0,"v":{"b":true}}}}`, `{"f":{"\u0066":{"t":1,"v":{"s":"x"}},"f":7}}`, "{\"f\":{\"\xff\":{\"t\":3,\"v\":{\"d\":1}}}}"} {
		f.Add([]byte(document), "f", "x", 1.5)
	}
	f.Fuzz(func(t *testing.T, source []byte, key, text string, number float64) {
		was := slices.Clone(source)
		for _, value := range []evaluate.Value{evaluate.BoolValue(true), evaluate.StringValue(text), evaluate.IntValue(int64(number)), evaluate.FloatValue(number)} {
			effective, suspended, err := evaluate.Force(source, map[string]evaluate.Value{key: value})
			config, parseErr := evaluate.Parse(source)
			if (err == nil) != (parseErr == nil) || !bytes.Equal(source, was) {
				t.Fatalf("%v, but Parse returns %v", err, parseErr)
			}
			if err != nil {
				continue
			}
			forced, err := evaluate.Parse(effective)
			if err != nil {
				t.Fatalf("%q: %v", effective, err)
			}
			if len(suspended) > 0 {
				if !bytes.Equal(effective, source) {
					t.Fatalf("suspended: %q", effective)
				}
				continue
			}
			r := forced.Evaluate(key, nil, evaluate.Value{}, nil)
			if r.Err != nil || !r.Static || r.Value.Any() != value.Any() && r.Value.Kind() != evaluate.KindString {
				t.Fatalf("%v in %q", r, effective)
			}
			for _, change := range evaluate.Diff(config, forced) {
				if change.Flag != key && change.Kind != evaluate.ChangeAffected {
					t.Fatalf("%s", change)
				}
			}
		}
	})
}
