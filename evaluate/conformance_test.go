package evaluate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/evalcase"
)

func readFile(t testing.TB, elements ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readJSON[T any](t testing.TB, elements ...string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(readFile(t, elements...), &v); err != nil {
		t.Fatalf("%s: %v", filepath.Join(elements...), err)
	}
	return v
}

func parseFile(t testing.TB, elements ...string) *evaluate.Config {
	t.Helper()
	config, err := evaluate.Parse(readFile(t, elements...))
	if err != nil {
		t.Fatalf("%s: %v", filepath.Join(elements...), err)
	}
	return config
}

// table is a case table. Its members are the defaults for those that a case omits.
type table struct {
	Kind      string
	Config    string
	Configs   map[string]string
	Remote    *string
	Local     *localSource
	Behaviour *string
	Cases     []tableCase
}

type localSource struct {
	Map    map[string]any
	Config string
}

type tableCase struct {
	ID            int
	JSSpecific    any
	SDKDifference any

	Config       string
	ConfigInline json.RawMessage
	Key          string
	Default      any
	User         map[string]any
	Expect       json.RawMessage
	Local        *localSource
	Behaviour    *string
	Remote       json.RawMessage // null: no config is available
	VariationID  string

	Algorithm, Input, Hex string
	Text                  string
	Number                any
	Op, Attribute, JSON   string
	Value                 *string
	ConfigJSON            string
	Valid                 bool
}

// skipped reports whether the case need not hold.
func (c *tableCase) skipped() bool { return c.JSSpecific != nil || c.SDKDifference != nil }

func (c *tableCase) expect(t *testing.T) expectation {
	t.Helper()
	var e expectation
	decode(t, c.Expect, &e)
	if err := json.Unmarshal(c.Expect, &e.present); err != nil {
		t.Fatal(err)
	}
	return e
}

type expectation struct {
	Value         any
	VariationID   *string
	IsDefault     *bool `json:"isDefaultValue"`
	ErrorCode     *int
	MatchedRule   *int
	MatchedOption *int
	ErrorContains []string
	ErrorPattern  string
	Warnings      []string
	Key           string

	present map[string]json.RawMessage
}

func (e *expectation) has(member string) bool { _, ok := e.present[member]; return ok }

// decode decodes JSON and keeps the source form of numbers.
func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		t.Fatal(err)
	}
}

func readTable(t *testing.T, dir, name string) table {
	t.Helper()
	var tb table
	decode(t, readFile(t, dir, "cases", name), &tb)
	if len(tb.Cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return tb
}

// typedValue decodes a custom attribute in the encoding of the tables.
func typedValue(t *testing.T, v any) any {
	t.Helper()
	value, err := evalcase.Attribute(v)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// userOf returns a user as UserData, or as a map if an Email or Country is set but empty, which
// UserData cannot express.
func userOf(t *testing.T, v map[string]any) any {
	t.Helper()
	if v == nil {
		return nil
	}
	text := func(name string) string { s, _ := v[name].(string); return s }
	user := &evaluate.UserData{
		Identifier: text("Identifier"), Email: text("Email"), Country: text("Country"),
		Custom: map[string]any{},
	}
	custom, _ := v["Custom"].(map[string]any)
	for name, value := range custom {
		user.Custom[name] = typedValue(t, value)
	}
	if v["Email"] != "" && v["Country"] != "" {
		return user
	}
	attributes := map[string]any{}
	maps.Copy(attributes, user.Custom)
	for _, name := range []string{"Identifier", "Email", "Country"} {
		attributes[name] = v[name]
	}
	return attributes
}

// defaultOf returns a default value. JSON does not distinguish a whole 0 from a decimal one: it
// is decimal if want is decimal.
func defaultOf(t *testing.T, v, want any) evaluate.Value {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return evaluate.Value{}
	case bool:
		return evaluate.BoolValue(v)
	case string:
		return evaluate.StringValue(v)
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			t.Fatal(err)
		}
		if wanted, ok := want.(json.Number); isWhole(v) && (!ok || isWhole(wanted)) {
			return evaluate.IntValue(int64(f))
		}
		return evaluate.FloatValue(f)
	}
	t.Fatalf("default %v", v)
	return evaluate.Value{}
}

func isWhole(n json.Number) bool { return !strings.ContainsAny(n.String(), ".eE") }

func sameValue(got evaluate.Value, want any) bool {
	switch want := want.(type) {
	case nil:
		return got.Kind() == evaluate.KindNone
	case bool:
		return got == evaluate.BoolValue(want)
	case string:
		return got == evaluate.StringValue(want)
	case json.Number:
		f, err := want.Float64()
		return err == nil && (got.Kind() == evaluate.KindInt || got.Kind() == evaluate.KindFloat) && got.Float() == f
	default:
		return false
	}
}

// differences returns the differences between an outcome and the expected one, or an empty
// string.
func differences(got *evaluate.Result, trace *evaluate.Trace, want *expectation) string {
	var all []string
	differ := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if want.has("value") && !sameValue(got.Value, want.Value) {
		differ("value %v, want %v", got.Value, want.Value)
	}
	if want.has("variationId") && got.VariationID != deref(want.VariationID, "") {
		differ("variation ID %q", got.VariationID)
	}
	if want.has("isDefaultValue") && got.IsDefault != *want.IsDefault {
		differ("default %v", got.IsDefault)
	}
	if want.has("errorCode") && int(got.Code) != *want.ErrorCode {
		differ("error code %d (%v), want %d", got.Code, got.Err, *want.ErrorCode)
	}
	if want.has("matchedRule") && got.RuleIndex != deref(want.MatchedRule, -1) {
		differ("rule %d", got.RuleIndex)
	}
	if want.has("matchedOption") && got.OptionIndex != deref(want.MatchedOption, -1) {
		differ("option %d", got.OptionIndex)
	}
	if (got.TargetingRule != nil) != (got.RuleIndex >= 0) || (got.PercentageOption != nil) != (got.OptionIndex >= 0) {
		differ("rule %p and option %p for indexes %d and %d", got.TargetingRule, got.PercentageOption, got.RuleIndex, got.OptionIndex)
	}
	for _, text := range want.ErrorContains {
		if got.Err == nil || !strings.Contains(strings.ToLower(got.Err.Error()), strings.ToLower(text)) {
			differ("error %v, want %q", got.Err, text)
		}
	}
	if want.ErrorPattern != "" && (got.Err == nil || !matches(want.ErrorPattern, got.Err.Error())) {
		differ("error %v, want %s", got.Err, want.ErrorPattern)
	}
	if want.has("warnings") {
		var warnings []string
		for _, event := range trace.Events() {
			warnings = append(warnings, fmt.Sprintf("[%d] %s", event.ID, event.Message))
		}
		if strings.Join(warnings, "\n") != strings.Join(want.Warnings, "\n") {
			differ("warnings %q", warnings)
		}
	}
	return strings.Join(all, "; ")
}

func deref[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }
